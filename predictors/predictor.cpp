#include "predictors/predictor.h"

#include <cmath>

#include "core/user_error.h"

namespace cosearch::predictors {
namespace {

void check_targets(std::span<const double> targets) {
  for (std::size_t row = 0; row < targets.size(); ++row)
    if (!std::isfinite(targets[row]))
      throw UserError("example " + std::to_string(row) + ": its target is not a finite number");
}

}  // namespace

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
