// One layer on one machine as one loop nest says: what other tools' files hold and what theirs are
// written from.
#pragma once

#include <cstdint>
#include <string>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::codesign {

/// The most that a level on a chip may hold (accel/machine.h knows "without limit" only of DRAM):
/// what stands for "without limit" in other tools' files.
inline constexpr std::int64_t kNoLimitBits = std::int64_t{1} << 48;

struct LayerDesign {
  std::string name;
  Layer layer;
  accel::Machine machine;
  accel::LoopNest nest;

  friend bool operator==(const LayerDesign&, const LayerDesign&) = default;
};

/// The layer with its padding as a part of the input: neither tool has any other.
[[nodiscard]] constexpr Layer with_padding_as_input(Layer layer) {
  layer.input_h += layer.pad_top + layer.pad_bottom;
  layer.input_w += layer.pad_left + layer.pad_right;
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = 0;
  return layer;
}

/// Outputs times taps that a layer of a file may have along one axis. Counting what a sliding
/// window touches takes time that grows with them; no layer that anyone runs comes near.
inline constexpr std::int64_t kMostWindowSteps = std::int64_t{1} << 22;

/// Whether a window slides along an axis further than that.
[[nodiscard]] constexpr bool slides_too_far(const Layer& layer) {
  const auto too_far = [](std::int64_t outputs, std::int64_t taps, std::int64_t stride) {
    return (taps > 1 || stride > 1) && outputs > kMostWindowSteps / taps;
  };
  return too_far(layer.P, layer.R, layer.stride_h) || too_far(layer.Q, layer.S, layer.stride_w);
}

}  // namespace cosearch::codesign
