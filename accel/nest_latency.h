// Cycles of a layer's run on a machine: compute, transfers between levels, and what cannot overlap.
//
// Every level receives tiles from the next outer ones that keep the same tensors. An exchange takes
// as long as the slowest port on either side:
//   * A level with two buffers or more receives its next tiles while the last are used: the slower
//     of both decides.
//   * A level with one buffer stops everything below for as long as it exchanges tiles; then what
//     is below fills anew, and it drains before the next exchange.
//   * Before the first multiplication the first tiles come down level by level, after the last one
//     the last outputs go up: nothing else happens meanwhile.
//   * Whatever overlaps, no port moves all its words faster than it can.
// More bandwidth or a second buffer never costs cycles. Against a simulation of random nests the
// sum is 0.3 to 0.7 % short in the median, 18 % short or more in 1 of 20, and in 1 of 100 over 10 %
// long (tests/accel/nest_latency_test.cpp says why).
#pragma once

#include <algorithm>
#include <array>

#include "accel/access_counts.h"
#include "accel/flat_nest.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/word_counts.h"
#include "core/layer.h"
#include "core/quantity.h"

namespace cosearch::accel {

/// Cycles that each port of a level's busiest instance needs for all its words.
struct PortTimes {
  double read = 0, write = 0, shared = 0, network = 0;
  [[nodiscard]] double longest() const {
    return std::max(std::max(read, write), std::max(shared, network));
  }
  friend bool operator==(const PortTimes&, const PortTimes&) = default;
};

/// In cycles, not yet rounded up.
struct NestLatency {
  double compute = 0;  ///< of the busiest multiplier
  std::array<PortTimes, kMostLevels> ports{};
  double fill = 0;    ///< the first tiles arrive; nothing to compute yet
  double drain = 0;   ///< the last output tiles leave; nothing left to compute
  double steady = 0;  ///< in between: the slowest of compute and what overlaps with it, and...
  double waits = 0;   ///< ...of it, cycles in which levels with one buffer make the others wait

  /// fill + steady + drain, rounded up.
  [[nodiscard]] Cycles total() const;
  friend bool operator==(const NestLatency&, const NestLatency&) = default;
};

/// With Accounting::timeloop the slowest of compute and all ports, as if all overlapped, and no
/// networks. `counts` must be of the same accounting. Allocates nothing.
/// Assumes: transfers of one level are spread evenly over the run and follow each other without
/// gaps; DRAM has no row misses or refresh; a tensor is not held up by levels that it passes by.
[[nodiscard]] NestLatency latency_of(const AccessCounts& counts, const Layer& layer,
                                     const Machine& machine, const LoopNest& nest,
                                     Accounting accounting);
/// The same of a nest that flatten() has made ready, into a fresh `latency`.
void time_accesses(const AccessCounts& counts, const Machine& machine, const FlatNest& nest,
                   const ValueWidths& widths, Accounting accounting, NestLatency& latency);

}  // namespace cosearch::accel
