#include "predictors/ridge.h"

#include <Eigen/Cholesky>
#include <Eigen/SVD>
#include <cmath>
#include <limits>

#include "predictors/matrix_state.h"

namespace cosearch::predictors {
namespace {

// From nearly none to nearly constant predictions, for standardised columns.
constexpr double kLeastPenaltyPower = -4, kMostPenaltyPower = 6, kPenaltyStep = 0.25;

// Mean squared leave-one-out error: each residual over one minus its leverage. The intercept, a
// column of its own that is not penalised, has leverage 1 / n.
double leave_one_out_error(const Matrix& u, const Vector& singular, const Vector& y,
                           double penalty) {
  const Vector shrink = singular.array().square() / (singular.array().square() + penalty);
  const Vector fitted = u * shrink.asDiagonal() * (u.transpose() * y);
  const Vector leverage =
      (u.array().square().matrix() * shrink).array() + 1.0 / static_cast<double>(y.size());
  return ((y - fitted).array() / (1 - leverage.array()).max(1e-9)).square().mean();
}

}  // namespace

void Ridge::learn(const Examples& examples, std::span<const double> targets, std::uint64_t) {
  scaler_ = FeatureScaler(examples, FeatureScaler::Scope::all_columns);
  const Matrix x = scaler_.apply(examples);
  const Eigen::Map<const Vector> y(targets.data(), std::ssize(targets));
  count_ = static_cast<double>(targets.size());
  intercept_ = y.mean();
  const Vector centred = y.array() - intercept_;

  const Eigen::BDCSVD<Matrix> svd(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Vector singular = svd.singularValues();
  noise_variance_ = std::numeric_limits<double>::infinity();
  for (double power = kLeastPenaltyPower; power <= kMostPenaltyPower; power += kPenaltyStep) {
    const double penalty = std::pow(10.0, power);
    const double error = leave_one_out_error(svd.matrixU(), singular, centred, penalty);
    if (error >= noise_variance_) continue;
    noise_variance_ = error;
    penalty_ = penalty;
  }
  const Vector shrink = singular.array() / (singular.array().square() + penalty_);
  weights_ = svd.matrixV() * shrink.asDiagonal() * (svd.matrixU().transpose() * centred);
  Matrix inner = x.transpose() * x;
  inner.diagonal().array() += penalty_;
  root_ = inner.llt().matrixL().solve(Matrix::Identity(inner.rows(), inner.cols())).transpose();
}

std::vector<Prediction> Ridge::infer(const Examples& examples) const {
  const Matrix x = scaler_.apply(examples);
  const Vector mean = (x * weights_).array() + intercept_;
  const Vector spread = (x * root_).rowwise().squaredNorm();
  std::vector<Prediction> predictions;
  for (Eigen::Index row = 0; row < mean.size(); ++row)
    predictions.push_back({mean[row], std::sqrt(noise_variance_ * (1 + 1 / count_ + spread[row]))});
  return predictions;
}

void Ridge::write(ModelState& state) const {
  scaler_.write(state);
  state.numbers["weights"] = as_list(weights_);
  state.numbers["inverse_root"] = as_list(root_);
  state.numbers["line"] = {penalty_, intercept_, noise_variance_, count_};
}

void Ridge::read(const ModelState& state) {
  scaler_ = FeatureScaler(state);
  const auto width = static_cast<Eigen::Index>(columns().size());
  weights_ = as_matrix(state, "weights", width, 1);
  root_ = as_matrix(state, "inverse_root", width, width);
  const std::vector<double>& line = state.numbers_of("line", 4);
  penalty_ = line[0], intercept_ = line[1], noise_variance_ = line[2], count_ = line[3];
}

}  // namespace cosearch::predictors
