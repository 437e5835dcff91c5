// Latency on a new device from few measurements: Bayesian linear regression on groups of features,
// among them the latencies of the same networks on other devices. How far each group is to be
// trusted is learned from the devices that are known already, each in turn playing the new one.
//
// The prior makes the difference: with ten measurements there is nothing left to choose it by.
// Source of the regression: C. Rasmussen, C. Williams, "Gaussian Processes for Machine Learning",
// MIT Press 2006, section 2.1; a shared prior learned from related tasks: K. Yu, V. Tresp, A.
// Schwaighofer, "Learning Gaussian processes from multiple tasks", ICML 2005.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "predictors/kernel.h"
#include "predictors/predictor.h"

namespace cosearch::predictors {

/// Groups of features, each networks x columns and best standardised; a linear model's weights
/// within a group are equally uncertain.
using FeatureGroups = std::vector<Matrix>;

/// The features alone, rows x columns.
[[nodiscard]] Matrix as_matrix(const Examples& examples);

/// Columns of mean 0 and variance 1; a constant column becomes 0.
[[nodiscard]] Matrix standardised(Matrix columns);

/// A device on which every network was measured, with the features that a new device in its place
/// would have.
struct KnownDevice {
  FeatureGroups groups;
  std::vector<double> values;  ///< one for each network
};

struct FewSampleOptions {
  /// Measurements of a known device that the prior is fitted to at once, and how often others are
  /// drawn.
  std::size_t measurements = 50;
  std::size_t repetitions = 3;
  int iterations = 60;
  /// Of the normal prior on logarithms of variances.
  double prior_precision = 0.1;
};

class FewSampleRegression {
 public:
  /// A prior for `groups` groups of features, from `devices`; from none, all groups count alike.
  FewSampleRegression(std::size_t groups, std::span<const KnownDevice> devices, std::uint64_t seed,
                      const FewSampleOptions& options = {});

  /// For every network, given `values` measured for the networks `measured`. Any unit. Requires at
  /// least two measurements. Groups as in the known devices, though with other columns.
  [[nodiscard]] std::vector<Prediction> predict(const FeatureGroups& groups,
                                                std::span<const std::size_t> measured,
                                                std::span<const double> values) const;

  /// `count` networks of `candidates` to measure, each the one of which the ones before leave most
  /// uncertain. Requires as many candidates.
  [[nodiscard]] std::vector<std::size_t> most_telling(const FeatureGroups& groups,
                                                      std::span<const std::size_t> candidates,
                                                      std::size_t count) const;

  /// Logarithms of the groups' variances (and unused lengths), then of the noise's.
  [[nodiscard]] const LogHyperparameters& prior() const { return prior_; }

 private:
  [[nodiscard]] Matrix weighted(const FeatureGroups& groups) const;

  LogHyperparameters prior_;
};

}  // namespace cosearch::predictors
