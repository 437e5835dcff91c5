#include "predictors/target_scale.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "core/user_error.h"
#include "predictors/normal_distribution.h"
#include "predictors/predictor.h"

namespace cosearch::predictors {
namespace {

std::vector<double> percentages(std::size_t count, std::uint64_t seed) {
  Random random(seed, "target scale test");
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(std::round(1000 * random.uniform()) / 10 * 0.94 + 1);
  return values;
}

TEST(TargetScale, EveryScaleKeepsOrderAndComesBack) {
  const std::vector<double> targets = percentages(50, 1);
  for (const std::string& name : scale_names()) {
    SCOPED_TRACE(name);
    const TargetScale scale(scale_named(name), targets);
    ModelState state;
    scale.write(state);
    const TargetScale restored(state);
    double previous = -INFINITY;
    for (double target = 0.5; target < 99; target += 0.7) {
      const double scaled = scale.forward(target);
      EXPECT_GT(scaled, previous);
      EXPECT_NEAR(scale.inverse(scaled), target, 1e-8);
      EXPECT_EQ(restored.forward(target), scaled);
      previous = scaled;
    }
  }
}

TEST(TargetScale, TrainingTargetsGetMeanZeroAndVarianceOne) {
  const std::vector<double> targets = percentages(40, 2);
  for (const std::string& name : scale_names()) {
    SCOPED_TRACE(name);
    double sum = 0, squares = 0;
    for (const double z : TargetScale(scale_named(name), targets).forward(targets)) {
      sum += z;
      squares += z * z;
    }
    EXPECT_NEAR(sum, 0, 1e-9);
    EXPECT_NEAR(squares / 40, 1, 1e-9);
  }
}

TEST(TargetScale, ErrorScaleStaysAPercentageHoweverFarThePrediction) {
  const TargetScale scale(ScaleKind::error, percentages(20, 3));
  EXPECT_GE(scale.inverse(-50), 0);
  EXPECT_LE(scale.inverse(50), 100);
}

TEST(TargetScale, RefusesWhatTheScaleCannotTake) {
  EXPECT_THROW(TargetScale(ScaleKind::logarithm, std::vector<double>{1, 0}), UserError);
  EXPECT_THROW(TargetScale(ScaleKind::error, std::vector<double>{1, 100.5}), UserError);
  EXPECT_THROW(TargetScale(ScaleKind::linear, std::vector<double>{1, NAN}), UserError);
  EXPECT_THROW(TargetScale(ScaleKind::linear, std::vector<double>{}), UserError);
  EXPECT_THROW((void)scale_named("log"), UserError);
}

TEST(TargetScale, OneValueIsNoScaleButNoTroubleEither) {
  for (const std::string& name : scale_names()) {
    const TargetScale scale(scale_named(name), std::vector<double>{5, 5, 5});
    EXPECT_EQ(scale.forward(5), 0) << name;
    EXPECT_NEAR(scale.inverse(0), 5, 1e-12) << name;
  }
}

TEST(PredictedRange, AboveZeroIsThatOfTheRestOfTheDistribution) {
  for (const Prediction& p :
       {Prediction{10, 1}, Prediction{1, 1}, Prediction{-2, 1.5}, Prediction{0, 3}}) {
    // By summing the density over small steps.
    double sum = 0, moment = 0;
    constexpr double kStep = 1e-4;
    const auto density = [&](double x) {
      return std::exp(-(x - p.mean) * (x - p.mean) / (2 * p.deviation * p.deviation));
    };
    for (double x = kStep / 2; x < 40; x += kStep) {
      sum += density(x);
      moment += x * density(x);
    }
    const PredictedRange range = positive_range_of(p);
    EXPECT_NEAR(range.mean, moment / sum, 1e-6) << p.mean;
    double below = 0;
    for (double x = kStep / 2; x < 40; x += kStep) {
      if (x < range.low) below += density(x);
      if (x > range.high) below += density(x);
    }
    EXPECT_NEAR(below / sum, 0.05, 1e-4) << p.mean;
    EXPECT_GT(range.low, 0);
  }
  const PredictedRange far = positive_range_of({100, 2}), same = range_of({100, 2});
  EXPECT_DOUBLE_EQ(far.mean, same.mean);
  EXPECT_NEAR(far.low, same.low, 1e-9);
  EXPECT_NEAR(far.high, same.high, 1e-9);
  for (const double mean : {-1e9, -100.0, -8.0}) {
    const PredictedRange range = positive_range_of({mean, 1});
    EXPECT_TRUE(0 < range.low && range.low < range.mean && range.mean < range.high) << mean;
  }
  EXPECT_EQ(positive_range_of({3, 0}).low, 3);
}

TEST(NormalDistribution, QuantileUndoesTheDistribution) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  for (const double p : {1e-10, 0.01, 0.3, 0.5, 0.9, 0.9999})
    EXPECT_NEAR(normal_cdf(normal_quantile(p)), p, 1e-14);
}

}  // namespace
}  // namespace cosearch::predictors
