// How many words move where: a closed form of walking the loop nest of a mapping.
//
// The rules (each tested against a walk of the nest, tests/accel/loop_nest_walk.h):
//   * A buffer holds one tile per tensor. A tile is fetched when the innermost loop that moves it
//     steps; loops further in leave it in place (stationarity).
//   * A sliding window keeps what overlaps with its last position when only that one loop (P or Q)
//     has stepped (halo reuse).
//     Assumes: a PE does so only where the axis is not unrolled over the array.
//   * Words that several PEs need at the same time are read once and multicast, overlapping windows
//     of neighbours included; partial sums of one output are added on their way to the shared
//     buffer, which is updated once.
//   * Partial sums that leave come back, except that the first visit starts from zero. The read
//     that drains a tile is charged where it happens.
//   * Padding is never stored or moved; rows and columns that no window of a tile touches neither.
//   * Loops run with the bounds of a full tile also at the edges of the layer, where iterations
//     without work take no time (a fixed schedule, as address generators have).
// Sources: the vocabulary of A. Parashar et al., Timeloop, ISPASS 2019, sections V and VI; halo,
// multicast and drain rules differ as stated.
#pragma once

#include <array>
#include <cstdint>

#include "accel/mapping.h"
#include "core/layer.h"

namespace cosearch::accel {

enum class Level : std::uint8_t { pe_buffer, shared_buffer, dram };
inline constexpr std::array kLevels{Level::pe_buffer, Level::shared_buffer, Level::dram};

/// Words of one tensor at one level, summed over all instances of the level.
struct Accesses {
  std::int64_t reads = 0;    ///< to the level below, to the multipliers, or drained upwards
  std::int64_t fills = 0;    ///< written from the level above
  std::int64_t updates = 0;  ///< written from the level below

  friend bool operator==(const Accesses&, const Accesses&) = default;
};

/// Everything countable about a layer's run.
struct Counts {
  std::array<std::array<Accesses, 3>, 3> levels{};  ///< [Level][Tensor]
  std::int64_t macs = 0;
  std::int64_t vector_ops = 0;
  /// Additions of partial sums from several PEs on their way up.
  std::int64_t spatial_additions = 0;
  /// Words that enter PEs (each receiver of a multicast) and outputs that leave them.
  std::array<std::int64_t, 3> deliveries{};
  std::int64_t compute_cycles = 0;
  /// Words of the first shared tile and first array tile of input and weights; of the last tiles of
  /// output.
  std::array<std::int64_t, 3> edge_shared_tile{};
  std::array<std::int64_t, 3> edge_array_tile{};

  [[nodiscard]] const Accesses& at(Level level, Tensor tensor) const {
    return levels[static_cast<std::size_t>(level)][static_cast<std::size_t>(tensor)];
  }
  [[nodiscard]] Accesses& at(Level level, Tensor tensor) {
    return levels[static_cast<std::size_t>(level)][static_cast<std::size_t>(tensor)];
  }

  friend bool operator==(const Counts&, const Counts&) = default;
};

/// Counts of `layer` under `mapping`. Requires every extent of the mapping to be at least 1.
[[nodiscard]] Counts count(const Layer& layer, const Mapping& mapping);

/// Words of the largest tile of each tensor: what a buffer must hold for `tile` extents.
[[nodiscard]] std::array<std::int64_t, 3> tile_words(const Layer& layer, const Extents& tile);

}  // namespace cosearch::accel
