#include "nas/training/trainer.h"

#include <cmath>
#include <sstream>

#include "nas/training/module.h"

namespace cosearch::nas {
namespace {

template <class Number>
void require(std::vector<std::string>& problems, bool holds, const std::string& name, Number value,
             const std::string& rule) {
  if (holds) return;
  std::ostringstream text;
  text << "recipe." << name << " = " << value << ": must be " << rule;
  problems.push_back(text.str());
}

void require_share(std::vector<std::string>& problems, const std::string& name, double value) {
  require(problems, value >= 0 && value < 1, name, value, "in [0, 1)");
}

}  // namespace

std::vector<std::string> problems_in(const TrainingRecipe& recipe) {
  std::vector<std::string> problems;
  require(problems, recipe.epochs >= 1, "epochs", recipe.epochs, "at least 1");
  // Batch normalisation needs a variance.
  require(problems, recipe.batch >= 2, "batch", recipe.batch, "at least 2");
  require(problems, recipe.training_images >= recipe.batch, "training_images",
          recipe.training_images, "at least one batch");
  require(problems, std::isfinite(recipe.learning_rate) && recipe.learning_rate > 0,
          "learning_rate", recipe.learning_rate, "a positive number");
  require_share(problems, "warmup_fraction", recipe.warmup_fraction);
  require_share(problems, "momentum", recipe.momentum);
  require(problems, std::isfinite(recipe.weight_decay) && recipe.weight_decay >= 0, "weight_decay",
          recipe.weight_decay, "zero or more");
  require_share(problems, "label_smoothing", recipe.label_smoothing);
  return problems;
}

std::unique_ptr<Trainer> load_trainer(const std::filesystem::path& module_folder) {
  const auto create =
      reinterpret_cast<TrainerFactory>(module_function(module_folder, kTrainerFactoryName));
  return std::unique_ptr<Trainer>(create());
}

}  // namespace cosearch::nas
