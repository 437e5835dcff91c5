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
    for (Extents& factors : spatial.factors) factors.fill(1);
    spatial.product.fill(1);
    for (Extents& temporal : tiling.temporal) temporal.fill(1);
    for (Extents& t : tile_) t.fill(1);
    choose_keeps();
    choose_factors();
    choose_orders();
    set_tiles();
  }

  LoopNest nest;
  std::vector<TensorSet> keep;
  SpatialChoice spatial;
  LinkCosts::Tiling tiling{};
  std::vector<LoopOrderChoice> orders;

 private:
  void choose_keeps() {
    nest.levels.resize(made_.machine.levels.size());
    for (std::size_t i = 0; i < nest.levels.size(); ++i) {
      const StorageLevel& level = made_.machine.levels[i];
      if (i > 0)
        nest.levels[i].keep = without(
            level.may_keep, random_tensors(choices_, without(level.may_keep, level.must_keep), 2));
      keep.push_back(nest.levels[i].keep);
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
    for (const Dimension d : space_.dimensions()) {
      spatial.product[index_of(d)] = space_.extents()[index_of(d)] / left[index_of(d)];
      spatial.used *= spatial.product[index_of(d)];
      while (left[index_of(d)] > 1) {
        std::int64_t prime = 2;
        while (left[index_of(d)] % prime != 0) ++prime;
        const auto levels = static_cast<std::int64_t>(nest.levels.size());
        const auto i = static_cast<std::size_t>(choices_.below(levels));
        if (i > 0 && made_.machine.levels[i].may_keep.empty()) continue;
        tiling.temporal[i][index_of(d)] *= prime;
        left[index_of(d)] /= prime;
      }
    }
  }

  void choose_orders() {
    for (std::size_t i = 0; i < nest.levels.size(); ++i) {
      LoopOrderChoice order;
      for (const Dimension d : kAllDimensions)
        if (tiling.temporal[i][index_of(d)] > 1) order.innermost_first[order.count++] = d;
      choices_.shuffle(std::span<Dimension>(order.innermost_first.data(), order.count));
      order.order_class = order_class(order, tiling.temporal[i], made_.layer.transposed);
      orders.push_back(order);
    }
  }

  void set_tiles() {
    Extents piece = space_.extents();
    for (std::size_t i = 0; i < nest.levels.size(); ++i) {
      tile_[i] = piece;
      for (std::size_t j = orders[i].count; j-- > 0;) {
        const Dimension d = orders[i].innermost_first[j];
        piece[index_of(d)] /= tiling.temporal[i][index_of(d)];
        nest.levels[i].loops.push_back({d, piece[index_of(d)], Loop::kTemporal});
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
            nest.levels[i].loops.push_back({d, piece[index_of(d)], group.axes[bin]});
          }
      }
    }
    tile_[nest.levels.size()] = piece;
    for (std::size_t i = 0; i <= nest.levels.size(); ++i)
      for (const Dimension d : space_.dimensions())
        tiling.tile[i][index_of(d)] =
            static_cast<std::uint16_t>(space_.divisors(d).index(tile_[i][index_of(d)]));
  }

  const MapCase& made_;
  const MapSpace& space_;
  Choices& choices_;
  std::array<Extents, kMostLevels + 1> tile_;
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

class MapperBounds : public testing::TestWithParam<Accounting> {
 protected:
  static void check(const MapCase& made, Choices& choices) {
    const MapSpace space(made.layer, made.machine, {}, made.options.accounting);
    std::vector<AxisTable> axes;
    for (const Axis& axis : kAxes) axes.emplace_back(space, axis);
    RandomMapping mapping(made, space, choices);
    const LinkCosts costs(space, axes, mapping.keep, mapping.spatial);
    costs.complete(mapping.tiling);
    const NestCost cost = evaluate(made.layer, made.machine, mapping.nest, made.options.accounting);
    if (counts_less_than_nothing(cost.counts)) return;
    const double energy = cost.total_energy().value * kRounding;
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
    const MapCase made = RandomMapCase(seed, GetParam()).build();
    Choices choices(Random(seed + 1000000));
    for (int i = 0; i < 8; ++i) check(made, choices);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Accountings, MapperBounds,
                         testing::Values(Accounting::exact, Accounting::timeloop),
                         [](const auto& info) {
                           return info.param == Accounting::exact ? "exact" : "timeloop";
                         });

}  // namespace
}  // namespace cosearch::accel::test
