// Counts as Timeloop 3 makes them, for comparison with its published numbers. Its blind spots are
// kept (docs/cost-model.md lists them); accel/access_counts.h repairs them.
#pragma once

#include "accel/access_counts.h"
#include "accel/flat_nest.h"

namespace cosearch::accel {

/// Fills levels, links and busiest of `counts`. Requires every tile to divide the next larger one.
void count_as_timeloop(AccessCounts& counts, const Layer& layer, const FlatNest& nest);

}  // namespace cosearch::accel
