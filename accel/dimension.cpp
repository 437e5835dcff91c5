#include "accel/dimension.h"

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

}  // namespace cosearch::accel
