// How wide the counted words are: finished values at the machine's precision, partial sums at the
// accumulator's.
#pragma once

#include "accel/accelerator.h"
#include "accel/traffic.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Bytes read and written at `level` for `tensor`.
[[nodiscard]] Bytes bytes_accessed(const Counts& counts, const Layer& layer,
                                   const Accelerator& accelerator, Level level, Tensor tensor);

/// Words between shared buffer and array, a multicast or a reduction counting once.
[[nodiscard]] std::int64_t noc_words(const Counts& counts, const Layer& layer, Tensor tensor);

/// Width of those words: outputs that come back for more are partial sums.
[[nodiscard]] std::int64_t noc_word_bytes(const Counts& counts, const Layer& layer,
                                          const Accelerator& accelerator, Tensor tensor);

/// Bytes that cross the DRAM port.
[[nodiscard]] Bytes dram_traffic(const Counts& counts, const Layer& layer,
                                 const Accelerator& accelerator);
/// Bytes that cross between shared buffer and array.
[[nodiscard]] Bytes noc_traffic(const Counts& counts, const Layer& layer,
                                const Accelerator& accelerator);

}  // namespace cosearch::accel
