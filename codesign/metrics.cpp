#include "codesign/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cosearch::codesign {
namespace {

constexpr std::array<MetricInfo, kMetricCount> kTable{{
    {"accuracy", "percent", Direction::maximise, false},
    {"latency", "cycles", Direction::minimise, true},
    {"energy", "pJ", Direction::minimise, true},
    {"area", "mm2", Direction::minimise, true},
    {"macs", "MACs", Direction::minimise, false},
    {"parameters", "", Direction::minimise, false},
    {"edp", "pJ*cycles", Direction::minimise, true},
    {"time", "s", Direction::minimise, true},
    {"score", "", Direction::maximise, false},
}};

}  // namespace

const MetricInfo& info_of(Metric metric) { return kTable[static_cast<std::size_t>(metric)]; }

std::optional<Metric> metric_named(std::string_view name) {
  for (const Metric metric : kMetrics) {
    if (info_of(metric).name == name) return metric;
  }
  return std::nullopt;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const MetricInfo& info : kTable) names.emplace_back(info.name);
  return names;
}

Metrics with_edp(Metrics metrics) {
  metrics[Metric::edp] = metrics[Metric::latency] * metrics[Metric::energy];
  return metrics;
}

double cost_of(const Objective& objective, const Metrics& metrics) {
  const double value = metrics[objective.metric];
  return info_of(objective.metric).direction == Direction::maximise ? -value : value;
}

std::string describe(const Constraint& constraint) {
  const MetricInfo& info = info_of(constraint.metric);
  std::string text =
      fmt::format("{} {} {:g}", info.name, constraint.at_most ? "<=" : ">=", constraint.bound);
  if (!info.unit.empty()) text += fmt::format(" {}", info.unit);
  return text;
}

double violation(const Constraint& constraint, const Metrics& metrics) {
  const double value = metrics[constraint.metric];
  if (std::isnan(value)) return std::numeric_limits<double>::infinity();
  const double excess = constraint.at_most ? value - constraint.bound : constraint.bound - value;
  if (excess <= 0) return 0;
  return constraint.bound == 0 ? excess : excess / std::abs(constraint.bound);
}

double violation(std::span<const Constraint> constraints, const Metrics& metrics) {
  double sum = 0;
  for (const Constraint& constraint : constraints) sum += violation(constraint, metrics);
  return sum;
}

std::vector<std::string> problems_in(const SearchQuestion& question) {
  std::vector<std::string> problems;
  if (question.objectives.empty()) problems.emplace_back("objectives: at least one is needed");
  for (std::size_t i = 0; i < question.objectives.size(); ++i) {
    const auto first = question.objectives.begin();
    const auto here = first + static_cast<std::ptrdiff_t>(i);
    if (std::find(first, here, *here) != here)
      problems.push_back(
          fmt::format("objectives: '{}' is listed twice", info_of(here->metric).name));
  }
  for (const Constraint& constraint : question.constraints) {
    if (!std::isfinite(constraint.bound))
      problems.push_back(
          fmt::format("constraints: {}: the bound must be a finite number", describe(constraint)));
  }
  return problems;
}

bool has_objectives(std::span<const Objective> objectives, const Trial& trial) {
  return std::none_of(objectives.begin(), objectives.end(), [&](const Objective& objective) {
    return std::isnan(trial.metrics[objective.metric]);
  });
}

}  // namespace cosearch::codesign
