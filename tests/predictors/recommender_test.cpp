// What holds of every recommender that needs no LibTorch, and that the tree splits as an exhaustive
// search over columns and thresholds does.
#include "predictors/recommender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/random.h"
#include "core/user_error.h"
#include "tests/support/message_of.h"

namespace cosearch::predictors {
namespace {

using test::message_of;

Examples workloads(std::size_t rows, std::size_t columns, Random& random) {
  Examples examples;
  for (std::size_t i = 0; i < columns; ++i)
    examples.columns.push_back({"c" + std::to_string(i), FeatureKind::continuous});
  // Few distinct values, so that columns have ties.
  for (std::size_t i = 0; i < rows * columns; ++i)
    examples.features.push_back(static_cast<double>(random.below(12)) / 2);
  return examples;
}

// Of five choices, 0, 2 and 4 occur, decided by two thresholds; a tenth is noise.
std::vector<std::uint32_t> labels_of(const Examples& examples, Random& random) {
  std::vector<std::uint32_t> best;
  for (std::size_t row = 0; row < examples.rows(); ++row) {
    const auto x = examples.row(row);
    best.push_back(x[0] <= 2 ? 0 : x[1] <= 3 ? 2 : 4);
    if (random.below(10) == 0) best.back() = static_cast<std::uint32_t>(2 * random.below(3));
  }
  return best;
}

class RecommenderTest : public testing::TestWithParam<std::string> {};

TEST_P(RecommenderTest, SharesAreSharesAndComeBackBitByBit) {
  Random random(1, "recommender test");
  const Examples training = workloads(120, 3, random), test = workloads(50, 3, random);
  const auto best = labels_of(training, random);
  const auto recommender = make_recommender(GetParam());
  recommender->fit(training, best, 5, 1);
  const std::vector<double> shares = recommender->shares(test);
  ASSERT_EQ(shares.size(), 50U * 5U);
  for (std::size_t row = 0; row < 50; ++row) {
    const auto of_row = std::span(shares).subspan(row * 5, 5);
    EXPECT_NEAR(std::accumulate(of_row.begin(), of_row.end(), 0.0), 1, 1e-6);
    EXPECT_EQ(of_row[1], 0) << "was best for none";
    EXPECT_EQ(of_row[3], 0) << "was best for none";
  }
  const auto again = make_recommender(GetParam());
  again->restore(recommender->state(), recommender->columns());
  EXPECT_EQ(again->shares(test), shares);
}

TEST_P(RecommenderTest, RefusesWhatItCannotLearnFrom) {
  Random random(2, "recommender test");
  Examples examples = workloads(4, 2, random);
  const auto recommender = make_recommender(GetParam());
  const auto fit = [&](std::vector<std::uint32_t> best) {
    return message_of([&] { recommender->fit(examples, best, 3, 1); });
  };
  EXPECT_EQ(fit({0, 1}), "4 workloads with 2 best choices; expected as many, 1 or more");
  EXPECT_EQ(fit({0, 1, 2, 3}), "workload 3: there is no choice 3 of 3");
  examples.features[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(fit({0, 1, 2, 2}), "workload 1: feature 'c1' is not a finite number");
  examples.features[3] = 1;
  recommender->fit(examples, std::vector<std::uint32_t>{0, 1, 2, 2}, 3, 1);
  examples.columns[1].name = "d";
  EXPECT_EQ(message_of([&] { (void)recommender->shares(examples); }),
            "these are not the features it was trained on: column 2 is 'd', expected "
            "'c1'");
}

INSTANTIATE_TEST_SUITE_P(Models, RecommenderTest, testing::Values("constant", "tree"),
                         [](const auto& model) { return model.param; });

TEST(ConstantRecommender, SaysHowOftenEachChoiceWasBest) {
  Random random(3, "recommender test");
  const Examples examples = workloads(4, 1, random);
  const auto recommender = make_recommender("constant");
  recommender->fit(examples, std::vector<std::uint32_t>{2, 0, 2, 2}, 3, 1);
  const std::vector<double> shares = recommender->shares(examples);
  EXPECT_EQ(std::vector(shares.begin(), shares.begin() + 3), (std::vector{0.25, 0.0, 0.75}));
  EXPECT_EQ(recommender->ranked(std::span(shares).first(3)), (std::vector<std::uint32_t>{2, 0, 1}));
}

double gini_rows(const std::vector<std::uint32_t>& labels) {
  std::map<std::uint32_t, double> counts;
  for (const std::uint32_t label : labels) ++counts[label];
  double squares = 0;
  for (const auto& [label, count] : counts) squares += count * count;
  const auto rows = static_cast<double>(labels.size());
  return rows - squares / rows;
}

struct ObviousSplit {
  std::size_t column = 0;
  double threshold = 0, impurity = std::numeric_limits<double>::infinity();
};

// Every threshold between two values of every column.
ObviousSplit best_split(const Examples& examples, const std::vector<std::uint32_t>& best,
                        std::size_t least_leaf) {
  ObviousSplit found;
  for (std::size_t column = 0; column < examples.columns.size(); ++column)
    for (double threshold = 0.25; threshold < 6; threshold += 0.5) {
      std::vector<std::uint32_t> left, right;
      for (std::size_t row = 0; row < examples.rows(); ++row)
        (examples.row(row)[column] <= threshold ? left : right).push_back(best[row]);
      if (std::min(left.size(), right.size()) < least_leaf) continue;
      const double impurity = gini_rows(left) + gini_rows(right);
      if (impurity < found.impurity - 1e-9) found = {column, threshold, impurity};
    }
  return found;
}

// A leaf of the tree names few choices: those it does not name follow in order of how often they
// were best, not of their place in a list.
TEST(Recommender, RanksWhatIsNotNamedByHowOftenItWasBest) {
  Examples examples;
  examples.columns = {{"c", FeatureKind::continuous}};
  std::vector<std::uint32_t> best;
  const auto add = [&](double value, std::uint32_t choice, int times) {
    for (int i = 0; i < times; ++i) {
      examples.features.push_back(value);
      best.push_back(choice);
    }
  };
  add(0, 1, 3);
  add(1, 5, 9);
  add(2, 3, 6);
  const auto tree = make_recommender("tree");
  tree->fit(examples, best, 7, 1);
  const std::vector<double> shares = tree->shares(examples);
  EXPECT_EQ(tree->ranked(std::span(shares).first(7)),
            (std::vector<std::uint32_t>{1, 5, 3, 0, 2, 4, 6}));
  const auto again = make_recommender("tree");
  again->restore(tree->state(), tree->columns());
  EXPECT_EQ(again->ranked(std::span(shares).first(7)), tree->ranked(std::span(shares).first(7)));
}

TEST(Recommender, SaysWhereARowIsUnlikeAllItLearnedFrom) {
  Random random(7, "recommender test");
  const Examples examples = workloads(50, 2, random);  // from 0 to 5.5
  const auto recommender = make_recommender("constant");
  recommender->fit(examples, std::vector<std::uint32_t>(50, 0), 1, 1);
  EXPECT_TRUE(recommender->unfamiliar(examples.row(3)).empty());
  EXPECT_EQ(recommender->unfamiliar(std::vector{1.0, 5.6}), (std::vector<std::string>{"c1"}));
  EXPECT_EQ(recommender->unfamiliar(std::vector{-1.0, 9.0}),
            (std::vector<std::string>{"c0", "c1"}));
}

TEST(ClassificationTree, SplitsWhereAnExhaustiveSearchDoes) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed, "tree test");
    const Examples examples = workloads(8 + random.below(40), 3, random);
    const auto best = labels_of(examples, random);
    const auto tree = make_recommender("tree");
    tree->fit(examples, best, 5, 1);
    const ModelState state = tree->state();
    const double column = state.numbers_of("split_columns").front();
    const ObviousSplit split = best_split(examples, best, 3);
    if (gini_rows(best) - split.impurity < 1e-9) {
      EXPECT_EQ(column, -1) << "seed " << seed;
      continue;
    }
    EXPECT_EQ(column, static_cast<double>(split.column)) << "seed " << seed;
    // The tree takes the middle between values that occur, the search any step of the grid.
    const auto goes_left = [&](double threshold) {
      std::vector<bool> left;
      for (std::size_t row = 0; row < examples.rows(); ++row)
        left.push_back(examples.row(row)[split.column] <= threshold);
      return left;
    };
    EXPECT_EQ(goes_left(state.numbers_of("thresholds").front()), goes_left(split.threshold))
        << "seed " << seed;
  }
}

TEST(ClassificationTree, LeavesHoldTheSharesOfTheirRows) {
  Random random(4, "tree test");
  const Examples examples = workloads(300, 3, random);
  const auto best = labels_of(examples, random);
  const auto tree = make_recommender("tree");
  tree->fit(examples, best, 5, 1);
  const std::vector<double> shares = tree->shares(examples);
  std::map<std::vector<double>, std::vector<std::uint32_t>> rows_of;  // leaves by their shares
  for (std::size_t row = 0; row < examples.rows(); ++row)
    rows_of[{shares.begin() + static_cast<std::ptrdiff_t>(row * 5),
             shares.begin() + static_cast<std::ptrdiff_t>(row * 5 + 5)}]
        .push_back(best[row]);
  EXPECT_GT(rows_of.size(), 3U);
  for (const auto& [leaf, labels] : rows_of) {
    EXPECT_GE(labels.size(), 3U);
    for (std::uint32_t choice = 0; choice < 5; ++choice)
      EXPECT_NEAR(leaf[choice],
                  static_cast<double>(std::ranges::count(labels, choice)) /
                      static_cast<double>(labels.size()),
                  1e-9);
  }
}

TEST(ClassificationTree, IsExactWhereThresholdsDecide) {
  Random random(5, "tree test");
  const Examples examples = workloads(400, 3, random), test = workloads(400, 3, random);
  const auto truth = [](std::span<const double> x) { return x[0] <= 2 ? 0U : x[1] <= 3 ? 1U : 2U; };
  std::vector<std::uint32_t> best;
  for (std::size_t row = 0; row < 400; ++row) best.push_back(truth(examples.row(row)));
  const auto tree = make_recommender("tree");
  tree->fit(examples, best, 3, 1);
  const std::vector<double> shares = tree->shares(test);
  for (std::size_t row = 0; row < 400; ++row)
    EXPECT_EQ(tree->ranked(std::span(shares).subspan(row * 3, 3)).front(), truth(test.row(row)));
}

TEST(ClassificationTree, RefusesADamagedState) {
  Random random(6, "tree test");
  const Examples examples = workloads(60, 3, random);
  const auto tree = make_recommender("tree");
  tree->fit(examples, labels_of(examples, random), 5, 1);
  const auto restore = [&](const char* array, double value) {
    ModelState state = tree->state();
    state.numbers.at(array).front() = value;
    return message_of([&] { make_recommender("tree")->restore(state, tree->columns()); });
  };
  EXPECT_EQ(restore("right_nodes", 0), "the tree is damaged at node 0");  // would never end
  EXPECT_EQ(restore("right_nodes", 1e6), "the tree is damaged at node 0");
  EXPECT_EQ(restore("split_columns", 3), "the tree is damaged at node 0");
  EXPECT_EQ(restore("split_columns", 0.5), "the tree is damaged at node 0");
  EXPECT_EQ(restore("occurring", 5), "the recommender's choices are damaged");
  EXPECT_EQ(restore("occurring", 0.5), "the recommender's choices are damaged");
  EXPECT_EQ(restore("occurring", 4), "the recommender's choices are damaged");  // twice
  EXPECT_EQ(restore("choices", 4.5), "the recommender's choices are damaged");
  EXPECT_EQ(restore("choices", std::nan("")), "the recommender's choices are damaged");
}

TEST(Recommenders, AreKnownByName) {
  EXPECT_EQ(message_of([] { (void)make_recommender("treee"); }),
            "unknown recommender 'treee' (did you mean 'tree'?)");
}

}  // namespace
}  // namespace cosearch::predictors
