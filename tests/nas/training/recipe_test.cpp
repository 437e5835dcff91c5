#include "nas/training/recipe.h"

#include <gtest/gtest.h>

#include <cmath>
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
  recipe.batch = 1;
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
