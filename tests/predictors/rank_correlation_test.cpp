#include "predictors/rank_correlation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/random.h"

namespace cosearch::predictors {
namespace {

// Small integers, so that ties are common.
std::vector<double> tied_values(std::size_t count, std::uint64_t distinct, Random& random) {
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<double>(random.below(distinct)) - 2;
  return values;
}

// A value's rank is one more than the values below it, plus half of the other values equal to it.
std::vector<double> ranks_by_counting(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    double rank = 0.5;
    for (const double other : values) rank += other < value ? 1 : other == value ? 0.5 : 0;
    ranks.push_back(rank);
  }
  return ranks;
}

// Pearson's coefficient from pairwise differences: it needs no mean.
double pearson_by_pairs(const std::vector<double>& x, const std::vector<double>& y) {
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      xx += (x[i] - x[j]) * (x[i] - x[j]);
      yy += (y[i] - y[j]) * (y[i] - y[j]);
      xy += (x[i] - x[j]) * (y[i] - y[j]);
    }
  }
  return xy / std::sqrt(xx * yy);
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

// Tau-b from its definition: Pearson's coefficient of the signs of all pairwise differences.
double tau_b_by_pairs(const std::vector<double>& x, const std::vector<double>& y) {
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double sx = sign(x[i] - x[j]), sy = sign(y[i] - y[j]);
      xx += sx * sx;
      yy += sy * sy;
      xy += sx * sy;
    }
  }
  return xy / std::sqrt(xx * yy);
}

void expect_same(double expected, double actual) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << actual;
  } else {
    EXPECT_NEAR(expected, actual, 1e-12);
  }
}

TEST(RankCorrelation, AgreesWithBruteForceOnTiedValues) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::size_t count = 2 + random.below(40);
    const std::uint64_t distinct = 1 + random.below(8);
    const auto x = tied_values(count, distinct, random);
    const auto y = tied_values(count, distinct, random);
    EXPECT_EQ(average_ranks(x), ranks_by_counting(x));
    expect_same(pearson_by_pairs(x, y), pearson(x, y));
    expect_same(pearson_by_pairs(ranks_by_counting(x), ranks_by_counting(y)), spearman(x, y));
    expect_same(tau_b_by_pairs(x, y), kendall_tau_b(x, y));
  }
}

TEST(RankCorrelation, EqualsValuesWorkedByHand) {
  const std::vector<double> x{1, 2, 3, 4, 5}, y{2, 1, 4, 3, 5};
  // Rank differences 1, 1, 1, 1, 0: rho = 1 - 6*4 / (5*24) = 0.8.
  EXPECT_NEAR(spearman(x, y), 0.8, 1e-15);
  // Two of ten pairs are discordant: tau = (8 - 2) / 10.
  EXPECT_NEAR(kendall_tau_b(x, y), 0.6, 1e-15);
  // With x tied once: pairs 3, concordant 2, tied in x 1: tau-b = 2 / sqrt(2 * 3).
  EXPECT_NEAR(kendall_tau_b(std::vector<double>{1, 1, 2}, std::vector<double>{1, 2, 3}),
              2 / std::sqrt(6.0), 1e-15);
  EXPECT_EQ(average_ranks(std::vector<double>{30, 10, 20, 10}),
            (std::vector<double>{4, 1.5, 3, 1.5}));
}

TEST(RankCorrelation, RanksDoNotSeeIncreasingTransformations) {
  Random random(5);
  std::vector<double> x(50), y(50), exponential(50), reversed(50);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = random.uniform();
    y[i] = x[i] + random.uniform();
    exponential[i] = std::exp(20 * y[i]);
    reversed[i] = -y[i];
  }
  EXPECT_EQ(spearman(x, y), spearman(x, exponential));
  EXPECT_EQ(kendall_tau_b(x, y), kendall_tau_b(x, exponential));
  EXPECT_NEAR(spearman(x, reversed), -spearman(x, y), 1e-15);
  EXPECT_NEAR(kendall_tau_b(x, reversed), -kendall_tau_b(x, y), 1e-15);
  EXPECT_EQ(spearman(x, x), 1);
  EXPECT_NEAR(kendall_tau_b(x, x), 1, 1e-15);
}

TEST(RankCorrelation, IsUndefinedForConstantsAndSinglePairs) {
  // 0.1 has no exact mean in binary: a variance computed from rounded means would not be zero.
  const std::vector<double> constant{0.1, 0.1, 0.1}, varied{1, 2, 3}, single{1};
  for (const auto coefficient : {pearson, spearman, kendall_tau_b}) {
    EXPECT_TRUE(std::isnan(coefficient(constant, varied)));
    EXPECT_TRUE(std::isnan(coefficient(varied, constant)));
    EXPECT_TRUE(std::isnan(coefficient(single, single)));
    EXPECT_TRUE(std::isnan(coefficient({}, {})));
  }
}

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  std::vector<double> values{4, 1, 3, 2};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 1), 4);
  EXPECT_EQ(quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 3.7);  // position 2.7
  std::vector<double> single{7};
  EXPECT_EQ(quantile(single, 0.3), 7);
}

TEST(Quantile, OfUnsortedEqualsOfSortedValues) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    auto values = tied_values(1 + random.below(30), 12, random);
    const double q = random.uniform();
    const double selected = quantile(values, q);
    std::sort(values.begin(), values.end());
    EXPECT_EQ(selected, quantile_of_sorted(values, q));
  }
}

TEST(SpearmanInterval, IsRepeatableAndHoldsTheCoefficient) {
  Random random(3);
  std::vector<double> x(200), y(200);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = random.uniform();
    y[i] = x[i] + 0.5 * random.uniform();
  }
  const Interval interval = spearman_interval(x, y, {.seed = 1});
  const double coefficient = spearman(x, y);
  EXPECT_LT(interval.low, coefficient);
  EXPECT_GT(interval.high, coefficient);
  EXPECT_GT(interval.low, 0.75);
  const Interval again = spearman_interval(x, y, {.seed = 1});
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
  const Interval narrow = spearman_interval(x, y, {.confidence = 0.5, .seed = 1});
  EXPECT_GT(narrow.low, interval.low);
  EXPECT_LT(narrow.high, interval.high);
}

TEST(SpearmanInterval, CoversTheTruthAboutAsOftenAsItClaims) {
  // x and y independent: the true coefficient is 0. With 100 studies at 90 %, fewer than 75 or more
  // than 99 covering intervals would be a fault of the interval, not chance (binomial, p < 1e-4).
  int covering = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed, "coverage");
    std::vector<double> x(40), y(40);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = random.uniform();
      y[i] = random.uniform();
    }
    const Interval interval =
        spearman_interval(x, y, {.resamples = 200, .confidence = 0.9, .seed = seed});
    covering += interval.low <= 0 && interval.high >= 0 ? 1 : 0;
  }
  EXPECT_GE(covering, 75);
  EXPECT_LE(covering, 99);
}

TEST(SpearmanInterval, IsUndefinedForConstantsAndForNothing) {
  const std::vector<double> constant{1, 1, 1};
  EXPECT_TRUE(std::isnan(spearman_interval(constant, constant).low));
  EXPECT_TRUE(std::isnan(spearman_interval({}, {}).high));
}

}  // namespace
}  // namespace cosearch::predictors
