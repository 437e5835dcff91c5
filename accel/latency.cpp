#include "accel/latency.h"

#include <algorithm>
#include <cmath>

#include "accel/word_width.h"

namespace cosearch::accel {

Cycles LatencyBreakdown::total() const {
  const double steady = std::max({compute, noc - noc_edge, dram - dram_edge});
  return {static_cast<std::int64_t>(std::ceil(fill + steady + drain))};
}

LatencyBreakdown latency_of(const Counts& counts, const Layer& layer,
                            const Accelerator& accelerator) {
  const double noc_bandwidth = accelerator.parameters.noc_bandwidth;
  const double dram_bandwidth = accelerator.parameters.dram_bandwidth;
  const auto bytes = [](Bytes b) { return static_cast<double>(b.value); };
  const auto edge = [&](const std::array<std::int64_t, 3>& tile, Tensor tensor,
                        std::int64_t width) {
    return static_cast<double>(tile[static_cast<std::size_t>(tensor)] * width);
  };
  const std::int64_t word = accelerator.word_bytes();
  const std::int64_t sum = noc_word_bytes(counts, layer, accelerator, Tensor::output);
  const double first_shared = edge(counts.edge_shared_tile, Tensor::input, word) +
                              edge(counts.edge_shared_tile, Tensor::weights, word);
  const double first_array = edge(counts.edge_array_tile, Tensor::input, word) +
                             edge(counts.edge_array_tile, Tensor::weights, word);
  const double last_shared = edge(counts.edge_shared_tile, Tensor::output, word);
  const double last_array = edge(counts.edge_array_tile, Tensor::output, sum);

  LatencyBreakdown latency;
  latency.compute = static_cast<double>(counts.compute_cycles);
  latency.noc = bytes(noc_traffic(counts, layer, accelerator)) / noc_bandwidth;
  latency.dram = bytes(dram_traffic(counts, layer, accelerator)) / dram_bandwidth;
  latency.fill = first_shared / dram_bandwidth + first_array / noc_bandwidth;
  latency.drain = last_array / noc_bandwidth + last_shared / dram_bandwidth;
  latency.noc_edge = (first_array + last_array) / noc_bandwidth;
  latency.dram_edge = (first_shared + last_shared) / dram_bandwidth;
  return latency;
}

}  // namespace cosearch::accel
