#include "accel/word_width.h"

namespace cosearch::accel {
namespace {

/// Whether outputs leave the array before their sums are complete.
bool has_partial_sums(const Counts& counts, const Layer& layer) {
  return counts.at(Level::shared_buffer, Tensor::output).updates > layer.elements(Tensor::output);
}

}  // namespace

Bytes bytes_accessed(const Counts& counts, const Layer& layer, const Accelerator& accelerator,
                     Level level, Tensor tensor) {
  const Accesses& words = counts.at(level, tensor);
  const std::int64_t all = words.reads + words.fills + words.updates;
  const std::int64_t width = accelerator.word_bytes();
  if (tensor != Tensor::output) return {all * width};
  if (level == Level::dram) {
    const std::int64_t finished = layer.elements(Tensor::output);
    return {finished * width + (all - finished) * Accelerator::accumulator_bytes()};
  }
  if (level == Level::shared_buffer && !has_partial_sums(counts, layer)) return {all * width};
  return {all * Accelerator::accumulator_bytes()};
}

std::int64_t noc_words(const Counts& counts, const Layer& layer, Tensor tensor) {
  const Accesses& shared = counts.at(Level::shared_buffer, tensor);
  if (tensor != Tensor::output) return shared.reads;
  const std::int64_t returned = shared.updates - layer.elements(Tensor::output);
  return shared.updates + returned;
}

std::int64_t noc_word_bytes(const Counts& counts, const Layer& layer,
                            const Accelerator& accelerator, Tensor tensor) {
  return tensor == Tensor::output && has_partial_sums(counts, layer)
             ? Accelerator::accumulator_bytes()
             : accelerator.word_bytes();
}

Bytes dram_traffic(const Counts& counts, const Layer& layer, const Accelerator& accelerator) {
  Bytes sum{};
  for (const Tensor tensor : kTensors)
    sum += bytes_accessed(counts, layer, accelerator, Level::dram, tensor);
  return sum;
}

Bytes noc_traffic(const Counts& counts, const Layer& layer, const Accelerator& accelerator) {
  Bytes sum{};
  for (const Tensor tensor : kTensors)
    sum += {noc_words(counts, layer, tensor) * noc_word_bytes(counts, layer, accelerator, tensor)};
  return sum;
}

}  // namespace cosearch::accel
