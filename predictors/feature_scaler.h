// Features as models of distances and products want them: nothing missing, continuous columns of
// mean 0 and variance 1.
#pragma once

#include <Eigen/Core>

#include "predictors/examples.h"
#include "predictors/model_state.h"

namespace cosearch::predictors {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

class FeatureScaler {
 public:
  enum class Scope : std::uint8_t { continuous_columns, all_columns };

  FeatureScaler() = default;
  /// Learns medians, means and deviations of the columns in `scope`.
  FeatureScaler(const Examples& examples, Scope scope);

  explicit FeatureScaler(const ModelState& state);
  void write(ModelState& state) const;

  /// rows x columns: what is missing becomes the column's median, what lies beyond the range seen
  /// in training its nearer end, since nothing was learned of what lies there; then (value - mean)
  /// / deviation.
  [[nodiscard]] Matrix apply(const Examples& examples) const;

 private:
  std::vector<double> medians_, means_, deviations_, lows_, highs_;
};

}  // namespace cosearch::predictors
