// Why no mapping of a space fits.
#pragma once

#include "accel/infeasible.h"
#include "accel/map_space.h"

namespace cosearch::accel {

/// Of every choice of what is kept and of spatial factors, the level that misses most bits when its
/// tile is as small as it can be; of these the least: that level, the tensors there and the words
/// missing, of which any mapping misses as many at some level. Or says that temporal factors find
/// no place under the constraints. Requires that nothing fits.
[[nodiscard]] Infeasible explain_misfit(const MapSpace& space);

}  // namespace cosearch::accel
