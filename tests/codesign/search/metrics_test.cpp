#include "codesign/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cosearch::codesign {
namespace {

TEST(Metrics, AreFoundByTheirNames) {
  for (const Metric metric : kMetrics) EXPECT_EQ(metric_named(info_of(metric).name), metric);
  EXPECT_FALSE(metric_named("latencies"));
  EXPECT_EQ(metric_names().size(), kMetricCount);
}

TEST(Metrics, StartUnknown) {
  for (const double value : Metrics().value) EXPECT_TRUE(std::isnan(value));
  EXPECT_TRUE(std::isnan(with_edp({})[Metric::edp]));
}

TEST(Objective, IsACostWhateverItsDirection) {
  Metrics metrics;
  metrics[Metric::accuracy] = 90;
  metrics[Metric::latency] = 5;
  EXPECT_EQ(cost_of({Metric::accuracy}, metrics), -90);
  EXPECT_EQ(cost_of({Metric::latency}, metrics), 5);
}

TEST(Constraint, MeasuresItsViolationRelativeToTheBound) {
  Metrics metrics;
  metrics[Metric::latency] = 150;
  EXPECT_EQ(violation(Constraint{Metric::latency, 100, true}, metrics), 0.5);
  EXPECT_EQ(violation(Constraint{Metric::latency, 150, true}, metrics), 0);
  EXPECT_EQ(violation(Constraint{Metric::latency, 200, false}, metrics), 0.25);
  EXPECT_EQ(violation(Constraint{Metric::latency, 0, true}, metrics), 150);
  EXPECT_TRUE(std::isinf(violation(Constraint{Metric::energy, 1, true}, metrics)));
  const std::vector<Constraint> both{{Metric::latency, 100, true}, {Metric::latency, 200, false}};
  EXPECT_EQ(violation(both, metrics), 0.75);
}

TEST(Constraint, IsDescribedWithItsUnit) {
  EXPECT_EQ(describe(Constraint{Metric::latency, 1e6, true}), "latency <= 1e+06 cycles");
  EXPECT_EQ(describe(Constraint{Metric::parameters, 5000, false}), "parameters >= 5000");
}

TEST(SearchQuestion, ReportsAllItsProblemsAtOnce) {
  EXPECT_TRUE(problems_in(SearchQuestion{{{Metric::energy}}, {}}).empty());
  EXPECT_EQ(problems_in(SearchQuestion{{}, {{Metric::area, INFINITY, true}}}).size(), 2U);
  const auto twice =
      problems_in(SearchQuestion{{{Metric::energy}, {Metric::area}, {Metric::energy}}, {}});
  ASSERT_EQ(twice.size(), 1U);
  EXPECT_EQ(twice[0], "objectives: 'energy' is listed twice");
}

}  // namespace
}  // namespace cosearch::codesign
