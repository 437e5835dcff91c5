// Sums of kernels over groups of features, and the marginal likelihood of what they say of
// targets. Source: C. Rasmussen, C. Williams, "Gaussian Processes for Machine Learning", MIT Press
// 2006, sections 4.2 (kernels) and 5.4.1 (likelihood and its gradient).
#pragma once

#include <span>
#include <vector>

#include "predictors/feature_scaler.h"

namespace cosearch::predictors {

enum class KernelForm : std::uint8_t {
  linear,    ///< x.x' / columns: a weight for each column
  matern32,  ///< (1 + sqrt(3) d) exp(-sqrt(3) d), d the distance over the length: eq. 4.17
  hamming,   ///< exp(-h / length), h how many indicator pairs differ
};

/// A variance times a form, over the features of one group.
struct KernelTerm {
  KernelForm form = KernelForm::matern32;
  std::vector<Eigen::Index> columns;  ///< of the feature matrix
};

/// What a covariance depends on: for each term the logarithms of its variance and its length (which
/// a linear term has no use for), then that of the noise's variance.
using LogHyperparameters = Vector;

class Kernel {
 public:
  /// `offset_variance`: of a constant that is added to all values, known beforehand.
  Kernel(std::vector<KernelTerm> terms, double offset_variance)
      : terms_(std::move(terms)), offset_variance_(offset_variance) {}

  [[nodiscard]] const std::vector<KernelTerm>& terms() const { return terms_; }
  [[nodiscard]] Eigen::Index hyperparameters() const { return 2 * std::ssize(terms_) + 1; }
  [[nodiscard]] double offset_variance() const { return offset_variance_; }

  /// Term by term what it needs to know of every pair of a row of `a` and one of `b`: products,
  /// distances or counts of differences.
  [[nodiscard]] std::vector<Matrix> relations(const Matrix& a, const Matrix& b) const;

  /// Without noise.
  [[nodiscard]] Matrix covariance(const std::vector<Matrix>& relations,
                                  const LogHyperparameters& at) const;
  /// The diagonal of covariance(relations(a, a)).
  [[nodiscard]] Vector variances(const Matrix& a, const LogHyperparameters& at) const;

  /// A start: unit variance shared by the terms, lengths of the median relation, `noise` variance.
  [[nodiscard]] LogHyperparameters initial(const std::vector<Matrix>& relations,
                                           double noise) const;

  /// -log p(targets), without the constant; its gradient is added to `gradient`.
  /// Infinite when the covariance is not positive definite.
  [[nodiscard]] double negative_log_likelihood(const std::vector<Matrix>& relations,
                                               const Vector& targets, const LogHyperparameters& at,
                                               LogHyperparameters& gradient) const;

 private:
  [[nodiscard]] Matrix term_covariance(std::size_t term, const Matrix& relation,
                                       const LogHyperparameters& at) const;
  /// By the logarithm of the term's length.
  [[nodiscard]] Matrix length_derivative(std::size_t term, const Matrix& relation,
                                         const LogHyperparameters& at) const;

  std::vector<KernelTerm> terms_;
  double offset_variance_;
};

/// Targets with the relations of their rows.
struct RegressionTask {
  std::vector<Matrix> relations;
  Vector targets;
};

/// The hyper-parameters under which all `tasks` together are likeliest, started from and drawn
/// towards `start` by a normal prior of precision `prior_precision` on each logarithm. Optimiser:
/// Rprop, as in M. Blum, M. Riedmiller, "Optimization of Gaussian process hyperparameters using
/// Rprop", ESANN 2013.
[[nodiscard]] LogHyperparameters likeliest_hyperparameters(const Kernel& kernel,
                                                           std::span<const RegressionTask> tasks,
                                                           const LogHyperparameters& start,
                                                           double prior_precision, int iterations);

}  // namespace cosearch::predictors
