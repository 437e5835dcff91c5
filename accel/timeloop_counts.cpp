// The rules of Timeloop 3.0.3 for dense layers without neighbour links (A. Parashar et al.,
// Timeloop, ISPASS 2019, and its implementation): docs/cost-model.md, "Timeloop's accounting".
#include "accel/timeloop_counts.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace cosearch::accel {
namespace {

constexpr std::size_t kMostRanks = 6;
using Ranks = std::array<std::int64_t, kMostRanks>;

struct Projection {
  std::uint8_t rank = 0;
  std::int64_t coefficient = 0;  ///< 0: the loop does not move the tensor
};

/// Where a step of each loop moves the tile of a tensor, in the tensor's own coordinates.
class TensorGeometry {
 public:
  TensorGeometry(const Layer& layer, Tensor tensor)
      : windowed_(tensor == windowed_tensor(layer.transposed)) {
    using enum Dimension;
    std::uint8_t rank = 0;
    const auto place = [&](Dimension d, std::int64_t coefficient) {
      projections_[index_of(d)] = {rank, coefficient};
    };
    for (const Dimension d : kAllDimensions) {
      const bool window = windowed_ && index_of(d) >= index_of(D);
      if (window || !is_relevant(tensor, d, layer.transposed)) continue;
      place(d, 1);
      ++rank;
    }
    if (!windowed_) return;
    place(D, layer.stride_d), place(T, layer.dilation_d), ++rank;
    place(P, layer.stride_h), place(R, layer.dilation_h), ++rank;
    place(Q, layer.stride_w), place(S, layer.dilation_w);
  }

  [[nodiscard]] bool windowed() const { return windowed_; }
  [[nodiscard]] const Projection& of(Dimension d) const { return projections_[index_of(d)]; }

  /// Extents of the dense box that a tile of loop ranges touches.
  [[nodiscard]] Ranks box(const Extents& tile) const {
    Ranks extents;
    extents.fill(1);
    for (std::size_t d = 0; d < kDimensions; ++d)
      extents[projections_[d].rank] += projections_[d].coefficient * (tile[d] - 1);
    return extents;
  }

 private:
  std::array<Projection, kDimensions> projections_{};
  bool windowed_;
};

std::int64_t volume(const Ranks& extents) {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) product *= extent;
  return product;
}

/// Values that one instance below `level` receives while the temporal loops of levels 0..level run.
/// A moved tile keeps its overlap only where it moves as it did in the innermost loop.
class TemporalDelta {
 public:
  TemporalDelta(const FlatNest& nest, const TensorGeometry& geometry, std::size_t level)
      : nest_(nest),
        geometry_(geometry),
        end_(nest.above[level + 1]),
        box_(geometry.box(nest.tile[level + 1])) {}

  [[nodiscard]] std::int64_t values() const {
    return geometry_.windowed() ? sliding() : stationary();
  }

 private:
  /// Tiles that never overlap stay through the innermost loops that do not move them.
  [[nodiscard]] std::int64_t stationary() const {
    std::int64_t moves = 1;
    bool moved = false;
    for (std::size_t i = end_; i-- > 0;) {
      const FlatLoop& loop = nest_.loops[i];
      if (loop.spatial) continue;
      moved = moved || geometry_.of(loop.dimension).coefficient != 0;
      if (moved) moves *= loop.bound;
    }
    return moves * volume(box_);
  }

  [[nodiscard]] std::int64_t sliding() const {
    const std::int64_t whole = volume(box_);
    Ranks wrap{}, first{};
    bool is_first = true;
    std::int64_t values = whole, outside = 1;
    for (std::size_t i = 0; i < end_; ++i)
      if (!nest_.loops[i].spatial) outside *= nest_.loops[i].bound;
    for (std::size_t i = end_; i-- > 0;) {
      const FlatLoop& loop = nest_.loops[i];
      if (loop.spatial) continue;
      const Projection& to = geometry_.of(loop.dimension);
      Ranks move;
      for (std::size_t r = 0; r < kMostRanks; ++r) move[r] = -wrap[r];
      move[to.rank] += to.coefficient * loop.tile;
      if (is_first) first = move;
      is_first = false;
      const std::int64_t fetched = whole - (move == first ? overlap(move) : 0);
      outside = quotient(outside, loop.bound);
      values += (loop.bound - 1) * outside * fetched;
      // Timeloop looks at the first two iterations of a loop only: inner loops seem to wrap by one.
      wrap[to.rank] += to.coefficient * loop.tile;
    }
    return values;
  }

  [[nodiscard]] std::int64_t overlap(const Ranks& move) const {
    std::int64_t product = 1;
    for (std::size_t r = 0; r < kMostRanks; ++r)
      product *= std::max<std::int64_t>(0, box_[r] - std::abs(move[r]));
    return product;
  }

  const FlatNest& nest_;
  const TensorGeometry& geometry_;
  std::size_t end_;
  Ranks box_;
};

/// Children of one instance of `level` with tiles of their own: those with the same tile share a
/// read, those whose tiles merely overlap do not.
std::int64_t groups_below(const FlatNest& nest, const TensorGeometry& geometry, std::size_t level) {
  struct Steps {
    std::int64_t count = 1, distance = 0;
  };
  std::array<Steps, kDimensions> steps;
  for (std::size_t i = nest.above[level]; i < nest.above[level + 1]; ++i) {
    const FlatLoop& loop = nest.loops[i];
    const Projection& to = geometry.of(loop.dimension);
    if (!loop.spatial || to.coefficient == 0) continue;
    Steps& s = steps[index_of(loop.dimension)];
    s = {s.count * loop.bound, to.coefficient * loop.tile};
  }
  std::int64_t groups = 1;
  for (const Dimension d : kAllDimensions) groups *= steps[index_of(d)].count;
  if (!geometry.windowed()) return groups;
  using enum Dimension;
  for (const auto& [position, tap] : {std::pair{D, T}, {P, R}, {Q, S}}) {
    const Steps &a = steps[index_of(position)], &b = steps[index_of(tap)];
    if (a.count == 1 || b.count == 1) continue;
    // Tiles at i*a + j*b coincide when i grows by b/gcd while j shrinks by a/gcd.
    const std::int64_t common = std::gcd(a.distance, b.distance);
    const std::int64_t together = std::max<std::int64_t>(0, a.count - b.distance / common) *
                                  std::max<std::int64_t>(0, b.count - a.distance / common);
    groups = groups / (a.count * b.count) * (a.count * b.count - together);
  }
  return groups;
}

std::int64_t temporal_iterations(const FlatNest& nest) {
  std::int64_t product = 1;
  for (std::size_t i = 0; i < nest.loop_count; ++i)
    if (!nest.loops[i].spatial) product *= nest.loops[i].bound;
  return product;
}

/// Share of one instance of each level in the whole tensor.
std::array<std::int64_t, kMostLevels> partitions(const FlatNest& nest,
                                                 const TensorGeometry& geometry) {
  std::array<std::int64_t, kMostLevels> shares{};
  shares[0] = volume(geometry.box(nest.tile[0]));
  for (std::size_t level = 1; level < nest.levels; ++level) {
    Extents spread = nest.tile[level];
    for (std::size_t i = nest.above[level - 1]; i < nest.above[level]; ++i)
      if (nest.loops[i].spatial) spread[index_of(nest.loops[i].dimension)] *= nest.loops[i].bound;
    shares[level] =
        shares[level - 1] * volume(geometry.box(nest.tile[level])) / volume(geometry.box(spread));
  }
  return shares;
}

/// Per instance: what a level gives its children, and what its children would each receive.
struct Demand {
  std::array<std::int64_t, kMostLevels> content{}, delta{};
};

Demand demand_of(const FlatNest& nest, const TensorGeometry& geometry, Tensor tensor) {
  Demand demand;
  for (std::size_t level = nest.levels; level-- > 0;) {
    const bool at_multipliers = level + 1 == nest.levels;
    const bool child_keeps = at_multipliers || nest.keeps(level + 1, tensor);
    demand.delta[level] =
        at_multipliers ? temporal_iterations(nest) : TemporalDelta(nest, geometry, level).values();
    // A level that a tensor passes by hands its children's demand on.
    demand.content[level] = (child_keeps ? demand.delta[level] : demand.content[level + 1]) *
                            groups_below(nest, geometry, level);
  }
  return demand;
}

LevelAccesses scaled(const LevelAccesses& a, std::int64_t by) {
  return {a.reads * by, a.fills * by, a.updates * by, a.drains * by};
}

}  // namespace

void count_as_timeloop(AccessCounts& counts, const Layer& layer, const FlatNest& nest) {
  for (const Tensor tensor : kTensors) {
    const std::size_t t = index_of(tensor);
    const TensorGeometry geometry(layer, tensor);
    const Demand demand = demand_of(nest, geometry, tensor);
    const bool output = tensor == Tensor::output;
    const auto shares =
        output ? partitions(nest, geometry) : decltype(partitions(nest, geometry)){};
    bool outermost = true;
    for (std::size_t level = 0; level < nest.levels; ++level) {
      if (!nest.keeps(level, tensor)) continue;
      LevelAccesses& accesses = counts.busiest[level][t];
      const std::int64_t content = demand.content[level], share = shares[level];
      // Boxes count values that no tile of theirs touches: a share may exceed what moves.
      accesses.reads = std::max<std::int64_t>(0, output ? content - share : content);
      accesses.updates = output ? content : 0;
      accesses.fills = outermost ? 0 : std::max<std::int64_t>(0, demand.delta[level - 1] - share);
      counts.levels[level][t] = scaled(accesses, counts.instances[level]);
      outermost = false;
    }
  }
}

}  // namespace cosearch::accel
