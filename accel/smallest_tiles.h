// The smallest tiles that a map space allows, level by level: what cannot even hold these fits
// nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "accel/map_space.h"

namespace cosearch::accel {

/// The least extents that the tile of each level can have by itself, the temporal factors of all
/// levels further out being as large as constraints and divisibility allow.
class SmallestTiles {
 public:
  explicit SmallestTiles(const MapSpace& space);

  /// Those of one spatial choice; none when temporal factors find no place.
  [[nodiscard]] std::optional<std::array<Extents, kMostLevels>> of(
      const SpatialChoice& choice) const;

 private:
  void fill(Dimension d);

  const MapSpace& space_;
  std::size_t levels_;
  /// [dimension][level][index of what fan-outs leave]: least product of temporal factors at and
  /// inside the level; 0 where there is no way.
  std::array<std::vector<std::vector<std::int64_t>>, kDimensions> inside_;
};

/// Bits that are missing at `level` to hold `tile`; 0 when it fits.
[[nodiscard]] std::int64_t missing_bits(const MapSpace& space, std::size_t level, TensorSet keep,
                                        const Extents& tile);

}  // namespace cosearch::accel
