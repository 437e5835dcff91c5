// Which loop nests a machine's control can run: what people call its dataflow. Which tensors a
// level keeps is the machine's own say (StorageLevel::must_keep, may_keep).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accel/dimension_set.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel {

/// A fixed factor of 0: all that the fixed factors elsewhere leave of the dimension. Every other
/// place that fixes no factor of this dimension then takes none of it.
inline constexpr std::int64_t kAllThatIsLeft = 0;

/// For the loops of one place: the temporal ones of a level, or those over one axis of its fan-out.
/// A factor is a number of pieces; a loop of one piece is no loop.
struct LoopConstraints {
  using Factors = std::array<std::optional<std::int64_t>, kDimensions>;

  /// The others have no loop here.
  DimensionSet dimensions = DimensionSet::all();
  /// Exactly so many pieces, or as many as the dimension has where it has fewer.
  Factors factors{};
  /// At most so many pieces.
  Factors most{};

  friend bool operator==(const LoopConstraints&, const LoopConstraints&) = default;
};

struct LevelConstraints {
  LoopConstraints temporal;
  /// Dimensions whose temporal loops are inside all others of the level, innermost first.
  std::vector<Dimension> innermost;
  /// As the machine's fan-out has them.
  std::array<LoopConstraints, kMostAxes> axes{};

  friend bool operator==(const LevelConstraints&, const LevelConstraints&) = default;
};

struct MapConstraints {
  /// As many as the machine has, outermost first, or none: anything goes.
  std::vector<LevelConstraints> levels;

  friend bool operator==(const MapConstraints&, const MapConstraints&) = default;
};

/// Everything wrong with `constraints` for `machine` alone, each naming its level; empty when some
/// layer can satisfy them.
[[nodiscard]] std::vector<std::string> problems_in(const MapConstraints& constraints,
                                                   const Machine& machine);

/// Everything in which `nest`, which runs `layer` on `machine`, breaks `constraints`, each naming
/// its level; empty when it obeys.
[[nodiscard]] std::vector<std::string> violations_of(const MapConstraints& constraints,
                                                     const LoopNest& nest, const Layer& layer,
                                                     const Machine& machine);

}  // namespace cosearch::accel
