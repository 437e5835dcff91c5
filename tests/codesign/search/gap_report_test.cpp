#include "codesign/gap_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "predictors/rank_correlation.h"
#include "search_support.h"

namespace cosearch::codesign {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

double best_within(const std::vector<Trial>& trials, double latency, double energy) {
  double best = kNone;
  for (const Trial& trial : trials) {
    if (!trial.is_feasible() || !(trial.metrics[Metric::latency] <= latency) ||
        !(trial.metrics[Metric::energy] <= energy))
      continue;
    best = std::max(best, trial.metrics[Metric::accuracy]);
  }
  return best;
}

std::vector<double> limits_by_sorting(const std::vector<Trial>& trials, Metric metric,
                                      std::size_t count, const GapGridOptions& options) {
  std::vector<double> values;
  for (const Trial& trial : trials) {
    if (trial.is_feasible()) values.push_back(trial.metrics[metric]);
  }
  std::vector<double> limits;
  const double width = options.highest_quantile - options.lowest_quantile;
  for (std::size_t i = 0; i < count; ++i) {
    const double up = static_cast<double>(i) / static_cast<double>(count - 1);
    limits.push_back(predictors::quantile(values, options.lowest_quantile + width * up));
  }
  return limits;
}

// Cell by cell from the definition; the pairs (optimum, strategy's best) of cells with an optimum.
std::vector<std::pair<double, double>> cells_by_brute_force(const std::vector<Trial>& all,
                                                            const std::vector<Trial>& some,
                                                            const GapGridOptions& options) {
  std::vector<std::pair<double, double>> cells;
  const auto latencies = limits_by_sorting(all, Metric::latency, options.latency_limits, options);
  const auto energies = limits_by_sorting(all, Metric::energy, options.energy_limits, options);
  for (const double latency : latencies) {
    for (const double energy : energies) {
      const double best = best_within(all, latency, energy);
      if (best != kNone) cells.emplace_back(best, best_within(some, latency, energy));
    }
  }
  return cells;
}

void expect_report_of(const std::vector<std::pair<double, double>>& cells,
                      const GapReport& report) {
  std::vector<double> gaps;
  double exact = 0;
  for (const auto& [optimum, best] : cells) {
    if (best != kNone) gaps.push_back(optimum - best);
    exact += best == optimum ? 1 : 0;
  }
  const auto count = static_cast<double>(cells.size());
  EXPECT_EQ(report.cells, cells.size());
  EXPECT_DOUBLE_EQ(report.share_exact, exact / count);
  EXPECT_DOUBLE_EQ(report.share_infeasible, (count - static_cast<double>(gaps.size())) / count);
  ASSERT_FALSE(gaps.empty());
  std::sort(gaps.begin(), gaps.end());
  EXPECT_NEAR(report.mean,
              std::accumulate(gaps.begin(), gaps.end(), 0.0) / static_cast<double>(gaps.size()),
              1e-12);
  EXPECT_EQ(report.worst, gaps.back());
  EXPECT_DOUBLE_EQ(report.percentile_95, predictors::quantile(gaps, 0.95));
}

struct Trials {
  std::vector<Trial> all, some;
};

// All pairs of 30 networks and 4 accelerators; the strategy saw a third of the networks.
Trials tangled_trials(std::uint64_t seed) {
  Trials trials;
  for (std::uint32_t a = 0; a < 4; ++a) {
    for (std::uint32_t n = 0; n < 30; ++n) {
      Trial trial = test::tangled_cost(seed, {n, a});
      if (n % 7 == 0) trial.violation = 1;
      trials.all.push_back(trial);
      if (n % 3 == 0) trials.some.push_back(trial);
    }
  }
  return trials;
}

TEST(GapReport, OverAllAcceleratorsEqualsBruteForce) {
  // Quarters as quantile steps are exact in binary, so both ways find the very same limits.
  const GapGridOptions options{
      .latency_limits = 5, .energy_limits = 3, .lowest_quantile = 0, .highest_quantile = 1};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Trials trials = tangled_trials(seed);
    GapStudy study(options);
    Random random(seed);
    const auto cells = cells_by_brute_force(trials.all, trials.some, options);
    random.shuffle(std::span(trials.all));
    study.add(std::span(trials.all).first(50));
    study.add(std::span(trials.all).subspan(50));
    study.close();
    expect_report_of(cells, study.joint_report(trials.some));
  }
}

TEST(GapReport, PerTargetEqualsBruteForceOnEachAccelerator) {
  const GapGridOptions options{
      .latency_limits = 5, .energy_limits = 3, .lowest_quantile = 0, .highest_quantile = 1};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Trials trials = tangled_trials(seed);
    std::vector<std::pair<double, double>> cells;
    for (std::uint32_t a = 0; a < 4; ++a) {
      if (a == 2) continue;
      const auto on_target = [&](std::vector<Trial> kept) {
        std::erase_if(kept, [&](const Trial& trial) { return trial.design.accelerator != a; });
        return kept;
      };
      const auto own = cells_by_brute_force(on_target(trials.all), on_target(trials.some), options);
      cells.insert(cells.end(), own.begin(), own.end());
    }
    GapStudy study(options);
    study.add(trials.all);
    study.close();
    expect_report_of(cells, study.target_report(trials.some, /*skipped=*/2));
  }
}

TEST(GapReport, OfTheExhaustiveSearchAgainstItselfIsExact) {
  const Trials trials = tangled_trials(1);
  GapStudy study;
  study.add(trials.all);
  study.close();
  for (const GapReport& report :
       {study.joint_report(trials.all), study.target_report(trials.all)}) {
    EXPECT_GT(report.cells, 0U);
    EXPECT_EQ(report.worst, 0);
    EXPECT_EQ(report.share_exact, 1);
    EXPECT_EQ(report.share_infeasible, 0);
  }
}

TEST(GapReport, OfAStrategyThatFoundNothingIsInfeasibleEverywhere) {
  const Trials trials = tangled_trials(1);
  GapStudy study;
  study.add(trials.all);
  study.close();
  const GapReport report = study.joint_report({});
  EXPECT_EQ(report.share_infeasible, 1);
  EXPECT_EQ(report.share_exact, 0);
  EXPECT_TRUE(std::isnan(report.mean));
}

TEST(GapReport, WithoutExhaustiveTrialsHasNoCells) {
  GapStudy study;
  study.close();
  EXPECT_EQ(study.joint_report({}).cells, 0U);
  EXPECT_EQ(study.target_report({}).cells, 0U);
}

TEST(GapReport, EqualsAGridWorkedByHand) {
  const std::vector<double> exhaustive{kNone, 80, 80, 90}, strategy{kNone, kNone, 80, 86};
  const GapReport report = gap_report(exhaustive, strategy);
  EXPECT_EQ(report.cells, 3U);
  EXPECT_EQ(report.mean, 2);
  EXPECT_EQ(report.worst, 4);
  EXPECT_DOUBLE_EQ(report.percentile_95, 3.8);  // between 0 and 4, at 0.95
  EXPECT_DOUBLE_EQ(report.share_exact, 1.0 / 3);
  EXPECT_DOUBLE_EQ(report.share_infeasible, 1.0 / 3);
}

TEST(CellBests, AdmitWhatLiesOnALimit) {
  CellBests cells({{10, 20}, {1, 2}});
  cells.add(10, 2, 70);
  cells.add(20, 1, 60);
  cells.add(21, 1, 99);
  EXPECT_EQ(cells.bests(), (std::vector<double>{kNone, 70, 60, 70}));
}

TEST(GapGrid, HasLimitsAtEvenlySpacedQuantiles) {
  std::vector<double> latencies(101), energies{5, 1, 3};
  std::iota(latencies.begin(), latencies.end(), 0.0);
  const GapGrid grid = quantile_grid(
      latencies, energies,
      {.latency_limits = 4, .energy_limits = 1, .lowest_quantile = 0.25, .highest_quantile = 1});
  EXPECT_EQ(grid.latency_limits, (std::vector<double>{25, 50, 75, 100}));
  EXPECT_EQ(grid.energy_limits, (std::vector<double>{5}));
}

TEST(GapGridOptions, ReportAllProblemsAtOnce) {
  EXPECT_TRUE(problems_in(GapGridOptions{}).empty());
  EXPECT_EQ(problems_in(GapGridOptions{.latency_limits = 0,
                                       .energy_limits = 0,
                                       .lowest_quantile = 0.9,
                                       .highest_quantile = 0.1})
                .size(),
            3U);
}

}  // namespace
}  // namespace cosearch::codesign
