// How many words of a level's own width its accesses take: finished values at the layer's width,
// partial sums at theirs.
#pragma once

#include <array>

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
  /// With Accounting::timeloop every value is one word.
  ValueWidths(const Layer& layer, const Machine& machine, const LoopNest& nest,
              const AccessCounts& counts, Accounting accounting);

  /// Words of the accesses `of` (all instances' or the busiest's) at `level`.
  /// Assumes: outputs that leave a level to come back are as wide as partial sums, and so is every
  /// output where they are summed up; outputs that arrive finished are as wide as the layer says.
  [[nodiscard]] WordCounts words(std::size_t level, Tensor tensor, const LevelAccesses& of) const {
    const std::int64_t width = on_link_[level][index_of(tensor)];
    if (tensor != Tensor::output) return {of.reads * width, of.fills * width};
    if (level > 0) return {of.reads * width, (of.fills + of.updates) * width};
    // Each output is written once finished; what is read again was written as a partial sum.
    return {of.reads * partial_outside_,
            of.reads * partial_outside_ + (of.updates - of.reads) * finished_outside_};
  }

  /// Words, of the upper level's width, of one value on the link below `level`.
  [[nodiscard]] std::int64_t on_link(std::size_t level, Tensor tensor) const {
    return on_link_[level][index_of(tensor)];
  }

 private:
  std::array<std::array<std::int64_t, 3>, kMostLevels> on_link_;
  std::int64_t finished_outside_ = 1, partial_outside_ = 1;  ///< of outputs at level 0
};

}  // namespace cosearch::accel
