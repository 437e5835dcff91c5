#include "accel/mapping.h"

namespace cosearch::accel {

Extents extents_of(const Layer& layer) {
  return {layer.N, layer.G, layer.K, layer.C, layer.P, layer.Q, layer.R, layer.S};
}

bool is_relevant(Tensor tensor, Dimension d) {
  switch (tensor) {
    case Tensor::input:
      return d != Dimension::K;
    case Tensor::weights:
      return d != Dimension::N && d != Dimension::P && d != Dimension::Q;
    case Tensor::output:
      return d != Dimension::C && d != Dimension::R && d != Dimension::S;
  }
  return false;
}

}  // namespace cosearch::accel
