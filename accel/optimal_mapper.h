// The best mapping of a layer on a machine, with the proof that nothing in the declared space
// (accel/map_space.h) is better.
//
// Branch and bound. Spatial factors first, then tiles from the inside out, each against a lower
// bound of what is still open (accel/link_costs.h); orders of loops come down to a few classes per
// level, because a tensor's traffic depends only on which loops are inside the innermost one that
// moves it (the argument is in docs/mapper.md). Ideas: A. Parashar et al., Timeloop, ISPASS 2019
// (the map space); M. Gilbert et al., the Turbo-Charged Mapper of AccelForge (order classes, pruned
// exhaustive search).
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "accel/infeasible.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/map_constraints.h"
#include "accel/map_space.h"
#include "accel/nest_cost.h"
#include "core/layer.h"

namespace cosearch::accel {

/// What is minimised: cycles^latency * pJ^energy; ties by what has weight 0. (1, 1) is the
/// energy-delay product.
struct MappingObjective {
  double latency = 1, energy = 1;

  [[nodiscard]] static MappingObjective of_latency() { return {1, 0}; }
  [[nodiscard]] static MappingObjective of_energy() { return {0, 1}; }
  [[nodiscard]] static MappingObjective of_edp() { return {1, 1}; }
  [[nodiscard]] double value(double cycles, double energy_pj) const {
    return power(cycles, latency) * power(energy_pj, energy);
  }

 private:
  [[nodiscard]] static double power(double base, double exponent) {
    return exponent == 1 ? base : exponent == 0 ? 1 : std::pow(base, exponent);
  }
};

/// What was done to prove a mapping best.
struct Certificate {
  double space_size = 0;        ///< mappings declared, before capacities
  std::uint64_t spatial = 0;    ///< ways to use the fan-outs
  std::uint64_t partial = 0;    ///< partial mappings visited
  std::uint64_t too_large = 0;  ///< of them cut because a tile does not fit
  std::uint64_t bounded = 0;    ///< cut because their lower bound is no better than what was found
  std::uint64_t evaluated = 0;  ///< whole mappings costed
  /// No mapping of the space has a lower value of the objective: equal to what was found.
  double lower_bound = 0;
};

struct MappedLayer {
  LoopNest nest;
  NestCost cost;
  Certificate certificate;
};

struct MapperOptions {
  MappingObjective objective;
  Accounting accounting = Accounting::exact;
  /// Imperfect ones are for Accounting::exact alone.
  Factors factors = Factors::dividing;
};

/// Requires machine and constraints without problems and a layer of multiply-accumulates.
/// Infeasible: which level, which tensors, how many bits are missing at least, or which factors
/// find no place. The same for any number of threads: it uses one.
[[nodiscard]] std::variant<Infeasible, MappedLayer> optimal_mapping(
    const Layer& layer, const Machine& machine, const MapConstraints& constraints,
    const MapperOptions& options);

/// All mappings that no other beats in both latency and energy, fastest first.
[[nodiscard]] std::variant<Infeasible, std::vector<MappedLayer>> pareto_mappings(
    const Layer& layer, const Machine& machine, const MapConstraints& constraints,
    Accounting accounting, Factors factors = Factors::dividing);

}  // namespace cosearch::accel
