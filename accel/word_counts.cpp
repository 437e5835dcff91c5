#include "accel/word_counts.h"

#include "accel/flat_nest.h"

namespace cosearch::accel {
namespace {

std::int64_t words_for(std::int64_t bits, std::int64_t word_bits) {
  return quotient(bits + word_bits - 1, word_bits);
}

}  // namespace

ValueWidths::ValueWidths(const Layer& layer, const Machine& machine, const LoopNest& nest,
                         const AccessCounts& counts, Accounting accounting) {
  const std::size_t levels = machine.levels.size();
  if (accounting == Accounting::timeloop) {
    for (std::size_t i = 0; i < levels; ++i) on_link_[i] = {1, 1, 1};
    return;
  }
  constexpr std::size_t output = index_of(Tensor::output);
  std::size_t innermost = 0;
  for (std::size_t i = 0; i < levels; ++i)
    if (nest.levels[i].keep.has(Tensor::output)) innermost = i;
  for (std::size_t i = 0; i < levels; ++i) {
    const std::int64_t word = machine.levels[i].word_bits;
    const bool partial = i == innermost || counts.links[i][output].down > 0;
    on_link_[i] = {words_for(layer.input_bits, word), words_for(layer.weight_bits, word),
                   words_for(partial ? layer.partial_sum_bits : layer.output_bits, word)};
  }
  finished_outside_ = words_for(layer.output_bits, machine.levels[0].word_bits);
  partial_outside_ = words_for(layer.partial_sum_bits, machine.levels[0].word_bits);
}

}  // namespace cosearch::accel
