// Random layers, machines and nests: small enough to walk, odd enough to hit every rule.
//
// All are built from choices below some number, where 0 is the simplest choice. Where choices come
// from is left open: from a Random, or from a list that RapidCheck makes and then shrinks towards
// zeros, which turns a failing case into a plain one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "tests/support/nest_case.h"

namespace cosearch::accel::test {

class Choices {
 public:
  explicit Choices(Random random)
      : draw_([random](std::uint64_t n) mutable { return random.below(n); }) {}
  /// Where the list ends, every further choice is 0.
  explicit Choices(std::vector<std::uint32_t> list)
      : draw_([list = std::move(list), next = std::size_t{0}](std::uint64_t n) mutable {
          return next < list.size() ? list[next++] % n : 0;
        }) {}

  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(draw_(static_cast<std::uint64_t>(n)));
  }
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  /// True in one of `n` cases; false is the simplest.
  bool one_in(std::int64_t n) { return below(n) == n - 1; }
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1],
                items[i - 1 - static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  }

 private:
  std::function<std::uint64_t(std::uint64_t)> draw_;
};

// ------------------------------------------------------------------------------------------ layer

/// One axis of a window: all that a layer says about it.
struct RandomAxis {
  std::int64_t positions = 1, window = 1, stride = 1, dilation = 1;
  std::int64_t pad_before = 0, pad_after = 0;
  std::int64_t stored = 1;  ///< extent of the tensor the window slides over
};

inline RandomAxis random_axis(Choices& choices) {
  RandomAxis axis;
  axis.positions = choices.between(1, 9);
  axis.window = choices.between(1, 3);
  axis.stride = choices.between(1, 3);
  axis.dilation = choices.between(1, 2);
  axis.pad_before = choices.between(0, 2);
  axis.pad_after = choices.between(0, 2);
  // What the last window leaves over reaches nobody.
  const std::int64_t left_over = choices.below(axis.stride);
  const std::int64_t span =
      (axis.positions - 1) * axis.stride + axis.dilation * (axis.window - 1) + 1 + left_over;
  if (span <= axis.pad_before + axis.pad_after) axis.pad_before = axis.pad_after = 0;
  axis.stored = span - axis.pad_before - axis.pad_after;
  return axis;
}

inline void set_depth(Layer& layer, const RandomAxis& axis) {
  layer.T = axis.window;
  layer.stride_d = axis.stride;
  layer.dilation_d = axis.dilation;
  layer.pad_front = axis.pad_before;
  layer.pad_back = axis.pad_after;
  layer.D = layer.transposed ? axis.stored : axis.positions;
  layer.input_d = layer.transposed ? axis.positions : axis.stored;
}
inline void set_height(Layer& layer, const RandomAxis& axis) {
  layer.R = axis.window;
  layer.stride_h = axis.stride;
  layer.dilation_h = axis.dilation;
  layer.pad_top = axis.pad_before;
  layer.pad_bottom = axis.pad_after;
  layer.P = layer.transposed ? axis.stored : axis.positions;
  layer.input_h = layer.transposed ? axis.positions : axis.stored;
}
inline void set_width(Layer& layer, const RandomAxis& axis) {
  layer.S = axis.window;
  layer.stride_w = axis.stride;
  layer.dilation_w = axis.dilation;
  layer.pad_left = axis.pad_before;
  layer.pad_right = axis.pad_after;
  layer.Q = layer.transposed ? axis.stored : axis.positions;
  layer.input_w = layer.transposed ? axis.positions : axis.stored;
}

/// A layer of any kind that multiplies, of any size.
inline Layer random_layer_of_any_size(Choices& choices) {
  if (choices.one_in(6))
    return gemm(choices.between(1, 8), choices.between(1, 8), choices.between(1, 8),
                choices.between(1, 3), choices.one_in(2));
  Layer layer;
  layer.transposed = choices.one_in(4);
  const std::int64_t axes = std::array{2, 1, 2, 3}[static_cast<std::size_t>(choices.below(4))];
  set_width(layer, random_axis(choices));
  if (axes >= 2) set_height(layer, random_axis(choices));
  if (axes == 3) set_depth(layer, random_axis(choices));
  layer.N = choices.one_in(4) ? choices.between(1, 3) : 1;
  layer.G = choices.one_in(3) ? choices.between(1, 4) : 1;
  if (layer.G > 1 && choices.one_in(2)) return layer;  // depthwise
  layer.K = choices.between(1, 5);
  layer.C = choices.between(1, 5);
  return layer;
}

/// With at most `most_macs` multiply-accumulates.
inline Layer random_layer(Choices& choices, std::int64_t most_macs) {
  for (int attempt = 0; attempt < 30; ++attempt) {
    const Layer layer = random_layer_of_any_size(choices);
    if (layer.macs() <= most_macs) return layer;
  }
  return {};
}

// ---------------------------------------------------------------------------------------- machine

inline TensorSet random_tensors(Choices& choices, TensorSet from, std::int64_t one_in) {
  TensorSet tensors;
  for (const Tensor tensor : kTensors)
    if (from.has(tensor) && choices.one_in(one_in)) tensors.add(tensor);
  return tensors;
}

inline TensorSet without(TensorSet tensors, TensorSet others) {
  for (const Tensor tensor : kTensors)
    if (others.has(tensor)) tensors.remove(tensor);
  return tensors;
}

inline std::vector<Fanout> random_fanout(Choices& choices) {
  std::vector<Fanout> fanout(static_cast<std::size_t>(choices.below(3)));
  for (std::size_t axis = 0; axis < fanout.size(); ++axis)
    fanout[axis] = {.axis = axis == 0 ? "X" : "Y",
                    .size = choices.between(1, 4),
                    .multicast = !choices.one_in(3),
                    .reduction = !choices.one_in(3)};
  return fanout;
}

/// One to five levels of any use, with room for everything.
inline Machine random_machine(Choices& choices) {
  Machine machine;
  machine.name = "random";
  machine.levels.resize(static_cast<std::size_t>(choices.between(1, 5)));
  constexpr std::int64_t plenty = std::int64_t{1} << 40;
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    StorageLevel& level = machine.levels[i];
    level.name = i == 0 ? "DRAM" : "L" + std::to_string(i);
    if (i > 0) {
      level.may_keep = without(TensorSet::all(), random_tensors(choices, TensorSet::all(), 4));
      level.must_keep = random_tensors(choices, level.may_keep, 4);
      level.capacity_bits = plenty;
      for (const Tensor tensor : kTensors)
        if (choices.one_in(6)) level.partition_bits[index_of(tensor)] = plenty;
    }
    level.fanout = random_fanout(choices);
  }
  return machine;
}

// ------------------------------------------------------------------------------------------- nest

/// Builds a nest from the inside out: a piece grows from 1 to the layer's extent, and what a loop
/// cuts need not be a multiple of its tile.
class RandomNest {
 public:
  RandomNest(const Layer& layer, const Machine& machine, Choices& choices)
      : extents_(extents_of(layer)), machine_(machine), choices_(choices) {
    piece_.fill(1);
  }

  /// All taps in the innermost temporal loops: tiles of the levels above are windows that overlap.
  void put_taps_inside() { taps_inside_ = true; }

  LoopNest build() {
    LoopNest nest;
    nest.levels.resize(machine_.levels.size());
    for (std::size_t level = nest.levels.size(); level-- > 0;) {
      std::vector<Loop> inside_out;
      add_spatial_loops(machine_.levels[level].fanout, inside_out);
      if (taps_inside_ && level + 1 == nest.levels.size())
        for (const Dimension d : {Dimension::T, Dimension::R, Dimension::S})
          add_loop(d, extents_[index_of(d)], Loop::kTemporal, inside_out);
      for (std::int64_t loops = choices_.below(6); loops > 0; --loops)
        add_loop(random_dimension(), choices_.between(1, 4), Loop::kTemporal, inside_out);
      if (level == 0) add_what_is_left(inside_out);
      nest.levels[level].loops = {inside_out.rbegin(), inside_out.rend()};
      nest.levels[level].keep = random_keep(level);
    }
    return nest;
  }

  /// Steps of the static schedule, times instances: what a walk has to visit.
  [[nodiscard]] std::int64_t iterations() const { return iterations_; }

 private:
  Dimension random_dimension() {
    // Mostly dimensions that have something to cut.
    std::vector<Dimension> open;
    for (const Dimension d : kAllDimensions)
      if (piece_[index_of(d)] < extents_[index_of(d)]) open.push_back(d);
    if (open.empty() || choices_.one_in(12))
      return kAllDimensions[static_cast<std::size_t>(choices_.below(kDimensions))];
    return open[static_cast<std::size_t>(choices_.below(static_cast<std::int64_t>(open.size())))];
  }

  // A loop of at most `bound` pieces; returns how many it has.
  std::int64_t add_loop(Dimension d, std::int64_t bound, std::int8_t axis,
                        std::vector<Loop>& inside_out) {
    const std::int64_t tile = piece_[index_of(d)];
    const std::int64_t cut = bound == 1 ? tile : tile * bound - choices_.below(tile);
    piece_[index_of(d)] = std::min(cut, extents_[index_of(d)]);
    inside_out.push_back({.dimension = d, .tile = tile, .axis = axis});
    const std::int64_t pieces = (piece_[index_of(d)] + tile - 1) / tile;
    iterations_ *= pieces;
    return pieces;
  }

  void add_spatial_loops(const std::vector<Fanout>& fanout, std::vector<Loop>& inside_out) {
    std::vector<std::int8_t> axes;
    for (std::size_t axis = 0; axis < fanout.size(); ++axis)
      for (std::int64_t loops = choices_.below(3); loops > 0; --loops)
        axes.push_back(static_cast<std::int8_t>(axis));
    choices_.shuffle(std::span<std::int8_t>(axes));
    std::array<std::int64_t, kMostAxes> room{};
    for (std::size_t axis = 0; axis < fanout.size(); ++axis) room[axis] = fanout[axis].size;
    for (const std::int8_t axis : axes) {
      std::int64_t& left = room[static_cast<std::size_t>(axis)];
      // From the largest down: an idle axis tests little.
      const std::int64_t bound = left - choices_.below(left);
      left /= add_loop(random_dimension(), bound, axis, inside_out);
    }
  }

  void add_what_is_left(std::vector<Loop>& inside_out) {
    std::array<Dimension, kDimensions> order = kAllDimensions;
    choices_.shuffle(std::span<Dimension>(order));
    for (const Dimension d : order)
      if (piece_[index_of(d)] < extents_[index_of(d)])
        add_loop(d, extents_[index_of(d)], Loop::kTemporal, inside_out);
  }

  TensorSet random_keep(std::size_t level) {
    const StorageLevel& storage = machine_.levels[level];
    if (level == 0) return TensorSet::all();
    return without(storage.may_keep,
                   random_tensors(choices_, without(storage.may_keep, storage.must_keep), 3));
  }

  Extents extents_, piece_{};
  const Machine& machine_;
  Choices& choices_;
  bool taps_inside_ = false;
  std::int64_t iterations_ = 1;
};

/// Little more than one axis with a window that overlaps itself, cut into many loops: of what a
/// random case holds, what slides, what ends a slide, and what is left at the edges.
inline NestCase random_window_case(Choices& choices) {
  NestCase test;
  test.layer.transposed = choices.one_in(3);
  RandomAxis axis = random_axis(choices);
  for (int attempt = 0; attempt < 10 && axis.window <= axis.stride; ++attempt)
    axis = random_axis(choices);
  set_width(test.layer, axis);
  if (choices.one_in(6)) set_height(test.layer, random_axis(choices));
  for (std::int64_t* extent : {&test.layer.K, &test.layer.C, &test.layer.N})
    if (choices.one_in(3)) *extent = choices.between(1, 3);
  test.machine = random_machine(choices);
  RandomNest nest(test.layer, test.machine, choices);
  if (!choices.one_in(3)) nest.put_taps_inside();
  test.nest = nest.build();
  return test;
}

/// A case whose walk takes a fraction of a millisecond.
inline NestCase random_case(Choices& choices, std::int64_t most_macs = 600) {
  NestCase test;
  test.layer = random_layer(choices, most_macs);
  test.machine = random_machine(choices);
  for (int attempt = 0; attempt < 10; ++attempt) {
    RandomNest nest(test.layer, test.machine, choices);
    test.nest = nest.build();
    if (nest.iterations() <= 3 * most_macs) return test;
  }
  // Nests of one level need not visit anything but multiply-accumulates.
  test.machine.levels.resize(1);
  test.machine.levels[0].fanout.clear();
  Choices simple{std::vector<std::uint32_t>{}};
  test.nest = RandomNest(test.layer, test.machine, simple).build();
  return test;
}

}  // namespace cosearch::accel::test
