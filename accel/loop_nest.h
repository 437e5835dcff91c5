// How one layer runs on one machine: for each level which tensors it keeps, then the loops over
// what an instance holds, in time and over its children. The innermost temporal loops feed the
// multipliers.
//
//   level 0 (DRAM) holds the layer
//     for ... temporal loops of level 0
//       in parallel ... spatial loops of level 0, over the instances of level 1
//         level 1 holds what is left
//           for ...
//
// A loop cuts the piece of its dimension that it is given into pieces of `tile`; the last is as
// long as what is left, so nothing needs to divide. After all loops over a dimension pieces have
// length 1.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "accel/dimension.h"
#include "accel/machine.h"
#include "accel/tensor_set.h"
#include "core/layer.h"

namespace cosearch::accel {

struct Loop {
  static constexpr std::int8_t kTemporal = -1;

  Dimension dimension = Dimension::N;
  /// Extent of one piece.
  std::int64_t tile = 1;
  /// Index of the axis of the level's fan-out over which pieces spread, or kTemporal.
  std::int8_t axis = kTemporal;

  [[nodiscard]] bool is_spatial() const { return axis != kTemporal; }
  friend bool operator==(const Loop&, const Loop&) = default;
};

struct LevelNest {
  TensorSet keep = TensorSet::all();
  /// Outermost first; temporal ones before spatial ones.
  std::vector<Loop> loops;
  friend bool operator==(const LevelNest&, const LevelNest&) = default;
};

/// A mapping.
struct LoopNest {
  /// As many as the machine has, outermost first.
  std::vector<LevelNest> levels;
  friend bool operator==(const LoopNest&, const LoopNest&) = default;
};

/// Words that one value of `tensor` takes at `level` of the chip: outputs as wide as partial sums.
[[nodiscard]] std::int64_t words_per_value(const Layer& layer, const StorageLevel& level,
                                           Tensor tensor);

/// Values of a tensor in the largest tile with `extents`: what windows touch, without padding.
[[nodiscard]] std::int64_t tile_values(const Layer& layer, Tensor tensor, const Extents& extents);
/// The same as a dense box: what lies between two values that are touched counts too, and so does
/// padding. Timeloop's rule.
[[nodiscard]] std::int64_t box_values(const Layer& layer, Tensor tensor, const Extents& extents);

/// What the tiles of level `i` must hold under `nest`, before double buffering: words of each kept
/// tensor, 0 for tensors that pass by.
[[nodiscard]] std::array<std::int64_t, 3> tile_words(const LoopNest& nest, const Layer& layer,
                                                     const Machine& machine, std::size_t i);

/// Everything that keeps `nest` from running `layer` on `machine`, each naming its level: a
/// dimension not covered, a loop that grows, an axis that does not exist or is over-full, a tensor
/// kept where it may not be or not kept where it must be, a tile that does not fit (which tensors,
/// how many bits too many). Empty when it runs.
[[nodiscard]] std::vector<std::string> problems_in(const LoopNest& nest, const Layer& layer,
                                                   const Machine& machine);

}  // namespace cosearch::accel
