// The axes along which a layer's window slides, in depth, height and width.
#pragma once

#include <array>
#include <cstdint>

#include "accel/dimension.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Which stored positions the windows along one axis touch.
struct WindowAxis {
  std::int64_t stride = 1, dilation = 1, padding = 0;
  std::int64_t stored = 1;  ///< positions that exist, without padding

  /// Stored positions touched by outputs [p0, p1) through taps [r0, r1).
  [[nodiscard]] std::int64_t touched(std::int64_t p0, std::int64_t p1, std::int64_t r0,
                                     std::int64_t r1) const;
  /// Most that any `outputs` neighbouring outputs and `taps` neighbouring taps can touch.
  [[nodiscard]] std::int64_t most_touched(std::int64_t outputs, std::int64_t taps) const;
};

struct Axis {
  Dimension position, tap;
};
inline constexpr std::array kAxes{Axis{Dimension::D, Dimension::T},
                                  Axis{Dimension::P, Dimension::R},
                                  Axis{Dimension::Q, Dimension::S}};

[[nodiscard]] constexpr bool is_window_dimension(Dimension d) {
  return index_of(d) >= index_of(Dimension::D);
}

/// The tap loop of a position's axis and the other way round; `d` itself where it is neither.
[[nodiscard]] constexpr Dimension other_of_axis(Dimension d) {
  for (const Axis& axis : kAxes) {
    if (axis.position == d) return axis.tap;
    if (axis.tap == d) return axis.position;
  }
  return d;
}

/// By kAxes; stored are the input's positions, or the output's where the layer is transposed.
[[nodiscard]] inline std::array<WindowAxis, kAxes.size()> window_axes(const Layer& layer) {
  const bool t = layer.transposed;
  return {{{layer.stride_d, layer.dilation_d, layer.pad_front, t ? layer.D : layer.input_d},
           {layer.stride_h, layer.dilation_h, layer.pad_top, t ? layer.P : layer.input_h},
           {layer.stride_w, layer.dilation_w, layer.pad_left, t ? layer.Q : layer.input_w}}};
}

}  // namespace cosearch::accel
