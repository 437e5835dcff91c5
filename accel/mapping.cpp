#include "accel/mapping.h"

namespace cosearch::accel {

Extents extents_of(const Layer& layer) {
  return {layer.N, layer.G, layer.K, layer.C, layer.P, layer.Q, layer.R, layer.S};
}

}  // namespace cosearch::accel
