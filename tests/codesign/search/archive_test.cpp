#include "codesign/archive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "search_support.h"

namespace cosearch::codesign {
namespace {

using test::accuracy_latency_energy;
using test::designs_of;
using test::trial_of;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> tied_points(std::size_t count, std::size_t objectives, Random& random) {
  std::vector<double> costs(count * objectives);
  for (double& cost : costs) cost = static_cast<double>(random.below(6)) - 2;
  return costs;
}

// Layer k: what nothing dominates once layers below k were peeled off.
std::vector<std::uint32_t> layers_by_peeling(const std::vector<double>& costs, std::size_t m) {
  const std::size_t count = costs.size() / m;
  constexpr std::uint32_t kLeft = 0xffffffff;
  std::vector<std::uint32_t> layer_of(count, kLeft);
  const auto point = [&](std::size_t i) { return std::span(costs).subspan(i * m, m); };
  for (std::uint32_t layer = 0;; ++layer) {
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < count; ++i) {
      if (layer_of[i] != kLeft) continue;
      bool is_dominated = false;
      for (std::size_t j = 0; j < count; ++j)
        is_dominated |= layer_of[j] == kLeft && dominates(point(j), point(i));
      if (!is_dominated) front.push_back(i);
    }
    if (front.empty()) return layer_of;
    for (const std::size_t i : front) layer_of[i] = layer;
  }
}

Trial random_trial(std::uint32_t id, Random& random) {
  Trial trial =
      trial_of({id / 5, id % 5}, static_cast<double>(random.below(5)),
               static_cast<double>(random.below(5)), static_cast<double>(random.below(5)));
  if (random.below(8) == 0) trial.reason = 1;
  if (random.below(8) == 0) trial.violation = 0.25 * static_cast<double>(1 + random.below(3));
  if (random.below(12) == 0) trial.metrics[Metric::energy] = kNaN;
  return trial;
}

std::vector<double> costs_of(const Trial& trial) {
  return {-trial.metrics[Metric::accuracy], trial.metrics[Metric::latency],
          trial.metrics[Metric::energy]};
}

// The designs of the front from the definition: feasible, complete, not dominated, and the first of
// those with equal costs.
std::set<Design> front_by_brute_force(const std::vector<Trial>& trials) {
  std::set<Design> front;
  const auto competes = [](const Trial& t) {
    return t.reason == 0 && t.violation == 0 && !std::isnan(t.metrics[Metric::energy]);
  };
  for (const Trial& trial : trials) {
    if (!competes(trial)) continue;
    const bool is_beaten = std::any_of(trials.begin(), trials.end(), [&](const Trial& other) {
      if (!competes(other)) return false;
      return dominates(costs_of(other), costs_of(trial)) ||
             (costs_of(other) == costs_of(trial) && other.design < trial.design);
    });
    if (!is_beaten) front.insert(trial.design);
  }
  return front;
}

TEST(Dominance, NeedsToBeNowhereWorseAndSomewhereBetter) {
  using Costs = std::vector<double>;
  EXPECT_TRUE(dominates(Costs{1, 2}, Costs{1, 3}));
  EXPECT_FALSE(dominates(Costs{1, 2}, Costs{1, 2}));
  EXPECT_FALSE(dominates(Costs{0, 3}, Costs{1, 2}));
}

TEST(NondominatedLayers, EqualPeelingByBruteForce) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::size_t objectives = 1 + random.below(5);
    const auto costs = tied_points(1 + random.below(80), objectives, random);
    EXPECT_EQ(nondominated_layers(costs, objectives), layers_by_peeling(costs, objectives));
  }
}

TEST(NondominatedLayers, OfNothingAreNone) { EXPECT_TRUE(nondominated_layers({}, 3).empty()); }

TEST(ParetoArchive, KeepsWhatBruteForceKeepsInWhateverOrder) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<Trial> trials;
    for (std::uint32_t id = 0; id < 120; ++id) trials.push_back(random_trial(id, random));
    ParetoArchive archive(accuracy_latency_energy());
    archive.insert(trials);
    const auto front = designs_of(archive.front());
    EXPECT_EQ(std::set<Design>(front.begin(), front.end()), front_by_brute_force(trials));

    random.shuffle(std::span(trials));
    ParetoArchive shuffled(accuracy_latency_energy());
    for (const Trial& trial : trials) shuffled.insert(trial);
    EXPECT_EQ(designs_of(shuffled.front()), front);
    EXPECT_EQ(shuffled.ideal(), archive.ideal());
    EXPECT_EQ(shuffled.worst(), archive.worst());
    EXPECT_EQ(shuffled.least_violating().has_value(), archive.least_violating().has_value());
    if (archive.least_violating()) {
      EXPECT_EQ(shuffled.least_violating()->design, archive.least_violating()->design);
    }
  }
}

TEST(ParetoArchive, KeepsWhatBruteForceKeepsWhenTheFrontIsLarge) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    // Near the plane where all costs sum to 60, most points beat few others.
    std::vector<Trial> trials;
    for (std::uint32_t n = 0; n < 1500; ++n) {
      const auto latency = static_cast<double>(random.below(30));
      const auto energy = static_cast<double>(random.below(30));
      trials.push_back(trial_of(
          {n % 1400, 0}, latency + energy - static_cast<double>(random.below(4)), latency, energy));
    }
    ParetoArchive archive(accuracy_latency_energy());
    archive.insert(trials);
    const auto front = designs_of(archive.front());
    EXPECT_GT(front.size(), 300U);
    EXPECT_EQ(std::set<Design>(front.begin(), front.end()), front_by_brute_force(trials));
    EXPECT_EQ(archive.size(), front.size());
  }
}

TEST(ParetoArchive, SaysWhetherATrialEntered) {
  ParetoArchive archive(accuracy_latency_energy());
  EXPECT_TRUE(archive.insert(trial_of({1, 0}, 90, 10, 10)));
  EXPECT_FALSE(archive.insert(trial_of({2, 0}, 90, 10, 10)));  // equal, and later by design
  EXPECT_TRUE(archive.insert(trial_of({0, 0}, 90, 10, 10)));   // equal, and earlier
  EXPECT_FALSE(archive.insert(trial_of({3, 0}, 89, 11, 10)));
  EXPECT_TRUE(archive.insert(trial_of({4, 0}, 91, 9, 9)));
  EXPECT_EQ(designs_of(archive.front()), (std::vector<Design>{{4, 0}}));
}

TEST(ParetoArchive, NeverTakesWhatDoesNotRunOrIsNotKnown) {
  ParetoArchive archive(accuracy_latency_energy());
  Trial failing = trial_of({0, 0}, 99, 1, 1);
  failing.reason = 3;
  Trial violating = trial_of({1, 0}, 99, 1, 1);
  violating.violation = 0.5;
  archive.insert(std::vector{failing, violating, trial_of({2, 0}, 99, kNaN, 1),
                             trial_of({3, kNoAccelerator}, 99, 0, 0), trial_of({4, 0}, 50, 9, 9)});
  EXPECT_EQ(designs_of(archive.front()), (std::vector<Design>{{4, 0}}));
  EXPECT_EQ(archive.counts().failing, 1U);
  EXPECT_EQ(archive.counts().violating, 1U);
  EXPECT_EQ(archive.counts().incomplete, 2U);
  EXPECT_EQ(archive.counts().feasible, 1U);
  EXPECT_EQ(archive.ideal(), (std::vector<double>{-50, 9, 9}));
}

TEST(ParetoArchive, ExplainsWhyNothingIsFeasible) {
  const std::vector<Constraint> constraints{{Metric::latency, 10, true},
                                            {Metric::accuracy, 80, false}};
  ParetoArchive archive({accuracy_latency_energy().objectives, constraints});
  for (Trial trial : {trial_of({0, 0}, 60, 8, 1), trial_of({1, 0}, 90, 15, 1),
                      trial_of({2, 0}, 79, 11, 1), trial_of({3, 0}, 50, 7, 1)}) {
    trial.violation = violation(constraints, trial.metrics);
    archive.insert(trial);
  }
  EXPECT_EQ(archive.size(), 0U);
  EXPECT_TRUE(archive.ideal().empty());
  // (11 - 10) / 10 + (80 - 79) / 80 is less than 20 / 80 or 5 / 10.
  ASSERT_TRUE(archive.least_violating());
  EXPECT_EQ(archive.least_violating()->design, (Design{2, 0}));
  EXPECT_DOUBLE_EQ(archive.least_violating()->violation, 0.1 + 1.0 / 80);
  // Each constraint can be met, only not both at once.
  EXPECT_TRUE(archive.outlook()[0].is_met_alone());
  EXPECT_EQ(archive.outlook()[0].closest->design, (Design{0, 0}));
  EXPECT_TRUE(archive.outlook()[1].is_met_alone());
  EXPECT_EQ(archive.outlook()[1].closest->design, (Design{1, 0}));
}

TEST(ParetoArchive, NamesTheConstraintThatNothingMeets) {
  const std::vector<Constraint> constraints{{Metric::latency, 10, true}, {Metric::area, 1, true}};
  ParetoArchive archive({accuracy_latency_energy().objectives, constraints});
  for (Trial trial : {trial_of({0, 0}, 60, 30, 1), trial_of({1, 0}, 90, 15, 1)}) {
    trial.violation = violation(constraints, trial.metrics);
    archive.insert(trial);
  }
  EXPECT_FALSE(archive.outlook()[0].is_met_alone());
  EXPECT_DOUBLE_EQ(archive.outlook()[0].least_violation, 0.5);
  EXPECT_EQ(archive.outlook()[0].closest->design, (Design{1, 0}));
  EXPECT_FALSE(archive.outlook()[1].closest);  // no trial says its area
  EXPECT_FALSE(archive.least_violating());
}

TEST(ParetoArchive, OrdersItsFrontBestFirst) {
  ParetoArchive archive(accuracy_latency_energy());
  archive.insert(std::vector{trial_of({0, 0}, 50, 1, 5), trial_of({1, 0}, 90, 9, 9),
                             trial_of({2, 0}, 50, 2, 4), trial_of({3, 0}, 70, 5, 5)});
  EXPECT_EQ(designs_of(archive.front()), (std::vector<Design>{{1, 0}, {3, 0}, {0, 0}, {2, 0}}));
}

}  // namespace
}  // namespace cosearch::codesign
