// What a layer costs on a machine: cycles, picojoules and where they go. Totals are computed from
// the breakdown, never stored beside it.
#pragma once

#include <array>
#include <variant>

#include "accel/accelerator.h"
#include "accel/area.h"
#include "accel/energy.h"
#include "accel/infeasible.h"
#include "accel/latency.h"
#include "accel/mapper.h"
#include "accel/mapping.h"
#include "accel/traffic.h"
#include "core/layer.h"
#include "core/quantity.h"

namespace cosearch::accel {

struct LayerCost {
  Cycles latency;
  /// Multiply-accumulates over what the whole array could have done in `latency`, in [0, 1]. For
  /// memory-bound layers: vector operations.
  double utilisation = 0;
  LatencyBreakdown latency_parts;
  EnergyBreakdown energy_parts;
  Counts counts;

  [[nodiscard]] Picojoules energy() const { return energy_parts.total(); }
};

/// Cost of running `layer` as `mapping` says: a pure function. Requires a layer of
/// multiply-accumulates and a mapping made for it.
[[nodiscard]] LayerCost cost_of_mapping(const Layer& layer, const Accelerator& accelerator,
                                        const Mapping& mapping);

/// The cost with the mapping that `mapper` chooses; memory-bound layers need none. Pure and safe to
/// call from several threads.
[[nodiscard]] std::variant<Infeasible, LayerCost> layer_cost(const Layer& layer,
                                                             const Accelerator& accelerator,
                                                             const Mapper& mapper);

/// The same with the accelerator's template (TemplateMapper).
[[nodiscard]] std::variant<Infeasible, LayerCost> layer_cost(const Layer& layer,
                                                             const Accelerator& accelerator);

}  // namespace cosearch::accel
