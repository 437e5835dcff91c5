// What a memory-bound layer asks of the vector lanes, whatever the machine.
#pragma once

#include <cstdint>

#include "core/layer.h"

namespace cosearch::accel {

struct VectorWork {
  std::int64_t passes = 1;      ///< over every input element
  std::int64_t operations = 0;  ///< of the vector lanes
  /// Words that one pass must hold to share.
  std::int64_t inputs_at_once = 0, outputs_at_once = 0;
  bool rereads_dram = false;  ///< a row that does not fit comes from DRAM in each pass
};

[[nodiscard]] inline VectorWork vector_work_of(const Layer& layer) {
  const std::int64_t outputs = layer.elements(Tensor::output);
  const std::int64_t row = layer.P * layer.Q;
  switch (layer.kind) {
    case LayerKind::pooling:
      return {1, layer.operations(), layer.R * layer.S, 1, false};
    case LayerKind::elementwise:
      return {1, layer.C * outputs, layer.C, 1, false};
    case LayerKind::softmax:
      return {3, 4 * outputs, row, row, true};
    default:
      return {2, 4 * outputs, row, row, true};
  }
}

}  // namespace cosearch::accel
