#include "codesign/search/registry.h"

#include <gtest/gtest.h>

#include "core/user_error.h"
#include "search_support.h"

namespace cosearch::codesign {
namespace {

using test::LineSpace;

std::string message_of(std::string_view name, const OptionTexts& options,
                       const DesignSpace& space) {
  try {
    static_cast<void>(make_strategy(name, {space, test::accuracy_latency_energy(), 1}, options));
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Registry, MakesEveryStrategyFromItsDefaults) {
  const LineSpace space(20, 5);
  for (const StrategyInfo& strategy : strategies()) {
    SCOPED_TRACE(strategy.name);
    EXPECT_FALSE(strategy.sentence.empty());
    EXPECT_TRUE(strategy.problems(space, {}).empty());
    const auto made = strategy.make({space, test::accuracy_latency_energy(), 1}, {});
    EXPECT_EQ(made->name(), strategy.name);
  }
}

TEST(Registry, AcceptsEveryOptionsOwnDefaultAsText) {
  const LineSpace space(20, 5);
  for (const StrategyInfo& strategy : strategies()) {
    for (const OptionInfo& option : strategy.options) {
      SCOPED_TRACE(strategy.name + " " + option.name);
      EXPECT_FALSE(option.sentence.empty());
      EXPECT_EQ(option.kind == OptionKind::choice, !option.choices.empty());
      EXPECT_TRUE(strategy.problems(space, {{option.name, option.default_value}}).empty());
    }
  }
}

TEST(Registry, SuggestsTheStrategyThatWasMeant) {
  EXPECT_EQ(message_of("semi-decuopled", {}, LineSpace(2, 2)),
            "unknown strategy 'semi-decuopled' (did you mean 'semi-decoupled'?)");
}

TEST(Registry, ReportsAllOptionProblemsAtOnce) {
  const LineSpace space(20, 5);
  const auto problems =
      strategy_named("semi-decoupled")
          .problems(space, {{"layers", "0"}, {"proxy", "7"}, {"networks", "-1"}, {"layer", "3"}});
  std::vector<std::string> messages;
  for (const OptionProblem& problem : problems) messages.push_back(problem.message);
  EXPECT_EQ(messages, (std::vector<std::string>{
                          "networks = '-1': expected a whole number, 0 or more",
                          "unknown option 'layer' (did you mean 'layers'?)",
                          "proxy = 7: the space has 5 accelerators, counted from 0",
                          "layers = 0: must be at least 1",
                      }));
}

TEST(Registry, RefusesTextThatIsNotOfTheOptionsKind) {
  const LineSpace space(20, 5);
  EXPECT_EQ(message_of("regularised-evolution", {{"network_mutation", "nan"}}, space),
            "network_mutation = 'nan': expected a number");
  EXPECT_EQ(message_of("regularised-evolution", {{"population", "12x"}}, space),
            "population = '12x': expected a whole number, 0 or more");
  EXPECT_EQ(message_of("decoupled-hardware-first", {{"metric", "latncy"}}, space),
            "metric = 'latncy': expected a metric (did you mean 'latency'?)");
  EXPECT_EQ(message_of("decoupled-hardware-first", {{"reference_network", "-1"}}, space),
            "reference_network = '-1': expected an index counted from 0, or auto");
  EXPECT_EQ(message_of("exhaustive", {{"order", "diagonal"}}, space),
            "order = diagonal: must be accelerator-major or network-major");
}

TEST(Registry, RefusesOptionsThatBreakARule) {
  const LineSpace space(20, 5);  // MACs 100 .. 119
  EXPECT_EQ(message_of("regularised-evolution", {{"population", "1"}, {"tournament", "1"}}, space),
            "population = 1: must be at least 2");
  EXPECT_EQ(message_of("regularised-evolution", {{"tournament", "101"}}, space),
            "tournament = 101: must be in [1, population = 100]");
  EXPECT_EQ(
      message_of("decoupled-hardware-first", {{"metric", "accuracy"}}, space),
      "metric = accuracy: must depend on the accelerator (latency, energy, area, edp or time)");
  EXPECT_EQ(message_of("decoupled-network-first", {{"macs_limit", "50"}}, space),
            "macs_limit = 50: no network has so few; the smallest has 100 MACs");
  EXPECT_NE(message_of("decoupled-network-first", {{"macs_limit", "110"}, {"macs_quantile", "0.5"}},
                       space),
            "");
}

TEST(Registry, SaysWhichStrategiesNeedAccelerators) {
  const LineSpace networks_only(20, 0);
  EXPECT_EQ(message_of("semi-decoupled", {}, networks_only),
            "semi-decoupled: needs a space with at least one accelerator");
  EXPECT_EQ(message_of("regularised-evolution", {}, networks_only), "");
  EXPECT_EQ(message_of("random", {}, LineSpace(0, 5)),
            "random: needs a space with at least one network");
}

TEST(Registry, SaysWhichScoresThereAreToRankBy) {
  const LineSpace space(20, 5);
  EXPECT_EQ(message_of("free-rea", {{"scores", "naswot,zen"}}, space),
            "scores = zen: is no score of the study's networks, which have naswot, logsynflow, "
            "skip: add its column to 'networks.scores'");
  EXPECT_EQ(message_of("free-rea", {{"scores", ""}}, space),
            "scores = : must name at least one score");
}

}  // namespace
}  // namespace cosearch::codesign
