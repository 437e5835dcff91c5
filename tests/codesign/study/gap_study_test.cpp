#include "codesign/gap_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using test::StudyFolder;

const std::string kStrategy = "strategy: {name: exhaustive}";

// All trials that a strategy of the study sees.
std::vector<Trial> trials_of(StudySetting& setting, const StrategyChoice& choice) {
  const auto strategy = setting.make(choice);
  ModelEvaluator evaluator(setting.space, setting.workers);
  ParetoArchive archive(setting.question());
  std::vector<Trial> trials;
  DriverOptions options;
  options.max_hardware_evaluations = setting.study.evaluations.value_or(0);
  options.sink = [&](std::span<const Trial> batch, const EvaluationCounts&) {
    trials.insert(trials.end(), batch.begin(), batch.end());
  };
  run_search(*strategy, setting.space, evaluator, archive, setting.workers, options);
  std::erase_if(trials, [](const Trial& t) { return !t.design.has_accelerator(); });
  return trials;
}

std::vector<Trial> every_trial(StudySetting& setting) {
  std::vector<Design> designs;
  for (std::uint64_t i = 0; i < design_count(setting.space); ++i)
    designs.push_back(design_at(setting.space, i));
  ModelEvaluator evaluator(setting.space, setting.workers);
  return evaluate_all(designs, evaluator, setting.study.constraints, setting.workers);
}

// Quantile by linear interpolation between order statistics.
double quantile_by_hand(std::vector<double> values, double q) {
  std::ranges::sort(values);
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= values.size()) return values.back();
  const double share = position - static_cast<double>(below);
  return values[below] + share * (values[below + 1] - values[below]);
}

std::vector<double> limits_by_hand(const std::vector<Trial>& trials, Metric metric,
                                   std::size_t count) {
  std::vector<double> values, limits;
  for (const Trial& trial : trials) values.push_back(trial.metrics[metric]);
  for (std::size_t i = 0; i < count; ++i)
    limits.push_back(quantile_by_hand(
        values, 0.05 + 0.9 * static_cast<double>(i) / static_cast<double>(count - 1)));
  return limits;
}

struct Gaps {
  std::vector<double> lost;
  int cells = 0, nothing = 0;
};

// Cell by cell, design by design.
void add_gaps(const std::vector<Trial>& truth, const std::vector<Trial>& found,
              const StudySetting& setting, Gaps& gaps) {
  const auto best = [](const std::vector<Trial>& trials, double latency, double energy) {
    double accuracy = -1;
    for (const Trial& t : trials)
      if (t.is_feasible() && t.metrics[Metric::latency] <= latency &&
          t.metrics[Metric::energy] <= energy)
        accuracy = std::max(accuracy, t.metrics[Metric::accuracy]);
    return accuracy;
  };
  const GapOptions& options = *setting.study.gap;
  for (const double latency : limits_by_hand(truth, Metric::latency, options.latency_limits))
    for (const double energy : limits_by_hand(truth, Metric::energy, options.energy_limits)) {
      const double optimum = best(truth, latency, energy), here = best(found, latency, energy);
      if (optimum < 0) continue;
      ++gaps.cells;
      if (here < 0)
        ++gaps.nothing;
      else
        gaps.lost.push_back(optimum - here);
    }
}

void expect_report(const GapReport& report, const Gaps& gaps) {
  ASSERT_FALSE(gaps.lost.empty());
  EXPECT_EQ(report.cells, static_cast<std::uint64_t>(gaps.cells));
  EXPECT_DOUBLE_EQ(report.share_infeasible, double(gaps.nothing) / gaps.cells);
  EXPECT_DOUBLE_EQ(report.share_exact,
                   double(std::ranges::count(gaps.lost, 0.0)) / double(gaps.cells));
  double sum = 0;
  for (const double lost : gaps.lost) sum += lost;
  EXPECT_NEAR(report.mean, sum / static_cast<double>(gaps.lost.size()), 1e-9);
  EXPECT_NEAR(report.worst, std::ranges::max(gaps.lost), 1e-12);
  EXPECT_NEAR(report.percentile_95, quantile_by_hand(gaps.lost, 0.95), 1e-9);
}

std::vector<Trial> on(std::vector<Trial> trials, std::uint32_t accelerator) {
  std::erase_if(trials, [&](const Trial& t) { return t.design.accelerator != accelerator; });
  return trials;
}

const std::string kGap =
    "\ngap: {latency_limits: 6, energy_limits: 4, strategies: [{name: semi-decoupled, proxy: "
    "xp-ws-64, layers: 1}, {name: decoupled-network-first, macs_quantile: 0.5}, {name: "
    "decoupled-hardware-first}, {name: random, evaluations: 60}]}\n";

TEST(CompareGaps, AgreesWithEveryCellOfEveryDesign) {
  const StudyFolder folder({{kStrategy, kStrategy + kGap}});
  StudySetting setting(folder.read(), 2);
  const GapComparison comparison = compare_gaps(setting, [](std::uint64_t, const std::string&) {});
  const std::vector<Trial> truth = every_trial(setting);
  EXPECT_EQ(comparison.exhaustive.hardware, truth.size());
  ASSERT_EQ(comparison.strategies.size(), setting.study.gap->strategies.size());
  for (std::size_t s = 0; s < comparison.strategies.size(); ++s) {
    const StrategyGap& gap = comparison.strategies[s];
    SCOPED_TRACE(gap.label);
    const std::vector<Trial> found = trials_of(setting, setting.study.gap->strategies[s]);
    std::set<Design> distinct;
    for (const Trial& trial : found) distinct.insert(trial.design);
    EXPECT_EQ(gap.counts.hardware, distinct.size());

    Gaps joint, per_target;
    add_gaps(truth, found, setting, joint);
    expect_report(gap.joint, joint);
    for (std::uint32_t target = 0; target < setting.space.accelerator_count(); ++target)
      if (s != 0 || target != 0)  // the proxy, xp-ws-64, is no target
        add_gaps(on(truth, target), on(found, target), setting, per_target);
    if (per_target.lost.empty()) continue;
    expect_report(gap.per_target, per_target);
  }
}

TEST(CompareGaps, ExhaustiveSearchLosesNothing) {
  const StudyFolder folder(
      {{kStrategy, kStrategy + "\ngap: {strategies: [{name: exhaustive}]}\n"}});
  StudySetting setting(folder.read(), 1);
  const GapComparison comparison = compare_gaps(setting, [](std::uint64_t, const std::string&) {});
  for (const GapReport& report :
       {comparison.strategies[0].joint, comparison.strategies[0].per_target}) {
    EXPECT_EQ(report.worst, 0);
    EXPECT_EQ(report.share_exact, 1);
    EXPECT_EQ(report.share_infeasible, 0);
  }
}

TEST(CompareGaps, TheOptimumIsThatOfAllDesignsWhateverTheBudget) {
  const StudyFolder folder({{kStrategy, kStrategy + "\nbudget: {evaluations: 50}" + kGap}});
  StudySetting setting(folder.read(), 1);
  const GapComparison comparison = compare_gaps(setting, [](std::uint64_t, const std::string&) {});
  EXPECT_EQ(comparison.exhaustive.hardware, design_count(setting.space));
  for (const StrategyGap& gap : comparison.strategies) EXPECT_LE(gap.counts.hardware, 50U);
}

TEST(CompareGaps, TheRandomControlKeepsAsManyNetworks) {
  const StudyFolder folder(
      {{kStrategy, kStrategy +
                       "\ngap: {strategies: [{name: semi-decoupled, proxy: xp-ws-64, layers: 2}, "
                       "{name: random-retained}]}\n"}});
  StudySetting setting(folder.read(), 1);
  const GapComparison comparison = compare_gaps(setting, [](std::uint64_t, const std::string&) {});
  const std::uint64_t others = setting.space.accelerator_count() - 1;
  const std::uint64_t networks = setting.space.network_count();
  // Semi-decoupled: every network on the proxy, and the retained ones on all other accelerators.
  const std::uint64_t retained = (comparison.strategies[0].counts.hardware - networks) / others;
  EXPECT_EQ(comparison.strategies[1].counts.hardware, retained * (others + 1));
}

TEST(CompareGaps, RefusesAStrategyBeforeItSearches) {
  const StudyFolder folder(
      {{kStrategy,
        kStrategy + "\ngap: {strategies: [{name: random}, {name: semi-decoupled, layers: 0}]}\n"}});
  StudySetting setting(folder.read(), 1);
  bool has_searched = false;
  EXPECT_THAT(test::message_of([&] {
                static_cast<void>(compare_gaps(
                    setting, [&](std::uint64_t, const std::string&) { has_searched = true; }));
              }),
              testing::HasSubstr("layers = 0"));
  EXPECT_FALSE(has_searched);
}

TEST(CompareGaps, NeedsAGapSectionAndAccuracies) {
  const auto message = [](const StudyFolder& folder) {
    StudySetting setting(folder.read(), 1);
    return test::message_of([&] {
      static_cast<void>(compare_gaps(setting, [](std::uint64_t, const std::string&) {}));
    });
  };
  EXPECT_THAT(message(StudyFolder()), testing::HasSubstr("no 'gap' section"));
  EXPECT_THAT(message(StudyFolder({{", accuracy: accuracy}", "}"},
                                   {"[accuracy, latency, energy]", "[latency, energy]"},
                                   {kStrategy, kStrategy + kGap}})),
              testing::HasSubstr("has no accuracy to lose"));
}

}  // namespace
}  // namespace cosearch::codesign
