#include "nas/training/recipe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

TEST(TrainingRecipe, IsValidByDefault) {
  EXPECT_TRUE(problems_in(TrainingRecipe{}, 60000).empty());
}

TEST(TrainingRecipe, NamesEveryProblemAtOnce) {
  TrainingRecipe recipe;
  recipe.batches = {1};
  recipe.momentum = 1;
  recipe.crop_padding = -1;
  recipe.patience = 3;
  EXPECT_EQ(problems_in(recipe, 60000),
            (std::vector<std::string>{
                "recipe.batch = 1: must be at least 2", "recipe.momentum = 1: must be in [0, 1)",
                "recipe.crop_padding = -1: must be zero or more",
                "recipe.validation_images = 0: must be positive: patience goes by images that are "
                "neither trained nor tested on"}));
  recipe = {};
  recipe.validation_images = 10;
  EXPECT_EQ(problems_in(recipe, 60000).size(), 1U) << "nobody would read them";
  recipe.patience = 1;
  EXPECT_TRUE(problems_in(recipe, 10010).empty());
  EXPECT_EQ(
      problems_in(recipe, 10009),
      (std::vector<std::string>{"recipe.training_images + recipe.validation_images = 10010: "
                                "must be at most 10009, the training images that are there"}));
}

TEST(Batches, ShareOutTheEpochsInTheirOrder) {
  TrainingRecipe recipe;
  recipe.training_images = 110;
  recipe.epochs = 5;
  recipe.batches = {10, 20, 50};
  std::vector<int> sizes;
  std::vector<std::int64_t> steps;
  for (int epoch = 0; epoch < recipe.epochs; ++epoch) {
    sizes.push_back(batch_in(recipe, epoch));
    steps.push_back(steps_in(recipe, epoch + 1));
  }
  EXPECT_EQ(sizes, (std::vector{10, 10, 20, 20, 50}));
  EXPECT_EQ(steps, (std::vector<std::int64_t>{11, 22, 27, 32, 34})) << "the rest waits";
  for (recipe.epochs = 3; recipe.epochs < 12; ++recipe.epochs) {
    std::map<int, int> epochs;
    for (int epoch = 0; epoch < recipe.epochs; ++epoch) ++epochs[batch_in(recipe, epoch)];
    for (const auto& [size, count] : epochs)
      EXPECT_TRUE(count == recipe.epochs / 3 || count == (recipe.epochs + 2) / 3) << size;
    EXPECT_EQ(epochs.size(), 3U);
  }
}

TEST(Batches, OfSeveralSizesNeedAnEpochEach) {
  TrainingRecipe recipe;
  recipe.epochs = 2;
  recipe.batches = {10, 1, 20000};
  EXPECT_EQ(
      problems_in(recipe, 60000),
      (std::vector<std::string>{
          "recipe.batch = 1: must be at least 2",
          "recipe.training_images = 10000: must be at least one batch",
          "recipe.number of batch sizes = 3: must be one at least, and no more than there are "
          "epochs"}));
}

TEST(Optimiser, IsFoundByItsName) {
  for (const std::string& name : optimiser_names()) EXPECT_EQ(name_of(optimiser_named(name)), name);
  EXPECT_THROW((void)optimiser_named("adam"), UserError);
}

TEST(LearningRate, RisesInALineAndFallsAlongACosineToZero) {
  TrainingRecipe recipe;
  recipe.learning_rate = 2;
  recipe.warmup_fraction = 0.2;
  // The middle of step 1 is 3/20 of the way, of a rise over 4/20.
  EXPECT_DOUBLE_EQ(learning_rate_at(1, 10, recipe), 2 * 0.75);
  // The middle of step 5 is 0.55: 0.45 / 0.8 of the fall are left.
  EXPECT_DOUBLE_EQ(learning_rate_at(5, 10, recipe), 1 - std::cos(std::acos(-1.0) * 0.45 / 0.8));
  for (int step = 0; step < 19; ++step)
    EXPECT_LT(learning_rate_at(step, 100, recipe), learning_rate_at(step + 1, 100, recipe));
  for (int step = 20; step < 99; ++step)
    EXPECT_GT(learning_rate_at(step, 100, recipe), learning_rate_at(step + 1, 100, recipe));
  EXPECT_LT(learning_rate_at(99, 100, recipe), 0.001);
}

}  // namespace
}  // namespace cosearch::nas
