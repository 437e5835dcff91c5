// Linear regression with a penalty on the squared weights, its strength chosen by leave-one-out
// error. Source: A. Hoerl, R. Kennard, "Ridge regression", Technometrics 12(1), 1970; leave-one-out
// in closed form: D. Allen, "The relationship between variable selection and data augmentation and
// a method for prediction", Technometrics 16(1), 1974.
#pragma once

#include "predictors/feature_scaler.h"
#include "predictors/predictor.h"

namespace cosearch::predictors {

class Ridge final : public Predictor {
 public:
  [[nodiscard]] std::size_t least_examples() const override { return 3; }

  /// The strength chosen: what is added to the diagonal of X'X, X of standardised columns.
  [[nodiscard]] double penalty() const { return penalty_; }

 protected:
  void learn(const Examples& examples, std::span<const double> targets,
             std::uint64_t seed) override;
  [[nodiscard]] std::vector<Prediction> infer(const Examples& examples) const override;
  void write(ModelState& state) const override;
  void read(const ModelState& state) override;

 private:
  FeatureScaler scaler_;
  double penalty_ = 0, intercept_ = 0;
  double noise_variance_ = 0;  // mean squared leave-one-out error
  double count_ = 0;
  Vector weights_;
  Matrix root_;  // of (X'X + penalty I)^-1: the inverse is root_ root_'
};

}  // namespace cosearch::predictors
