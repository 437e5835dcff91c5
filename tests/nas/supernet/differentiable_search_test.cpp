// Differentiable search as the program runs it.
#include "nas/supernet/differentiable_search.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "nas/supernet/supernet.h"
#include "tests/nas/supernet/support.h"
#include "tests/support/bar_images.h"
#include "tests/support/message_of.h"

namespace cosearch::nas {
namespace {

using test::message_of;

const LabelledImages& images() {
  static const OwnedImages owned = bars(300, 1);
  static const LabelledImages view = owned.view();
  return view;
}

SearchRecipe short_recipe(Hypergradient hypergradient) {
  SearchRecipe recipe;
  recipe.training.training_images = 40;
  recipe.training.epochs = 2;
  recipe.training.batches = {10};
  recipe.training.learning_rate = 0.05;
  recipe.validation_images = 40;
  recipe.hypergradient = hypergradient;
  return recipe;
}

const std::vector<Hypergradient> kAll{Hypergradient::first_order, Hypergradient::second_order,
                                      Hypergradient::implicit};

// The larger operations cost more.
const ChoiceLatencies kLatencies{.fixed = 1000, .of = {4, {0, 300, 900}}};

void expect_equal(const std::vector<SearchEpoch>& a, const std::vector<SearchEpoch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].number, b[i].number);
    EXPECT_EQ(a[i].training_loss, b[i].training_loss);
    EXPECT_EQ(a[i].validation_loss, b[i].validation_loss);
    EXPECT_EQ(a[i].expected_latency, b[i].expected_latency);
    EXPECT_EQ(a[i].probabilities, b[i].probabilities);
    EXPECT_EQ(a[i].genotype, b[i].genotype);
  }
}

TEST(DifferentiableSearch, LearnsAndTellsEveryEpoch) {
  SearchRecipe recipe = short_recipe(Hypergradient::first_order);
  recipe.training.training_images = 100;
  recipe.training.epochs = 6;
  recipe.training.batches = {20};
  recipe.validation_images = 100;
  recipe.architecture_learning_rate = 0.02;
  std::vector<SearchEpoch> watched;
  SearchTask task{.space = macro(), .recipe = recipe, .seed = 1, .latencies = kLatencies};
  task.watch = [&](const SearchEpoch& epoch) { watched.push_back(epoch); };
  const auto epochs = *trainer().search(task, images());
  expect_equal(watched, epochs);
  EXPECT_LT(epochs.back().training_loss, 0.75 * epochs.front().training_loss);
  EXPECT_LT(epochs.back().validation_loss, 0.85 * epochs.front().validation_loss);
  EXPECT_TRUE(macro().contains(epochs.back().genotype));
  double latency = kLatencies.fixed;
  for (std::size_t choice = 0; choice < 4; ++choice) {
    const std::vector<double>& here = epochs.back().probabilities[choice];
    EXPECT_NEAR(std::accumulate(here.begin(), here.end(), 0.0), 1, 1e-6);
    for (std::size_t i = 0; i < 3; ++i) latency += here[i] * kLatencies.of[choice][i];
  }
  EXPECT_NEAR(epochs.back().expected_latency, latency, 1e-3);
}

TEST(DifferentiableSearch, IsRepeatedExactlyWhereverItWasStopped) {
  for (const Hypergradient hypergradient : kAll) {
    SCOPED_TRACE(name_of(hypergradient));
    SearchRecipe recipe = short_recipe(hypergradient);
    recipe.weight_steps = 2;
    SearchTask task{.space = macro(), .recipe = recipe, .seed = 3};
    const auto whole = *trainer().search(task, images());
    Notebook notebook;
    task.checkpoints = &notebook;
    task.stop = [] { return true; };
    EXPECT_FALSE(trainer().search(task, images()));
    expect_equal(*trainer().search(task, images()), whole);
  }
}

TEST(DifferentiableSearch, FindsTheFastestNetworkWhereNothingButLatencyCounts) {
  for (const Hypergradient hypergradient : kAll) {
    SearchRecipe recipe = short_recipe(hypergradient);
    recipe.latency_weight = 1e4;
    recipe.architecture_learning_rate = 0.05;
    const auto epochs = *trainer().search(
        {.space = macro(), .recipe = recipe, .seed = 1, .latencies = kLatencies}, images());
    EXPECT_EQ(epochs.back().genotype, "0000") << name_of(hypergradient);
    EXPECT_LT(epochs.back().expected_latency, epochs.front().expected_latency);
  }
}

TEST(DifferentiableSearch, RefusesWhatDoesNotFit) {
  const auto searching = [&](const SearchTask& task) {
    return message_of([&] { (void)trainer().search(task, images()); });
  };
  SearchRecipe recipe = short_recipe(Hypergradient::first_order);
  const auto values = make_space("resnet-9");
  EXPECT_NE(searching({.space = dynamic_cast<const ChoiceSpace&>(*values), .recipe = recipe})
                .find("cannot be searched by gradients"),
            std::string::npos);
  EXPECT_EQ(searching({.space = macro(), .recipe = recipe, .latencies = {1, {{0, 1, 2}}}}),
            "fashion-macro: expected a latency for every alternative of its 4 choices");
  recipe.training.learning_rate = 1e30;
  const std::string diverged = searching({.space = macro(), .recipe = recipe});
  EXPECT_NE(diverged.find("the loss stopped being a number at step"), std::string::npos)
      << diverged;
  recipe = short_recipe(Hypergradient::implicit);
  recipe.validation_images = 261;
  recipe.neumann_rate = 0;
  EXPECT_EQ(searching({.space = macro(), .recipe = recipe}),
            "recipe.validation_images = 261: must be from one batch to the 260 training images "
            "left\nrecipe.neumann_rate = 0: must be a positive number");
  EXPECT_EQ(message_of([] { (void)hypergradient_named("implict"); }),
            "no hypergradient is called 'implict' (did you mean 'implicit'?)");
}

}  // namespace
}  // namespace cosearch::nas
