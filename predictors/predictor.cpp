#include "predictors/predictor.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/user_error.h"
#include "predictors/normal_distribution.h"

namespace cosearch::predictors {
namespace {

void check_targets(std::span<const double> targets) {
  for (std::size_t row = 0; row < targets.size(); ++row)
    if (!std::isfinite(targets[row]))
      throw UserError("example " + std::to_string(row) + ": its target is not a finite number");
}

// Of each side of what holds 95 %.
constexpr double kTail = 0.025;

}  // namespace

PredictedRange range_of(const Prediction& prediction) {
  const double reach = normal_quantile(1 - kTail) * prediction.deviation;
  return {prediction.mean, prediction.mean - reach, prediction.mean + reach};
}

PredictedRange positive_range_of(const Prediction& prediction) {
  const double deviation = prediction.deviation;
  // Further below zero nothing is left that a double could tell from nothing.
  constexpr double kFurthest = 8;
  const double mean = std::max(prediction.mean, -kFurthest * deviation);
  if (!(deviation > 0)) return range_of(prediction);
  // In deviations: what lies below zero is below `zero`. Upper tails, which stay exact when small.
  const double zero = -mean / deviation, above = normal_cdf(-zero);
  const double density = std::exp(-zero * zero / 2) / std::sqrt(2 * std::numbers::pi);
  const auto value_below = [&](double share) {
    return mean - deviation * normal_quantile((1 - share) * above);
  };
  return {mean + deviation * density / above, value_below(kTail), value_below(1 - kTail)};
}

void Predictor::fit(const Examples& examples, std::span<const double> targets, std::uint64_t seed) {
  if (examples.rows() != targets.size())
    throw UserError(std::to_string(examples.rows()) + " examples with " +
                    std::to_string(targets.size()) + " targets");
  if (examples.rows() < least_examples())
    throw UserError(std::to_string(examples.rows()) + " examples are too few: this model needs " +
                    std::to_string(least_examples()) + " or more");
  check_targets(targets);
  check_features(examples);
  columns_ = examples.columns;
  learn(examples, targets, seed);
}

std::vector<Prediction> Predictor::predict(const Examples& examples) const {
  check_columns(columns_, examples);
  check_features(examples);
  return infer(examples);
}

ModelState Predictor::state() const {
  ModelState state;
  write(state);
  return state;
}

void Predictor::restore(const ModelState& state, std::vector<FeatureColumn> columns) {
  columns_ = std::move(columns);
  read(state);
}

}  // namespace cosearch::predictors
