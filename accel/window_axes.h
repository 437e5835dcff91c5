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

/// Along the axis of `position` (D, P or Q); stored are the input's positions, or the output's
/// where the layer is transposed.
[[nodiscard]] WindowAxis window_axis(const Layer& layer, Dimension position);

}  // namespace cosearch::accel
