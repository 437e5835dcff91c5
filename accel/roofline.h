// Where a layer's run stands under the roofline of its machine, and what keeps it from being
// faster.
#pragma once

#include <cstdint>
#include <string>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/nest_cost.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Part of a latency: the longest is what a faster machine should shorten first.
struct Bound {
  enum class Kind : std::uint8_t { compute, port, fill_and_drain, waits };
  Kind kind = Kind::compute;
  std::string name;   ///< "compute", "DRAM port", "fill and drain", ...
  double cycles = 0;  ///< that it alone would take
};

/// Operations are multiply-accumulates; those of the vector lanes in memory-bound layers.
struct Roofline {
  std::int64_t outermost_bits = 0;  ///< read from and written to level 0
  double intensity = 0;             ///< operations per byte of them
  double peak = 0;                  ///< operations per cycle of all multipliers
  double roof = 0;                  ///< the less of `peak` and what level 0's ports allow
  double attained = 0;              ///< operations per cycle
  Bound bound;
};

/// Where `layer`, of `operations`, stands with `cost` under `nest`.
[[nodiscard]] Roofline roofline_of(const Layer& layer, const Machine& machine, const LoopNest& nest,
                                   const NestCost& cost, std::int64_t operations,
                                   Accounting accounting);

}  // namespace cosearch::accel
