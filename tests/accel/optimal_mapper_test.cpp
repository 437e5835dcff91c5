// The optimal mapper against plain enumeration of the whole map space.
#include "accel/optimal_mapper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "accel/map_space.h"
#include "core/random.h"

namespace cosearch::accel::test {
namespace {

std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

/// Every mapping of the declared space, one by one, with nothing left out.
class Enumeration {
 public:
  Enumeration(const Layer& layer, const Machine& machine, Accounting accounting)
      : layer_(layer), machine_(machine), accounting_(accounting) {}

  void run(const std::function<void(const LoopNest&)>& visit) {
    visit_ = visit;
    keep(1, {TensorSet::all()});
  }

 private:
  struct Place {
    std::size_t level;
    std::int8_t axis;
  };

  void keep(std::size_t level, std::vector<TensorSet> sets) {
    if (level == machine_.levels.size()) {
      keep_ = sets;
      start();
      return;
    }
    for (unsigned bits = 0; bits < 8; ++bits) {
      TensorSet set;
      for (const Tensor tensor : kTensors)
        if ((bits >> index_of(tensor)) & 1U) set.add(tensor);
      const StorageLevel& l = machine_.levels[level];
      TensorSet allowed = l.may_keep;
      for (const Tensor tensor : kTensors)
        if (l.must_keep.has(tensor)) allowed.add(tensor);
      if (!allowed.contains(set) || !set.contains(l.must_keep)) continue;
      sets.push_back(set);
      keep(level + 1, sets);
      sets.pop_back();
    }
  }

  void start() {
    places_.clear();
    for (std::size_t i = 0; i < machine_.levels.size(); ++i) {
      const bool stores = i == 0 || !machine_.levels[i].may_keep.empty();
      if (stores) places_.push_back({i, Loop::kTemporal});
      for (std::size_t axis = 0; axis < machine_.levels[i].fanout.size(); ++axis)
        places_.push_back({i, static_cast<std::int8_t>(axis)});
    }
    factors_.assign(places_.size(), Extents{});
    for (Extents& f : factors_) f.fill(1);
    factorise(0, 0, extents_of(layer_)[0]);
  }

  void factorise(std::size_t d, std::size_t place, std::int64_t left) {
    if (d == kDimensions) return permute(0);
    if (place + 1 == places_.size()) {
      factors_[place][d] = left;
      if (fan_outs_hold()) factorise(d + 1, 0, d + 1 < kDimensions ? extents_of(layer_)[d + 1] : 1);
      factors_[place][d] = 1;
      return;
    }
    for (std::int64_t f = 1; f <= left; ++f) {
      if (left % f != 0) continue;
      factors_[place][d] = f;
      factorise(d, place + 1, left / f);
    }
    factors_[place][d] = 1;
  }

  [[nodiscard]] bool fan_outs_hold() const {
    for (std::size_t p = 0; p < places_.size(); ++p) {
      if (places_[p].axis == Loop::kTemporal) continue;
      std::int64_t product = 1;
      for (const std::int64_t f : factors_[p]) product *= f;
      const auto& fanout = machine_.levels[places_[p].level].fanout;
      if (product > fanout[static_cast<std::size_t>(places_[p].axis)].size) return false;
    }
    return true;
  }

  void permute(std::size_t place) {
    if (place == places_.size()) return build();
    orders_.resize(places_.size());
    std::vector<Dimension> present;
    for (const Dimension d : kAllDimensions)
      if (factors_[place][index_of(d)] > 1) present.push_back(d);
    orders_[place] = present;
    if (places_[place].axis != Loop::kTemporal) return permute(place + 1);
    do {
      orders_[place] = present;
      permute(place + 1);
    } while (std::next_permutation(present.begin(), present.end()));
  }

  void build() {
    LoopNest nest;
    nest.levels.resize(machine_.levels.size());
    Extents piece = extents_of(layer_);
    for (std::size_t i = 0; i < keep_.size(); ++i) nest.levels[i].keep = keep_[i];
    for (std::size_t p = 0; p < places_.size(); ++p)
      for (const Dimension d : orders_[p]) {
        piece[index_of(d)] /= factors_[p][index_of(d)];
        nest.levels[places_[p].level].loops.push_back({d, piece[index_of(d)], places_[p].axis});
      }
    visit_(nest);
  }

  const Layer& layer_;
  const Machine& machine_;
  Accounting accounting_;
  std::function<void(const LoopNest&)> visit_;
  std::vector<TensorSet> keep_;
  std::vector<Place> places_;
  std::vector<Extents> factors_;
  std::vector<std::vector<Dimension>> orders_;
};

Layer small_layer(Random& random) {
  ConvolutionShape shape;
  shape.groups = random.below(4) == 0 ? 2 : 1;
  shape.in_channels = shape.groups * (1 + random.below(4) % 4);
  shape.out_channels = shape.groups * between(random, 1, 4);
  shape.kernel_h = between(random, 1, 3);
  shape.kernel_w = random.below(3) == 0 ? 2 : 1;
  shape.stride = between(random, 1, 2);
  shape.height = between(random, shape.kernel_h, 6);
  shape.width = between(random, shape.kernel_w, 4);
  shape.pad_h = random.below(3) == 0 ? 1 : 0;
  Layer layer = convolution(shape);
  layer.partial_sum_bits = random.below(2) == 0 ? 8 : 32;
  return layer;
}

Layer without_padding(Layer layer) {
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = 0;
  layer.P = (layer.input_h - layer.dilation_h * (layer.R - 1) - 1) / layer.stride_h + 1;
  layer.input_h = (layer.P - 1) * layer.stride_h + layer.R;
  layer.input_w = (layer.Q - 1) * layer.stride_w + layer.S;
  // Every value is one word.
  layer.input_bits = layer.weight_bits = layer.output_bits = layer.partial_sum_bits = 1;
  return layer;
}

/// Energies grow outwards, as in every real machine.
Machine small_machine(Random& random) {
  Machine machine;
  machine.name = "small";
  machine.compute = {.mac_energy_pj = 1, .add_energy_pj = 0.1};
  const std::size_t levels = 2 + random.below(3);
  double energy = 50;
  for (std::size_t i = 0; i < levels; ++i) {
    StorageLevel level;
    level.name = "L" + std::to_string(i);
    level.read_energy_pj = energy;
    level.write_energy_pj = energy * 1.25;
    energy /= static_cast<double>(between(random, 2, 6));
    level.network_energy_pj = random.below(2) == 0 ? 0.05 : 0;
    level.hop_energy_pj = level.network_energy_pj / 4;
    level.buffers = between(random, 1, 2);
    if (i > 0) level.capacity_bits = 8 * between(random, 4, i == 1 ? 120 : 40);
    if (random.below(2) == 0) level.shared_bandwidth = static_cast<double>(between(random, 1, 8));
    if (i > 0 && i + 1 < levels && random.below(4) == 0) level.may_keep.remove(Tensor::weights);
    level.must_keep = level.may_keep;
    if (random.below(2) == 0)
      level.fanout.push_back({.axis = "X",
                              .size = between(random, 1, 4),
                              .multicast = random.below(4) != 0,
                              .reduction = random.below(4) != 0});
    if (random.below(3) == 0) level.fanout.push_back({.axis = "Y", .size = between(random, 1, 2)});
    machine.levels.push_back(level);
  }
  return machine;
}

std::string text_of(const LoopNest& nest) {
  std::string text;
  for (const LevelNest& level : nest.levels) {
    text += " | ";
    for (const Tensor tensor : kTensors)
      if (level.keep.has(tensor)) text += name_of(tensor)[0];
    for (const Loop& loop : level.loops) {
      text += " " + std::string(name_of(loop.dimension)) + "/" + std::to_string(loop.tile);
      if (loop.is_spatial()) text += "@" + std::to_string(loop.axis);
    }
  }
  return text;
}

struct Found {
  LoopNest best;
  double value = std::numeric_limits<double>::infinity();
  std::size_t legal = 0, all = 0;
  std::set<std::pair<double, double>> front;
};

bool fits(const MapSpace& space, const LoopNest& nest) {
  Extents piece = space.extents();
  for (std::size_t i = 0; i < nest.levels.size(); ++i) {
    if (i > 0 && !space.fits(i, nest.levels[i].keep, piece)) return false;
    for (const Loop& loop : nest.levels[i].loops) piece[index_of(loop.dimension)] = loop.tile;
  }
  return true;
}

Found enumerate(const Layer& layer, const Machine& machine, const MapperOptions& options) {
  Found found;
  const MapSpace space(layer, machine, {}, options.accounting);
  Enumeration(layer, machine, options.accounting).run([&](const LoopNest& nest) {
    ++found.all;
    if (!fits(space, nest)) return;
    ++found.legal;
    const NestCost cost = evaluate(layer, machine, nest, options.accounting);
    const auto cycles = static_cast<double>(cost.cycles().value);
    const double value = options.objective.value(cycles, cost.total_energy().value);
    if (value < found.value) found.best = nest;
    found.value = std::min(found.value, value);
    found.front.emplace(cycles, cost.total_energy().value);
  });
  return found;
}

class OptimalMapper : public testing::TestWithParam<Accounting> {};

TEST_P(OptimalMapper, FindsWhatEnumerationFinds) {
  std::size_t cases = 0, empty = 0;
  for (std::uint64_t seed = 0; cases < 1000; ++seed) {
    Random random(seed);
    Layer layer = small_layer(random);
    if (GetParam() == Accounting::timeloop) layer = without_padding(layer);
    const Machine machine = small_machine(random);
    const MapSpace space(layer, machine, {}, GetParam());
    if (space.size() > 2e5) continue;
    SCOPED_TRACE(testing::Message() << "seed " << seed << " " << describe(layer));
    ++cases;
    const std::array objectives{MappingObjective::of_edp(), MappingObjective::of_energy(),
                                MappingObjective::of_latency()};
    const MapperOptions options{objectives[random.below(3)], GetParam()};
    const Found expected = enumerate(layer, machine, options);
    const auto mapped = optimal_mapping(layer, machine, {}, options);
    if (expected.legal == 0) {
      ++empty;
      EXPECT_TRUE(std::holds_alternative<Infeasible>(mapped));
      continue;
    }
    ASSERT_TRUE(std::holds_alternative<MappedLayer>(mapped)) << std::get<Infeasible>(mapped).reason;
    const MappedLayer& best = std::get<MappedLayer>(mapped);
    EXPECT_EQ(problems_in(best.nest, layer, machine), std::vector<std::string>{});
    const double value = options.objective.value(static_cast<double>(best.cost.cycles().value),
                                                 best.cost.total_energy().value);
    EXPECT_NEAR(value / expected.value, 1, 1e-9)
        << "found" << text_of(best.nest) << "\nbetter" << text_of(expected.best);
    EXPECT_EQ(best.certificate.lower_bound, value);
    EXPECT_GE(best.certificate.space_size, static_cast<double>(expected.legal));
    if (HasFailure()) return;
  }
  std::cout << cases << " cases, in " << empty << " of them nothing fits\n";
}

INSTANTIATE_TEST_SUITE_P(Accountings, OptimalMapper,
                         testing::Values(Accounting::exact, Accounting::timeloop),
                         [](const auto& info) {
                           return info.param == Accounting::exact ? "exact" : "timeloop";
                         });

}  // namespace
}  // namespace cosearch::accel::test
