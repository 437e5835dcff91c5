#include "accel/edge_tiles.h"

#include <algorithm>

#include "accel/window_axes.h"

namespace cosearch::accel {
namespace {

std::int64_t pieces(std::int64_t whole, std::int64_t tile) {
  return quotient(whole + tile - 1, tile);
}

/// Follows one tensor's tile inwards through the loops, at the first or at the last step.
class EdgeWalk {
 public:
  EdgeWalk(const FlatNest& nest, Tensor tensor)
      : nest_(nest),
        tensor_(tensor),
        relevant_(relevant_dimensions(tensor, nest.transposed)),
        overlapping_(tensor == windowed_tensor(nest.transposed) ? nest.overlapping
                                                                : DimensionMask{0}),
        followed_(relevant_ | (tensor == Tensor::output ? nest.unreduced : nest.unicast)),
        held_(nest.extents),
        sent_(nest.extents) {}

  void enter_level() {
    // Number by number: a copy of freshly written numbers would wait for them to reach memory.
    for_each_dimension(followed_ & nest_.active, [&](std::size_t d) { sent_[d] = held_[d]; });
    copies_ = 1;
  }

  void pass(const FlatLoop& loop) {
    if ((followed_ & mask_of(loop.dimension)) == 0) return;
    const std::size_t d = index_of(loop.dimension);
    const std::int64_t whole = held_[d];
    // The last piece of an outer loop may be no longer than this loop's tile.
    if (whole <= loop.tile) return;
    if (loop.spatial) {
      spread(loop);
      held_[d] = loop.tile;
      return;
    }
    held_[d] = loop.tile;
    if (tensor_ == Tensor::output && (nest_.ragged & mask_of(loop.dimension)) != 0)
      held_[d] = whole - (pieces(whole, loop.tile) - 1) * loop.tile;
    sent_[d] = sent_[d] == whole ? held_[d] : pieces(sent_[d] * held_[d], whole);
  }

  [[nodiscard]] EdgeTile tile() const { return {values_of(sent_) * copies_, values_of(held_)}; }

 private:
  /// Instances without multicast (or reduction) between them each take their own words.
  void spread(const FlatLoop& loop) {
    const std::size_t d = index_of(loop.dimension);
    const bool shared = tensor_ == Tensor::output ? loop.reduction : loop.multicast;
    if (shared) return;
    const DimensionMask distinct = relevant_ & ~overlapping_;
    if ((distinct & mask_of(loop.dimension)) != 0) return;
    copies_ *= pieces(sent_[d], loop.tile);
    sent_[d] = loop.tile;
  }

  /// In a box at the beginning of the layer (operands) or at its end (outputs).
  [[nodiscard]] std::int64_t values_of(const Extents& extents) const {
    std::int64_t values = 1;
    for_each_dimension(relevant_ & ~overlapping_ & nest_.active,
                       [&](std::size_t d) { values *= extents[d]; });
    for (std::size_t a = 0; overlapping_ != 0 && a < kAxes.size(); ++a)
      if ((overlapping_ & mask_of(kAxes[a].position)) != 0) values *= touched(a, extents);
    return values;
  }

  [[nodiscard]] std::int64_t touched(std::size_t a, const Extents& extents) const {
    const std::size_t p = index_of(kAxes[a].position), t = index_of(kAxes[a].tap);
    const WindowAxis& window = nest_.windows[a];
    const Extents& whole = nest_.extents;
    if (tensor_ != Tensor::output) return window.touched(0, extents[p], 0, extents[t]);
    return window.touched(whole[p] - extents[p], whole[p], whole[t] - extents[t], whole[t]);
  }

  const FlatNest& nest_;
  Tensor tensor_;
  DimensionMask relevant_;
  DimensionMask overlapping_;  ///< of nest_, where this tensor is the windowed one
  DimensionMask followed_;     ///< those whose extents matter
  Extents held_;               ///< by one instance of the level reached
  Extents sent_;  ///< by one instance of the last level that keeps the tensor, at this step
  std::int64_t copies_ = 1;
};

}  // namespace

EdgeTiles edge_tiles(const FlatNest& nest) {
  EdgeTiles tiles;
  for (const Tensor tensor : kTensors) {
    EdgeWalk walk(nest, tensor);
    std::size_t upper = 0;
    for (std::size_t level = 1; level < nest.levels; ++level) {
      for (std::size_t i = nest.above[level - 1]; i < nest.above[level]; ++i)
        walk.pass(nest.loops[i]);
      if (!nest.keeps(level, tensor)) continue;
      tiles[upper][index_of(tensor)] = walk.tile();
      upper = level;
      walk.enter_level();
    }
    tiles[upper][index_of(tensor)] = {0, 0};
  }
  return tiles;
}

}  // namespace cosearch::accel
