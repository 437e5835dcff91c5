// How many words of a level's own width its accesses take: finished values at the layer's width,
// partial sums at theirs.
#pragma once

#include "accel/access_counts.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel {

struct WordCounts {
  std::int64_t reads = 0, writes = 0;
};

/// What decides the width of a layer's outputs under a nest, worked out once.
class ValueWidths {
 public:
  ValueWidths(const Layer& layer, const Machine& machine, const LoopNest& nest,
              const AccessCounts& counts, Accounting accounting);

  /// Words of the accesses `of` (all instances' or the busiest's) at `level`.
  /// Assumes: outputs that leave a level to come back are as wide as partial sums, and so is every
  /// output where they are summed up; outputs that arrive finished are as wide as the layer says.
  [[nodiscard]] WordCounts words(std::size_t level, Tensor tensor, const LevelAccesses& of) const;

  /// Words, of the upper level's width, of one value on the link below `level`.
  [[nodiscard]] std::int64_t on_link(std::size_t level, Tensor tensor) const;

 private:
  [[nodiscard]] std::int64_t operand(std::size_t level, Tensor tensor) const;
  [[nodiscard]] std::int64_t sum(std::size_t level) const;

  const Layer& layer_;
  const Machine& machine_;
  const AccessCounts& counts_;
  std::size_t innermost_output_level_ = 0;
  bool one_word_each_;
};

}  // namespace cosearch::accel
