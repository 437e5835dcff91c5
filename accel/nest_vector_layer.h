// Layers without multiply-accumulates on a machine of any levels: pooling, element-wise, softmax,
// normalisation. They move data and keep one vector lane per multiplier busy; they are never free.
#pragma once

#include <cstdint>
#include <variant>

#include "accel/infeasible.h"
#include "accel/machine.h"
#include "accel/nest_cost.h"
#include "core/layer.h"

namespace cosearch::accel {

struct VectorLayerCost {
  /// What each level keeps; no loops.
  LoopNest nest;
  NestCost cost;
  std::int64_t operations = 0;  ///< of the vector lanes

  /// Operations over what all lanes could have done, in [0, 1].
  [[nodiscard]] double utilisation(const Machine& machine) const;
};

/// Requires a machine without problems and a memory-bound layer. Infeasible: which level, which
/// tensors, how many bits are missing.
///
/// Assumes: inputs come from level 0 through the outermost other level that may keep them and all
/// further ones that must, outputs go the same way back; other levels are passed by. One vector
/// lane per multiplier, of one operation per cycle; lanes and instances share the work evenly.
/// Assumes: the innermost of those levels is read once per operation, those above once per pass,
/// level 0 once, or once per pass where a row does not fit in the outermost of the others. Pooling:
/// R*S operations per output, one pass. Element-wise: one per operand. Softmax: a pass for the
/// maximum, one for exponentials and their sum, one to divide, 4 operations per element.
/// Normalisation: a pass for mean and variance, one to scale and shift, 4 operations per element.
/// Assumes: everything overlaps but the first words on their way down and the last on their way up,
/// as many as there are lanes; levels with one buffer make nothing wait.
/// Assumes: a lane's result is as wide as a partial sum in the innermost level that keeps it.
[[nodiscard]] std::variant<Infeasible, VectorLayerCost> vector_layer_cost(const Layer& layer,
                                                                          const Machine& machine);

}  // namespace cosearch::accel
