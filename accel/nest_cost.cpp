#include "accel/nest_cost.h"

namespace cosearch::accel {

NestCost evaluate(const Layer& layer, const Machine& machine, const LoopNest& nest,
                  Accounting accounting) {
  // In place: counts are large.
  NestCost cost{
      .counts = count_accesses(layer, machine, nest, accounting), .latency = {}, .energy = {}};
  const ValueWidths widths(layer, machine, nest, cost.counts, accounting);
  cost.latency = latency_of(cost.counts, layer, machine, nest, accounting);
  cost.energy = energy_of(cost.counts, machine, widths, accounting);
  if (accounting == Accounting::exact) add_leakage(cost.energy, machine, cost.cycles());
  return cost;
}

double utilisation(const Layer& layer, const Machine& machine, Cycles latency) {
  return static_cast<double>(layer.macs()) /
         (static_cast<double>(machine.multipliers()) * static_cast<double>(latency.value));
}

}  // namespace cosearch::accel
