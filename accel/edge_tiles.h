// The tiles with which nothing can overlap: the first of each operand, the last of the output.
#pragma once

#include <array>
#include <cstdint>

#include "accel/flat_nest.h"
#include "accel/machine.h"

namespace cosearch::accel {

/// Values of one tensor that pass at the first step (operands, downwards) or the last one (outputs,
/// upwards) between a level that keeps it and the next inner one that does.
struct EdgeTile {
  std::int64_t at_upper;  ///< through the busiest instance of the upper level
  std::int64_t at_lower;  ///< through that of the lower level
};

/// [upper level][tensor], where the level keeps the tensor; zero down to the multipliers, which
/// hold no tiles.
using EdgeTiles = std::array<std::array<EdgeTile, 3>, kMostLevels>;

/// Assumes: what several instances take at one step, with levels in between that the tensor passes
/// by, is one box.
[[nodiscard]] EdgeTiles edge_tiles(const FlatNest& nest);

}  // namespace cosearch::accel
