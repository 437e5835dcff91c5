#include "accel/access_counts.h"

#include "accel/axis_sum.h"
#include "accel/flat_nest.h"
#include "accel/timeloop_counts.h"
#include "accel/window_axes.h"

namespace cosearch::accel {
namespace {

using enum Dimension;

/// Over all instances, and of the instance that every spatial loop gives its first piece.
struct Amount {
  std::int64_t total = 0, busiest = 0;
  friend Amount operator*(Amount a, Amount b) { return {a.total * b.total, a.busiest * b.busiest}; }
};

/// What passes between a level that keeps a tensor and the next inner one that does, one way.
struct Passage {
  Amount content;  ///< values at the upper end: a multicast or a reduction counts once
  Amount entries;  ///< values at the lower end, summed over the children
};

/// Walks the loops once for one tensor, from the outside in, and stops at every level that keeps
/// it.
class TensorCounter {
 public:
  TensorCounter(const FlatNest& nest, Tensor tensor)
      : nest_(nest),
        tensor_(tensor),
        relevant_(relevant_dimensions(tensor, nest.transposed)),
        overlapping_(tensor == windowed_tensor(nest.transposed) ? nest.overlapping
                                                                : DimensionMask{0}),
        plain_(static_cast<DimensionMask>(~(nest.ragged | overlapping_))) {}

  /// Calls visit(upper, lower, passage) for each pair of levels; `lower` is nest.levels for the
  /// multipliers.
  template <class Visit>
  void for_each_pair(const Visit& visit) {
    std::size_t upper = 0;
    for (std::size_t lower = 1; lower <= nest_.levels; ++lower) {
      pass_loops(nest_.above[lower - 1], nest_.above[lower]);
      if (lower < nest_.levels && !nest_.keeps(lower, tensor_)) continue;
      visit(upper, lower, passage(upper, lower));
      upper = lower;
      enter_level();
    }
  }

  /// Values that the instance with index 0 everywhere of the level reached holds at one time or
  /// another.
  [[nodiscard]] std::int64_t distinct_at_busiest(std::size_t level) const {
    const std::size_t end = nest_.above[level];
    std::int64_t values = 1;
    for_each_dimension(relevant_ & plain_ & nest_.active,
                       [&](std::size_t d) { values *= nest_.extents[d]; });
    values = quotient(values, spread_);
    for_each_dimension(relevant_ & nest_.ragged & ~overlapping_, [&](std::size_t d) {
      const auto first = [&](const FlatLoop& loop) { return loop.spatial; };
      values *= chain_sum(d, end, nest_.extents[d], 0, true, first);
    });
    for (std::size_t a = 0; overlapping_ != 0 && a < kAxes.size(); ++a)
      if (overlaps_along(a))
        values *= sum_along(kAxes[a], end, nest_.windows[a], [](std::size_t, const FlatLoop& loop) {
          return loop.spatial ? PieceRole::first : PieceRole::joint;
        });
    return values;
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  [[nodiscard]] bool overlaps_along(std::size_t axis) const {
    return (overlapping_ & mask_of(kAxes[axis].position)) != 0;
  }
  [[nodiscard]] bool is_shared(const FlatLoop& loop) const {
    return tensor_ == Tensor::output ? loop.reduction : loop.multicast;
  }

  void pass_loops(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const FlatLoop& loop = nest_.loops[i];
      const DimensionMask d = mask_of(loop.dimension);
      const bool is_plain = (plain_ & d) != 0, moves = (relevant_ & d) != 0;
      if (loop.spatial) {
        if (!is_plain) continue;
        if (moves)
          between_moving_ *= loop.bound, spread_ *= loop.bound;
        else if (is_shared(loop))
          between_shared_ *= loop.bound;
        else
          between_alone_ *= loop.bound;
      } else if (moves) {
        moving_ = i;
        if (is_plain) steps_ *= loop.bound;
        // Irrelevant loops outside the innermost moving one bring its tiles back again.
        steps_ *= pending_;
        pending_ = 1;
      } else if (is_plain) {
        pending_ *= loop.bound;
      }
    }
  }

  void enter_level() {
    above_ *= between_moving_ * between_shared_ * between_alone_;
    between_moving_ = between_shared_ = between_alone_ = 1;
  }

  [[nodiscard]] Passage passage(std::size_t upper, std::size_t lower) const {
    const bool at_multipliers = lower == nest_.levels;
    std::int64_t entries = steps_ * (at_multipliers ? pending_ : 1);
    for_each_dimension(relevant_ & plain_ & nest_.active,
                       [&](std::size_t d) { entries *= nest_.tile[lower][d]; });
    const std::int64_t between = between_moving_ * between_shared_ * between_alone_;
    const std::int64_t content = entries * between_moving_ * between_alone_;
    Passage passage{{content * above_, content}, {entries * above_ * between, entries}};
    for_each_dimension(nest_.ragged & ~overlapping_,
                       [&](std::size_t d) { multiply_ragged(passage, d, upper, lower); });
    for (std::size_t a = 0; overlapping_ != 0 && a < kAxes.size(); ++a)
      if (overlaps_along(a)) multiply_axis(passage, a, upper, lower);
    return passage;
  }

  /// Sum over the pieces of dimension `d` cut by the first `end` loops of their length (or of 1),
  /// in a stretch of `length`; where `first(loop)`, of the first piece only.
  template <class First>
  [[nodiscard]] std::int64_t chain_sum(std::size_t d, std::size_t end, std::int64_t length,
                                       std::size_t i, bool lengths, const First& first) const {
    while (i < end && index_of(nest_.loops[i].dimension) != d) ++i;
    if (i >= end) return lengths ? length : 1;
    const FlatLoop& loop = nest_.loops[i];
    if (first(loop) || length <= loop.tile)
      return chain_sum(d, end, std::min(length, loop.tile), i + 1, lengths, first);
    const std::int64_t full = quotient(length, loop.tile), rest = length - full * loop.tile;
    std::int64_t sum = full * chain_sum(d, end, loop.tile, i + 1, lengths, first);
    if (rest > 0) sum += chain_sum(d, end, rest, i + 1, lengths, first);
    return sum;
  }

  void multiply_ragged(Passage& passage, std::size_t d, std::size_t upper,
                       std::size_t lower) const {
    const bool moves = (relevant_ >> d & 1U) != 0;
    const std::size_t end = nest_.above[lower];
    const std::size_t last_counted = lower == nest_.levels ? kNone - 1 : moving_;
    const auto sum = [&](bool whole_machine, bool at_upper_end) {
      return chain_sum(d, end, nest_.extents[d], 0, moves, [&](const FlatLoop& loop) {
        if (!loop.spatial) {
          const auto position = static_cast<std::size_t>(&loop - nest_.loops.data());
          return !moves && (last_counted == kNone || position > last_counted);
        }
        if (loop.level < upper) return !whole_machine;
        if (!at_upper_end) return !whole_machine;
        return !moves && is_shared(loop);
      });
    };
    passage.content = passage.content * Amount{sum(true, true), sum(false, true)};
    passage.entries = passage.entries * Amount{sum(true, false), sum(false, false)};
  }

  /// At the multipliers padding is read like a value; outputs that are not stored are dropped.
  [[nodiscard]] WindowAxis window_at(std::size_t a, std::size_t lower) const {
    WindowAxis at = nest_.windows[a];
    const Axis& axis = kAxes[a];
    if (lower != nest_.levels || tensor_ == Tensor::output) return at;
    at.padding = 0;
    at.stored = (nest_.extents[index_of(axis.position)] - 1) * at.stride +
                (nest_.extents[index_of(axis.tap)] - 1) * at.dilation + 1;
    return at;
  }

  template <class RoleOf>
  [[nodiscard]] std::int64_t sum_along(const Axis& axis, std::size_t end, const WindowAxis& window,
                                       const RoleOf& role_of) const {
    AxisChain positions, taps;
    positions.extent = nest_.extents[index_of(axis.position)];
    taps.extent = nest_.extents[index_of(axis.tap)];
    for (std::size_t i = 0; i < end; ++i) {
      const FlatLoop& loop = nest_.loops[i];
      if (loop.dimension == axis.position) positions.add(loop.tile, role_of(i, loop));
      if (loop.dimension == axis.tap) taps.add(loop.tile, role_of(i, loop));
    }
    return axis_sum(window, positions, taps);
  }

  [[nodiscard]] static bool is_along(const Axis& axis, const FlatLoop& loop) {
    return loop.dimension == axis.position || loop.dimension == axis.tap;
  }

  /// Outermost loop of the run in which tiles slide along `axis` (docs/cost-model.md); kNone
  /// without.
  [[nodiscard]] std::size_t slide_begin(const Axis& axis, std::size_t upper,
                                        std::size_t lower) const {
    if (moving_ == kNone || lower == nest_.levels) return kNone;
    const Dimension dimension = nest_.loops[moving_].dimension;
    if (!is_along(axis, nest_.loops[moving_])) return kNone;
    for (std::size_t i = 0; i < nest_.above[lower]; ++i) {
      const FlatLoop& loop = nest_.loops[i];
      if (loop.spatial && is_along(axis, loop) && (loop.level >= upper || i > moving_))
        return kNone;
    }
    std::size_t begin = moving_;
    for (std::size_t i = moving_; i-- > 0;) {
      const FlatLoop& loop = nest_.loops[i];
      if (loop.spatial && !is_along(axis, loop)) continue;
      if (loop.spatial || loop.dimension != dimension) break;
      begin = i;
    }
    return begin;
  }

  /// What the loops above a level do along one axis.
  struct AxisLoops {
    bool any = false;
    bool spread_above = false;    ///< spatial, above the upper level
    bool spread_between = false;  ///< spatial, below it
    bool shared = false;          ///< of the latter, one that shares what its instances take
    [[nodiscard]] bool spatial() const { return spread_above || spread_between; }
  };
  [[nodiscard]] AxisLoops loops_along(const Axis& axis, std::size_t upper, std::size_t end) const {
    AxisLoops loops;
    for (std::size_t i = 0; i < end; ++i) {
      const FlatLoop& loop = nest_.loops[i];
      if (!is_along(axis, loop)) continue;
      loops.any = true;
      if (!loop.spatial) continue;
      const bool above = loop.level < upper;
      loops.spread_above = loops.spread_above || above;
      loops.spread_between = loops.spread_between || !above;
      loops.shared = loops.shared || (!above && is_shared(loop));
    }
    return loops;
  }

  void multiply_axis(Passage& passage, std::size_t a, std::size_t upper, std::size_t lower) const {
    const Axis& axis = kAxes[a];
    const std::size_t p = index_of(axis.position), t = index_of(axis.tap);
    const WindowAxis window = window_at(a, lower);
    const std::size_t end = nest_.above[lower];
    const AxisLoops loops = loops_along(axis, upper, end);
    const auto multiply = [&](Amount content, Amount entries) {
      passage.content = passage.content * content;
      passage.entries = passage.entries * entries;
    };
    if (!loops.any) {
      const std::int64_t all = window.touched(0, nest_.extents[p], 0, nest_.extents[t]);
      return multiply({all, all}, {all, all});
    }
    if (lower == nest_.levels && tensor_ == Tensor::input && !loops.spatial()) {
      // Each multiplication takes one position, whatever others take.
      const std::int64_t all = nest_.extents[p] * nest_.extents[t];
      return multiply({all, all}, {all, all});
    }
    const std::size_t begin = slide_begin(axis, upper, lower);
    const auto sum = [&](bool whole_machine, bool at_upper_end) {
      return sum_along(axis, end, window, [&](std::size_t i, const FlatLoop& loop) {
        if (!loop.spatial) {
          const bool slides =
              begin != kNone && i >= begin && loop.dimension == nest_.loops[moving_].dimension;
          return slides ? PieceRole::slide : PieceRole::each;
        }
        if (at_upper_end && loop.level >= upper)
          return is_shared(loop) ? PieceRole::joint : PieceRole::each;
        return whole_machine ? PieceRole::each : PieceRole::first;
      });
    };
    // Sums whose loops have the same roles are the same.
    Amount content, entries;
    content.total = sum(true, true);
    content.busiest = loops.spread_above ? sum(false, true) : content.total;
    entries.total = loops.shared ? sum(true, false) : content.total;
    entries.busiest = loops.spread_between ? sum(false, false) : content.busiest;
    multiply(content, entries);
  }

  const FlatNest& nest_;
  Tensor tensor_;
  DimensionMask relevant_;     ///< moving along them moves the tensor
  DimensionMask overlapping_;  ///< of nest_, where this tensor is the windowed one
  DimensionMask plain_;        ///< those whose share is a plain product of bounds

  // Products of the bounds of plain dimensions passed so far.
  std::int64_t steps_ = 1;    ///< temporal, as often as the tile moves
  std::int64_t pending_ = 1;  ///< temporal and irrelevant, since the last loop that moves the tile
  std::int64_t above_ = 1;    ///< spatial, above the upper level
  std::int64_t spread_ = 1;   ///< spatial and relevant, above the level reached
  std::int64_t between_moving_ = 1, between_shared_ = 1, between_alone_ = 1;  ///< spatial, below it
  std::size_t moving_ = kNone;  ///< innermost temporal loop that moves the tile
};

void count_operand(AccessCounts& counts, const FlatNest& nest, Tensor tensor) {
  const std::size_t t = index_of(tensor);
  TensorCounter(nest, tensor)
      .for_each_pair([&](std::size_t upper, std::size_t lower, const Passage& passage) {
        counts.levels[upper][t].reads = passage.content.total;
        counts.busiest[upper][t].reads = passage.content.busiest;
        counts.links[upper][t].down = passage.content.total;
        counts.links[upper][t].down_copies = passage.entries.total;
        if (lower == nest.levels) return;
        counts.levels[lower][t].fills = passage.entries.total;
        counts.busiest[lower][t].fills = passage.entries.busiest;
      });
}

/// Every visit but the first of a fresh value brings its partial sum back; every visit ends in a
/// drain.
void count_output(AccessCounts& counts, const FlatNest& nest) {
  const std::size_t t = index_of(Tensor::output);
  TensorCounter counter(nest, Tensor::output);
  std::int64_t fresh = counter.distinct_at_busiest(0);
  std::int64_t fresh_at_busiest = fresh;
  counter.for_each_pair([&](std::size_t upper, std::size_t lower, const Passage& passage) {
    const std::int64_t returns = passage.content.total - fresh;
    LevelAccesses& above = counts.levels[upper][t];
    LevelAccesses& busiest_above = counts.busiest[upper][t];
    above.updates = passage.content.total;
    above.reads += returns;
    busiest_above.updates = passage.content.busiest;
    busiest_above.reads += passage.content.busiest - fresh_at_busiest;
    counts.links[upper][t] = {.down = returns,
                              .down_copies = returns,
                              .up = passage.content.total,
                              .up_copies = passage.entries.total};
    if (lower == nest.levels) return;
    fresh = passage.entries.total - returns;
    fresh_at_busiest = counter.distinct_at_busiest(lower);
    const std::int64_t drained = passage.entries.total, drained_busiest = passage.entries.busiest;
    counts.levels[lower][t] = {.reads = drained, .fills = returns, .updates = 0, .drains = drained};
    counts.busiest[lower][t] = {.reads = drained_busiest,
                                .fills = drained_busiest - fresh_at_busiest,
                                .updates = 0,
                                .drains = drained_busiest};
  });
}

/// Steps of all temporal loops in which the first multiplier has work.
std::int64_t busy_cycles(const FlatNest& nest) {
  std::int64_t cycles = 1;
  for_each_dimension(nest.ragged, [&](std::size_t dimension) {
    // The first piece of a spatial loop is never shorter than the others.
    struct Steps {
      const FlatNest& nest;
      std::size_t d;
      std::int64_t operator()(std::int64_t length, std::size_t i) const {
        while (i < nest.loop_count && index_of(nest.loops[i].dimension) != d) ++i;
        if (i == nest.loop_count) return 1;
        const FlatLoop& loop = nest.loops[i];
        if (loop.spatial || length <= loop.tile) return (*this)(std::min(length, loop.tile), i + 1);
        const std::int64_t full = quotient(length, loop.tile), rest = length - full * loop.tile;
        return full * (*this)(loop.tile, i + 1) + (rest > 0 ? (*this)(rest, i + 1) : 0);
      }
    };
    cycles *= Steps{nest, dimension}(nest.extents[dimension], 0);
  });
  for (std::size_t i = 0; i < nest.loop_count; ++i)
    if (!nest.loops[i].spatial && (nest.ragged & mask_of(nest.loops[i].dimension)) == 0)
      cycles *= nest.loops[i].bound;
  return cycles;
}

void count_instances(AccessCounts& counts, const FlatNest& nest) {
  std::int64_t instances = 1;
  std::size_t i = 0;
  for (std::size_t level = 0; level <= nest.levels; ++level) {
    for (; i < nest.above[level]; ++i)
      if (nest.loops[i].spatial) instances *= nest.loops[i].bound;
    counts.instances[level] = instances;
  }
}

}  // namespace

void count_accesses(const Layer& layer, const FlatNest& nest, Accounting accounting,
                    AccessCounts& counts) {
  counts.macs = layer.macs();
  counts.compute_cycles = busy_cycles(nest);
  count_instances(counts, nest);
  if (accounting == Accounting::timeloop) {
    count_as_timeloop(counts, layer, nest);
    return;
  }
  count_operand(counts, nest, Tensor::input);
  count_operand(counts, nest, Tensor::weights);
  count_output(counts, nest);
}

AccessCounts count_accesses(const Layer& layer, const Machine& machine, const LoopNest& nest,
                            Accounting accounting) {
  FlatNest flat;
  flatten(layer, machine, nest, flat);
  AccessCounts counts;
  count_accesses(layer, flat, accounting, counts);
  return counts;
}

}  // namespace cosearch::accel
