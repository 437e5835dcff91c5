#include "codesign/driver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "codesign/search/registry.h"
#include "search_support.h"

namespace cosearch::codesign {
namespace {

using test::accuracy_latency_energy;
using test::designs_of;
using test::FunctionEvaluator;
using test::LineSpace;
using test::Recorded;
using test::tangled_cost;

Recorded run_with(std::string_view name, const DesignSpace& space, int jobs,
                  const DriverOptions& options = {.batch = 64}) {
  FunctionEvaluator evaluator([](Design design) { return tangled_cost(8, design); });
  SearchQuestion question = accuracy_latency_energy();
  question.constraints = {{Metric::latency, 12, true}};
  const auto strategy = make_strategy(name, {space, question, 3});
  return test::run(*strategy, space, evaluator, question, jobs, options);
}

TEST(Driver, GivesTheSameTrialsAndFrontForAnyNumberOfJobs) {
  const LineSpace space(120, 9);
  for (const StrategyInfo& strategy : strategies()) {
    SCOPED_TRACE(strategy.name);
    const Recorded one = run_with(strategy.name, space, 1);
    for (const int jobs : {2, 3}) {
      const Recorded many = run_with(strategy.name, space, jobs);
      test::expect_same_trials(one.trials, many.trials);
      test::expect_same_trials(one.front, many.front);
      EXPECT_EQ(one.summary.counts, many.summary.counts);
    }
  }
}

TEST(Driver, SpendsItsBudgetToTheLastEvaluationAndNotOneMore) {
  const LineSpace space(120, 9);
  for (const StrategyInfo& strategy : strategies()) {
    SCOPED_TRACE(strategy.name);
    const std::uint64_t all = run_with(strategy.name, space, 1).summary.counts.hardware;
    const std::uint64_t budget = std::min<std::uint64_t>(6, all);
    const Recorded recorded =
        run_with(strategy.name, space, 1, {.batch = 4, .max_hardware_evaluations = budget});
    EXPECT_EQ(recorded.summary.counts.hardware, budget);
    EXPECT_EQ(recorded.summary.cause, StopCause::exhausted);
  }
}

TEST(Driver, FinishesWhenTheStrategyDoes) {
  const LineSpace space(10, 3);
  const Recorded recorded = run_with("exhaustive", space, 1);
  EXPECT_EQ(recorded.summary.cause, StopCause::finished);
  EXPECT_EQ(recorded.summary.counts.trials, 30U);
  EXPECT_EQ(recorded.summary.counts.hardware, 30U);
  EXPECT_EQ(recorded.summary.counts.networks, 10U);
}

TEST(Driver, StopsBetweenBatchesWhenAsked) {
  const LineSpace space(100, 10);
  int polls = 0;
  DriverOptions options{.batch = 1};
  options.stop = [&] { return ++polls > 3; };
  const Recorded recorded = run_with("exhaustive", space, 1, options);
  EXPECT_EQ(recorded.summary.cause, StopCause::stopped);
  EXPECT_EQ(recorded.trials.size(), 3U);
}

// What was evaluated until then is known to `record`, though the batch was cut short.
TEST(Driver, StopsAfterOneSlowDesignOfALargeBatch) {
  const LineSpace space(100, 10);
  std::atomic<int> evaluated = 0;
  FunctionEvaluator evaluator([&](Design design) {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    ++evaluated;
    return tangled_cost(8, design);
  });
  std::size_t recorded = 0;
  DriverOptions options{.batch = 1000};
  options.record = [&](const TrialsPart& part) { recorded += part.trials.size(); };
  options.stop = [&] { return evaluated >= 3; };
  const auto strategy = make_strategy("exhaustive", {space, accuracy_latency_energy(), 3});
  EXPECT_EQ(
      test::run(*strategy, space, evaluator, accuracy_latency_energy(), 1, options).summary.cause,
      StopCause::stopped);
  EXPECT_EQ(evaluated, 3);
  EXPECT_EQ(recorded, 3U);
}

// Asks for the same designs over and over, four times.
class Repeating final : public SearchStrategy {
 public:
  std::string name() const override { return "repeating"; }
  std::vector<Design> ask(std::size_t) override {
    if (++asked_ > 4) return {};
    return {{0, 0}, {1, kNoAccelerator}, {0, 0}, {0, 1}};
  }
  void tell(std::span<const Trial> trials) override {
    EXPECT_EQ(designs_of({trials.begin(), trials.end()}),
              (std::vector<Design>{{0, 0}, {1, kNoAccelerator}, {0, 0}, {0, 1}}));
  }

 private:
  int asked_ = 0;
};

TEST(Driver, CountsRepeatsAndNetworksAloneSeparately) {
  const LineSpace space(2, 2);
  FunctionEvaluator evaluator([](Design design) { return tangled_cost(1, design); });
  Repeating strategy;
  const Recorded recorded = test::run(strategy, space, evaluator);
  EXPECT_EQ(recorded.summary.counts, (EvaluationCounts{16, 2, 2, 0}));
}

// Pairs beyond 2^31 are counted in another structure.
TEST(Driver, CountsPairsOfHugeSpacesAlike) {
  const LineSpace space(100'000, 100'000);
  FunctionEvaluator evaluator([](Design design) { return tangled_cost(1, design); });
  Repeating strategy;
  EXPECT_EQ(test::run(strategy, space, evaluator).summary.counts, (EvaluationCounts{16, 2, 2, 0}));
}

class PreparedEvaluator final : public Evaluator {
 public:
  // Half of them at a time.
  std::size_t prepare_some(std::span<const Design> designs) override {
    const std::size_t count = (designs.size() + 1) / 2;
    prepared_.assign(designs.begin(), designs.begin() + static_cast<std::ptrdiff_t>(count));
    layers_ += 10 * count;
    return count;
  }
  Trial evaluate(Design design) const override {
    EXPECT_NE(std::find(prepared_.begin(), prepared_.end(), design), prepared_.end());
    return tangled_cost(1, design);
  }
  std::uint64_t layer_evaluations() const override { return layers_; }

 private:
  std::vector<Design> prepared_;
  std::uint64_t layers_ = 0;
};

TEST(Driver, EvaluatesWhatWasPrepared) {
  const LineSpace space(20, 5);
  PreparedEvaluator evaluator;
  const auto strategy = make_strategy("random", {space, accuracy_latency_energy(), 1});
  const Recorded recorded =
      test::run(*strategy, space, evaluator, accuracy_latency_energy(), 2, {.batch = 25});
  EXPECT_EQ(recorded.summary.counts.trials, 100U);
  EXPECT_EQ(recorded.summary.counts.layers, 100U * 10U);
}

TEST(Driver, SetsTheViolationOfTheQuestionsConstraints) {
  FunctionEvaluator evaluator([](Design design) { return test::trial_of(design, 1, 15, 1); });
  Workers workers(1);
  const std::vector<Constraint> constraints{{Metric::latency, 10, true}};
  const std::vector<Design> designs{{0, 0}};
  EXPECT_EQ(evaluate_all(designs, evaluator, constraints, workers).at(0).violation, 0.5);
}

TEST(Workers, CoverEveryIndexOnce) {
  Workers workers(3);
  std::vector<std::atomic<int>> visits(10'000);
  workers.for_ranges(visits.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) ++visits[i];
  });
  for (const auto& visit : visits) ASSERT_EQ(visit, 1);
  workers.for_ranges(0, [](std::size_t, std::size_t) { FAIL() << "nothing to do"; });
}

TEST(Workers, HandExceptionsToTheCaller) {
  Workers workers(2);
  EXPECT_THROW(
      workers.for_ranges(100, [](std::size_t, std::size_t) { throw std::runtime_error("broken"); }),
      std::runtime_error);
}

}  // namespace
}  // namespace cosearch::codesign
