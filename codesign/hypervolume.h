// How much of objective space a front covers: the usual single number for comparing fronts.
#pragma once

#include <span>
#include <vector>

#include "codesign/metrics.h"

namespace cosearch::codesign {

/// Volume dominated by `costs` (reference.size() minimised numbers per point, point by point) and
/// bounded by `reference`. Points that are not strictly better than the reference in every
/// objective add nothing. Computed by pagmo2 (WFG and dedicated algorithms for 2 and 3
/// objectives). Requires at least one objective and finite numbers.
[[nodiscard]] double hypervolume(std::span<const double> costs, std::span<const double> reference);

/// Hypervolume of `front` as a share of the box between `ideal` and `reference`, both as costs
/// (maximised objectives negated), hence in [0, 1] and free of units. Sides of the box with no
/// extent are left out; 0 for an empty front. To compare strategies, give all the same box: by
/// convention the ideal and worst feasible costs of the exhaustive search (ParetoArchive::ideal,
/// ParetoArchive::worst).
[[nodiscard]] double normalised_hypervolume(std::span<const Trial> front,
                                            std::span<const Objective> objectives,
                                            std::span<const double> ideal,
                                            std::span<const double> reference);

}  // namespace cosearch::codesign
