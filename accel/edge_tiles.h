// The tiles with which nothing can overlap: the first of each operand, the last of the output.
#pragma once

#include <array>
#include <cstdint>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Values of one tensor that pass at the first step (operands, downwards) or the last one (outputs,
/// upwards) between a level that keeps it and the next inner one that does.
struct EdgeTile {
  std::int64_t at_upper = 0;  ///< through the busiest instance of the upper level
  std::int64_t at_lower = 0;  ///< through that of the lower level
  std::size_t lower = 0;      ///< which level that is; 0 where there is none
};

/// [upper level][tensor]; not down to the multipliers, which hold no tiles.
using EdgeTiles = std::array<std::array<EdgeTile, 3>, kMostLevels>;

/// Requires problems_in(nest, layer, machine) to be empty.
/// Assumes: what several instances take at one step, with levels in between that the tensor passes
/// by, is one box.
[[nodiscard]] EdgeTiles edge_tiles(const Layer& layer, const Machine& machine,
                                   const LoopNest& nest);

}  // namespace cosearch::accel
