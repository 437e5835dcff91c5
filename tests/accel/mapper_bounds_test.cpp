// The bounds of the optimal mapper against what mappings cost: never more, whatever the mapping.
#include <gtest/gtest.h>

#include <algorithm>

#include "accel/link_costs.h"
#include "accel/loop_orders.h"
#include "accel/map_space.h"
#include "accel/nest_cost.h"
#include "tests/support/random_map_space.h"

namespace cosearch::accel::test {
namespace {

/// Bounds and costs add up the same numbers in different orders.
constexpr double kRounding = 1 + 1e-9;

/// A mapping of a space drawn at random, without regard to capacities, and the view that bounds
/// have of it.
class RandomMapping {
 public:
  RandomMapping(const MapCase& made, const MapSpace& space, Choices& choices)
      : made_(made), space_(space), choices_(choices) {
    spatial.factors.resize(space.groups().size());
    for (Extents& factors : spatial.factors) factors.fill(1);
    spatial.product.fill(1);
    for (Extents& temporal : tiling.temporal) temporal.fill(1);
    choose_keeps();
    space.factors() == Factors::dividing ? choose_factors() : choose_spread();
    choose_orders();
    set_tiles();
    nest = nest_with(orders);
  }

  /// The mapping with its temporal loops in another order.
  [[nodiscard]] LoopNest nest_with(const std::vector<LoopOrderChoice>& chosen) const {
    LoopNest made;
    made.levels.resize(keep.size());
    Extents piece = spatial.padded();
    for (std::size_t i = 0; i < made.levels.size(); ++i) {
      made.levels[i].keep = keep[i];
      for (std::size_t j = chosen[i].count; j-- > 0;) {
        const Dimension d = chosen[i].innermost_first[j];
        piece[index_of(d)] /= tiling.temporal[i][index_of(d)];
        made.levels[i].loops.push_back({d, piece[index_of(d)], Loop::kTemporal});
      }
      for (std::size_t g = 0; g < space_.groups().size(); ++g) {
        const AxisGroup& group = space_.groups()[g];
        if (group.level != i) continue;
        std::vector<Extents> pieces;
        EXPECT_TRUE(pack(spatial.factors[g], group.sizes, pieces));
        for (std::size_t bin = 0; bin < pieces.size(); ++bin)
          for (const Dimension d : space_.dimensions()) {
            if (pieces[bin][index_of(d)] == 1) continue;
            piece[index_of(d)] /= pieces[bin][index_of(d)];
            made.levels[i].loops.push_back({d, piece[index_of(d)], group.axes[bin]});
          }
      }
    }
    return made;
  }

  LoopNest nest;
  std::vector<TensorSet> keep;
  SpatialChoice spatial;
  LinkCosts::Tiling tiling{};
  std::vector<LoopOrderChoice> orders;

 private:
  void choose_keeps() {
    keep.push_back(TensorSet::all());
    for (std::size_t i = 1; i < made_.machine.levels.size(); ++i) {
      const StorageLevel& level = made_.machine.levels[i];
      keep.push_back(without(
          level.may_keep, random_tensors(choices_, without(level.may_keep, level.must_keep), 2)));
    }
  }

  /// Each factor to a place where there is room for it; level 0 always has.
  void choose_factors() {
    Extents left = space_.extents();
    std::vector<std::vector<std::int64_t>> room;
    for (const AxisGroup& group : space_.groups()) room.push_back(group.sizes);
    for (const Dimension d : space_.dimensions())
      for (std::size_t g = 0; g < space_.groups().size(); ++g) {
        if (choices_.one_in(3)) continue;
        for (const std::int64_t f : space_.divisors(d).values) {
          Extents with = spatial.factors[g];
          with[index_of(d)] = f;
          std::vector<Extents> pieces;
          if (left[index_of(d)] % f == 0 && pack(with, space_.groups()[g].sizes, pieces) &&
              !choices_.one_in(4))
            spatial.factors[g] = with;
        }
        left[index_of(d)] /= spatial.factors[g][index_of(d)];
      }
    for (std::size_t d = 0; d < kDimensions; ++d)
      spatial.product[d] = space_.extents()[d] / left[d];
    spatial.steps = left;
    spatial.all_steps = 1;
    for (const std::int64_t steps : left) spatial.all_steps *= static_cast<double>(steps);
    choose_temporal(left);
  }

  /// Imperfect ones: as many pieces as there is room for or fewer, without any that saves no step.
  void choose_spread() {
    std::vector<std::int64_t> room;
    for (const AxisGroup& group : space_.groups()) room.push_back(group.children());
    spatial.steps = space_.extents();
    for (const Dimension d : space_.dimensions()) {
      const std::size_t k = index_of(d);
      const std::int64_t extent = space_.extents()[k];
      for (std::size_t g = 0; g < room.size(); ++g)
        spatial.factors[g][k] =
            choices_.one_in(2) ? 1 : choices_.between(1, std::min(room[g], extent));
      const auto product = [&] {
        std::int64_t all = 1;
        for (const Extents& factors : spatial.factors) all *= factors[k];
        return all;
      };
      spatial.steps[k] = ceil_div(extent, product());
      for (bool less = true; less;) {
        less = false;
        for (std::size_t g = 0; g < room.size(); ++g) {
          if (spatial.factors[g][k] == 1) continue;
          --spatial.factors[g][k];
          if (ceil_div(extent, product()) == spatial.steps[k])
            less = true;
          else
            ++spatial.factors[g][k];
        }
      }
      spatial.product[k] = product();
      for (std::size_t g = 0; g < room.size(); ++g) room[g] /= spatial.factors[g][k];
    }
    spatial.all_steps = 1;
    for (const std::int64_t steps : spatial.steps) spatial.all_steps *= static_cast<double>(steps);
    choose_temporal(spatial.steps);
  }

  void choose_temporal(Extents left) {
    for (const Dimension d : space_.dimensions()) {
      while (left[index_of(d)] > 1) {
        std::int64_t prime = 2;
        while (left[index_of(d)] % prime != 0) ++prime;
        const auto levels = static_cast<std::int64_t>(keep.size());
        const auto i = static_cast<std::size_t>(choices_.below(levels));
        if (i > 0 && made_.machine.levels[i].may_keep.empty()) continue;
        tiling.temporal[i][index_of(d)] *= prime;
        left[index_of(d)] /= prime;
      }
    }
  }

  void choose_orders() {
    for (std::size_t i = 0; i < keep.size(); ++i) {
      LoopOrderChoice order;
      for (const Dimension d : kAllDimensions)
        if (tiling.temporal[i][index_of(d)] > 1) order.innermost_first[order.count++] = d;
      choices_.shuffle(std::span<Dimension>(order.innermost_first.data(), order.count));
      order.order_class = order_class(order, tiling.temporal[i], made_.layer.transposed);
      orders.push_back(order);
    }
  }

  void set_tiles() {
    Extents piece = spatial.padded();
    for (std::size_t i = 0;; ++i) {
      for (const Dimension d : space_.dimensions())
        tiling.tile[i][index_of(d)] =
            static_cast<std::uint16_t>(space_.divisors(d).index(piece[index_of(d)]));
      if (i == keep.size()) return;
      for (const Dimension d : space_.dimensions()) {
        piece[index_of(d)] /= tiling.temporal[i][index_of(d)];
        for (std::size_t g = 0; g < space_.groups().size(); ++g)
          if (space_.groups()[g].level == i) piece[index_of(d)] /= spatial.factors[g][index_of(d)];
      }
    }
  }

  const MapCase& made_;
  const MapSpace& space_;
  Choices& choices_;
};

/// Loops further out than the tile of `level` that do not move each tensor.
LinkCosts::Visits visits_of(const LinkCosts& costs, const LinkCosts::Tiling& tiling,
                            std::size_t level) {
  LinkCosts::Visits visits{1, 1, 1, 1};
  for (std::size_t i = 0; i < level; ++i)
    for (const Dimension d : kAllDimensions)
      visits[costs.unmoved_by(d)] *= static_cast<double>(tiling.temporal[i][index_of(d)]);
  return visits;
}

/// Where a level further out gives up a whole tile of a transposed layer's output while one further
/// in keeps what its next tile shares with the last, rule 5 of the counts brings back less than
/// nothing. Such a count has no meaning, and no bound.
bool counts_less_than_nothing(const AccessCounts& counts) {
  const std::size_t output = index_of(Tensor::output);
  return std::any_of(counts.links.begin(), counts.links.end(),
                     [&](const auto& link) { return link[output].down < 0; });
}

class MapperBounds : public testing::TestWithParam<MapperOptions> {
 protected:
  static MapCase random_case(std::uint64_t seed) { return RandomMapCase(seed, GetParam()).build(); }
  static void check(const MapCase& made, Choices& choices) {
    const MapSpace space(made.layer, made.machine, {}, made.options.accounting,
                         made.options.factors);
    std::vector<AxisTable> axes;
    for (std::size_t a = 0; a < kAxes.size(); ++a) axes.emplace_back(space, a);
    RandomMapping mapping(made, space, choices);
    const LinkCosts costs(space, axes, mapping.keep, mapping.spatial);
    costs.complete(mapping.tiling);
    const NestCost cost = evaluate(made.layer, made.machine, mapping.nest, made.options.accounting);
    if (counts_less_than_nothing(cost.counts)) return;
    const double energy = (cost.total_energy().value - cost.energy.leakage_pj) * kRounding;
    const double cycles =
        (cost.latency.fill + cost.latency.steady + cost.latency.drain) * kRounding;

    LinkCosts::Bound tiles = costs.fixed(), fewer = costs.fixed();
    for (std::size_t i = 1; i < made.machine.levels.size(); ++i) {
      const auto visits = visits_of(costs, mapping.tiling, i);
      const LinkCosts::Bound with_tile =
          costs.at_least(i, mapping.tiling.tile[i], visits, {1, 1, 1, 1});
      const LinkCosts::Bound without = costs.at_least(i, visits);
      const double quick = costs.energy_at_least(i, visits);
      tiles = tiles + with_tile;
      fewer = fewer + costs.at_least(i, {1, 1, 1, 1});
      EXPECT_LE(without.energy_pj, with_tile.energy_pj * kRounding);
      EXPECT_LE(without.port_cycles, with_tile.port_cycles * kRounding);
      EXPECT_LE(without.busy_cycles, with_tile.busy_cycles * kRounding);
      EXPECT_LE(quick, without.energy_pj * kRounding);
    }
    EXPECT_LE(tiles.energy_pj, energy);
    EXPECT_LE(tiles.busy_cycles, cycles);
    EXPECT_LE(tiles.port_cycles, cycles);
    EXPECT_LE(fewer.energy_pj, energy);
    EXPECT_LE(fewer.cycles(), cycles);

    LinkCosts::Share share = costs.decided_anyway(mapping.tiling);
    for (std::size_t i = 0; i < made.machine.levels.size(); ++i)
      share += costs.decided_at(i, mapping.orders[i].order_class, mapping.tiling);
    EXPECT_LE(share.energy_pj, energy);
    EXPECT_LE(costs.port_cycles(share), cycles);
    if (HasFailure())
      std::cout << made << text_of(mapping.nest) << "\ncycles " << cycles << " pJ " << energy
                << '\n';
  }
};

TEST_P(MapperBounds, NeverExceedWhatAMappingCosts) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const MapCase made = random_case(seed);
    Choices choices(Random(seed + 1000000));
    for (int i = 0; i < 8; ++i) check(made, choices);
    if (HasFailure()) return;
  }
}

/// Costs of one tiling under every combination of the given orders of its levels.
std::vector<std::pair<double, double>> costs_of(
    const MapCase& made, const RandomMapping& mapping,
    const std::vector<std::vector<LoopOrderChoice>>& orders) {
  std::vector<std::pair<double, double>> costs;
  std::vector<std::size_t> at(orders.size(), 0);
  for (;;) {
    std::vector<LoopOrderChoice> chosen;
    for (std::size_t i = 0; i < orders.size(); ++i) chosen.push_back(orders[i][at[i]]);
    const NestCost cost =
        evaluate(made.layer, made.machine, mapping.nest_with(chosen), made.options.accounting);
    costs.emplace_back(static_cast<double>(cost.cycles().value), cost.total_energy().value);
    std::size_t i = 0;
    while (i < at.size() && ++at[i] == orders[i].size()) at[i++] = 0;
    if (i == at.size()) return costs;
  }
}

/// Every order of one level's loops.
std::vector<LoopOrderChoice> all_orders(LoopOrderChoice order) {
  const auto end = order.innermost_first.begin() + static_cast<std::ptrdiff_t>(order.count);
  std::sort(order.innermost_first.begin(), end);
  std::vector<LoopOrderChoice> orders;
  do orders.push_back(order);
  while (std::next_permutation(order.innermost_first.begin(), end));
  return orders;
}

TEST_P(MapperBounds, NoOrderIsBetterThanEachThatIsTried) {
  std::size_t orders_in_all = 0, orders_tried = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const MapCase made = random_case(seed);
    Choices choices(Random(seed + 2000000));
    const MapSpace space(made.layer, made.machine, {}, made.options.accounting,
                         made.options.factors);
    std::vector<AxisTable> axes;
    for (std::size_t a = 0; a < kAxes.size(); ++a) axes.emplace_back(space, a);
    RandomMapping mapping(made, space, choices);
    const LinkCosts costs(space, axes, mapping.keep, mapping.spatial);
    costs.complete(mapping.tiling);

    std::vector<std::vector<LoopOrderChoice>> all, tried(mapping.orders.size());
    std::size_t combinations = 1;
    for (std::size_t i = 0; i < mapping.orders.size(); ++i) {
      all.push_back(all_orders(mapping.orders[i]));
      combinations *= all.back().size();
      distinct_orders(space, costs, mapping.tiling, i, tried[i]);
    }
    if (combinations > 800) continue;
    const auto all_costs = costs_of(made, mapping, all);
    const auto tried_costs = costs_of(made, mapping, tried);
    orders_in_all += all_costs.size();
    orders_tried += tried_costs.size();
    for (const auto& [cycles, energy] : all_costs) {
      const bool matched = std::any_of(tried_costs.begin(), tried_costs.end(),
                                       [&, c = cycles, e = energy](const auto& other) {
                                         return other.first <= c && other.second <= e * kRounding;
                                       });
      EXPECT_TRUE(matched) << cycles << " cycles, " << energy << " pJ\n"
                           << made << text_of(mapping.nest);
      if (!matched) return;
    }
  }
  std::cout << orders_tried << " of " << orders_in_all << " orders tried\n";
}

INSTANTIATE_TEST_SUITE_P(Accountings, MapperBounds, testing::ValuesIn(kWaysToMap),
                         [](const auto& info) { return name_of(info.param); });

}  // namespace
}  // namespace cosearch::accel::test
