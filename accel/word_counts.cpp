#include "accel/word_counts.h"

namespace cosearch::accel {

ValueWidths::ValueWidths(const Layer& layer, const Machine& machine, const LoopNest& nest,
                         const AccessCounts& counts, Accounting accounting)
    : layer_(layer),
      machine_(machine),
      counts_(counts),
      one_word_each_(accounting == Accounting::timeloop) {
  for (std::size_t i = 0; i < nest.levels.size(); ++i)
    if (nest.levels[i].keep.has(Tensor::output)) innermost_output_level_ = i;
}

std::int64_t ValueWidths::operand(std::size_t level, Tensor tensor) const {
  return one_word_each_ ? 1 : ceil_div(layer_.bits(tensor), machine_.levels[level].word_bits);
}

std::int64_t ValueWidths::sum(std::size_t level) const {
  return one_word_each_ ? 1 : ceil_div(layer_.partial_sum_bits, machine_.levels[level].word_bits);
}

WordCounts ValueWidths::words(std::size_t level, Tensor tensor, const LevelAccesses& of) const {
  if (tensor != Tensor::output) {
    const std::int64_t width = operand(level, tensor);
    return {of.reads * width, of.fills * width};
  }
  const std::int64_t finished = operand(level, tensor), partial = sum(level);
  if (level == 0) {
    // Each output is written once finished; what is read again was written as a partial sum.
    const std::int64_t partial_writes = of.reads;
    return {of.reads * partial,
            partial_writes * partial + (of.updates - partial_writes) * finished};
  }
  const std::int64_t width = on_link(level, tensor);
  return {of.reads * width, (of.fills + of.updates) * width};
}

std::int64_t ValueWidths::on_link(std::size_t level, Tensor tensor) const {
  if (tensor != Tensor::output) return operand(level, tensor);
  const bool sums_up = level == innermost_output_level_;
  const bool returns = counts_.links[level][index_of(tensor)].down > 0;
  return sums_up || returns ? sum(level) : operand(level, tensor);
}

}  // namespace cosearch::accel
