// What holds of every predictor, and what holds of ridge regression and Gaussian processes.
#include "predictors/predictor.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "core/user_error.h"
#include "predictors/gaussian_process.h"
#include "predictors/rank_correlation.h"
#include "predictors/registry.h"
#include "predictors/ridge.h"
#include "predictors/target_scale.h"
#include "tests/predictors/support.h"
#include "tests/support/message_of.h"

namespace cosearch::predictors {
namespace {

const std::vector<std::string> kModels{"ridge", "xgboost", "xgboost:rank", "gaussian-process"};
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using test::message_of;

void expect_equal(const std::vector<Prediction>& a, const std::vector<Prediction>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].mean, b[i].mean);
    EXPECT_EQ(a[i].deviation, b[i].deviation);
  }
}

struct Case {
  Examples training, test;
  std::vector<double> targets, test_targets;
};

Case smooth_case(std::size_t rows, double noise, std::uint64_t seed) {
  Random random(seed, "predictor test");
  Case made{random_examples(rows, 1, random), random_examples(400, 1, random), {}, {}};
  const std::vector<double> raw = smooth_targets(made.training, noise, random);
  const TargetScale scale(ScaleKind::linear, raw);
  made.targets = scale.forward(raw);
  made.test_targets = scale.forward(smooth_targets(made.test, noise, random));
  return made;
}

TEST(Predictor, EveryModelRanksWhatItHasNotSeen) {
  const Case data = smooth_case(150, 0.1, 1);
  for (const std::string& model : kModels) {
    SCOPED_TRACE(model);
    const auto predictor = make_predictor(model);
    predictor->fit(data.training, data.targets, 1);
    std::vector<double> means;
    for (const Prediction& p : predictor->predict(data.test)) means.push_back(p.mean);
    EXPECT_GT(kendall_tau_b(means, data.test_targets), 0.65);
  }
}

TEST(Predictor, SpreadHoldsTheShareOfTargetsItSays) {
  const Case data = smooth_case(200, 0.4, 2);
  for (const std::string& model : kModels) {
    SCOPED_TRACE(model);
    const auto predictor = make_predictor(model);
    predictor->fit(data.training, data.targets, 1);
    double inside = 0;
    const std::vector<Prediction> predictions = predictor->predict(data.test);
    for (std::size_t i = 0; i < predictions.size(); ++i)
      if (std::abs(data.test_targets[i] - predictions[i].mean) <= 1.96 * predictions[i].deviation)
        ++inside;
    EXPECT_NEAR(inside / static_cast<double>(predictions.size()), 0.95, 0.05);
  }
}

TEST(Predictor, RestoredPredictsTheSameBits) {
  const Case data = smooth_case(60, 0.2, 3);
  for (const std::string& model : kModels) {
    SCOPED_TRACE(model);
    const auto predictor = make_predictor(model), again = make_predictor(model);
    predictor->fit(data.training, data.targets, 1);
    again->restore(predictor->state(), predictor->columns());
    expect_equal(predictor->predict(data.test), again->predict(data.test));
  }
}

TEST(Predictor, SameSeedSameBits) {
  const Case data = smooth_case(40, 0.2, 4);
  for (const std::string& model : kModels) {
    SCOPED_TRACE(model);
    const auto one = make_predictor(model), two = make_predictor(model);
    one->fit(data.training, data.targets, 7);
    two->fit(data.training, data.targets, 7);
    expect_equal(one->predict(data.test), two->predict(data.test));
  }
}

TEST(Predictor, NamesTheRowAndTheColumnItCannotTake) {
  Case data = smooth_case(30, 0.2, 5);
  for (const std::string& model : kModels) {
    SCOPED_TRACE(model);
    const auto predictor = make_predictor(model);
    std::vector<double> targets = data.targets;
    targets[17] = kNaN;
    EXPECT_EQ(message_of([&] { predictor->fit(data.training, targets, 1); }),
              "example 17: its target is not a finite number");
    Examples examples = data.training;
    examples.features[3 * 4 + 1] = std::numeric_limits<double>::infinity();
    EXPECT_EQ(message_of([&] { predictor->fit(examples, data.targets, 1); }),
              "example 4: feature 'n0' is infinite; leave what is not known empty");
  }
}

TEST(Predictor, RefusesTooFewExamplesAndOtherFeatures) {
  const Case data = smooth_case(30, 0.2, 6);
  for (const std::string& model : kModels) {
    SCOPED_TRACE(model);
    const auto predictor = make_predictor(model);
    const std::vector<std::size_t> two{0, 1};
    EXPECT_NE(message_of([&] {
                predictor->fit(data.training.subset(two), std::vector<double>{1, 2}, 1);
              }).find("2 examples are too few: this model needs "),
              std::string::npos);
    predictor->fit(data.training, data.targets, 1);
    Examples other = data.test;
    other.columns[1].name = "x";
    EXPECT_EQ(message_of([&] { (void)predictor->predict(other); }),
              "these are not the features it was trained on: column 2 is 'x', expected "
              "'n0'");
  }
}

TEST(Predictor, TakesWhatIsMissingForTheMedian) {
  Case data = smooth_case(40, 0.2, 7);
  for (std::size_t row = 0; row < 40; ++row) data.training.features[3 * row] = row < 20 ? 5 : 15;
  data.training.features[0] = 10;  // the median, between two halves
  Examples known = data.test.subset(std::vector<std::size_t>{0}), missing = known;
  std::vector<double> column;
  for (std::size_t row = 0; row < 40; ++row) column.push_back(data.training.features[3 * row]);
  known.features[0] = quantile(column, 0.5);
  missing.features[0] = kNaN;
  for (const std::string model : {"ridge", "gaussian-process"}) {
    SCOPED_TRACE(model);
    const auto predictor = make_predictor(model);
    predictor->fit(data.training, data.targets, 1);
    expect_equal(predictor->predict(known), predictor->predict(missing));
  }
}

TEST(Predictor, UnknownNamesAreMetWithSuggestions) {
  EXPECT_NE(message_of([] { (void)make_predictor("xgbost"); }).find("did you mean 'xgboost'?"),
            std::string::npos);
  EXPECT_EQ(message_of([] { (void)make_predictor("ridge:rank"); }),
            "predictor 'ridge' has no ranking loss");
}

TEST(Predictor, RefusesADamagedState) {
  const Case data = smooth_case(30, 0.2, 8);
  for (const std::string& model : kModels) {
    SCOPED_TRACE(model);
    const auto predictor = make_predictor(model);
    predictor->fit(data.training, data.targets, 1);
    const ModelState whole = predictor->state();
    for (const auto& [name, values] : whole.numbers) {
      ModelState damaged = whole;
      damaged.numbers.erase(name);
      EXPECT_NE(message_of([&] {
                  make_predictor(model)->restore(damaged, predictor->columns());
                }).find("'" + name + "'"),
                std::string::npos);
    }
  }
}

// ---- ridge
// ---------------------------------------------------------------------------------------

Eigen::MatrixXd standardised_by_hand(const Examples& examples) {
  Eigen::MatrixXd x(examples.rows(), examples.columns.size());
  for (Eigen::Index row = 0; row < x.rows(); ++row)
    for (Eigen::Index column = 0; column < x.cols(); ++column)
      x(row, column) =
          examples.row(static_cast<std::size_t>(row))[static_cast<std::size_t>(column)];
  for (Eigen::Index column = 0; column < x.cols(); ++column) {
    x.col(column).array() -= x.col(column).mean();
    x.col(column) /= std::sqrt(x.col(column).squaredNorm() / static_cast<double>(x.rows()));
  }
  return x;
}

TEST(Ridge, AgreesWithTheNormalEquations) {
  const Case data = smooth_case(25, 0.3, 9);
  Ridge ridge;
  ridge.fit(data.training, data.targets, 1);
  const Eigen::MatrixXd x = standardised_by_hand(data.training);
  const Eigen::Map<const Eigen::VectorXd> y(data.targets.data(), 25);
  const Eigen::MatrixXd inner =
      x.transpose() * x + ridge.penalty() * Eigen::MatrixXd::Identity(x.cols(), x.cols());
  const Eigen::VectorXd expected =
      (x * inner.inverse() * x.transpose() * (y.array() - y.mean()).matrix()).array() + y.mean();
  const auto predictions = ridge.predict(data.training);
  for (std::size_t i = 0; i < predictions.size(); ++i)
    EXPECT_NEAR(predictions[i].mean, expected[static_cast<Eigen::Index>(i)], 1e-9);
}

// Leave-one-out error by leaving one out: the penalty chosen has the least of the grid.
TEST(Ridge, ChoosesThePenaltyOfTheLeastLeaveOneOutError) {
  const Case data = smooth_case(15, 0.5, 10);
  Ridge ridge;
  ridge.fit(data.training, data.targets, 1);
  const Eigen::MatrixXd x = standardised_by_hand(data.training);
  const Eigen::Map<const Eigen::VectorXd> y(data.targets.data(), 15);
  const auto error_of = [&](double penalty) {
    double sum = 0;
    for (Eigen::Index out = 0; out < x.rows(); ++out) {
      // Without the row: its weight is zero. The intercept is one more column, not penalised.
      Eigen::MatrixXd with_one(x.rows(), x.cols() + 1);
      with_one << x, Eigen::VectorXd::Ones(x.rows());
      Eigen::MatrixXd kept = with_one;
      kept.row(out).setZero();
      Eigen::MatrixXd inner = kept.transpose() * kept;
      inner.diagonal().head(x.cols()).array() += penalty;
      Eigen::VectorXd kept_y = y;
      kept_y[out] = 0;
      const Eigen::VectorXd weights = inner.ldlt().solve(kept.transpose() * kept_y);
      sum += std::pow(y[out] - with_one.row(out).dot(weights), 2);
    }
    return sum;
  };
  const double chosen = error_of(ridge.penalty());
  for (double power = -4; power <= 6; power += 0.25)
    EXPECT_LE(chosen, error_of(std::pow(10, power)) * (1 + 1e-9)) << power;
}

// ---- Gaussian process
// ------------------------------------------------------------------------------

double matern32(double distance, double length) {
  const double d = std::sqrt(3.0) * distance / length;
  return (1 + d) * std::exp(-d);
}

// Kernel between two rows of c, n, i, written out for one column of each kind.
double kernel_by_hand(std::span<const double> a, std::span<const double> b, double deviation,
                      const LogHyperparameters& at) {
  const auto e = [&](Eigen::Index i) { return std::exp(at[i]); };
  return e(0) * matern32(std::abs(a[0] - b[0]) / deviation, e(1)) +
         e(2) * matern32(std::abs(a[1] - b[1]), e(3)) +
         e(4) * std::exp(-(a[2] == b[2] ? 0.0 : 0.5) / e(5));
}

TEST(GaussianProcess, AgreesWithTheTextbook) {
  const Case data = smooth_case(20, 0.2, 11);
  GaussianProcess process;
  process.fit(data.training, data.targets, 1);
  const LogHyperparameters at = process.hyperparameters();
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < 20; ++i) mean += data.training.row(i)[0] / 20;
  for (std::size_t i = 0; i < 20; ++i) squares += std::pow(data.training.row(i)[0] - mean, 2) / 20;
  const double deviation = std::sqrt(squares), noise = std::exp(at[6]);
  const auto k = [&](std::span<const double> a, std::span<const double> b) {
    return kernel_by_hand(a, b, deviation, at);
  };
  Eigen::MatrixXd covariance(20, 20);
  for (Eigen::Index i = 0; i < 20; ++i)
    for (Eigen::Index j = 0; j < 20; ++j)
      covariance(i, j) = k(data.training.row(static_cast<std::size_t>(i)),
                           data.training.row(static_cast<std::size_t>(j))) +
                         (i == j ? noise + 1e-8 : 0);
  const Eigen::MatrixXd inverse = covariance.inverse();
  const Eigen::Map<const Eigen::VectorXd> y(data.targets.data(), 20);
  const auto predictions = process.predict(data.training);
  for (std::size_t test = 0; test < 20; ++test) {
    Eigen::VectorXd across(20);
    for (std::size_t i = 0; i < 20; ++i)
      across[static_cast<Eigen::Index>(i)] = k(data.training.row(i), data.training.row(test));
    const double variance =
        k(data.training.row(test), data.training.row(test)) - across.dot(inverse * across) + noise;
    EXPECT_NEAR(predictions[test].mean, across.dot(inverse * y), 1e-6);
    EXPECT_NEAR(predictions[test].deviation, std::sqrt(variance), 1e-6);
  }
}

TEST(GaussianProcess, PassesThroughWhatHasNoNoise) {
  const Case data = smooth_case(40, 0.0, 12);
  GaussianProcess process({.iterations = 200, .prior_precision = 1e-4});
  process.fit(data.training, data.targets, 1);
  const auto predictions = process.predict(data.training);
  for (std::size_t i = 0; i < predictions.size(); ++i)
    EXPECT_NEAR(predictions[i].mean, data.targets[i], 0.02);
}

TEST(GaussianProcess, RefusesMoreExamplesThanFitInMemory) {
  Examples many;
  many.columns = {{"c"}};
  many.features.resize(5001);
  GaussianProcess process;
  EXPECT_NE(message_of([&] {
              process.fit(many, std::vector<double>(5001), 1);
            }).find("5001 examples are too many"),
            std::string::npos);
}

TEST(GaussianProcess, IsSurerWhereItHasSeenMore) {
  Case data = smooth_case(40, 0.1, 13);
  // All but one training row lie far from the first probe, at the second.
  for (std::size_t row = 0; row < 40; ++row) {
    data.training.features[3 * row] = row == 0 ? 0 : 10 + 0.01 * static_cast<double>(row);
    data.training.features[3 * row + 1] = data.training.features[3 * row + 2] = 0;
  }
  GaussianProcess process;
  process.fit(data.training, data.targets, 1);
  Examples probes = data.training.subset(std::vector<std::size_t>{0, 20});
  probes.features[0] = 5;
  const auto predictions = process.predict(probes);
  EXPECT_GT(predictions[0].deviation, predictions[1].deviation);
}

// Central differences: the gradient is that of the value.
TEST(Kernel, GradientAgreesWithDifferences) {
  const Case data = smooth_case(12, 0.2, 14);
  const Kernel kernel(
      {{KernelForm::matern32, {0}}, {KernelForm::linear, {1}}, {KernelForm::hamming, {2}}}, 0.5);
  const Matrix x = standardised_by_hand(data.training);
  const std::vector<Matrix> relations = kernel.relations(x, x);
  const Eigen::Map<const Vector> y(data.targets.data(), 12);
  LogHyperparameters at = kernel.initial(relations, 0.1);
  at << -0.3, 0.4, -1, 0, -0.7, 0.2, -2;
  LogHyperparameters gradient = LogHyperparameters::Zero(at.size()), unused = gradient;
  (void)kernel.negative_log_likelihood(relations, y, at, gradient);
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    LogHyperparameters up = at, down = at;
    up[i] += 1e-5;
    down[i] -= 1e-5;
    const double slope = (kernel.negative_log_likelihood(relations, y, up, unused) -
                          kernel.negative_log_likelihood(relations, y, down, unused)) /
                         2e-5;
    EXPECT_NEAR(gradient[i], slope, 1e-5) << i;
  }
}

TEST(Kernel, LikelihoodIsThatOfTheNormalDistribution) {
  const Case data = smooth_case(3, 0.2, 15);
  const Kernel kernel({{KernelForm::linear, {0, 1, 2}}}, 0);
  const Matrix x = standardised_by_hand(data.training);
  const Eigen::Map<const Vector> y(data.targets.data(), 3);
  LogHyperparameters at(3), gradient = LogHyperparameters::Zero(3);
  at << 0.3, 0, -1;
  const Matrix covariance =
      std::exp(0.3) * x * x.transpose() / 3 + (std::exp(-1.0) + 1e-8) * Matrix::Identity(3, 3);
  EXPECT_NEAR(kernel.negative_log_likelihood(kernel.relations(x, x), y, at, gradient),
              0.5 * y.dot(covariance.inverse() * y) + 0.5 * std::log(covariance.determinant()),
              1e-9);
}

}  // namespace
}  // namespace cosearch::predictors
