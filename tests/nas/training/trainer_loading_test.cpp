#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "core/user_error.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {
namespace {

std::string message_of_loading(const std::filesystem::path& folder) {
  try {
    (void)load_trainer(folder);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(TrainerLoading, SaysWhichPackageIsMissing) {
  const std::string message = message_of_loading("/no/such/folder");
  EXPECT_NE(message.find("/no/such/folder/libcosearch_training.so"), std::string::npos) << message;
  EXPECT_NE(message.find("libtorch-dev"), std::string::npos) << message;
}

TEST(TrainerLoading, SaysWhyAModuleDoesNotLoad) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "cosearch_broken_module";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "libcosearch_training.so") << "no shared library";
  const std::string message = message_of_loading(folder);
  std::filesystem::remove_all(folder);
  EXPECT_NE(message.find("cannot load"), std::string::npos) << message;
}

TEST(TrainingRecipe, IsValidByDefault) { EXPECT_TRUE(problems_in(TrainingRecipe{}).empty()); }

TEST(TrainingRecipe, NamesEveryProblemAtOnce) {
  TrainingRecipe recipe;
  recipe.training_images = 0;
  recipe.epochs = 0;
  recipe.batch = 1;
  recipe.learning_rate = std::numeric_limits<double>::quiet_NaN();
  recipe.warmup_fraction = 1;
  recipe.momentum = -0.1;
  recipe.weight_decay = -1;
  recipe.label_smoothing = 1.5;
  const auto problems = problems_in(recipe);
  ASSERT_EQ(problems.size(), 8u);
  EXPECT_EQ(problems[0], "recipe.epochs = 0: must be at least 1");
  EXPECT_EQ(problems.back(), "recipe.label_smoothing = 1.5: must be in [0, 1)");
}

}  // namespace
}  // namespace cosearch::nas
