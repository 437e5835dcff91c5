// A loop nest ready for counting: bounds worked out, loops of one step left out, all in one list.
#pragma once

#include <array>
#include <cstdint>

#include "accel/dimension.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Loops of more than one step that a nest may have.
inline constexpr std::size_t kMostLoops = 64;

struct FlatLoop {
  Dimension dimension = Dimension::N;
  std::uint8_t level = 0;
  bool spatial = false;
  /// Of the fan-out's axis; false for temporal loops.
  bool multicast = false, reduction = false;
  std::int64_t tile = 1;
  /// Steps through a full piece; at least 2.
  std::int64_t bound = 1;
};

struct FlatNest {
  std::size_t levels = 0;
  std::size_t loop_count = 0;
  std::array<FlatLoop, kMostLoops> loops;  ///< outermost first
  /// Loops above level i are the first `above[i]`; `above[levels]` counts all.
  std::array<std::size_t, kMostLevels + 1> above{};
  /// Extents of the piece that an instance of each level holds; the last entry is the multiplier's.
  std::array<Extents, kMostLevels + 1> tile;
  Extents extents{};
  /// Whether some piece along the dimension is shorter than its loop's tile.
  std::array<bool, kDimensions> ragged{};
  std::array<TensorSet, kMostLevels> keep;
  bool transposed = false;

  [[nodiscard]] bool keeps(std::size_t level, Tensor tensor) const {
    return keep[level].has(tensor);
  }
};

/// Requires problems_in(nest, layer, machine) to be empty.
void flatten(const Layer& layer, const Machine& machine, const LoopNest& nest, FlatNest& flat);

/// Division of counts, which nearly always fit 32 bits, where it is twice as fast.
[[nodiscard]] inline std::int64_t quotient(std::int64_t dividend, std::int64_t divisor) {
  if (((dividend | divisor) >> 32) == 0)
    return static_cast<std::uint32_t>(dividend) / static_cast<std::uint32_t>(divisor);
  return dividend / divisor;
}

}  // namespace cosearch::accel
