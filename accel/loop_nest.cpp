#include "accel/loop_nest.h"

#include <algorithm>
#include <sstream>

#include "accel/flat_nest.h"
#include "accel/window_axes.h"

namespace cosearch::accel {
namespace {

std::string text(std::int64_t number) { return std::to_string(number); }

class NestProblems {
 public:
  NestProblems(const LoopNest& nest, const Layer& layer, const Machine& machine)
      : nest_(nest), layer_(layer), machine_(machine), piece_(extents_of(layer)) {}

  std::vector<std::string> run() {
    if (nest_.levels.size() != machine_.levels.size()) {
      problems_.push_back("the mapping has " + text(std::ssize(nest_.levels)) +
                          " levels: the machine has " + text(std::ssize(machine_.levels)));
      return problems_;
    }
    for (std::size_t i = 0; i < nest_.levels.size(); ++i) check_level(i);
    for (const Dimension d : kAllDimensions)
      if (piece_[index_of(d)] > 1)
        problems_.push_back("the loops over " + std::string(name_of(d)) + " leave pieces of " +
                            text(piece_[index_of(d)]) + ": the innermost must go by 1");
    if (loops_ > kMostLoops)
      problems_.push_back("the mapping has " + text(static_cast<std::int64_t>(loops_)) +
                          " loops of more than one step: at most " +
                          text(static_cast<std::int64_t>(kMostLoops)));
    if (problems_.empty())
      for (std::size_t i = 0; i < nest_.levels.size(); ++i) check_capacity(i);
    return problems_;
  }

 private:
  void add(std::size_t i, const std::string& problem) {
    problems_.push_back("level " + machine_.levels[i].name + ": " + problem);
  }

  void check_level(std::size_t i) {
    const StorageLevel& level = machine_.levels[i];
    const TensorSet keep = nest_.levels[i].keep;
    for (const Tensor tensor : kTensors) {
      const bool must = i == 0 || level.must_keep.has(tensor);
      if (must && !keep.has(tensor)) add(i, "must keep " + std::string(name_of(tensor)));
      if (keep.has(tensor) && !must && !level.may_keep.has(tensor))
        add(i, "may not keep " + std::string(name_of(tensor)));
    }
    std::vector<std::int64_t> used(level.fanout.size(), 1);
    bool seen_spatial = false;
    for (const Loop& loop : nest_.levels[i].loops) {
      check_loop(i, loop, used);
      if (!loop.is_spatial() && seen_spatial)
        add(i, "a temporal loop over " + std::string(name_of(loop.dimension)) +
                   " follows a spatial one: temporal loops come first");
      seen_spatial = seen_spatial || loop.is_spatial();
    }
    for (std::size_t axis = 0; axis < used.size(); ++axis)
      if (used[axis] > level.fanout[axis].size)
        add(i, "loops spread over " + text(used[axis]) + " children along axis " +
                   level.fanout[axis].axis + ": it has " + text(level.fanout[axis].size));
  }

  void check_loop(std::size_t i, const Loop& loop, std::vector<std::int64_t>& used) {
    std::int64_t& piece = piece_[index_of(loop.dimension)];
    const std::string name(name_of(loop.dimension));
    if (loop.tile < 1 || loop.tile > piece) {
      add(i, "the loop over " + name + " goes by " + text(loop.tile) + ": must be in [1, " +
                 text(piece) + "], the piece it is given");
      return;
    }
    const std::int64_t bound = ceil_div(piece, loop.tile);
    if (bound > 1) ++loops_;
    piece = loop.tile;
    if (!loop.is_spatial()) return;
    if (loop.axis < 0 || static_cast<std::size_t>(loop.axis) >= used.size()) {
      add(i, "the loop over " + name + " spreads along axis number " + text(loop.axis) +
                 ": the level has " + text(std::ssize(used)));
      return;
    }
    used[static_cast<std::size_t>(loop.axis)] *= bound;
  }

  void check_capacity(std::size_t i) {
    const StorageLevel& level = machine_.levels[i];
    const auto words = tile_words(nest_, layer_, machine_, i);
    std::int64_t shared = 0;
    std::string parts;
    for (const Tensor tensor : kTensors) {
      const std::int64_t bits = level.buffers * words[index_of(tensor)] * level.word_bits;
      if (bits == 0) continue;
      if (const auto room = level.partition_bits[index_of(tensor)]) {
        if (bits > *room) too_small(i, bits, *room, std::string(name_of(tensor)));
        continue;
      }
      shared += bits;
      parts += (parts.empty() ? "" : ", ") + std::string(name_of(tensor)) + " " + text(bits);
    }
    if (level.capacity_bits && shared > *level.capacity_bits)
      too_small(i, shared, *level.capacity_bits, parts);
  }

  void too_small(std::size_t i, std::int64_t need, std::int64_t have, const std::string& what) {
    add(i, "is " + text(need - have) + " bits too small: its tiles take " + text(need) + " of " +
               text(have) + " bits (" + what + ")");
  }

  const LoopNest& nest_;
  const Layer& layer_;
  const Machine& machine_;
  Extents piece_;
  std::size_t loops_ = 0;
  std::vector<std::string> problems_;
};

/// Product over the dimensions that move `tensor` and are no window's, times `along` each axis.
template <class Along>
std::int64_t values_of(const Layer& layer, Tensor tensor, const Extents& extents,
                       const Along& along) {
  const bool windowed = tensor == windowed_tensor(layer.transposed);
  std::int64_t values = 1;
  for (const Dimension d : kAllDimensions)
    if (is_relevant(tensor, d, layer.transposed) && !(windowed && is_window_dimension(d)))
      values *= extents[index_of(d)];
  const auto windows = window_axes(layer);
  for (std::size_t a = 0; windowed && a < kAxes.size(); ++a)
    values *=
        along(windows[a], extents[index_of(kAxes[a].position)], extents[index_of(kAxes[a].tap)]);
  return values;
}

Extents extents_at(const LoopNest& nest, const Layer& layer, std::size_t i) {
  Extents piece = extents_of(layer);
  for (std::size_t above = 0; above < i; ++above)
    for (const Loop& loop : nest.levels[above].loops) piece[index_of(loop.dimension)] = loop.tile;
  return piece;
}

}  // namespace

std::int64_t words_per_value(const Layer& layer, const StorageLevel& level, Tensor tensor) {
  const std::int64_t bits =
      tensor == Tensor::output ? layer.partial_sum_bits : std::int64_t{layer.bits(tensor)};
  return ceil_div(bits, level.word_bits);
}

std::int64_t tile_values(const Layer& layer, Tensor tensor, const Extents& extents) {
  return values_of(layer, tensor, extents,
                   [](const WindowAxis& axis, std::int64_t positions, std::int64_t taps) {
                     return axis.most_touched(positions, taps);
                   });
}

std::int64_t box_values(const Layer& layer, Tensor tensor, const Extents& extents) {
  return values_of(layer, tensor, extents,
                   [](const WindowAxis& axis, std::int64_t positions, std::int64_t taps) {
                     return (positions - 1) * axis.stride + (taps - 1) * axis.dilation + 1;
                   });
}

std::array<std::int64_t, 3> tile_words(const LoopNest& nest, const Layer& layer,
                                       const Machine& machine, std::size_t i) {
  const Extents extents = extents_at(nest, layer, i);
  std::array<std::int64_t, 3> words{};
  for (const Tensor tensor : kTensors)
    if (nest.levels[i].keep.has(tensor))
      words[index_of(tensor)] =
          tile_values(layer, tensor, extents) * words_per_value(layer, machine.levels[i], tensor);
  return words;
}

std::vector<std::string> problems_in(const LoopNest& nest, const Layer& layer,
                                     const Machine& machine) {
  return NestProblems(nest, layer, machine).run();
}

}  // namespace cosearch::accel
