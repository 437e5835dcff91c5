#include "accel/nest_cost.h"

#include "accel/flat_nest.h"

namespace cosearch::accel {

NestCost evaluate(const Layer& layer, const Machine& machine, const LoopNest& nest,
                  Accounting accounting) {
  FlatNest flat;
  flatten(layer, machine, nest, flat);
  NestCost cost;  // filled in place: it is large
  count_accesses(layer, flat, accounting, cost.counts);
  const ValueWidths widths(layer, machine, nest, cost.counts, accounting);
  time_accesses(cost.counts, machine, flat, widths, accounting, cost.latency);
  add_energy(cost.counts, machine, widths, accounting, cost.energy);
  if (accounting == Accounting::exact) add_leakage(cost.energy, machine, cost.cycles());
  return cost;
}

double utilisation(const Layer& layer, const Machine& machine, Cycles latency) {
  return static_cast<double>(layer.macs()) /
         (static_cast<double>(machine.multipliers()) * static_cast<double>(latency.value));
}

}  // namespace cosearch::accel
