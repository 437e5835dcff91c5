// A loop nest ready for counting: bounds worked out, loops of one step left out, all in one list.
#pragma once

#include <array>
#include <cstdint>

#include "accel/dimension.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/window_axes.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Loops of more than one step that a nest may have.
inline constexpr std::size_t kMostLoops = 64;

struct FlatLoop {
  Dimension dimension;
  std::uint8_t level;
  bool spatial;
  /// Of the fan-out's axis; false for temporal loops.
  bool multicast, reduction;
  std::int64_t tile;
  /// Steps through a full piece; at least 2.
  std::int64_t bound;
};

/// Filled by flatten(), and no further than `levels` and `loop_count` say: it is made in the
/// innermost loops of searches.
struct FlatNest {
  std::size_t levels;
  std::size_t loop_count;
  std::array<FlatLoop, kMostLoops> loops;  ///< outermost first
  /// Loops above level i are the first `above[i]`; `above[levels]` counts all.
  std::array<std::size_t, kMostLevels + 1> above;
  /// Extents of the piece that an instance of each level holds; the last entry is the multiplier's.
  std::array<Extents, kMostLevels + 1> tile;
  Extents extents;
  /// Dimensions longer than 1, and those along which some piece is shorter than its loop's tile.
  DimensionMask active, ragged;
  /// Dimensions that some fan-out spreads without multicast, and without reduction.
  DimensionMask unicast, unreduced;
  /// By kAxes.
  std::array<WindowAxis, kAxes.size()> windows;
  /// Dimensions of axes along which tiles of the windowed tensor may overlap or be cut short. Along
  /// the others a position is a value of its own, as along any other dimension.
  DimensionMask overlapping;
  std::array<TensorSet, kMostLevels> keep;
  bool transposed;

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
