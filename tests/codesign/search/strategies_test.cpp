// Each strategy by itself: what it asks, and what it makes of hand-fed trials.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "codesign/gap_report.h"
#include "codesign/search/decoupled_hardware_first.h"
#include "codesign/search/decoupled_network_first.h"
#include "codesign/search/exhaustive.h"
#include "codesign/search/free_rea.h"
#include "codesign/search/index_permutation.h"
#include "codesign/search/random_retained.h"
#include "codesign/search/random_search.h"
#include "codesign/search/registry.h"
#include "codesign/search/regularised_evolution.h"
#include "codesign/search/semi_decoupled.h"
#include "predictors/rank_correlation.h"
#include "search_support.h"

namespace cosearch::codesign {
namespace {

using test::accuracy_latency_energy;
using test::designs_of;
using test::FunctionEvaluator;
using test::LineSpace;
using test::monotone_cost;
using test::Recorded;
using test::tangled_cost;
using test::tied_number;
using test::trial_of;

SearchContext context_of(const DesignSpace& space, std::uint64_t seed = 1) {
  return {space, accuracy_latency_energy(), seed};
}

FunctionEvaluator tangled(std::uint64_t seed) {
  return FunctionEvaluator([seed](Design design) { return tangled_cost(seed, design); });
}

FunctionEvaluator monotone(std::uint64_t seed) {
  return FunctionEvaluator([seed](Design design) { return monotone_cost(seed, design); });
}

Recorded search(std::string_view name, const OptionTexts& options, const DesignSpace& space,
                Evaluator& evaluator, std::uint64_t seed = 1) {
  return test::run(*make_strategy(name, context_of(space, seed), options), space, evaluator);
}

std::set<Design> all_designs(const DesignSpace& space) {
  std::set<Design> designs;
  for (std::uint64_t i = 0; i < design_count(space); ++i) designs.insert(design_at(space, i));
  return designs;
}

void expect_asked_once(const Recorded& recorded) {
  const auto designs = designs_of(recorded.trials);
  EXPECT_EQ(std::set<Design>(designs.begin(), designs.end()).size(), designs.size());
}

TEST(IndexPermutation, VisitsEveryIndexOnce) {
  for (const std::uint64_t size : {1, 2, 3, 4, 5, 17, 64, 1000, 4097}) {
    SCOPED_TRACE(size);
    const IndexPermutation order(size, /*seed=*/3, "test");
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < size; ++i) seen.insert(order.at(i));
    EXPECT_EQ(seen.size(), size);
    EXPECT_LT(*seen.rbegin(), size);
  }
}

TEST(IndexPermutation, PutsEveryIndexFirstEquallyOften) {
  constexpr std::uint64_t kSize = 10, kSeeds = 5000;
  std::vector<double> firsts(kSize);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
    ++firsts[IndexPermutation(kSize, seed, "test").at(0)];
  double chi_squared = 0;
  for (const double first : firsts) chi_squared += (first - 500) * (first - 500) / 500;
  EXPECT_LT(chi_squared, 33.7);  // 9 degrees of freedom, p = 1e-4
}

TEST(EveryStrategy, AsksTheSameForTheSameSeed) {
  const LineSpace space(60, 7);
  for (const StrategyInfo& strategy : strategies()) {
    SCOPED_TRACE(strategy.name);
    FunctionEvaluator evaluator = tangled(5);
    const Recorded first = search(strategy.name, {}, space, evaluator, 9);
    const Recorded again = search(strategy.name, {}, space, evaluator, 9);
    ASSERT_FALSE(first.trials.empty());
    test::expect_same_trials(first.trials, again.trials);
  }
}

TEST(EveryStrategy, AsksOnlyForDesignsOfTheSpaceAndForNoneTwice) {
  const LineSpace space(60, 7);
  for (const StrategyInfo& strategy : strategies()) {
    SCOPED_TRACE(strategy.name);
    FunctionEvaluator evaluator = tangled(6);
    const Recorded recorded = search(strategy.name, {}, space, evaluator);
    expect_asked_once(recorded);
    for (const Trial& trial : recorded.trials) {
      EXPECT_LT(trial.design.network, 60U);
      if (!trial.design.has_accelerator()) continue;
      EXPECT_LT(trial.design.accelerator, 7U);
    }
  }
}

TEST(EveryStrategy, AsksAtMostWhatItIsAllowed) {
  const LineSpace space(60, 7);
  for (const StrategyInfo& strategy : strategies()) {
    SCOPED_TRACE(strategy.name);
    const auto search = strategy.make(context_of(space), {});
    std::vector<Design> designs;
    while (!(designs = search->ask(3)).empty()) {
      EXPECT_LE(designs.size(), 3U);
      std::vector<Trial> trials;
      for (const Design& design : designs) trials.push_back(tangled_cost(7, design));
      search->tell(trials);
    }
    EXPECT_TRUE(search->ask(3).empty());
  }
}

TEST(EveryStrategy, SurvivesASpaceWhereNothingRuns) {
  const LineSpace space(20, 5);
  FunctionEvaluator broken(
      [](Design design) { return Trial{.design = design, .metrics = {}, .reason = 1}; });
  for (const StrategyInfo& strategy : strategies()) {
    SCOPED_TRACE(strategy.name);
    EXPECT_TRUE(search(strategy.name, {}, space, broken).front.empty());
  }
}

TEST(Exhaustive, CoversEveryDesignOnceInEitherOrder) {
  const LineSpace space(13, 5);
  FunctionEvaluator evaluator = tangled(1);
  for (const std::string order : {"network-major", "accelerator-major"}) {
    SCOPED_TRACE(order);
    const Recorded recorded = search("exhaustive", {{"order", order}}, space, evaluator);
    expect_asked_once(recorded);
    const auto designs = designs_of(recorded.trials);
    EXPECT_EQ(std::set<Design>(designs.begin(), designs.end()), all_designs(space));
    EXPECT_EQ(designs[1], order == "network-major" ? (Design{0, 1}) : (Design{1, 0}));
  }
}

TEST(Exhaustive, AsksForNetworksAloneWhenThereIsNoAccelerator) {
  const LineSpace space(13, 0);
  FunctionEvaluator evaluator = tangled(1);
  const Recorded recorded = search("exhaustive", {}, space, evaluator);
  EXPECT_EQ(recorded.trials.size(), 13U);
  EXPECT_EQ(recorded.summary.counts.hardware, 0U);
  EXPECT_EQ(recorded.summary.counts.networks, 13U);
}

TEST(RandomSearch, IsAPermutationOfTheSpaceThatTheSeedChooses) {
  const LineSpace space(31, 9);
  FunctionEvaluator evaluator = tangled(1);
  const auto first = designs_of(search("random", {}, space, evaluator, 1).trials);
  const auto other = designs_of(search("random", {}, space, evaluator, 2).trials);
  EXPECT_EQ(std::set<Design>(first.begin(), first.end()), all_designs(space));
  EXPECT_EQ(first.size(), design_count(space));
  EXPECT_NE(first, other);
  EXPECT_EQ(search("random", {{"evaluations", "20"}}, space, evaluator, 1).trials.size(), 20U);
}

TEST(RegularisedEvolution, SolvesASpaceSmallEnoughToEnumerate) {
  // One objective, one basin in 200 x 50: the optimum is known, random search would need luck.
  const LineSpace space(200, 50);
  FunctionEvaluator valley([](Design design) {
    const double n = design.network, a = design.accelerator;
    return trial_of(design, 50, std::pow(n - 140, 2) + std::pow(a - 17, 2), 1);
  });
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SearchQuestion question{{{Metric::latency}}, {}};
    RegularisedEvolution evolution(
        {space, question, seed},
        {.population = 20, .tournament = 5, .batch = 5, .evaluations = 1500});
    const Recorded recorded = test::run(evolution, space, valley, question);
    ASSERT_EQ(recorded.front.size(), 1U);
    EXPECT_EQ(recorded.front[0].design, (Design{140, 17}));
    expect_asked_once(recorded);
  }
}

TEST(RegularisedEvolution, FindsMoreOfTheFrontThanRandomSearchForTheSameEvaluations) {
  const LineSpace space(150, 60);
  FunctionEvaluator slopes([](Design design) {
    const double n = design.network, a = design.accelerator;
    return trial_of(design, n / 4, 100 + n * n / 40 + std::abs(a - 20) * 20,
                    100 + n + std::abs(a - 25) * 10);
  });
  const auto front = designs_of(search("exhaustive", {}, space, slopes).front);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto found = [&](std::string_view name) {
      const auto designs =
          designs_of(search(name, {{"evaluations", "800"}}, space, slopes, seed).trials);
      return std::count_if(designs.begin(), designs.end(), [&](const Design& design) {
        return std::find(front.begin(), front.end(), design) != front.end();
      });
    };
    EXPECT_GT(found("regularised-evolution"), 2 * found("random"));
  }
}

TEST(RegularisedEvolution, PrefersWhatViolatesLess) {
  // Latency falls with the accelerator and only the last few are fast enough; nothing else leads
  // there, so only constraint domination can find them.
  const LineSpace space(1, 3000);
  FunctionEvaluator stairs(
      [](Design design) { return trial_of(design, 50, 3000.0 - design.accelerator, 1); });
  const SearchQuestion question{{{Metric::energy}}, {{Metric::latency, 3, true}}};
  RegularisedEvolution evolution(
      {space, question, 4}, {.population = 10, .tournament = 10, .batch = 1, .evaluations = 1500});
  EXPECT_FALSE(test::run(evolution, space, stairs, question).front.empty());
}

TEST(RegularisedEvolution, VisitsAllOfASmallSpaceAndStops) {
  const LineSpace space(6, 4);
  FunctionEvaluator evaluator = tangled(2);
  const Recorded recorded = search("regularised-evolution", {}, space, evaluator);
  const auto designs = designs_of(recorded.trials);
  EXPECT_EQ(std::set<Design>(designs.begin(), designs.end()), all_designs(space));
}

TEST(DecoupledNetworkFirst, SweepsTheMostAccurateNetworkUnderTheLimit) {
  const LineSpace space(10, 3);  // MACs 100 .. 109
  FunctionEvaluator evaluator([](Design design) {
    const double accuracy[] = {1, 5, 7, 7, 2, 3, 9, 4, 8, 9};
    return trial_of(design, accuracy[design.network], 1, 1);
  });
  const auto swept = [&](const OptionTexts& options) {
    const auto designs =
        designs_of(search("decoupled-network-first", options, space, evaluator).trials);
    EXPECT_EQ(std::count_if(designs.begin(), designs.end(),
                            [](const Design& design) { return design.has_accelerator(); }),
              3);
    return designs.back().network;
  };
  EXPECT_EQ(swept({}), 6U);                          // as accurate as 9, with fewer MACs
  EXPECT_EQ(swept({{"macs_limit", "105"}}), 2U);     // 3 is as accurate
  EXPECT_EQ(swept({{"macs_quantile", "0.2"}}), 1U);  // 101.8: networks 0 and 1
  const Recorded counted = search("decoupled-network-first", {}, space, evaluator);
  EXPECT_EQ(counted.summary.counts.networks, 10U);
  EXPECT_EQ(counted.summary.counts.hardware, 3U);
}

TEST(DecoupledHardwareFirst, PutsEveryNetworkOnTheBestAcceleratorForTheReference) {
  const LineSpace space(9, 4);
  FunctionEvaluator evaluator([](Design design) {
    const double latency[] = {4, 2, 3, 9}, energy[] = {1, 3, 3, 1}, area[] = {5, 9, 1, 1};
    Trial trial = trial_of(design, 1, latency[design.accelerator], energy[design.accelerator]);
    trial.metrics[Metric::area] = area[design.accelerator];
    // With any other network than the median one, another accelerator would win.
    if (design.network != 4) trial.metrics[Metric::edp] = 10.0 - design.accelerator;
    return trial;
  });
  const auto chosen = [&](std::vector<Constraint> constraints, DecoupledHardwareFirstOptions o) {
    const SearchQuestion question{accuracy_latency_energy().objectives, std::move(constraints)};
    DecoupledHardwareFirst strategy({space, question, 1}, o);
    const Recorded recorded = test::run(strategy, space, evaluator, question);
    EXPECT_EQ(recorded.summary.counts.hardware, 4U + 8U);
    expect_asked_once(recorded);
    return recorded.trials.back().design.accelerator;
  };
  EXPECT_EQ(chosen({}, {}), 0U);  // edp 4, 6, 9, 9
  EXPECT_EQ(chosen({}, {.metric = Metric::latency}), 1U);
  EXPECT_EQ(chosen({{Metric::area, 2, true}}, {}), 2U);        // edp 9 and 9: the first
  EXPECT_EQ(chosen({{Metric::accuracy, 99, false}}, {}), 0U);  // not the chip's fault
  EXPECT_EQ(chosen({{Metric::area, 0.5, true}}, {}), 2U);      // least violating
  EXPECT_EQ(chosen({}, {.reference_network = 0}), 3U);
}

TEST(RetainedNetworks, AreTheFirstLayersWithTheFastestAndTheMostFrugal) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::vector<ProxyCost> candidates;
    for (std::uint32_t n = 0; n < 50; ++n)
      candidates.push_back({n, test::tied_number(seed, 8, n), test::tied_number(seed + 1, 8, n),
                            test::tied_number(seed + 2, 8, n)});
    const auto beats = [](const ProxyCost& a, const ProxyCost& b) {
      const std::vector<double> ca{-a.accuracy, a.latency, a.energy},
          cb{-b.accuracy, b.latency, b.energy};
      return dominates(ca, cb);
    };
    std::set<std::uint32_t> expected;
    for (const auto cost : {&ProxyCost::latency, &ProxyCost::energy}) {
      const ProxyCost* least = &candidates[0];
      for (const ProxyCost& c : candidates) least = c.*cost < least->*cost ? &c : least;
      expected.insert(least->network);
    }
    std::vector<ProxyCost> left = candidates;
    for (std::uint64_t layers = 1; layers <= 3; ++layers) {
      std::vector<ProxyCost> rest;
      for (const ProxyCost& c : left) {
        const bool is_beaten = std::any_of(left.begin(), left.end(),
                                           [&](const ProxyCost& other) { return beats(other, c); });
        if (is_beaten) {
          rest.push_back(c);
        } else {
          expected.insert(c.network);
        }
      }
      left = rest;
      EXPECT_EQ(retained_networks(candidates, layers),
                std::vector<std::uint32_t>(expected.begin(), expected.end()));
    }
  }
}

TEST(SemiDecoupled, SweepsTheRetainedNetworksWithoutAskingTheProxyAgain) {
  const LineSpace space(80, 6);
  FunctionEvaluator evaluator = monotone(3);
  SemiDecoupled strategy(context_of(space), {.proxy = 4, .layers = 2});
  const Recorded recorded = test::run(strategy, space, evaluator);
  expect_asked_once(recorded);
  const std::size_t retained = strategy.retained().size();
  EXPECT_EQ(recorded.trials.size(), 80 + 5 * retained);
  for (std::size_t i = 0; i < 80; ++i) EXPECT_EQ(recorded.trials[i].design.accelerator, 4U);
  const auto designs = designs_of(recorded.trials);
  for (const std::uint32_t network : strategy.retained()) {
    for (std::uint32_t a = 0; a < 6; ++a)
      EXPECT_EQ(std::count(designs.begin(), designs.end(), (Design{network, a})), 1);
  }
}

TEST(SemiDecoupled, RetainsNetworksOfUnknownAccuracyOnlyWhereAccuracyIsNotAskedFor) {
  const LineSpace space(40, 3);
  FunctionEvaluator evaluator([](Design design) {
    Trial trial = monotone_cost(7, design);
    if (design.network % 2 == 0)
      trial.metrics[Metric::accuracy] = std::numeric_limits<double>::quiet_NaN();
    return trial;
  });
  const auto is_unknown = [](std::uint32_t network) { return network % 2 == 0; };
  SemiDecoupled with(context_of(space), {.proxy = 0, .layers = 40});
  test::run(with, space, evaluator);
  EXPECT_EQ(with.retained().size(), 20U);
  EXPECT_TRUE(std::ranges::none_of(with.retained(), is_unknown));

  const SearchQuestion costs{{{Metric::latency}, {Metric::energy}}, {}};
  SemiDecoupled without({space, costs, 1}, {.proxy = 0, .layers = 40});
  test::run(without, space, evaluator, costs);
  EXPECT_EQ(without.retained().size(), 40U);
}

TEST(SemiDecoupled, LosesNothingWhereAllAcceleratorsOrderNetworksAlike) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const LineSpace space(120, 8);
    FunctionEvaluator evaluator = monotone(seed);
    GapStudy study;
    study.add(search("exhaustive", {}, space, evaluator).trials);
    study.close();
    for (const std::string proxy : {"auto", "0", "5"}) {
      const Recorded recorded =
          search("semi-decoupled", {{"layers", "1"}, {"proxy", proxy}}, space, evaluator, seed);
      EXPECT_EQ(study.joint_report(recorded.trials).share_exact, 1);
      EXPECT_EQ(study.target_report(recorded.trials).share_exact, 1);
      EXPECT_EQ(study.target_report(recorded.trials).worst, 0);
    }
  }
}

TEST(SemiDecoupled, LosesLessWithMoreLayersWhereOrdersDiffer) {
  const LineSpace space(150, 6);
  FunctionEvaluator evaluator = tangled(11);
  GapStudy study;
  study.add(search("exhaustive", {}, space, evaluator).trials);
  study.close();
  double last = 1e9;
  for (const std::string layers : {"1", "3", "6", "100"}) {
    const Recorded recorded =
        search("semi-decoupled", {{"layers", layers}, {"proxy", "0"}}, space, evaluator);
    const double gap = study.joint_report(recorded.trials).mean;
    EXPECT_LE(gap, last) << layers;
    last = gap;
  }
}

TEST(SemiDecoupled, ChoosesAProxyThatAgreesWithTheOthers) {
  // Accelerators 0 and 3 turn the order of the rest around.
  const LineSpace space(64, 6);
  FunctionEvaluator evaluator([](Design design) {
    const double n = design.network;
    const bool is_odd = design.accelerator == 0 || design.accelerator == 3;
    return trial_of(design, n, is_odd ? 100 - n : 1 + n, is_odd ? 200 - n : 7 + n);
  });
  SemiDecoupled strategy(context_of(space), {.proxy_sample = 10});
  const Recorded recorded = test::run(strategy, space, evaluator);
  EXPECT_EQ(strategy.proxy(), 1U);
  expect_asked_once(recorded);
  // The choice is paid for: 10 networks on every accelerator before anything else.
  std::set<std::uint32_t> first_networks;
  for (std::size_t i = 0; i < 60; ++i) first_networks.insert(recorded.trials[i].design.network);
  EXPECT_EQ(first_networks.size(), 10U);
}

TEST(MostAgreeingAccelerator, IsTheMedoidBySpearman) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    constexpr std::uint32_t kAccelerators = 5, kSample = 12;
    std::vector<double> latencies, energies;
    for (std::uint32_t i = 0; i < kAccelerators * kSample; ++i) {
      latencies.push_back(test::tied_number(seed, 9, i));
      energies.push_back(test::tied_number(seed + 1, 9, i));
    }
    double best_agreement = -100;
    std::uint32_t best = 0;
    for (std::uint32_t a = 0; a < kAccelerators; ++a) {
      double agreement = 0;
      for (std::uint32_t b = 0; b < kAccelerators; ++b) {
        if (a == b) continue;
        for (const auto& values : {latencies, energies})
          agreement += predictors::spearman(std::span(values).subspan(a * kSample, kSample),
                                            std::span(values).subspan(b * kSample, kSample));
      }
      if (agreement > best_agreement + 1e-12) {
        best_agreement = agreement;
        best = a;
      }
    }
    EXPECT_EQ(most_agreeing_accelerator(latencies, energies, kAccelerators), best);
  }
}

TEST(MostAgreeingAccelerator, PassesOverOneThatCannotRunTheSample) {
  constexpr double kFails = std::numeric_limits<double>::infinity();
  const std::vector<double> costs{1, 2, kFails, 1, 2, 3, 3, 2, 1};
  EXPECT_EQ(most_agreeing_accelerator(costs, costs, 3), 1U);
}

TEST(SemiDecoupled, SearchesOnlyTheDrawnNetworksWhenToldHowMany) {
  const LineSpace space(100, 3);
  FunctionEvaluator evaluator = monotone(1);
  const Recorded recorded =
      search("semi-decoupled", {{"networks", "25"}, {"proxy", "1"}}, space, evaluator);
  EXPECT_EQ(recorded.summary.counts.networks, 25U);
}

TEST(RandomRetained, SweepsADrawnSetOverEveryAccelerator) {
  const LineSpace space(100, 7);
  FunctionEvaluator evaluator = tangled(1);
  const Recorded recorded = search("random-retained", {{"retained", "15"}}, space, evaluator, 1);
  EXPECT_EQ(recorded.summary.counts.networks, 15U);
  EXPECT_EQ(recorded.summary.counts.hardware, 15U * 7U);
  const Recorded other = search("random-retained", {{"retained", "15"}}, space, evaluator, 2);
  EXPECT_NE(designs_of(recorded.trials), designs_of(other.trials));
}

/// A line of networks with scores of the test's own; NaN: no such score.
class ScoredSpace final : public DesignSpace {
 public:
  ScoredSpace(std::uint32_t accelerators, std::vector<std::vector<double>> scores)
      : line_(static_cast<std::uint32_t>(scores.size()), accelerators),
        scores_(std::move(scores)) {}

  std::uint32_t network_count() const override { return line_.network_count(); }
  std::uint32_t accelerator_count() const override { return line_.accelerator_count(); }
  std::vector<std::uint32_t> network_neighbours(std::uint32_t i) const override {
    return line_.network_neighbours(i);
  }
  std::vector<std::uint32_t> accelerator_neighbours(std::uint32_t i) const override {
    return line_.accelerator_neighbours(i);
  }
  double macs(std::uint32_t network) const override { return line_.macs(network); }
  std::vector<std::string> score_names() const override { return {"a", "b"}; }
  double score(std::uint32_t network, std::size_t which) const override {
    return scores_[network][which];
  }

 private:
  LineSpace line_;
  std::vector<std::vector<double>> scores_;
};

std::vector<std::uint32_t> networks_asked(const Recorded& recorded) {
  std::vector<std::uint32_t> networks;
  for (const Trial& trial : recorded.trials) networks.push_back(trial.design.network);
  return networks;
}

TEST(FreeRea, ClimbsToTheBestScoresAndEvaluatesNothingElse) {
  const LineSpace space(2000, 3);
  auto evaluator = tangled(1);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    const Recorded recorded =
        search("free-rea", {{"population", "10"}, {"tournament", "5"}, {"scored", "900"}}, space,
               evaluator, seed);
    EXPECT_EQ(designs_of(recorded.trials), (std::vector<Design>{{1999, 0}, {1999, 1}, {1999, 2}}));
  }
}

TEST(FreeRea, EvaluatesNetworksAloneWithoutAccelerators) {
  const LineSpace space(50, 0);
  auto evaluator = tangled(1);
  const Recorded recorded = search("free-rea", {{"retained", "4"}}, space, evaluator);
  EXPECT_EQ(designs_of(recorded.trials),
            (std::vector<Design>{{49}, {48}, {47}, {46}}));  // all 50 are seen
}

TEST(FreeRea, RanksBySumsOfScoresOverTheirLargest) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::vector<std::vector<double>> scores;
    for (std::uint32_t i = 0; i < 30; ++i) {
      const double a = tied_number(seed, 50, i), b = 100 * tied_number(seed + 1, 50, i);
      scores.push_back({a, tied_number(seed + 2, 5, i) == 0 ? kNone : b});
    }
    const auto largest = [&](std::size_t which) {
      double most = 0;
      for (const auto& pair : scores)
        if (!std::isnan(pair[which])) most = std::max(most, pair[which]);
      return most;
    };
    const auto sum_of = [&](std::uint32_t i) {
      const double b = std::isnan(scores[i][1]) ? 0 : scores[i][1];
      return scores[i][0] / largest(0) + b / largest(1);
    };
    auto evaluator = tangled(1);
    const Recorded recorded =
        search("free-rea", {{"scores", "a,b"}, {"scored", "30"}, {"retained", "30"}},
               ScoredSpace(0, scores), evaluator, seed);
    const std::vector<std::uint32_t> asked = networks_asked(recorded);
    ASSERT_GE(asked.size(), 25U);  // one or another may never be proposed
    for (std::size_t i = 1; i < asked.size(); ++i)
      EXPECT_GE(sum_of(asked[i - 1]), sum_of(asked[i])) << i;
  }
}

TEST(FreeRea, ScoresAsManyNetworksAsAskedUnlessItSeesNoMore) {
  const LineSpace space(500, 2);
  for (const double scored : {1.0, 7.0, 49.0, 60.0}) {
    FreeRea strategy(context_of(space),
                     {.population = 50, .scored = static_cast<std::uint64_t>(scored)});
    (void)strategy.ask(10);
    const auto findings = strategy.findings();
    EXPECT_EQ(findings.front().first, "scored");
    // A step sees up to three networks that are new.
    EXPECT_GE(findings.front().second, scored);
    EXPECT_LE(findings.front().second, scored + 2);
  }
  // All descend from the best sooner or later, whose neighbours on a line are few.
  FreeRea exhausted(context_of(space), {.population = 50, .scored = 500});
  EXPECT_EQ(exhausted.ask(10), (std::vector<Design>{{499, 0}, {499, 1}}));
  EXPECT_LT(exhausted.findings().front().second, 500);
}

}  // namespace
}  // namespace cosearch::codesign
