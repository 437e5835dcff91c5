#include "accel/vector_layer.h"

#include <algorithm>
#include <string>

#include "accel/vector_work.h"

namespace cosearch::accel {
namespace {

std::int64_t buffered_bytes(std::int64_t words, const Accelerator& accelerator) {
  constexpr std::int64_t copies = 2;
  return copies * words * accelerator.word_bytes();
}

Infeasible too_small(const char* level, Bytes have, std::int64_t need, const Layer& layer) {
  return {std::string(level) + " of " + std::to_string(have.value) + " bytes is " +
          std::to_string(need - have.value) + " bytes too small for " + describe(layer) +
          ": input and output words, double-buffered, take " + std::to_string(need) + " bytes"};
}

void count_data(const Layer& layer, const VectorWork& work, std::int64_t dram_passes,
                Counts& counts) {
  const std::int64_t inputs = layer.elements(Tensor::input);
  const std::int64_t outputs = layer.elements(Tensor::output);
  counts.at(Level::dram, Tensor::input) = {.reads = dram_passes * inputs};
  counts.at(Level::shared_buffer, Tensor::input) = {.reads = work.passes * inputs,
                                                    .fills = dram_passes * inputs};
  counts.at(Level::pe_buffer, Tensor::input) = {.reads = work.operations,
                                                .fills = work.passes * inputs};
  counts.at(Level::pe_buffer, Tensor::output) = {.reads = outputs, .updates = outputs};
  counts.at(Level::shared_buffer, Tensor::output) = {.reads = outputs, .updates = outputs};
  counts.at(Level::dram, Tensor::output) = {.updates = outputs};
  counts.deliveries = {work.passes * inputs, 0, outputs};
}

}  // namespace

std::variant<Infeasible, Counts> count_vector_layer(const Layer& layer,
                                                    const Accelerator& accelerator) {
  const AcceleratorParameters& parameters = accelerator.parameters;
  const VectorWork work = vector_work_of(layer);
  // A lane needs one operand, and its accumulator.
  const std::int64_t lane = buffered_bytes(1, accelerator) + Accelerator::accumulator_bytes();
  if (lane > parameters.pe_buffer.value)
    return too_small("per-PE buffer", parameters.pe_buffer, lane, layer);
  const std::int64_t held = buffered_bytes(work.inputs_at_once + work.outputs_at_once, accelerator);
  const bool fits = held <= parameters.shared_buffer.value;
  if (!fits && !work.rereads_dram)
    return too_small("shared buffer", parameters.shared_buffer, held, layer);
  if (const std::int64_t least = buffered_bytes(2, accelerator);
      least > parameters.shared_buffer.value)
    return too_small("shared buffer", parameters.shared_buffer, least, layer);

  Counts counts;
  counts.vector_ops = work.operations;
  counts.compute_cycles = ceil_div(work.operations, accelerator.pe_count());
  count_data(layer, work, fits ? 1 : work.passes, counts);
  // The first words in and the last out fill no more than the lanes.
  const std::int64_t lanes = accelerator.pe_count();
  counts.edge_shared_tile = {std::min(lanes, layer.elements(Tensor::input)), 0,
                             std::min(lanes, layer.elements(Tensor::output))};
  counts.edge_array_tile = counts.edge_shared_tile;
  return counts;
}

}  // namespace cosearch::accel
