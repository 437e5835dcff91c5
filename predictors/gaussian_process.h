// A Gaussian process over the kinds of features there are: a Matern kernel on what is continuous,
// one on counts (of paths through a cell, say), a Hamming kernel on indicators. How far each kind
// is trusted follows from the marginal likelihood. Source: C. Rasmussen, C. Williams, "Gaussian
// Processes for Machine Learning", MIT Press 2006, algorithm 2.1 (page 19).
#pragma once

#include <memory>

#include "predictors/feature_scaler.h"
#include "predictors/kernel.h"
#include "predictors/predictor.h"

namespace cosearch::predictors {

struct GaussianProcessOptions {
  /// Steps of the search for hyper-parameters, each cubic in the examples.
  int iterations = 60;
  /// Hyper-parameters are chosen on at most so many examples, drawn at random; predictions use all.
  std::size_t hyperparameter_examples = 500;
  /// Of the prior that holds logarithms of hyper-parameters near their start.
  double prior_precision = 0.05;
};

/// Takes 5,000 examples at most: fitting is cubic in them, and its memory quadratic.
class GaussianProcess final : public Predictor {
 public:
  explicit GaussianProcess(GaussianProcessOptions options = {}) : options_(options) {}

  [[nodiscard]] std::size_t least_examples() const override { return 3; }

  [[nodiscard]] const LogHyperparameters& hyperparameters() const { return at_; }

 protected:
  void learn(const Examples& examples, std::span<const double> targets,
             std::uint64_t seed) override;
  [[nodiscard]] std::vector<Prediction> infer(const Examples& examples) const override;
  void write(ModelState& state) const override;
  void read(const ModelState& state) override;

 private:
  void factorise();

  GaussianProcessOptions options_;
  FeatureScaler scaler_;
  LogHyperparameters at_;
  Matrix inputs_;   // of training, scaled
  Vector targets_;  // of training
  // Computed from the above:
  Matrix lower_;  // Cholesky factor of the covariance with noise
  Vector weights_;
};

}  // namespace cosearch::predictors
