// Cycles of a layer's run: the slowest of compute, network and DRAM, plus what cannot overlap.
#pragma once

#include "accel/accelerator.h"
#include "accel/traffic.h"
#include "core/layer.h"
#include "core/quantity.h"

namespace cosearch::accel {

/// In cycles, not yet rounded up.
struct LatencyBreakdown {
  double compute = 0;    ///< of the busiest PE
  double noc = 0;        ///< all traffic between shared buffer and array, at full bandwidth
  double dram = 0;       ///< all traffic with DRAM, at full bandwidth
  double fill = 0;       ///< the first tiles arrive; nothing to compute yet
  double drain = 0;      ///< the last output tiles leave; nothing left to compute
  double noc_edge = 0;   ///< share of `noc` within fill and drain
  double dram_edge = 0;  ///< share of `dram` within fill and drain

  /// fill + max(compute, noc and dram without their edges) + drain, rounded up.
  [[nodiscard]] Cycles total() const;
};

/// Assumes: double buffering hides every tile but the first and the last; reads and writes share a
/// port's bandwidth; DRAM has no row misses or refresh; the PE's own buffer keeps up.
[[nodiscard]] LatencyBreakdown latency_of(const Counts& counts, const Layer& layer,
                                          const Accelerator& accelerator);

}  // namespace cosearch::accel
