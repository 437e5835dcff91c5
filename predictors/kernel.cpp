#include "predictors/kernel.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "predictors/rank_correlation.h"

namespace cosearch::predictors {
namespace {

// Keeps a covariance of repeated rows positive definite.
constexpr double kJitter = 1e-8;

Matrix squared_distances(const Matrix& a, const Matrix& b) {
  Matrix squares = -2.0 * a * b.transpose();
  squares.colwise() += a.rowwise().squaredNorm();
  squares.rowwise() += b.rowwise().squaredNorm().transpose();
  return squares.cwiseMax(0.0);
}

Matrix relation_of(KernelForm form, const Matrix& a, const Matrix& b) {
  switch (form) {
    case KernelForm::linear:
      return a * b.transpose() / static_cast<double>(a.cols());
    case KernelForm::matern32:
      return squared_distances(a, b).cwiseSqrt();
    case KernelForm::hamming:  // a position that differs does so in two indicators
      return squared_distances(a, b) / 2.0;
  }
  return {};
}

double median_of_positive(const Matrix& relation) {
  std::vector<double> positive;
  for (const double value : relation.reshaped())
    if (value > 0) positive.push_back(value);
  return positive.empty() ? 1.0 : quantile(positive, 0.5);
}

}  // namespace

std::vector<Matrix> Kernel::relations(const Matrix& a, const Matrix& b) const {
  std::vector<Matrix> relations;
  for (const KernelTerm& term : terms_)
    relations.push_back(
        relation_of(term.form, a(Eigen::all, term.columns), b(Eigen::all, term.columns)));
  return relations;
}

Matrix Kernel::term_covariance(std::size_t term, const Matrix& relation,
                               const LogHyperparameters& at) const {
  const double variance = std::exp(at[2 * static_cast<Eigen::Index>(term)]);
  const double length = std::exp(at[2 * static_cast<Eigen::Index>(term) + 1]);
  switch (terms_[term].form) {
    case KernelForm::linear:
      return variance * relation;
    case KernelForm::matern32: {
      const Eigen::ArrayXXd d = relation.array() * (std::numbers::sqrt3 / length);
      return variance * (1 + d) * (-d).exp();
    }
    case KernelForm::hamming:
      return variance * (relation.array() * (-1 / length)).exp();
  }
  return {};
}

Matrix Kernel::length_derivative(std::size_t term, const Matrix& relation,
                                 const LogHyperparameters& at) const {
  const double variance = std::exp(at[2 * static_cast<Eigen::Index>(term)]);
  const double length = std::exp(at[2 * static_cast<Eigen::Index>(term) + 1]);
  switch (terms_[term].form) {
    case KernelForm::linear:
      return Matrix::Zero(relation.rows(), relation.cols());
    case KernelForm::matern32: {
      const Eigen::ArrayXXd d = relation.array() * (std::numbers::sqrt3 / length);
      return variance * d.square() * (-d).exp();
    }
    case KernelForm::hamming: {
      const Eigen::ArrayXXd h = relation.array() / length;
      return variance * h * (-h).exp();
    }
  }
  return {};
}

Matrix Kernel::covariance(const std::vector<Matrix>& relations,
                          const LogHyperparameters& at) const {
  Matrix sum =
      Matrix::Constant(relations.front().rows(), relations.front().cols(), offset_variance_);
  for (std::size_t term = 0; term < terms_.size(); ++term)
    sum += term_covariance(term, relations[term], at);
  return sum;
}

Vector Kernel::variances(const Matrix& a, const LogHyperparameters& at) const {
  Vector sum = Vector::Constant(a.rows(), offset_variance_);
  for (std::size_t term = 0; term < terms_.size(); ++term) {
    const double variance = std::exp(at[2 * static_cast<Eigen::Index>(term)]);
    const std::vector<Eigen::Index>& columns = terms_[term].columns;
    if (terms_[term].form == KernelForm::linear)
      sum += variance / static_cast<double>(columns.size()) *
             a(Eigen::all, columns).rowwise().squaredNorm();
    else
      sum.array() += variance;
  }
  return sum;
}

LogHyperparameters Kernel::initial(const std::vector<Matrix>& relations, double noise) const {
  LogHyperparameters at(hyperparameters());
  for (std::size_t term = 0; term < terms_.size(); ++term) {
    const auto place = 2 * static_cast<Eigen::Index>(term);
    at[place] = -std::log(static_cast<double>(terms_.size()));
    at[place + 1] = terms_[term].form == KernelForm::linear
                        ? 0.0
                        : std::log(median_of_positive(relations[term]));
  }
  at[at.size() - 1] = std::log(noise);
  return at;
}

double Kernel::negative_log_likelihood(const std::vector<Matrix>& relations, const Vector& targets,
                                       const LogHyperparameters& at,
                                       LogHyperparameters& gradient) const {
  const double noise = std::exp(at[at.size() - 1]);
  Matrix sum = covariance(relations, at);
  sum.diagonal().array() += noise + kJitter;
  const Eigen::LLT<Matrix> factor(sum);
  if (factor.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
  const Matrix inverse = factor.solve(Matrix::Identity(sum.rows(), sum.cols()));
  const Vector weights = inverse * targets;
  // Eq. 5.9: half the trace of (K^-1 - a a') dK.
  const Matrix slope = 0.5 * (inverse - weights * weights.transpose());
  for (std::size_t term = 0; term < terms_.size(); ++term) {
    const auto place = 2 * static_cast<Eigen::Index>(term);
    gradient[place] += slope.cwiseProduct(term_covariance(term, relations[term], at)).sum();
    if (terms_[term].form != KernelForm::linear)
      gradient[place + 1] += slope.cwiseProduct(length_derivative(term, relations[term], at)).sum();
  }
  gradient[at.size() - 1] += noise * slope.trace();
  const double half_log_determinant = factor.matrixLLT().diagonal().array().log().sum();
  return 0.5 * targets.dot(weights) + half_log_determinant;
}

namespace {

// Resilient back-propagation: a step for each coordinate, longer while the slope keeps its sign.
class Rprop {
 public:
  explicit Rprop(Eigen::Index size)
      : step_(Vector::Constant(size, 0.2)), previous_(Vector::Zero(size)) {}

  void move(Vector& point, const Vector& slope) {
    for (Eigen::Index i = 0; i < point.size(); ++i) {
      const double agreement = slope[i] * previous_[i];
      if (agreement > 0) step_[i] = std::min(1.2 * step_[i], kMostStep);
      if (agreement < 0) step_[i] = std::max(0.5 * step_[i], kLeastStep);
      if (slope[i] != 0) point[i] -= std::copysign(step_[i], slope[i]);
    }
    previous_ = slope;
  }

 private:
  static constexpr double kLeastStep = 1e-3, kMostStep = 1.0;
  Vector step_, previous_;
};

}  // namespace

LogHyperparameters likeliest_hyperparameters(const Kernel& kernel,
                                             std::span<const RegressionTask> tasks,
                                             const LogHyperparameters& start,
                                             double prior_precision, int iterations) {
  LogHyperparameters at = start, best = start;
  double least = std::numeric_limits<double>::infinity();
  Rprop optimiser(start.size());
  for (int iteration = 0; iteration < iterations; ++iteration) {
    LogHyperparameters gradient = prior_precision * (at - start);
    double value = 0.5 * prior_precision * (at - start).squaredNorm();
    for (const RegressionTask& task : tasks)
      value += kernel.negative_log_likelihood(task.relations, task.targets, at, gradient);
    if (!std::isfinite(value)) break;
    if (value < least) {
      least = value;
      best = at;
    }
    optimiser.move(at, gradient);
  }
  return best;
}

}  // namespace cosearch::predictors
