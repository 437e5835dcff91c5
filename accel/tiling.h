// Sums over the tiles of one dimension or one window axis, in closed form: the arithmetic beneath
// accel/traffic.h. Because tiles are boxes, every count is a product of such sums.
#pragma once

#include <algorithm>
#include <cstdint>

#include "accel/mapping.h"
#include "core/layer.h"

namespace cosearch::accel {

/// One dimension cut three times: into shared tiles, those into array tiles, those over PEs.
/// The last piece of each cut is as long as what is left.
struct DimensionTiling {
  std::int64_t extent = 1, shared = 1, array = 1, pe = 1;

  [[nodiscard]] std::int64_t shared_tiles() const { return ceil_div(extent, shared); }
  /// Array tiles in a full shared tile: the bound of the inner loop.
  [[nodiscard]] std::int64_t array_tiles_per_shared() const {
    return ceil_div(std::min(shared, extent), array);
  }
  [[nodiscard]] std::int64_t array_tiles() const;
  /// Sum over array tiles of the iterations of the busiest PE.
  [[nodiscard]] std::int64_t busiest_pe_iterations() const;
  /// Sum over array tiles of the PEs with work.
  [[nodiscard]] std::int64_t active_pes() const;
  /// The same over the first array tile of each shared tile.
  [[nodiscard]] std::int64_t active_pes_first_array_tiles() const;
  /// PEs with work in the very first array tile.
  [[nodiscard]] std::int64_t active_pes_first_tile() const;
  [[nodiscard]] std::int64_t first_shared_extent() const { return std::min(shared, extent); }
  [[nodiscard]] std::int64_t first_array_extent() const {
    return std::min({array, shared, extent});
  }
  [[nodiscard]] std::int64_t last_shared_extent() const {
    return extent - (shared_tiles() - 1) * shared;
  }
  [[nodiscard]] std::int64_t last_array_extent() const;
};

/// One axis of a convolution's input: which stored positions windows touch.
struct WindowAxis {
  std::int64_t stride = 1, dilation = 1, padding = 0;
  std::int64_t stored = 1;  ///< positions that exist, without padding

  /// Stored positions touched by outputs [p0, p1) through taps [r0, r1).
  [[nodiscard]] std::int64_t touched(std::int64_t p0, std::int64_t p1, std::int64_t r0,
                                     std::int64_t r1) const;
  /// Most that any `outputs` neighbouring outputs and `taps` neighbouring taps can touch.
  [[nodiscard]] std::int64_t most_touched(std::int64_t outputs, std::int64_t taps) const;
};

[[nodiscard]] WindowAxis vertical_axis(const Layer& layer);
[[nodiscard]] WindowAxis horizontal_axis(const Layer& layer);

/// Which neighbouring output tiles share what their windows have in common.
enum class Halo : std::uint8_t {
  none,           ///< every tile is fetched whole
  within_shared,  ///< array tiles of one shared tile form a chain
  throughout,     ///< all tiles form one chain
};

/// Sum over shared tiles (output x tap) of what is fetched for each.
[[nodiscard]] std::int64_t fetched_by_shared_tiles(const WindowAxis& axis,
                                                   const DimensionTiling& outputs,
                                                   const DimensionTiling& taps, Halo halo);
/// Sum over array tiles; overlapping windows of different PEs count once.
[[nodiscard]] std::int64_t fetched_by_array_tiles(const WindowAxis& axis,
                                                  const DimensionTiling& outputs,
                                                  const DimensionTiling& taps, Halo halo);
/// Sum over the PEs of all array tiles. Requires Halo::none where the axis is unrolled.
[[nodiscard]] std::int64_t fetched_by_pes(const WindowAxis& axis, const DimensionTiling& outputs,
                                          const DimensionTiling& taps, Halo halo);

}  // namespace cosearch::accel
