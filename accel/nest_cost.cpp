#include "accel/nest_cost.h"

#include "accel/flat_nest.h"

namespace cosearch::accel {
namespace {

/// As a fresh one, at the price of the levels that were written.
void clear(NestCost& cost) {
  const std::size_t levels = cost.energy.levels;
  for (std::size_t i = 0; i < levels; ++i) {
    cost.counts.levels[i] = cost.counts.busiest[i] = {};
    cost.counts.links[i] = {};
    cost.latency.ports[i] = {};
    cost.energy.access_pj[i] = cost.energy.network_pj[i] = {};
  }
  for (std::size_t i = 0; i <= levels; ++i) cost.counts.instances[i] = 0;
  cost.counts.macs = cost.counts.compute_cycles = 0;
  cost.latency.compute = cost.latency.fill = cost.latency.drain = 0;
  cost.latency.steady = cost.latency.waits = 0;
  cost.energy.levels = 0;
  cost.energy.addition_pj = cost.energy.mac_pj = 0;
  cost.energy.vector_pj = cost.energy.leakage_pj = 0;
}

}  // namespace

NestCost evaluate(const Layer& layer, const Machine& machine, const LoopNest& nest,
                  Accounting accounting) {
  NestCost cost;
  evaluate(layer, machine, nest, accounting, cost);
  return cost;
}

void evaluate(const Layer& layer, const Machine& machine, const LoopNest& nest,
              Accounting accounting, NestCost& cost) {
  clear(cost);
  FlatNest flat;
  flatten(layer, machine, nest, flat);
  count_accesses(layer, flat, accounting, cost.counts);
  const ValueWidths widths(layer, machine, nest, cost.counts, accounting);
  time_accesses(cost.counts, machine, flat, widths, accounting, cost.latency);
  add_energy(cost.counts, machine, widths, accounting, cost.energy);
  if (accounting == Accounting::exact) add_leakage(cost.energy, machine, cost.cycles());
}

double utilisation(const Layer& layer, const Machine& machine, Cycles latency) {
  return static_cast<double>(layer.macs()) /
         (static_cast<double>(machine.multipliers()) * static_cast<double>(latency.value));
}

}  // namespace cosearch::accel
