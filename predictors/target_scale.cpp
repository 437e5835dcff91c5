#include "predictors/target_scale.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/user_error.h"
#include "predictors/normal_distribution.h"
#include "predictors/rank_correlation.h"

namespace cosearch::predictors {
namespace {

// Percentages nearer to 100 than this are as good as 100: a logarithm needs a floor.
constexpr double kLeastError = 0.01;

void check(ScaleKind kind, std::span<const double> targets) {
  if (targets.empty()) throw UserError("no targets to learn a scale from");
  for (std::size_t row = 0; row < targets.size(); ++row)
    if (const std::string problem = problem_with(kind, targets[row]); !problem.empty())
      throw UserError("example " + std::to_string(row) + ": target " +
                      std::to_string(targets[row]) + ": " + problem);
}

// On the line through the neighbouring knots; beyond the ends, on that of the outermost ones.
double interpolate(const std::vector<double>& from, const std::vector<double>& to, double value) {
  if (from.size() == 1) return to.front() + (value - from.front());
  const auto above = std::upper_bound(from.begin() + 1, from.end() - 1, value);
  const auto high = static_cast<std::size_t>(above - from.begin());
  const double share = (value - from[high - 1]) / (from[high] - from[high - 1]);
  return to[high - 1] + share * (to[high] - to[high - 1]);
}

}  // namespace

const std::vector<std::string>& scale_names() {
  static const std::vector<std::string> kNames{"linear", "logarithm", "error", "normal-scores"};
  return kNames;
}

ScaleKind scale_named(const std::string& name) {
  const auto found = std::ranges::find(scale_names(), name);
  if (found == scale_names().end())
    throw UserError("unknown scale '" + name + "'" + did_you_mean(name, scale_names()));
  return static_cast<ScaleKind>(found - scale_names().begin());
}

std::string problem_with(ScaleKind kind, double target) {
  if (!std::isfinite(target)) return "expected a finite number";
  if (kind == ScaleKind::logarithm && target <= 0)
    return "scale 'logarithm' takes positive targets only";
  if (kind == ScaleKind::error && target > 100)
    return "scale 'error' takes percentages, 100 at most";
  return "";
}

TargetScale::TargetScale(ScaleKind kind, std::span<const double> targets) : kind_(kind) {
  check(kind, targets);
  const auto count = static_cast<double>(targets.size());
  if (kind == ScaleKind::normal_scores) {
    // Equal targets share a knot, so that the map stays a function.
    std::vector<double> ranks = average_ranks(targets);
    targets_.assign(targets.begin(), targets.end());
    std::ranges::sort(targets_);
    std::ranges::sort(ranks);
    targets_.erase(std::unique(targets_.begin(), targets_.end()), targets_.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    for (const double rank : ranks) scores_.push_back(normal_quantile((rank - 0.5) / count));
  }
  std::vector<double> bent;
  for (const double target : targets) bent.push_back(bend(target));
  mean_ = std::accumulate(bent.begin(), bent.end(), 0.0) / count;
  double squares = 0;
  for (const double value : bent) squares += (value - mean_) * (value - mean_);
  if (squares > 0) deviation_ = std::sqrt(squares / count);
}

TargetScale::TargetScale(const ModelState& state)
    : kind_(ScaleKind::linear),
      mean_(state.number("scale_mean")),
      deviation_(state.number("scale_deviation")),
      targets_(state.numbers_of("scale_targets")),
      scores_(state.numbers_of("scale_scores", targets_.size())) {
  const double kind = state.number("scale_kind");
  const bool needs_knots = kind == static_cast<double>(ScaleKind::normal_scores);
  if (!(kind >= 0 && kind < static_cast<double>(scale_names().size())) || !(deviation_ > 0) ||
      needs_knots == targets_.empty())
    throw UserError("the predictor's scale is damaged; train it again");
  kind_ = static_cast<ScaleKind>(kind);
}

void TargetScale::write(ModelState& state) const {
  state.numbers["scale_kind"] = {static_cast<double>(kind_)};
  state.numbers["scale_mean"] = {mean_};
  state.numbers["scale_deviation"] = {deviation_};
  state.numbers["scale_targets"] = targets_;
  state.numbers["scale_scores"] = scores_;
}

double TargetScale::bend(double target) const {
  switch (kind_) {
    case ScaleKind::linear:
      return target;
    case ScaleKind::logarithm:
      return std::log(target);
    case ScaleKind::error:
      return -std::log(std::max(100 - target, kLeastError));
    case ScaleKind::normal_scores:
      return interpolate(targets_, scores_, target);
  }
  return target;
}

double TargetScale::unbend(double bent) const {
  switch (kind_) {
    case ScaleKind::linear:
      return bent;
    case ScaleKind::logarithm:
      return std::exp(bent);
    case ScaleKind::error:
      return std::max(100 - std::exp(-bent), 0.0);  // no percentage is negative
    case ScaleKind::normal_scores:
      return interpolate(scores_, targets_, bent);
  }
  return bent;
}

double TargetScale::forward(double target) const { return (bend(target) - mean_) / deviation_; }

double TargetScale::inverse(double scaled) const { return unbend(mean_ + deviation_ * scaled); }

std::vector<double> TargetScale::forward(std::span<const double> targets) const {
  std::vector<double> scaled;
  for (const double target : targets) scaled.push_back(forward(target));
  return scaled;
}

}  // namespace cosearch::predictors
