#include "predictors/few_sample.h"

#include <Eigen/Cholesky>
#include <cassert>
#include <cmath>
#include <numeric>

#include "core/random.h"

namespace cosearch::predictors {
namespace {

// Of the mean over all networks in units of the measurements' own deviation: as good as unknown.
constexpr double kOffsetVariance = 100;
constexpr double kInitialNoise = 0.01;

Matrix joined(const FeatureGroups& groups) {
  Eigen::Index columns = 0;
  for (const Matrix& group : groups) columns += group.cols();
  Matrix all(groups.front().rows(), columns);
  columns = 0;
  for (const Matrix& group : groups) {
    all.middleCols(columns, group.cols()) = group;
    columns += group.cols();
  }
  return all;
}

Kernel kernel_of(const FeatureGroups& groups) {
  std::vector<KernelTerm> terms;
  Eigen::Index first = 0;
  for (const Matrix& group : groups) {
    KernelTerm term{.form = KernelForm::linear,
                    .columns = std::vector<Eigen::Index>(static_cast<std::size_t>(group.cols()))};
    std::iota(term.columns.begin(), term.columns.end(), first);
    first += group.cols();
    terms.push_back(std::move(term));
  }
  return Kernel(std::move(terms), kOffsetVariance);
}

Matrix rows_of(const Matrix& all, std::span<const std::size_t> rows) {
  Matrix some(std::ssize(rows), all.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    some.row(static_cast<Eigen::Index>(i)) = all.row(static_cast<Eigen::Index>(rows[i]));
  return some;
}

// Values as a regression sees them: the deviation is that of the measurements.
struct Standardised {
  double mean = 0, deviation = 1;
  Vector values;

  explicit Standardised(std::span<const double> measured) {
    const Eigen::Map<const Vector> raw(measured.data(), std::ssize(measured));
    mean = raw.mean();
    const Vector centred = raw.array() - mean;
    if (centred.squaredNorm() > 0)
      deviation = std::sqrt(centred.squaredNorm() / static_cast<double>(raw.size()));
    values = centred / deviation;
  }
};

RegressionTask task_of(const KnownDevice& device, std::size_t measurements, Random random) {
  std::vector<std::size_t> rows(device.values.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  random.shuffle(std::span(rows));
  rows.resize(std::min(measurements, rows.size()));
  std::vector<double> values;
  for (const std::size_t row : rows) values.push_back(device.values[row]);
  const Matrix some = rows_of(joined(device.groups), rows);
  return {kernel_of(device.groups).relations(some, some), Standardised(values).values};
}

}  // namespace

Matrix standardised(Matrix columns) {
  for (auto column : columns.colwise()) {
    column.array() -= column.mean();
    const double deviation = std::sqrt(column.squaredNorm() / static_cast<double>(column.size()));
    if (deviation > 0) column /= deviation;
  }
  return columns;
}

FewSampleRegression::FewSampleRegression(std::size_t groups, std::span<const KnownDevice> devices,
                                         std::uint64_t seed, const FewSampleOptions& options) {
  // Linear terms share one start whatever their relations are.
  const Kernel shape(std::vector<KernelTerm>(groups, {KernelForm::linear, {}}), kOffsetVariance);
  const LogHyperparameters start = shape.initial(std::vector<Matrix>(groups), kInitialNoise);
  std::vector<RegressionTask> tasks;
  for (const KnownDevice& device : devices)
    for (std::size_t repetition = 0; repetition < options.repetitions; ++repetition)
      tasks.push_back(
          task_of(device, options.measurements, Random(seed, "few-sample prior", tasks.size())));
  prior_ = tasks.empty() ? start
                         : likeliest_hyperparameters(shape, tasks, start, options.prior_precision,
                                                     options.iterations);
}

std::vector<Prediction> FewSampleRegression::predict(const FeatureGroups& groups,
                                                     std::span<const std::size_t> measured,
                                                     std::span<const double> values) const {
  assert(measured.size() == values.size() && measured.size() >= 2);
  const Kernel kernel = kernel_of(groups);
  const Matrix all = joined(groups), known = rows_of(all, measured);
  const Standardised target(values);
  const double noise = std::exp(prior_[prior_.size() - 1]);
  Matrix covariance = kernel.covariance(kernel.relations(known, known), prior_);
  covariance.diagonal().array() += noise;
  const Eigen::LLT<Matrix> factor(covariance);
  const Matrix across = kernel.covariance(kernel.relations(known, all), prior_);
  const Vector mean = across.transpose() * factor.solve(target.values);
  const Matrix explained = factor.matrixL().solve(across);
  const Vector variance =
      kernel.variances(all, prior_) - explained.colwise().squaredNorm().transpose();
  std::vector<Prediction> predictions;
  for (Eigen::Index i = 0; i < mean.size(); ++i)
    predictions.push_back({target.mean + target.deviation * mean[i],
                           target.deviation * std::sqrt(std::max(variance[i], 0.0) + noise)});
  return predictions;
}

std::vector<std::size_t> FewSampleRegression::most_telling(const FeatureGroups& groups,
                                                           std::span<const std::size_t> candidates,
                                                           std::size_t count) const {
  assert(count <= candidates.size());
  const Kernel kernel = kernel_of(groups);
  const Matrix some = rows_of(joined(groups), candidates);
  const Matrix covariance = kernel.covariance(kernel.relations(some, some), prior_);
  const double noise = std::exp(prior_[prior_.size() - 1]);
  // Pivoted Cholesky: the largest variance left is the next pivot.
  Vector left = covariance.diagonal();
  Matrix factor(some.rows(), static_cast<Eigen::Index>(count));
  std::vector<std::size_t> chosen;
  for (Eigen::Index step = 0; step < std::ssize(candidates) && chosen.size() < count; ++step) {
    Eigen::Index pivot = 0;
    left.maxCoeff(&pivot);
    Vector column =
        covariance.col(pivot) - factor.leftCols(step) * factor.row(pivot).head(step).transpose();
    column /= std::sqrt(left[pivot] + noise);
    factor.col(step) = column;
    left -= column.cwiseAbs2();
    left[pivot] = -1;  // measured once
    chosen.push_back(candidates[static_cast<std::size_t>(pivot)]);
  }
  return chosen;
}

}  // namespace cosearch::predictors
