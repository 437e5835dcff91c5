#include "predictors/predictor.h"

#include <cmath>

#include "core/user_error.h"

namespace cosearch::predictors {
namespace {

void check_features(const Examples& examples) {
  for (std::size_t row = 0; row < examples.rows(); ++row)
    for (std::size_t column = 0; column < examples.columns.size(); ++column)
      if (std::isinf(examples.row(row)[column]))
        throw UserError("example " + std::to_string(row) + ": feature '" +
                        examples.columns[column].name +
                        "' is infinite; leave what is not known empty");
}

void check_targets(std::span<const double> targets) {
  for (std::size_t row = 0; row < targets.size(); ++row)
    if (!std::isfinite(targets[row]))
      throw UserError("example " + std::to_string(row) + ": its target is not a finite number");
}

std::string difference(const std::vector<FeatureColumn>& expected,
                       const std::vector<FeatureColumn>& given) {
  for (std::size_t i = 0; i < std::min(expected.size(), given.size()); ++i)
    if (expected[i] != given[i])
      return "column " + std::to_string(i + 1) + " is '" + given[i].name + "', expected '" +
             expected[i].name + "'";
  return std::to_string(given.size()) + " columns, expected " + std::to_string(expected.size());
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
  if (examples.columns != columns_)
    throw UserError("these are not the features the predictor was trained on: " +
                    difference(columns_, examples.columns));
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
