// The neural predictors, through the module as the program loads it.
#include <gtest/gtest.h>

#include "core/user_error.h"
#include "predictors/neural/loader.h"
#include "predictors/rank_correlation.h"
#include "predictors/recommender.h"
#include "predictors/registry.h"
#include "predictors/target_scale.h"
#include "tests/predictors/support.h"

namespace cosearch::predictors {
namespace {

// Targets that graphs alone explain: vertices of operation 2 minus those of operation 3.
std::vector<double> graph_targets(const Examples& examples) {
  std::vector<double> targets;
  for (const OperationGraph& graph : examples.graphs) {
    targets.push_back(0);
    for (const std::uint32_t operation : graph.operations)
      targets.back() += operation == 2 ? 1 : operation == 3 ? -1 : 0;
  }
  return targets;
}

class NeuralPredictor : public testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<Predictor> make() {
    return make_predictor(GetParam(), COSEARCH_NEURAL_FOLDER);
  }
  [[nodiscard]] static bool reads_graphs() { return GetParam().substr(0, 3) != "mlp"; }
};

TEST_P(NeuralPredictor, RanksAndComesBackBitByBit) {
  Random random(1, "neural test");
  const Examples training = random_examples(80, 1, random), test = random_examples(150, 1, random);
  const auto targets_of = [&](const Examples& examples) {
    return reads_graphs() ? graph_targets(examples) : smooth_targets(examples, 0.05, random);
  };
  const std::vector<double> raw = targets_of(training);
  const TargetScale scale(ScaleKind::linear, raw);
  const auto predictor = make();
  predictor->fit(training, scale.forward(raw), 1);
  const auto predictions = predictor->predict(test);
  std::vector<double> means;
  for (const Prediction& p : predictions) {
    means.push_back(p.mean);
    EXPECT_GT(p.deviation, 0);
  }
  EXPECT_GT(kendall_tau_b(means, targets_of(test)), 0.6);

  const auto again = make();
  again->restore(predictor->state(), predictor->columns());
  const auto same = again->predict(test);
  for (std::size_t i = 0; i < same.size(); ++i) {
    EXPECT_EQ(same[i].mean, predictions[i].mean);
    EXPECT_EQ(same[i].deviation, predictions[i].deviation);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, NeuralPredictor,
                         testing::Values("mlp", "mlp:rank", "gcn", "gat", "transformer"),
                         [](const auto& info) {
                           return info.param == "mlp:rank" ? "mlp_rank" : info.param;
                         });

TEST(NeuralModule, SameSeedSameBits) {
  Random random(2, "neural test");
  const Examples examples = random_examples(20, 1, random);
  const std::vector<double> targets = smooth_targets(examples, 0.1, random);
  std::vector<std::vector<Prediction>> runs;
  for (int run = 0; run < 2; ++run) {
    const auto predictor = make_predictor("mlp", COSEARCH_NEURAL_FOLDER);
    predictor->fit(examples, targets, 5);
    runs.push_back(predictor->predict(examples));
  }
  for (std::size_t i = 0; i < runs[0].size(); ++i) EXPECT_EQ(runs[0][i].mean, runs[1][i].mean);
}

TEST(NeuralModule, SaysWhatIsMissing) {
  Random random(3, "neural test");
  Examples examples = random_examples(20, 1, random);
  const std::vector<double> targets = graph_targets(examples);
  examples.graphs[7].operations[0] = 9;
  const auto predictor = make_predictor("gcn", COSEARCH_NEURAL_FOLDER);
  try {
    predictor->fit(examples, targets, 1);
    FAIL() << "not refused";
  } catch (const UserError& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 23), "example 7: its graph is");
  }
  examples.graphs.clear();
  EXPECT_THROW(predictor->fit(examples, targets, 1), UserError);
  EXPECT_THROW((void)make_predictor("gcn", "no/such/folder"), UserError);
}

// Two columns of [-1, 1] and which quadrant they are in: no single threshold helps a tree to start.
Examples quadrants(std::size_t rows, std::vector<std::uint32_t>& best, Random& random) {
  Examples examples;
  examples.columns = {{"x", FeatureKind::continuous}, {"y", FeatureKind::continuous}};
  for (std::size_t row = 0; row < rows; ++row) {
    const double x = 2 * random.uniform() - 1, y = 2 * random.uniform() - 1;
    examples.features.insert(examples.features.end(), {x, y});
    best.push_back(x * y > 0 ? 3 : 1);
  }
  return examples;
}

TEST(NeuralRecommender, LearnsAndComesBackBitByBit) {
  Random random(1, "neural recommender test");
  std::vector<std::uint32_t> best, truth;
  const Examples training = quadrants(300, best, random), test = quadrants(300, truth, random);
  const auto recommender = make_recommender("mlp", COSEARCH_NEURAL_FOLDER);
  recommender->fit(training, best, 4, 1);
  const std::vector<double> shares = recommender->shares(test);
  std::size_t right = 0;
  for (std::size_t row = 0; row < 300; ++row)
    right +=
        recommender->ranked(std::span(shares).subspan(row * 4, 4)).front() == truth[row] ? 1 : 0;
  EXPECT_GT(right, 280U);

  const auto again = make_recommender("mlp", COSEARCH_NEURAL_FOLDER);
  again->restore(recommender->state(), recommender->columns());
  EXPECT_EQ(again->shares(test), shares);
  const auto twin = make_recommender("mlp", COSEARCH_NEURAL_FOLDER);
  twin->fit(training, best, 4, 1);
  EXPECT_EQ(twin->shares(test), shares);
}

TEST(NeuralRecommender, RefusesWeightsOfAnotherSize) {
  Random random(2, "neural recommender test");
  std::vector<std::uint32_t> best;
  const Examples training = quadrants(20, best, random);
  const auto recommender = make_recommender("mlp", COSEARCH_NEURAL_FOLDER);
  recommender->fit(training, best, 4, 1);
  ModelState state = recommender->state();
  state.bytes["weights"].pop_back();
  EXPECT_THROW(
      make_recommender("mlp", COSEARCH_NEURAL_FOLDER)->restore(state, recommender->columns()),
      UserError);
}

}  // namespace
}  // namespace cosearch::predictors
