#include "tests/support/nest_walk.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace cosearch::accel::test {
namespace {

using Word = std::int64_t;        ///< a number for each value of a tensor
using Words = std::vector<Word>;  ///< sorted, each once
using Point = Extents;            ///< one multiply-accumulate

/// Half-open range of each dimension.
struct Box {
  Extents begin{}, end{};
  [[nodiscard]] bool is_empty_along(Dimension d) const {
    return begin[index_of(d)] >= end[index_of(d)];
  }
};

Box whole_of(const Layer& layer) { return {.begin = {}, .end = extents_of(layer)}; }

// ------------------------------------------------------------------------------------------ words

/// The place of one value along the three axes of its tensor, and how far those go.
struct Position {
  std::array<std::int64_t, 3> at, stored;
};

Position position_of(const Layer& layer, Tensor tensor, const Point& point) {
  using enum Dimension;
  const auto x = [&](Dimension d) { return point[index_of(d)]; };
  if (tensor == Tensor::weights)
    return {.at = {x(T), x(R), x(S)}, .stored = {layer.T, layer.R, layer.S}};
  Position position{.at = {x(D), x(P), x(Q)}, .stored = {layer.D, layer.P, layer.Q}};
  if (tensor == Tensor::input) position.stored = {layer.input_d, layer.input_h, layer.input_w};
  if (tensor == windowed_tensor(layer.transposed))
    position.at = {x(D) * layer.stride_d + x(T) * layer.dilation_d - layer.pad_front,
                   x(P) * layer.stride_h + x(R) * layer.dilation_h - layer.pad_top,
                   x(Q) * layer.stride_w + x(S) * layer.dilation_w - layer.pad_left};
  return position;
}

/// Whether the word at `point` is not in the padding.
bool is_stored(const Layer& layer, Tensor tensor, const Point& point) {
  const Position position = position_of(layer, tensor, point);
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (position.at[axis] < 0 || position.at[axis] >= position.stored[axis]) return false;
  return true;
}

/// The word of `tensor` that the multiply-accumulate at `point` uses. Every position of the padding
/// has a word of its own, too.
Word word_at(const Layer& layer, Tensor tensor, const Point& point) {
  using enum Dimension;
  const auto x = [&](Dimension d) { return point[index_of(d)]; };
  Word word = x(G);
  if (tensor != Tensor::weights) word = word * layer.N + x(N);
  if (tensor != Tensor::input) word = word * layer.K + x(K);
  if (tensor != Tensor::output) word = word * layer.C + x(C);
  constexpr std::int64_t padding = 1 << 8, extent = 1 << 11;  // room for any layer worth a walk
  for (const std::int64_t at : position_of(layer, tensor, point).at) {
    assert(at >= -padding && at < extent - padding);
    word = word * extent + at + padding;
  }
  return word;
}

Words sorted(Words words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

Words minus(const Words& a, const Words& b) {
  Words rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest));
  return rest;
}

/// The stored words of `tensor` that the multiply-accumulates in `box` touch, whatever its ranges
/// along dimensions that do not move the tensor.
Words words_in(const Layer& layer, Tensor tensor, const Box& box) {
  Words words;
  Point point{};
  const std::function<void(std::size_t)> iterate = [&](std::size_t d) {
    if (d == kDimensions) {
      if (is_stored(layer, tensor, point)) words.push_back(word_at(layer, tensor, point));
    } else if (!is_relevant(tensor, static_cast<Dimension>(d), layer.transposed)) {
      iterate(d + 1);
    } else {
      for (point[d] = box.begin[d]; point[d] < box.end[d]; ++point[d]) iterate(d + 1);
    }
  };
  iterate(0);
  return sorted(std::move(words));
}

// ------------------------------------------------------------------------------------------ loops

struct WalkedLoop {
  Dimension dimension;
  std::int64_t tile, bound;
  std::size_t level;
  std::int8_t axis;
  [[nodiscard]] bool is_spatial() const { return axis != Loop::kTemporal; }
};

/// Every loop of the nest, outermost first, with the bound that it has in a full tile.
std::vector<WalkedLoop> loops_of(const Layer& layer, const LoopNest& nest) {
  std::vector<WalkedLoop> loops;
  Extents piece = extents_of(layer);
  for (std::size_t level = 0; level < nest.levels.size(); ++level)
    for (const Loop& loop : nest.levels[level].loops) {
      std::int64_t& outer = piece[index_of(loop.dimension)];
      const std::int64_t bound = (outer + loop.tile - 1) / loop.tile;
      loops.push_back({loop.dimension, loop.tile, bound, level, loop.axis});
      outer = loop.tile;
    }
  return loops;
}

/// Index of each loop.
using Indices = std::vector<std::int64_t>;

bool are_of_one_axis(Dimension a, Dimension b) {
  using enum Dimension;
  constexpr std::array<std::pair<Dimension, Dimension>, 3> axes{{{D, T}, {P, R}, {Q, S}}};
  return std::any_of(axes.begin(), axes.end(), [&](const auto& axis) {
    return (a == axis.first || a == axis.second) && (b == axis.first || b == axis.second);
  });
}

/// Two consecutive levels that keep a tensor; `inner` is the number of levels for the multipliers.
struct Pair {
  Tensor tensor;
  std::size_t outer, inner;
};

std::vector<Pair> pairs_of(const LoopNest& nest) {
  std::vector<Pair> pairs;
  for (const Tensor tensor : kTensors) {
    std::size_t outer = 0;
    for (std::size_t inner = 1; inner <= nest.levels.size(); ++inner)
      if (inner == nest.levels.size() || nest.levels[inner].keep.has(tensor)) {
        pairs.push_back({tensor, outer, inner});
        outer = inner;
      }
  }
  return pairs;
}

/// Which loops may have moved since the last tile for the overlap with it to be kept: those of the
/// run, and those that do not move the tensor inside the innermost that does. Empty: no slide.
std::vector<bool> loops_of_slide(const Layer& layer, const std::vector<WalkedLoop>& loops,
                                 const Pair& pair) {
  const auto is_above = [&](const WalkedLoop& loop) { return loop.level < pair.inner; };
  const auto moves = [&](const WalkedLoop& loop) {
    return is_above(loop) && !loop.is_spatial() && loop.bound > 1 &&
           is_relevant(pair.tensor, loop.dimension, layer.transposed);
  };
  std::vector<bool> may_move(loops.size(), false);
  std::size_t i = loops.size();
  while (i > 0 && !moves(loops[i - 1])) {
    --i;
    may_move[i] = is_above(loops[i]) && !loops[i].is_spatial();
  }
  if (i == 0 || pair.tensor != windowed_tensor(layer.transposed)) return {};
  const Dimension sliding = loops[i - 1].dimension;
  if (!are_of_one_axis(sliding, sliding)) return {};
  for (std::size_t j = 0; j < loops.size(); ++j)
    if (loops[j].is_spatial() && loops[j].bound > 1 && is_above(loops[j]) &&
        (loops[j].level >= pair.outer || j >= i) && are_of_one_axis(sliding, loops[j].dimension))
      return {};
  for (; i > 0; --i) {
    const WalkedLoop& loop = loops[i - 1];
    if (loop.bound == 1) continue;
    if (loop.is_spatial() && !are_of_one_axis(sliding, loop.dimension)) continue;
    if (loop.is_spatial() || loop.dimension != sliding) break;
    may_move[i - 1] = true;
  }
  return may_move;
}

// ------------------------------------------------------------------------------------------- walk

/// What an instance holds of one tensor.
struct Resident {
  std::optional<Indices> indices;  ///< of the last step that had work
  Words words;
  std::set<Word> fresh;  ///< outputs that started from zero here and nobody below has visited
};

/// Words that move at one step between an instance and the one that feeds it.
struct Movement {
  std::int64_t parent;  ///< instance above
  std::int64_t group;   ///< children of one group share words, or add sums of one value
  std::int64_t child;
  Words words;
};

class NestWalk {
 public:
  NestWalk(const Layer& layer, const Machine& machine, const LoopNest& nest)
      : layer_(layer),
        machine_(machine),
        loops_(loops_of(layer, nest)),
        pairs_(pairs_of(nest)),
        indices_(loops_.size(), 0),
        multipliers_(nest.levels.size()) {
    for (const Pair& pair : pairs_) may_move_.push_back(loops_of_slide(layer, loops_, pair));
    for (std::size_t level = 0; level <= multipliers_; ++level) {
      const auto above = [level](const WalkedLoop& l) { return l.is_spatial() && l.level < level; };
      for_each(above, [&] { ++counts_.instances[level]; });
      if (level < multipliers_)
        for (auto& residents : held_[level])
          residents.resize(static_cast<std::size_t>(counts_.instances[level]));
    }
    const Words outputs = words_in(layer, Tensor::output, whole_of(layer));
    held(0, Tensor::output, 0).fresh = {outputs.begin(), outputs.end()};
    ever_held_by_first_[0] = {outputs.begin(), outputs.end()};
  }

  AccessCounts run() {
    for_each([](const WalkedLoop& loop) { return !loop.is_spatial(); }, [&] { take_step(); });
    for (const Pair& pair : pairs_)
      if (pair.tensor == Tensor::output && pair.inner < multipliers_) drain_what_is_left(pair);
    finish_busiest_outputs();
    return counts_;
  }

 private:
  // Every index of the loops that `is_chosen` names, the outermost slowest; the others stay.
  template <class IsChosen, class Visit>
  void for_each(const IsChosen& is_chosen, const Visit& visit, std::size_t from = 0) {
    while (from < loops_.size() && !is_chosen(loops_[from])) ++from;
    if (from == loops_.size()) return visit();
    for (indices_[from] = 0; indices_[from] < loops_[from].bound; ++indices_[from])
      for_each(is_chosen, visit, from + 1);
    indices_[from] = 0;
  }

  // Numbers the combinations of indices of the loops that `is_chosen` names; all zero is number 0.
  template <class IsChosen>
  [[nodiscard]] std::int64_t number(const IsChosen& is_chosen) const {
    std::int64_t number = 0;
    for (std::size_t i = 0; i < loops_.size(); ++i)
      if (is_chosen(loops_[i])) number = number * loops_[i].bound + indices_[i];
    return number;
  }

  [[nodiscard]] std::int64_t instance(std::size_t level) const {
    return number([&](const WalkedLoop& l) { return l.is_spatial() && l.level < level; });
  }

  // Children with one number read together, or are added: those that differ only along axes with a
  // multicast, or with a reduction.
  [[nodiscard]] std::int64_t group(const Pair& pair) const {
    return number([&](const WalkedLoop& l) {
      if (!l.is_spatial() || l.level >= pair.inner) return false;
      const Fanout* axis = &machine_.levels[l.level].fanout[static_cast<std::size_t>(l.axis)];
      const bool joins = pair.tensor == Tensor::output ? axis->reduction : axis->multicast;
      return l.level < pair.outer || !joins;
    });
  }

  // What the loops above `level` leave of the layer.
  [[nodiscard]] Box box_above(std::size_t level) const {
    Box box = whole_of(layer_);
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (loops_[i].level >= level) continue;
      const std::size_t d = index_of(loops_[i].dimension);
      box.begin[d] += indices_[i] * loops_[i].tile;
      box.end[d] = std::min(box.end[d], box.begin[d] + loops_[i].tile);
    }
    return box;
  }

  void take_step() {
    for (std::size_t i = 0; i < pairs_.size(); ++i)
      if (pairs_[i].inner < multipliers_ && is_first_step_inside(pairs_[i].inner)) enter(i);
    multiply();
  }

  [[nodiscard]] bool is_first_step_inside(std::size_t level) const {
    for (std::size_t i = 0; i < loops_.size(); ++i)
      if (loops_[i].level >= level && indices_[i] != 0) return false;
    return true;
  }

  // All instances of the inner level of a pair take their tiles of this step.
  void enter(std::size_t pair_number) {
    const Pair& pair = pairs_[pair_number];
    std::vector<Movement> entering, leaving;
    const auto above = [&](const WalkedLoop& l) { return l.is_spatial() && l.level < pair.inner; };
    for_each(above, [&] {
      const Box box = box_above(pair.inner);
      if (!has_work_besides(pair.tensor, box)) return;
      const Movement here{instance(pair.outer), group(pair), instance(pair.inner), {}};
      Resident& resident = held(pair.inner, pair.tensor, here.child);
      // A step of a slide without work leaves the tile where it is.
      const bool idle = may_slide(pair_number, resident) && is_idle(box);
      if (!idle && !is_in_place(pair, resident)) {
        const Words now = words_in(layer_, pair.tensor, box);
        const Words kept = may_slide(pair_number, resident) ? resident.words : Words{};
        const Words left = may_slide(pair_number, resident) ? now : Words{};
        entering.push_back(here);
        entering.back().words = minus(now, kept);
        leaving.push_back(here);
        leaving.back().words = minus(resident.words, left);
        resident.words = now;
      }
      resident.indices = indices_;
    });
    if (pair.tensor != Tensor::output) return fetch(pair, entering);
    drain(pair, leaving);
    start_sums(pair, entering);
  }

  [[nodiscard]] bool has_work_besides(Tensor tensor, const Box& box) const {
    return std::none_of(kAllDimensions.begin(), kAllDimensions.end(), [&](Dimension d) {
      return !is_relevant(tensor, d, layer_.transposed) && box.is_empty_along(d);
    });
  }

  [[nodiscard]] static bool is_idle(const Box& box) {
    return std::any_of(kAllDimensions.begin(), kAllDimensions.end(),
                       [&](Dimension d) { return box.is_empty_along(d); });
  }

  // Whether the tile of this step is the one that `resident` holds.
  [[nodiscard]] bool is_in_place(const Pair& pair, const Resident& resident) const {
    if (!resident.indices) return false;
    for (std::size_t i = 0; i < loops_.size(); ++i)
      if (loops_[i].level < pair.inner && indices_[i] != (*resident.indices)[i] &&
          is_relevant(pair.tensor, loops_[i].dimension, layer_.transposed))
        return false;
    return true;
  }

  [[nodiscard]] bool may_slide(std::size_t pair_number, const Resident& resident) const {
    const std::vector<bool>& may_move = may_move_[pair_number];
    if (!resident.indices || may_move.empty()) return false;
    for (std::size_t i = 0; i < loops_.size(); ++i)
      if (loops_[i].level < pairs_[pair_number].inner && indices_[i] != (*resident.indices)[i] &&
          !may_move[i])
        return false;
    return true;
  }

  // What every group needs at this step: each word once.
  static std::map<std::pair<std::int64_t, std::int64_t>, Words> together(
      const std::vector<Movement>& movements) {
    std::map<std::pair<std::int64_t, std::int64_t>, Words> groups;
    for (const Movement& movement : movements) {
      Words& words = groups[{movement.parent, movement.group}];
      words.insert(words.end(), movement.words.begin(), movement.words.end());
    }
    for (auto& [group, words] : groups) words = sorted(std::move(words));
    return groups;
  }

  // Input and weights on their way down; multipliers keep nothing.
  void fetch(const Pair& pair, const std::vector<Movement>& movements) {
    for (const auto& [group, words] : together(movements)) {
      const auto size = static_cast<std::int64_t>(words.size());
      all(pair.outer, pair.tensor).reads += size;
      link(pair).down += size;
      if (group.first == 0) first(pair.outer, pair.tensor).reads += size;
    }
    if (pair.inner == multipliers_) return;
    for (const Movement& movement : movements) {
      const auto size = static_cast<std::int64_t>(movement.words.size());
      all(pair.inner, pair.tensor).fills += size;
      link(pair).down_copies += size;
      if (movement.child == 0) first(pair.inner, pair.tensor).fills += size;
    }
  }

  // Outputs on their way up.
  void drain(const Pair& pair, const std::vector<Movement>& movements) {
    for (const auto& [group, words] : together(movements)) {
      const auto size = static_cast<std::int64_t>(words.size());
      all(pair.outer, pair.tensor).updates += size;
      link(pair).up += size;
      if (group.first == 0) first(pair.outer, pair.tensor).updates += size;
    }
    if (pair.inner == multipliers_) return;
    for (const Movement& movement : movements) {
      const auto size = static_cast<std::int64_t>(movement.words.size());
      all(pair.inner, pair.tensor).drains += size;
      all(pair.inner, pair.tensor).reads += size;
      link(pair).up_copies += size;
      if (movement.child == 0) first(pair.inner, pair.tensor).drains += size;
    }
  }

  void drain_what_is_left(const Pair& pair) {
    std::vector<Movement> leaving;
    const auto above = [&](const WalkedLoop& l) { return l.is_spatial() && l.level < pair.inner; };
    for_each(above, [&] {
      Movement here{instance(pair.outer), group(pair), instance(pair.inner), {}};
      here.words = std::exchange(held(pair.inner, pair.tensor, here.child).words, {});
      leaving.push_back(std::move(here));
    });
    drain(pair, leaving);
  }

  // Outputs that appear below: each group continues the sum that is above, unless that one is zero
  // and no group has it yet. The first child continues it; the others of the group start from zero.
  void start_sums(const Pair& pair, const std::vector<Movement>& movements) {
    std::map<std::pair<std::int64_t, Word>, std::vector<const Movement*>> groups;
    for (const Movement& movement : movements)
      for (const Word word : movement.words) groups[{movement.group, word}].push_back(&movement);
    for (const auto& [key, children] : groups) {
      const Word word = key.second;
      const bool starts = held(pair.outer, pair.tensor, children[0]->parent).fresh.erase(word) > 0;
      if (!starts) bring_back(pair);
      if (pair.inner == multipliers_) continue;
      for (const Movement* child : children) {
        if (starts || child != children[0])
          held(pair.inner, pair.tensor, child->child).fresh.insert(word);
        if (child->child == 0) ever_held_by_first_[pair.inner].insert(word);
      }
    }
  }

  void bring_back(const Pair& pair) {
    ++all(pair.outer, pair.tensor).reads;
    ++link(pair).down;
    ++link(pair).down_copies;
    if (pair.inner < multipliers_) ++all(pair.inner, pair.tensor).fills;
  }

  // One multiply-accumulate in every multiplier that has work. Padding of the input is read like a
  // value; products that fall on the padding of the output are dropped.
  void multiply() {
    std::array<std::vector<Movement>, 3> used;
    std::int64_t busy = 0;
    for_each(
        [](const WalkedLoop& loop) { return loop.is_spatial(); },
        [&] {
          const Box box = box_above(multipliers_);
          for (const Dimension d : kAllDimensions)
            if (box.is_empty_along(d)) return;
          ++busy;
          for (const Pair& pair : pairs_)
            if (pair.inner == multipliers_ &&
                (pair.tensor == Tensor::input || is_stored(layer_, pair.tensor, box.begin)))
              used[index_of(pair.tensor)].push_back({instance(pair.outer),
                                                     group(pair),
                                                     instance(pair.inner),
                                                     {word_at(layer_, pair.tensor, box.begin)}});
        });
    if (busy == 0) return;
    ++counts_.compute_cycles;
    counts_.macs += busy;
    for (const Pair& pair : pairs_)
      if (pair.inner == multipliers_) use(pair, used[index_of(pair.tensor)]);
  }

  void use(const Pair& pair, const std::vector<Movement>& words) {
    const auto copies = static_cast<std::int64_t>(words.size());
    if (pair.tensor != Tensor::output) {
      fetch(pair, words);
      link(pair).down_copies += copies;
    } else {
      start_sums(pair, words);
      drain(pair, words);
      link(pair).up_copies += copies;
    }
  }

  // The first instance is the first child of its group, so it gets back every sum that a group it
  // is in continues: only an output that it never held before starts from zero.
  void finish_busiest_outputs() {
    for (const Pair& pair : pairs_) {
      if (pair.tensor != Tensor::output) continue;
      LevelAccesses& counts = first(pair.outer, pair.tensor);
      const auto distinct = static_cast<std::int64_t>(ever_held_by_first_[pair.outer].size());
      counts.reads = counts.updates - distinct + counts.drains;
      if (pair.outer > 0) counts.fills = counts.drains - distinct;
    }
  }

  [[nodiscard]] Resident& held(std::size_t level, Tensor tensor, std::int64_t instance) {
    return held_[level][index_of(tensor)][static_cast<std::size_t>(instance)];
  }
  LevelAccesses& all(std::size_t level, Tensor t) { return counts_.levels[level][index_of(t)]; }
  LevelAccesses& first(std::size_t level, Tensor t) { return counts_.busiest[level][index_of(t)]; }
  LinkTraffic& link(const Pair& pair) { return counts_.links[pair.outer][index_of(pair.tensor)]; }

  const Layer& layer_;
  const Machine& machine_;
  std::vector<WalkedLoop> loops_;
  std::vector<Pair> pairs_;
  std::vector<std::vector<bool>> may_move_;  ///< of each pair
  Indices indices_;                          ///< of the step, and of the instance looked at
  std::size_t multipliers_;                  ///< their level: the number of levels
  std::array<std::array<std::vector<Resident>, 3>, kMostLevels> held_;
  std::array<std::set<Word>, kMostLevels> ever_held_by_first_;  ///< outputs
  AccessCounts counts_;
};

}  // namespace

AccessCounts walk(const Layer& layer, const Machine& machine, const LoopNest& nest) {
  return NestWalk(layer, machine, nest).run();
}

std::int64_t distinct_words(const Layer& layer, Tensor tensor) {
  return static_cast<std::int64_t>(words_in(layer, tensor, whole_of(layer)).size());
}

}  // namespace cosearch::accel::test
