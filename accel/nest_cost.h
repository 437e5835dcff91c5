// What a layer costs on a machine under a loop nest: the pure function that everything else calls.
#pragma once

#include "accel/access_counts.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/nest_energy.h"
#include "accel/nest_latency.h"
#include "core/layer.h"
#include "core/quantity.h"

namespace cosearch::accel {

struct NestCost {
  AccessCounts counts;
  NestLatency latency;
  NestEnergy energy;

  [[nodiscard]] Cycles cycles() const { return latency.total(); }
  [[nodiscard]] Picojoules total_energy() const { return energy.total(); }
  friend bool operator==(const NestCost&, const NestCost&) = default;
};

/// A mapping and what it costs.
struct CostedNest {
  LoopNest nest;
  NestCost cost;
};

/// Requires problems_in(nest, layer, machine) to be empty, and a layer of multiply-accumulates.
/// Allocates nothing; safe to call from several threads.
[[nodiscard]] NestCost evaluate(const Layer& layer, const Machine& machine, const LoopNest& nest,
                                Accounting accounting = Accounting::exact);
/// The same into `cost`, a fresh one or one that this function filled before: costing many nests
/// into one place clears only what the last of them wrote.
void evaluate(const Layer& layer, const Machine& machine, const LoopNest& nest,
              Accounting accounting, NestCost& cost);

/// Multiply-accumulates over what all multipliers could have done in `latency`, in [0, 1].
[[nodiscard]] double utilisation(const Layer& layer, const Machine& machine, Cycles latency);

}  // namespace cosearch::accel
