// What tiles take in a buffer.
#pragma once

#include <optional>

#include "accel/accelerator.h"
#include "accel/infeasible.h"
#include "accel/mapping.h"
#include "accel/traffic.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Bytes per tensor of tiles with extents `tile`, two of each: one in use, one on its way.
/// Assumes: on the chip, outputs take an accumulator each, finished or not.
[[nodiscard]] std::array<Bytes, 3> buffer_needs(const Layer& layer, const Accelerator& accelerator,
                                                const Extents& tile);

/// Why `tile` does not fit `level`, naming tensors and bytes missing; nothing when it fits.
/// Requires `level` to be a buffer, not DRAM.
[[nodiscard]] std::optional<Infeasible> misfit(const Layer& layer, const Accelerator& accelerator,
                                               Level level, const Extents& tile);

}  // namespace cosearch::accel
