#include "codesign/gap_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

std::vector<double> quantile_limits(std::span<double> values, std::size_t count,
                                    const GapGridOptions& options) {
  std::sort(values.begin(), values.end());
  const double step = count < 2 ? 0.0
                                : (options.highest_quantile - options.lowest_quantile) /
                                      static_cast<double>(count - 1);
  std::vector<double> limits(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double steps_down = static_cast<double>(count - 1 - i);
    limits[i] = predictors::quantile_of_sorted(
        values, std::clamp(options.highest_quantile - step * steps_down, 0.0, 1.0));
  }
  return limits;
}

bool counts(const Trial& trial) {
  return trial.is_feasible() && !std::isnan(trial.metrics[Metric::accuracy]) &&
         !std::isnan(trial.metrics[Metric::latency]) && !std::isnan(trial.metrics[Metric::energy]);
}

void add_to(CellBests& cells, const Trial& trial) {
  cells.add(trial.metrics[Metric::latency], trial.metrics[Metric::energy],
            trial.metrics[Metric::accuracy]);
}

// Index of the first limit not below `value`; limits.size() when all are.
std::size_t tightest_limit(const std::vector<double>& limits, double value) {
  return static_cast<std::size_t>(std::lower_bound(limits.begin(), limits.end(), value) -
                                  limits.begin());
}

}  // namespace

std::vector<std::string> problems_in(const GapGridOptions& options) {
  std::vector<std::string> problems;
  if (options.latency_limits < 1)
    problems.push_back(
        fmt::format("latency_limits = {}: must be at least 1", options.latency_limits));
  if (options.energy_limits < 1)
    problems.push_back(
        fmt::format("energy_limits = {}: must be at least 1", options.energy_limits));
  if (!(options.lowest_quantile >= 0 && options.lowest_quantile <= options.highest_quantile &&
        options.highest_quantile <= 1))
    problems.push_back(fmt::format(
        "quantiles {} to {}: must satisfy 0 <= lowest_quantile <= highest_quantile <= 1",
        options.lowest_quantile, options.highest_quantile));
  return problems;
}

GapGrid quantile_grid(std::span<double> latencies, std::span<double> energies,
                      const GapGridOptions& options) {
  assert(problems_in(options).empty());
  return {quantile_limits(latencies, options.latency_limits, options),
          quantile_limits(energies, options.energy_limits, options)};
}

CellBests::CellBests(GapGrid grid) : grid_(std::move(grid)), tightest_(grid_.cell_count(), kNone) {}

void CellBests::add(double latency, double energy, double accuracy) {
  const std::size_t row = tightest_limit(grid_.latency_limits, latency);
  const std::size_t column = tightest_limit(grid_.energy_limits, energy);
  if (row == grid_.latency_limits.size() || column == grid_.energy_limits.size()) return;
  double& best = tightest_[row * grid_.energy_limits.size() + column];
  best = std::max(best, accuracy);
}

std::vector<double> CellBests::bests() const {
  // Looser limits admit all that tighter ones do: a running maximum along both axes.
  std::vector<double> best = tightest_;
  const std::size_t columns = grid_.energy_limits.size();
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (i % columns > 0) best[i] = std::max(best[i], best[i - 1]);
    if (i >= columns) best[i] = std::max(best[i], best[i - columns]);
  }
  return best;
}

GapReport gap_report(std::span<const double> exhaustive, std::span<const double> strategy) {
  assert(exhaustive.size() == strategy.size());
  GapReport report;
  std::vector<double> gaps;
  std::uint64_t exact = 0;
  for (std::size_t i = 0; i < exhaustive.size(); ++i) {
    if (exhaustive[i] == kNone) continue;
    ++report.cells;
    if (strategy[i] == kNone) continue;
    gaps.push_back(exhaustive[i] - strategy[i]);
    if (exhaustive[i] == strategy[i]) ++exact;
  }
  if (report.cells == 0) return report;
  const auto cells = static_cast<double>(report.cells);
  report.share_exact = static_cast<double>(exact) / cells;
  report.share_infeasible = static_cast<double>(report.cells - gaps.size()) / cells;
  if (gaps.empty()) return report;
  report.mean = std::accumulate(gaps.begin(), gaps.end(), 0.0) / static_cast<double>(gaps.size());
  report.worst = *std::max_element(gaps.begin(), gaps.end());
  report.percentile_95 = predictors::quantile(gaps, 0.95);
  return report;
}

GapStudy::GapStudy(GapGridOptions options) : options_(options) {
  assert(problems_in(options_).empty());
}

void GapStudy::add(std::span<const Trial> trials) {
  assert(!closed_ && "all exhaustive trials come before close");
  for (const Trial& trial : trials) {
    if (!counts(trial)) continue;
    points_.push_back({trial.design.accelerator, trial.metrics[Metric::latency],
                       trial.metrics[Metric::energy], trial.metrics[Metric::accuracy]});
  }
}

GapStudy::Optimum GapStudy::optimum_of(std::span<const Point> points) const {
  std::vector<double> latencies, energies;
  for (const Point& point : points) {
    latencies.push_back(point.latency);
    energies.push_back(point.energy);
  }
  CellBests cells(quantile_grid(latencies, energies, options_));
  for (const Point& point : points) cells.add(point.latency, point.energy, point.accuracy);
  return {cells.grid(), cells.bests()};
}

void GapStudy::close() {
  assert(!closed_ && "a study is closed once");
  closed_ = true;
  if (points_.empty()) return;
  joint_ = optimum_of(points_);
  const auto by_accelerator = [](const Point& a, const Point& b) {
    return a.accelerator < b.accelerator;
  };
  // An accelerator-major search has them in order already.
  if (!std::is_sorted(points_.begin(), points_.end(), by_accelerator))
    std::sort(points_.begin(), points_.end(), by_accelerator);
  for (std::size_t begin = 0; begin < points_.size();) {
    std::size_t end = begin;
    while (end < points_.size() && points_[end].accelerator == points_[begin].accelerator) ++end;
    targets_[points_[begin].accelerator] =
        optimum_of(std::span(points_).subspan(begin, end - begin));
    begin = end;
  }
  points_ = {};
}

GapReport GapStudy::joint_report(std::span<const Trial> trials) const {
  assert(closed_ && "close comes before the reports");
  CellBests cells(joint_.grid);
  for (const Trial& trial : trials) {
    if (counts(trial)) add_to(cells, trial);
  }
  return gap_report(joint_.bests, cells.bests());
}

GapReport GapStudy::target_report(std::span<const Trial> trials,
                                  std::optional<std::uint32_t> skipped) const {
  assert(closed_ && "close comes before the reports");
  std::map<std::uint32_t, CellBests> cells;
  for (const auto& [accelerator, optimum] : targets_) {
    if (accelerator != skipped) cells.emplace(accelerator, optimum.grid);
  }
  for (const Trial& trial : trials) {
    const auto target = cells.find(trial.design.accelerator);
    if (target != cells.end() && counts(trial)) add_to(target->second, trial);
  }
  std::vector<double> exhaustive, strategy;
  for (const auto& [accelerator, own] : cells) {
    const std::vector<double>& optimum = targets_.at(accelerator).bests;
    const std::vector<double> bests = own.bests();
    exhaustive.insert(exhaustive.end(), optimum.begin(), optimum.end());
    strategy.insert(strategy.end(), bests.begin(), bests.end());
  }
  return gap_report(exhaustive, strategy);
}

}  // namespace cosearch::codesign
