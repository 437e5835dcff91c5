#include "predictors/few_sample.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <algorithm>
#include <numeric>

#include "predictors/rank_correlation.h"
#include "tests/predictors/support.h"

namespace cosearch::predictors {
namespace {

constexpr Eigen::Index kNetworks = 300;

Matrix random_matrix(Eigen::Index columns, Random& random) {
  Matrix matrix(kNetworks, columns);
  for (double& value : matrix.reshaped()) value = normal(random);
  return matrix;
}

// Devices whose latencies follow the first group with weights of their own; the second says
// nothing.
struct World {
  Matrix telling, idle;
  std::vector<std::vector<double>> devices;

  explicit World(std::uint64_t seed) {
    Random random(seed, "few-sample test");
    telling = standardised(random_matrix(4, random));
    idle = standardised(random_matrix(20, random));
    for (int device = 0; device < 5; ++device) {
      Vector weights(4);
      for (double& weight : weights) weight = normal(random);
      devices.emplace_back();
      for (Eigen::Index i = 0; i < kNetworks; ++i)
        devices.back().push_back(50 + 10 * telling.row(i).dot(weights) + 0.5 * normal(random));
    }
  }
  [[nodiscard]] std::vector<KnownDevice> known(std::size_t count) const {
    std::vector<KnownDevice> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back({{telling, idle}, devices[i]});
    return all;
  }
};

double spearman_of(const FewSampleRegression& regression, const World& world,
                   const std::vector<std::size_t>& measured) {
  std::vector<double> values, means;
  for (const std::size_t row : measured) values.push_back(world.devices.back()[row]);
  for (const Prediction& p : regression.predict({world.telling, world.idle}, measured, values))
    means.push_back(p.mean);
  return spearman(means, world.devices.back());
}

TEST(FewSample, LearnsFromOtherDevicesWhichFeaturesTell) {
  double learned_sum = 0, naive_sum = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const World world(seed);
    const FewSampleRegression learned(2, world.known(4), seed), naive(2, {}, seed);
    EXPECT_GT(learned.prior()[0], learned.prior()[2]);
    const std::vector<std::size_t> measured{3, 50, 99, 120, 177, 203, 250, 290};
    learned_sum += spearman_of(learned, world, measured);
    naive_sum += spearman_of(naive, world, measured);
  }
  EXPECT_GT(learned_sum / 5, 0.97);
  EXPECT_GT(learned_sum, naive_sum + 0.1);
}

// The same posterior by the textbook's other formula, over examples instead of weights (eq. 2.12).
TEST(FewSample, AgreesWithTheFunctionSpaceView) {
  const World world(6);
  const FewSampleRegression regression(2, world.known(4), 6);
  const std::vector<std::size_t> measured{1, 20, 80, 140, 260};
  std::vector<double> values;
  for (const std::size_t row : measured) values.push_back(world.devices.back()[row]);
  const auto predictions = regression.predict({world.telling, world.idle}, measured, values);

  const double a = std::exp(regression.prior()[0]) / 4, b = std::exp(regression.prior()[2]) / 20;
  const Matrix covariance =
      (a * world.telling * world.telling.transpose() + b * world.idle * world.idle.transpose())
          .array() +
      100;
  const double noise = std::exp(regression.prior()[4]);
  const Eigen::Map<const Vector> raw(values.data(), 5);
  const double mean = raw.mean(),
               deviation = std::sqrt((raw.array() - mean).matrix().squaredNorm() / 5);
  const std::vector<Eigen::Index> rows(measured.begin(), measured.end());
  const Matrix inner = Matrix(covariance(rows, rows)) + noise * Matrix::Identity(5, 5);
  const Matrix inverse = inner.inverse();
  for (Eigen::Index i = 0; i < kNetworks; i += 7) {
    const Vector across = covariance(rows, i);
    EXPECT_NEAR(predictions[static_cast<std::size_t>(i)].mean,
                mean + across.dot(inverse * (raw.array() - mean).matrix()), 1e-6);
    EXPECT_NEAR(predictions[static_cast<std::size_t>(i)].deviation,
                deviation * std::sqrt(covariance(i, i) - across.dot(inverse * across) + noise),
                1e-6);
  }
}

TEST(FewSample, UnitsDoNotMatter) {
  const World world(7);
  const FewSampleRegression regression(2, world.known(4), 7);
  const std::vector<std::size_t> measured{1, 20, 80, 140, 260};
  std::vector<double> values, thousandfold;
  for (const std::size_t row : measured) {
    values.push_back(world.devices.back()[row]);
    thousandfold.push_back(1000 * values.back());
  }
  const FeatureGroups groups{world.telling, world.idle};
  const auto one = regression.predict(groups, measured, values),
             other = regression.predict(groups, measured, thousandfold);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_NEAR(other[i].mean, 1000 * one[i].mean, 1e-6 * std::abs(other[i].mean));
    EXPECT_NEAR(other[i].deviation, 1000 * one[i].deviation, 1e-6 * other[i].deviation);
  }
}

TEST(FewSample, ChoosesTheLargestVarianceLeftAndNothingTwice) {
  const World world(8);
  const FewSampleRegression regression(2, world.known(4), 8);
  const FeatureGroups groups{world.telling, world.idle};
  std::vector<std::size_t> candidates(60);
  std::iota(candidates.begin(), candidates.end(), std::size_t{100});
  const auto chosen = regression.most_telling(groups, candidates, 20);
  // By refitting: the next one chosen is the one of which the ones before leave most uncertain.
  for (std::size_t count = 2; count < chosen.size(); count += 5) {
    const std::span<const std::size_t> before(chosen.data(), count);
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = i % 2 == 0 ? 1 : -1;  // deviation 1
    const auto predictions = regression.predict(groups, before, values);
    double most = 0;
    for (const std::size_t row : candidates)
      if (std::ranges::find(before, row) == before.end())
        most = std::max(most, predictions[row].deviation);
    EXPECT_NEAR(predictions[chosen[count]].deviation, most, 1e-6 * most);
  }
  std::vector<std::size_t> sorted = chosen;
  std::ranges::sort(sorted);
  EXPECT_EQ(std::ranges::adjacent_find(sorted), sorted.end());
}

TEST(FewSample, StandardisesAndLeavesConstantsAtZero) {
  Matrix columns(3, 2);
  columns << 1, 7, 2, 7, 3, 7;
  const Matrix scaled = standardised(std::move(columns));
  EXPECT_NEAR(scaled.col(0).squaredNorm() / 3, 1, 1e-12);
  EXPECT_NEAR(scaled.col(0).sum(), 0, 1e-12);
  EXPECT_EQ(scaled.col(1), Vector::Zero(3));
}

}  // namespace
}  // namespace cosearch::predictors
