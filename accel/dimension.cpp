#include "accel/dimension.h"

#include "accel/window_axes.h"

namespace cosearch::accel {

std::string_view name_of(Dimension d) {
  constexpr std::array<std::string_view, kDimensions> names{"N", "G", "K", "C", "D",
                                                            "P", "Q", "T", "R", "S"};
  return names[index_of(d)];
}

Extents extents_of(const Layer& layer) {
  return {layer.N,          layer.G,          layer.K, layer.C, layer.extent_d(),
          layer.extent_h(), layer.extent_w(), layer.T, layer.R, layer.S};
}

WindowAxis window_axis(const Layer& layer, Dimension position) {
  const bool t = layer.transposed;
  switch (position) {
    case Dimension::D:
      return {layer.stride_d, layer.dilation_d, layer.pad_front, t ? layer.D : layer.input_d};
    case Dimension::P:
      return {layer.stride_h, layer.dilation_h, layer.pad_top, t ? layer.P : layer.input_h};
    default:
      return {layer.stride_w, layer.dilation_w, layer.pad_left, t ? layer.Q : layer.input_w};
  }
}

}  // namespace cosearch::accel
