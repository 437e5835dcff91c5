#include "predictors/feature_scaler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/user_error.h"
#include "predictors/rank_correlation.h"

namespace cosearch::predictors {
namespace {

std::vector<double> known_values(const Examples& examples, std::size_t column) {
  std::vector<double> known;
  for (std::size_t row = 0; row < examples.rows(); ++row)
    if (const double value = examples.row(row)[column]; !std::isnan(value)) known.push_back(value);
  return known;
}

}  // namespace

FeatureScaler::FeatureScaler(const Examples& examples, Scope scope)
    : medians_(examples.columns.size(), 0.0),
      means_(examples.columns.size(), 0.0),
      deviations_(examples.columns.size(), 1.0),
      lows_(examples.columns.size(), 0.0),
      highs_(examples.columns.size(), 0.0) {
  for (std::size_t column = 0; column < examples.columns.size(); ++column) {
    std::vector<double> values = known_values(examples, column);
    if (values.empty()) continue;
    medians_[column] = quantile(values, 0.5);
    lows_[column] = std::ranges::min(values);
    highs_[column] = std::ranges::max(values);
    const bool is_scaled =
        scope == Scope::all_columns || examples.columns[column].kind == FeatureKind::continuous;
    if (!is_scaled) continue;
    values.resize(examples.rows(), medians_[column]);
    const auto count = static_cast<double>(values.size());
    means_[column] = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0;
    for (const double value : values)
      squares += (value - means_[column]) * (value - means_[column]);
    // A column that rounding alone lets vary says nothing; dividing by its deviation would.
    const double deviation = std::sqrt(squares / count);
    if (deviation > 1e-12 * std::abs(means_[column])) deviations_[column] = deviation;
  }
}

FeatureScaler::FeatureScaler(const ModelState& state)
    : medians_(state.numbers_of("feature_medians")),
      means_(state.numbers_of("feature_means", medians_.size())),
      deviations_(state.numbers_of("feature_deviations", medians_.size())),
      lows_(state.numbers_of("feature_lows", medians_.size())),
      highs_(state.numbers_of("feature_highs", medians_.size())) {}

void FeatureScaler::write(ModelState& state) const {
  state.numbers["feature_medians"] = medians_;
  state.numbers["feature_means"] = means_;
  state.numbers["feature_deviations"] = deviations_;
  state.numbers["feature_lows"] = lows_;
  state.numbers["feature_highs"] = highs_;
}

Matrix FeatureScaler::apply(const Examples& examples) const {
  if (examples.columns.size() != medians_.size())
    throw UserError("the predictor scales " + std::to_string(medians_.size()) + " features, not " +
                    std::to_string(examples.columns.size()));
  Matrix scaled(static_cast<Eigen::Index>(examples.rows()),
                static_cast<Eigen::Index>(examples.columns.size()));
  for (std::size_t row = 0; row < examples.rows(); ++row) {
    const std::span<const double> values = examples.row(row);
    for (std::size_t column = 0; column < values.size(); ++column) {
      const double known = std::isnan(values[column]) ? medians_[column] : values[column];
      const double value = std::clamp(known, lows_[column], highs_[column]);
      scaled(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column)) =
          (value - means_[column]) / deviations_[column];
    }
  }
  return scaled;
}

}  // namespace cosearch::predictors
