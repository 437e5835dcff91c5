// Why nothing fits.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "accel/infeasible.h"
#include "accel/map_space.h"

namespace cosearch::accel {

/// "level NAME is N bits (B bytes, W words) too small for LAYER: its smallest tile takes ...", a
/// tile of `words` of each tensor. `is`: the verb.
[[nodiscard]] std::string shortage_text(const Layer& layer, const StorageLevel& level,
                                        const std::array<std::int64_t, 3>& words,
                                        std::int64_t missing_bits, const char* is);

/// Of every choice of what is kept and of spatial factors, the level that misses most bits when its
/// tile is as small as it can be; of these the least: that level, the tensors there and the words
/// missing, of which any mapping misses as many at some level. Or says that temporal factors find
/// no place under the constraints. Requires that nothing fits.
[[nodiscard]] Infeasible explain_misfit(const MapSpace& space);

}  // namespace cosearch::accel
