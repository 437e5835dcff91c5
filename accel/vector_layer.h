// Layers without multiply-accumulates: pooling, element-wise, softmax, normalisation. They move
// data and keep one vector lane per PE busy; they are never free.
#pragma once

#include <variant>

#include "accel/accelerator.h"
#include "accel/infeasible.h"
#include "accel/traffic.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Counts of a memory-bound layer.
/// Assumes: each PE does one vector operation per cycle on one element; an element is read from the
/// shared buffer once per pass. Pooling: R*S operations per output, one pass. Element-wise: one per
/// operand. Softmax: a pass for the maximum, one for exponentials and their sum, one to divide, 4
/// operations per element. Normalisation: a pass for mean and variance, one to scale and shift, 4
/// operations per element. Where a row does not fit in half the shared buffer, each pass reads
/// DRAM.
[[nodiscard]] std::variant<Infeasible, Counts> count_vector_layer(const Layer& layer,
                                                                  const Accelerator& accelerator);

}  // namespace cosearch::accel
