#include "predictors/gaussian_process.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "core/user_error.h"
#include "predictors/matrix_state.h"

namespace cosearch::predictors {
namespace {

// Targets have variance 1: a tenth of it is noise until the data say otherwise.
constexpr double kInitialNoise = 0.1;

// A covariance of so many takes 200 MB, and fitting holds a few of that size.
constexpr std::size_t kMostExamples = 5000;

// Rows whose covariance with all training rows is held at once.
constexpr Eigen::Index kRowsAtOnce = 512;

KernelForm form_for(FeatureKind kind) {
  return kind == FeatureKind::indicator ? KernelForm::hamming : KernelForm::matern32;
}

Kernel kernel_for(const std::vector<FeatureColumn>& columns) {
  std::vector<KernelTerm> terms;
  for (const FeatureKind kind :
       {FeatureKind::continuous, FeatureKind::count, FeatureKind::indicator}) {
    KernelTerm term{.form = form_for(kind), .columns = {}};
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i].kind == kind) term.columns.push_back(static_cast<Eigen::Index>(i));
    if (!term.columns.empty()) terms.push_back(std::move(term));
  }
  if (terms.empty()) throw UserError("a Gaussian process needs features, and none are given");
  return Kernel(std::move(terms), /*offset_variance=*/0);
}

std::vector<Eigen::Index> draw_rows(Eigen::Index rows, std::size_t count, std::uint64_t seed) {
  std::vector<Eigen::Index> drawn(static_cast<std::size_t>(rows));
  std::iota(drawn.begin(), drawn.end(), Eigen::Index{0});
  if (drawn.size() <= count) return drawn;
  Random(seed, "gaussian process hyperparameters").shuffle(std::span(drawn));
  drawn.resize(count);
  return drawn;
}

}  // namespace

void GaussianProcess::learn(const Examples& examples, std::span<const double> targets,
                            std::uint64_t seed) {
  if (examples.rows() > kMostExamples)
    throw UserError(std::to_string(examples.rows()) + " examples are too many for a Gaussian " +
                    "process: give it " + std::to_string(kMostExamples) +
                    " at most, or train another model");
  const Kernel kernel = kernel_for(examples.columns);
  scaler_ = FeatureScaler(examples, FeatureScaler::Scope::continuous_columns);
  inputs_ = scaler_.apply(examples);
  targets_ = Eigen::Map<const Vector>(targets.data(), std::ssize(targets));

  const auto rows = draw_rows(inputs_.rows(), options_.hyperparameter_examples, seed);
  const Matrix drawn = inputs_(rows, Eigen::all);
  const RegressionTask task{kernel.relations(drawn, drawn), targets_(rows)};
  at_ = likeliest_hyperparameters(kernel, {&task, 1}, kernel.initial(task.relations, kInitialNoise),
                                  options_.prior_precision, options_.iterations);
  factorise();
}

void GaussianProcess::factorise() {
  const Kernel kernel = kernel_for(columns());
  Matrix covariance = kernel.covariance(kernel.relations(inputs_, inputs_), at_);
  covariance.diagonal().array() += std::exp(at_[at_.size() - 1]) + 1e-8;
  const Eigen::LLT<Matrix> factor(covariance);
  if (factor.info() != Eigen::Success)
    throw UserError("the Gaussian process's covariance is not positive definite");
  lower_ = factor.matrixL();
  weights_ = factor.solve(targets_);
}

std::vector<Prediction> GaussianProcess::infer(const Examples& examples) const {
  const Kernel kernel = kernel_for(columns());
  const Matrix inputs = scaler_.apply(examples);
  const double noise = std::exp(at_[at_.size() - 1]);
  std::vector<Prediction> predictions;
  for (Eigen::Index first = 0; first < inputs.rows(); first += kRowsAtOnce) {
    const Matrix some = inputs.middleRows(first, std::min(kRowsAtOnce, inputs.rows() - first));
    const Matrix across = kernel.covariance(kernel.relations(inputs_, some), at_);
    const Vector mean = across.transpose() * weights_;
    const Matrix explained = lower_.triangularView<Eigen::Lower>().solve(across);
    const Vector variance =
        kernel.variances(some, at_) - explained.colwise().squaredNorm().transpose();
    for (Eigen::Index row = 0; row < mean.size(); ++row)
      predictions.push_back({mean[row], std::sqrt(std::max(variance[row], 0.0) + noise)});
  }
  return predictions;
}

void GaussianProcess::write(ModelState& state) const {
  scaler_.write(state);
  state.numbers["log_hyperparameters"] = as_list(at_);
  state.numbers["inputs"] = as_list(inputs_);
  state.numbers["targets"] = as_list(targets_);
}

void GaussianProcess::read(const ModelState& state) {
  scaler_ = FeatureScaler(state);
  const auto rows = std::ssize(state.numbers_of("targets"));
  at_ = as_matrix(state, "log_hyperparameters", kernel_for(columns()).hyperparameters(), 1);
  inputs_ = as_matrix(state, "inputs", rows, std::ssize(columns()));
  targets_ = as_matrix(state, "targets", rows, 1);
  factorise();
}

}  // namespace cosearch::predictors
