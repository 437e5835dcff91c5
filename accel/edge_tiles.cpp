#include "accel/edge_tiles.h"

#include <algorithm>

#include "accel/flat_nest.h"
#include "accel/window_axes.h"

namespace cosearch::accel {
namespace {

std::int64_t pieces(std::int64_t whole, std::int64_t tile) {
  return quotient(whole + tile - 1, tile);
}

/// Values of one tensor in boxes at the beginning of the layer (operands) or at its end (outputs).
class EdgeValues {
 public:
  EdgeValues(const Layer& layer, Tensor tensor, const Extents& whole)
      : layer_(layer), tensor_(tensor), whole_(whole) {
    const bool windowed = tensor == windowed_tensor(layer.transposed);
    for (const Dimension d : kAllDimensions) {
      if (whole[index_of(d)] == 1 || !is_relevant(tensor, d, layer.transposed)) continue;
      if (!(windowed && is_window_dimension(d)))
        plain_[plain_count_++] = static_cast<std::uint8_t>(d);
    }
    for (std::size_t a = 0; windowed && a < kAxes.size(); ++a)
      moves_along_[a] = whole[index_of(kAxes[a].position)] * whole[index_of(kAxes[a].tap)] > 1;
  }

  [[nodiscard]] std::int64_t of(const Extents& extents) const {
    std::int64_t values = 1;
    for (std::size_t i = 0; i < plain_count_; ++i) values *= extents[plain_[i]];
    for (std::size_t a = 0; a < kAxes.size(); ++a)
      if (moves_along_[a]) values *= touched(kAxes[a], extents);
    return values;
  }

 private:
  [[nodiscard]] std::int64_t touched(const Axis& axis, const Extents& extents) const {
    const std::size_t p = index_of(axis.position), t = index_of(axis.tap);
    const WindowAxis window = window_axis(layer_, axis.position);
    if (tensor_ != Tensor::output) return window.touched(0, extents[p], 0, extents[t]);
    return window.touched(whole_[p] - extents[p], whole_[p], whole_[t] - extents[t], whole_[t]);
  }

  const Layer& layer_;
  Tensor tensor_;
  const Extents& whole_;
  std::array<std::uint8_t, kDimensions> plain_;
  std::size_t plain_count_ = 0;
  std::array<bool, kAxes.size()> moves_along_{};
};

/// Follows one tensor's tile inwards through the loops, at the first or at the last step.
class EdgeWalk {
 public:
  EdgeWalk(const Layer& layer, const Machine& machine, Tensor tensor)
      : layer_(layer),
        machine_(machine),
        tensor_(tensor),
        windowed_(tensor == windowed_tensor(layer.transposed)),
        whole_(extents_of(layer)),
        values_(layer, tensor, whole_),
        held_(whole_),
        sent_(whole_) {}

  void enter_level() {
    sent_ = held_;
    copies_ = 1;
  }

  void pass(const Loop& loop, std::size_t level) {
    const std::size_t d = index_of(loop.dimension);
    const std::int64_t whole = held_[d];
    if (whole <= loop.tile) return;
    if (loop.is_spatial()) {
      spread(loop, machine_.levels[level].fanout[static_cast<std::size_t>(loop.axis)]);
      held_[d] = loop.tile;
      return;
    }
    const std::int64_t last = whole - (pieces(whole, loop.tile) - 1) * loop.tile;
    held_[d] = tensor_ == Tensor::output ? last : loop.tile;
    sent_[d] = sent_[d] == whole ? held_[d] : pieces(sent_[d] * held_[d], whole);
  }

  [[nodiscard]] EdgeTile tile(std::size_t lower) const {
    return {values_.of(sent_) * copies_, values_.of(held_), lower};
  }

 private:
  /// Instances without multicast (or reduction) between them each take their own words.
  void spread(const Loop& loop, const Fanout& axis) {
    const std::size_t d = index_of(loop.dimension);
    const bool shared = tensor_ == Tensor::output ? axis.reduction : axis.multicast;
    if (shared) return;
    const bool overlaps = windowed_ && is_window_dimension(loop.dimension);
    if (is_relevant(tensor_, loop.dimension, layer_.transposed) && !overlaps) return;
    copies_ *= pieces(sent_[d], loop.tile);
    sent_[d] = loop.tile;
  }

  const Layer& layer_;
  const Machine& machine_;
  Tensor tensor_;
  bool windowed_;
  Extents whole_;
  EdgeValues values_;
  Extents held_;  ///< by one instance of the level reached
  Extents sent_;  ///< by one instance of the last level that keeps the tensor, at this step
  std::int64_t copies_ = 1;
};

}  // namespace

EdgeTiles edge_tiles(const Layer& layer, const Machine& machine, const LoopNest& nest) {
  EdgeTiles tiles{};
  for (const Tensor tensor : kTensors) {
    EdgeWalk walk(layer, machine, tensor);
    std::size_t upper = 0;
    for (std::size_t level = 0; level + 1 < nest.levels.size(); ++level) {
      for (const Loop& loop : nest.levels[level].loops) walk.pass(loop, level);
      if (!nest.levels[level + 1].keep.has(tensor)) continue;
      tiles[upper][index_of(tensor)] = walk.tile(level + 1);
      upper = level + 1;
      walk.enter_level();
    }
  }
  return tiles;
}

}  // namespace cosearch::accel
