// Why no mapping of a space fits.
#pragma once

#include "accel/infeasible.h"
#include "accel/map_space.h"

namespace cosearch::accel {

/// Names the level that misses the fewest bits in the best of cases, with the tensors there and
/// the words missing; or the dimension whose factors find no place. Requires that nothing fits.
[[nodiscard]] Infeasible explain_misfit(const MapSpace& space);

}  // namespace cosearch::accel
