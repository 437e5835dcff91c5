// Random layers, machines and constraints whose map spaces are small enough to enumerate and odd
// enough to hit every rule of a bound: levels that tensors may pass by, partitions, clusters, wide
// words and blocks, networks, several axes that share or do not, single buffers, leakage.
//
// Energies never fall outwards: an access further out costs at least one further in.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "accel/map_constraints.h"
#include "accel/optimal_mapper.h"
#include "core/random.h"
#include "tests/support/nest_case.h"
#include "tests/support/random_nest.h"

namespace cosearch::accel::test {

struct MapCase {
  Layer layer;
  Machine machine;
  MapConstraints constraints;
  MapperOptions options;
};

/// What a mapper may be asked to count and to choose among.
inline constexpr std::array<MapperOptions, 3> kWaysToMap{
    MapperOptions{{}, Accounting::exact, Factors::dividing},
    MapperOptions{{}, Accounting::timeloop, Factors::dividing},
    MapperOptions{{}, Accounting::exact, Factors::imperfect_spatial}};

inline std::string name_of(const MapperOptions& options) {
  if (options.factors == Factors::imperfect_spatial) return "imperfect";
  return options.accounting == Accounting::exact ? "exact" : "timeloop";
}

class RandomMapCase {
 public:
  RandomMapCase(std::uint64_t seed, const MapperOptions& ways)
      : choices_(Random(seed)), accounting_(ways.accounting), factors_(ways.factors) {}

  MapCase build() {
    MapCase made;
    made.layer = layer();
    made.machine = machine();
    if (choices_.one_in(2)) made.constraints = constraints(made.layer, made.machine);
    made.options.accounting = accounting_;
    made.options.factors = factors_;
    constexpr std::array objectives{MappingObjective{1, 1},   MappingObjective{0, 1},
                                    MappingObjective{1, 0},   MappingObjective{2, 1},
                                    MappingObjective{1, 2},   MappingObjective{0.5, 1.5},
                                    MappingObjective{0.1, 1}, MappingObjective{3, 0}};
    made.options.objective = pick(objectives);
    return made;
  }

  Layer layer() {
    if (choices_.one_in(6)) {
      Layer product = gemm(extent(), extent(), extent(), choices_.between(1, 3));
      set_bits(product);
      return product;
    }
    Layer layer;
    layer.transposed = choices_.one_in(5);
    set_height(layer, axis());
    if (choices_.one_in(2)) set_width(layer, axis());
    if (choices_.one_in(6)) set_depth(layer, axis());
    if (choices_.one_in(4)) layer.N = choices_.between(2, 3);
    if (choices_.one_in(3)) layer.G = choices_.between(2, 4);
    if (layer.G == 1 || choices_.one_in(2)) {
      layer.K = extent();
      layer.C = extent();
    }
    set_bits(layer);
    return layer;
  }

  Machine machine() {
    Machine machine;
    machine.name = "random";
    machine.compute = {.mac_energy_pj = 1,
                       .add_energy_pj = choices_.one_in(2) ? 0.25 : 0,
                       .leakage_mw = choices_.one_in(4) ? 0.5 : 0};
    machine.clock = {1e9};
    machine.levels.resize(static_cast<std::size_t>(choices_.between(2, 5)));
    double energy = 64;
    for (std::size_t i = 0; i < machine.levels.size(); ++i) {
      StorageLevel& level = machine.levels[i];
      level.name = "L" + std::to_string(i);
      set_energies(level, energy);
      if (i > 0) set_room(level, i);
      level.fanout = fanout(machine.instances(i) * (i + 1 < machine.levels.size() ? 1 : 2));
      if (choices_.one_in(3) && machine.instances(i) % 2 == 0) level.cluster = 2;
    }
    return machine;
  }

  MapConstraints constraints(const Layer& layer, const Machine& machine) {
    MapConstraints constraints;
    constraints.levels.resize(machine.levels.size());
    const Extents extents = extents_of(layer);
    Extents rest_taken{};
    for (std::size_t i = 0; i < machine.levels.size(); ++i) {
      LevelConstraints& level = constraints.levels[i];
      constrain(level.temporal, extents, rest_taken);
      for (std::size_t axis = 0; axis < machine.levels[i].fanout.size(); ++axis)
        constrain(level.axes[axis], extents, rest_taken);
      if (!choices_.one_in(3)) continue;
      std::array<Dimension, kDimensions> order = kAllDimensions;
      choices_.shuffle(std::span<Dimension>(order));
      level.innermost.assign(order.begin(), order.begin() + choices_.between(1, 4));
    }
    return constraints;
  }

 private:
  std::int64_t extent() {
    if (factors_ == Factors::imperfect_spatial)
      return pick(std::array<std::int64_t, 8>{1, 2, 3, 5, 7, 10, 11, 13});
    return pick(std::array<std::int64_t, 8>{1, 2, 3, 4, 4, 6, 8, 12});
  }

  template <class List>
  typename List::value_type pick(const List& list) {
    return list[static_cast<std::size_t>(choices_.below(std::ssize(list)))];
  }

  RandomAxis axis() {
    RandomAxis axis;
    axis.positions = factors_ == Factors::imperfect_spatial
                         ? pick(std::array<std::int64_t, 7>{1, 2, 3, 5, 7, 8, 11})
                         : pick(std::array<std::int64_t, 7>{1, 2, 3, 4, 4, 6, 8});
    axis.window = pick(std::array<std::int64_t, 6>{1, 2, 3, 3, 4, 6});
    axis.stride = pick(std::array<std::int64_t, 5>{1, 1, 1, 2, 3});
    axis.dilation = choices_.one_in(4) ? 2 : 1;
    if (accounting_ == Accounting::exact && choices_.one_in(2)) {
      axis.pad_before = choices_.below(4);
      axis.pad_after = choices_.below(4);
    }
    const std::int64_t span =
        (axis.positions - 1) * axis.stride + axis.dilation * (axis.window - 1) + 1;
    if (span <= axis.pad_before + axis.pad_after) axis.pad_before = axis.pad_after = 0;
    axis.stored = span - axis.pad_before - axis.pad_after;
    return axis;
  }

  void set_bits(Layer& layer) {
    if (accounting_ == Accounting::timeloop) {
      layer.input_bits = layer.weight_bits = layer.output_bits = layer.partial_sum_bits = 1;
      return;
    }
    layer.input_bits = pick(std::array{4, 8, 8, 16});
    layer.weight_bits = pick(std::array{4, 8, 8, 16});
    layer.output_bits = pick(std::array{4, 8, 8, 16});
    layer.partial_sum_bits = layer.output_bits * pick(std::array{1, 2, 4});
  }

  void set_energies(StorageLevel& level, double& energy) {
    level.read_energy_pj = energy;
    level.write_energy_pj = energy * pick(std::array{1.0, 1.0, 1.25});
    energy /= 1.25 * pick(std::array{1.0, 1.0, 2.0, 4.0});
    level.network_energy_pj = choices_.one_in(2) ? 0.1 : 0;
    level.hop_energy_pj = level.network_energy_pj * pick(std::array{0.0, 0.5, 3.0});
    if (choices_.one_in(4)) level.leakage_mw = 2;
    level.word_bits = pick(std::array<std::int64_t, 5>{8, 8, 4, 16, 32});
    if (choices_.one_in(4)) level.block_words = choices_.between(2, 4);
    level.buffers = choices_.between(1, 2);
    const auto words = [&] { return pick(std::array{0.5, 1.0, 2.0, 3.0, 8.0}); };
    if (choices_.one_in(3)) level.shared_bandwidth = words();
    if (choices_.one_in(3)) level.read_bandwidth = words();
    if (choices_.one_in(4)) level.write_bandwidth = words();
    if (choices_.one_in(4)) level.network_bandwidth = words();
  }

  void set_room(StorageLevel& level, std::size_t i) {
    if (choices_.one_in(3))
      level.may_keep = without(TensorSet::all(), random_tensors(choices_, TensorSet::all(), 3));
    level.must_keep =
        choices_.one_in(3) ? random_tensors(choices_, level.may_keep, 2) : level.may_keep;
    level.capacity_bits = 8 * choices_.between(6, i == 1 ? 200 : 60);
    if (accounting_ == Accounting::timeloop) *level.capacity_bits *= level.word_bits / 4;
    for (const Tensor tensor : kTensors)
      if (level.may_keep.has(tensor) && choices_.one_in(6))
        level.partition_bits[index_of(tensor)] = 8 * choices_.between(4, 60);
  }

  /// Mostly small: sizes multiply.
  std::vector<Fanout> fanout(std::int64_t instances) {
    std::vector<Fanout> fanout(static_cast<std::size_t>(choices_.below(instances > 8 ? 2 : 4)));
    for (std::size_t axis = 0; axis < fanout.size(); ++axis)
      fanout[axis] = {.axis = std::string(1, static_cast<char>('X' + axis)),
                      .size = pick(std::array<std::int64_t, 6>{1, 2, 2, 3, 4, 6}),
                      .multicast = !choices_.one_in(3),
                      .reduction = !choices_.one_in(3)};
    return fanout;
  }

  void constrain(LoopConstraints& place, const Extents& extents, Extents& rest_taken) {
    if (choices_.one_in(2)) return;
    for (const Dimension d : kAllDimensions) {
      const std::size_t k = index_of(d);
      if (choices_.one_in(5)) place.dimensions.remove(d);
      if (choices_.one_in(8)) place.most[k] = choices_.between(1, 4);
      if (!choices_.one_in(10)) continue;
      place.factors[k] = choices_.between(1, 2);
      if (choices_.one_in(3) && extents[k] > 1 && rest_taken[k] == 0) {
        rest_taken[k] = 1;
        place.factors[k] = kAllThatIsLeft;
      }
    }
  }

  Choices choices_;
  Accounting accounting_;
  Factors factors_;
};

inline std::string text_of(const LoopNest& nest) {
  std::string text;
  for (const LevelNest& level : nest.levels) {
    text += "\n  ";
    for (const Tensor tensor : kTensors)
      if (level.keep.has(tensor)) text += name_of(tensor)[0];
    for (const Loop& loop : level.loops) {
      text += " " + std::string(name_of(loop.dimension)) + "/" + std::to_string(loop.tile);
      if (loop.is_spatial()) text += "@" + std::to_string(loop.axis);
    }
  }
  return text;
}

inline std::string text_of(const LoopConstraints& place) {
  std::string text;
  for (const Dimension d : kAllDimensions) {
    const std::string name(name_of(d));
    if (!place.dimensions.has(d)) text += " no " + name;
    if (const auto most = place.most[index_of(d)])
      text += " " + name + "<=" + std::to_string(*most);
    if (const auto factor = place.factors[index_of(d)])
      text += " " + name + "=" + (*factor == kAllThatIsLeft ? "rest" : std::to_string(*factor));
  }
  return text;
}

inline std::ostream& operator<<(std::ostream& out, const MapCase& made) {
  out << text_of(made.layer) << "\n  bits " << made.layer.input_bits << " "
      << made.layer.weight_bits << " " << made.layer.output_bits << " "
      << made.layer.partial_sum_bits << "; cycles^" << made.options.objective.latency << " pJ^"
      << made.options.objective.energy;
  for (const StorageLevel& level : made.machine.levels) {
    out << "\nlevel " << level.name << " must keep " << text_of(level.must_keep) << ", may keep "
        << text_of(level.may_keep);
    if (level.capacity_bits) out << "; bits " << *level.capacity_bits;
    for (const Tensor tensor : kTensors)
      if (const auto bits = level.partition_bits[index_of(tensor)])
        out << " " << name_of(tensor) << " " << *bits;
    out << "; word " << level.word_bits << " block " << level.block_words << " cluster "
        << level.cluster << " buffers " << level.buffers << "; bandwidth r " << level.read_bandwidth
        << " w " << level.write_bandwidth << " s " << level.shared_bandwidth << " n "
        << level.network_bandwidth << "; pJ r " << level.read_energy_pj << " w "
        << level.write_energy_pj << " n " << level.network_energy_pj << " hop "
        << level.hop_energy_pj << "; fan-out";
    for (const Fanout& axis : level.fanout) out << " [" << text_of(axis) << "]";
  }
  for (std::size_t i = 0; i < made.constraints.levels.size(); ++i) {
    const LevelConstraints& level = made.constraints.levels[i];
    out << "\nconstraints " << i << ":" << text_of(level.temporal) << "; innermost";
    for (const Dimension d : level.innermost) out << " " << name_of(d);
    for (std::size_t axis = 0; axis < made.machine.levels[i].fanout.size(); ++axis)
      out << "; axis" << text_of(level.axes[axis]);
  }
  return out;
}

}  // namespace cosearch::accel::test
