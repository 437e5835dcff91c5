#include "nas/training/recipe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numbers>
#include <sstream>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 2> kOptimisers{"sgd", "adamw"};

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

std::vector<std::string> optimiser_names() { return {kOptimisers.begin(), kOptimisers.end()}; }

std::string_view name_of(Optimiser optimiser) {
  return kOptimisers[static_cast<std::size_t>(optimiser)];
}

Optimiser optimiser_named(std::string_view name) {
  for (std::size_t i = 0; i < kOptimisers.size(); ++i)
    if (kOptimisers[i] == name) return static_cast<Optimiser>(i);
  throw UserError("no optimiser is called '" + std::string(name) + "'" +
                  did_you_mean(name, optimiser_names()));
}

std::vector<std::string> problems_in(const TrainingRecipe& recipe, std::int64_t images) {
  std::vector<std::string> problems;
  require(problems, recipe.epochs >= 1, "epochs", recipe.epochs, "at least 1");
  // Batch normalisation needs a variance.
  for (const int batch : recipe.batches) {
    require(problems, batch >= 2, "batch", batch, "at least 2");
    require(problems, recipe.training_images >= batch, "training_images", recipe.training_images,
            "at least one batch");
  }
  const auto sizes = std::ssize(recipe.batches);
  require(problems, sizes >= 1 && (sizes <= recipe.epochs || recipe.epochs < 1),
          "number of batch sizes", sizes, "one at least, and no more than there are epochs");
  require(problems, std::isfinite(recipe.learning_rate) && recipe.learning_rate > 0,
          "learning_rate", recipe.learning_rate, "a positive number");
  require_share(problems, "warmup_fraction", recipe.warmup_fraction);
  require_share(problems, "momentum", recipe.momentum);
  require(problems, std::isfinite(recipe.weight_decay) && recipe.weight_decay >= 0, "weight_decay",
          recipe.weight_decay, "zero or more");
  require_share(problems, "label_smoothing", recipe.label_smoothing);
  require(problems, recipe.crop_padding >= 0, "crop_padding", recipe.crop_padding, "zero or more");
  require(problems, recipe.patience >= 0, "patience", recipe.patience, "zero or more");
  require(problems, recipe.validation_images >= 0, "validation_images", recipe.validation_images,
          "zero or more");
  // Test images would tell the training when to stop.
  require(problems, (recipe.patience > 0) == (recipe.validation_images > 0), "validation_images",
          recipe.validation_images,
          recipe.patience > 0 ? "positive: patience goes by images that are neither trained nor "
                                "tested on"
                              : "zero, or patience positive: only early stopping reads them");
  require(problems, recipe.training_images + recipe.validation_images <= images,
          recipe.validation_images > 0 ? "training_images + recipe.validation_images"
                                       : "training_images",
          recipe.training_images + recipe.validation_images,
          "at most " + std::to_string(images) + ", the training images that are there");
  return problems;
}

int batch_in(const TrainingRecipe& recipe, int epoch) {
  const int sizes = static_cast<int>(recipe.batches.size());
  const int each = recipe.epochs / sizes, longer = recipe.epochs % sizes;
  // The first `longer` sizes have an epoch more.
  const int size = epoch < longer * (each + 1) ? epoch / (each + 1)
                                               : longer + (epoch - longer * (each + 1)) / each;
  return recipe.batches[static_cast<std::size_t>(size)];
}

std::int64_t steps_in(const TrainingRecipe& recipe, int epochs) {
  std::int64_t steps = 0;
  for (int epoch = 0; epoch < epochs; ++epoch)
    steps += recipe.training_images / batch_in(recipe, epoch);
  return steps;
}

double learning_rate_at(std::int64_t step, std::int64_t steps, const TrainingRecipe& recipe) {
  const double done = (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
  if (done < recipe.warmup_fraction) return recipe.learning_rate * done / recipe.warmup_fraction;
  const double left = (1 - done) / (1 - recipe.warmup_fraction);
  return recipe.learning_rate * 0.5 * (1 - std::cos(std::numbers::pi * left));
}

}  // namespace cosearch::nas
