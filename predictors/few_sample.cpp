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

Matrix as_matrix(const Examples& examples) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(examples.features.data(),
                                    static_cast<Eigen::Index>(examples.rows()),
                                    std::ssize(examples.columns));
}

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

// Features scaled so that all weights have variance 1, with a constant for the offset.
Matrix FewSampleRegression::weighted(const FeatureGroups& groups) const {
  Matrix all = joined(groups);
  Eigen::Index first = 0, place = 0;
  for (const Matrix& group : groups) {
    all.middleCols(first, group.cols()) *=
        std::sqrt(std::exp(prior_[place]) / static_cast<double>(group.cols()));
    first += group.cols();
    place += 2;
  }
  all.conservativeResize(Eigen::NoChange, first + 1);
  all.col(first).setConstant(std::sqrt(kOffsetVariance));
  return all;
}

std::vector<Prediction> FewSampleRegression::predict(const FeatureGroups& groups,
                                                     std::span<const std::size_t> measured,
                                                     std::span<const double> values) const {
  assert(measured.size() == values.size() && measured.size() >= 2);
  const Matrix all = weighted(groups), known = rows_of(all, measured);
  const Standardised target(values);
  const double noise = std::exp(prior_[prior_.size() - 1]);
  // Eq. 2.8: weights are normal around A^-1 X y / noise with covariance A^-1.
  Matrix precision = known.transpose() * known / noise;
  precision.diagonal().array() += 1;
  const Eigen::LLT<Matrix> factor(precision);
  const Vector weights = factor.solve(known.transpose() * target.values / noise);
  const Vector mean = all * weights;
  const Matrix root = factor.matrixL().solve(all.transpose());
  const Vector variance = root.colwise().squaredNorm().transpose();
  std::vector<Prediction> predictions;
  for (Eigen::Index i = 0; i < mean.size(); ++i)
    predictions.push_back({target.mean + target.deviation * mean[i],
                           target.deviation * std::sqrt(variance[i] + noise)});
  return predictions;
}

std::vector<std::size_t> FewSampleRegression::most_telling(const FeatureGroups& groups,
                                                           std::span<const std::size_t> candidates,
                                                           std::size_t count) const {
  assert(count <= candidates.size());
  const Matrix some = rows_of(weighted(groups), candidates);
  const double noise = std::exp(prior_[prior_.size() - 1]);
  // Pivoted Cholesky of the covariance: the largest variance left is the next pivot.
  Vector left = some.rowwise().squaredNorm();
  Matrix factor(some.rows(), static_cast<Eigen::Index>(count));
  std::vector<std::size_t> chosen;
  for (Eigen::Index step = 0; step < static_cast<Eigen::Index>(count); ++step) {
    Eigen::Index pivot = 0;
    left.maxCoeff(&pivot);
    const Vector explained = factor.leftCols(step) * factor.row(pivot).head(step).transpose();
    const Vector column = some * some.row(pivot).transpose() - explained;
    factor.col(step) = column / std::sqrt(left[pivot] + noise);
    left -= factor.col(step).cwiseAbs2();
    left[pivot] = -1;  // measured once
    chosen.push_back(candidates[static_cast<std::size_t>(pivot)]);
  }
  return chosen;
}

}  // namespace cosearch::predictors
