// The axes along which a layer's window slides, in depth, height and width.
#pragma once

#include <array>

#include "accel/dimension.h"
#include "accel/tiling.h"
#include "core/layer.h"

namespace cosearch::accel {

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
