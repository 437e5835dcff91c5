#include "nas/supernet/supernet.h"

#include <array>
#include <cstddef>

#include "core/user_error.h"
#include "nas/training/module.h"

namespace cosearch::nas {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 2> kSamplings{"single-path", "sandwich"};
constexpr std::array<std::string_view, 2> kSharings{"shapes", "slices"};

template <class Enumeration>
Enumeration named(const char* what, const std::array<std::string_view, 2>& names,
                  std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Enumeration>(i);
  throw UserError(std::string("no ") + what + " is called '" + std::string(name) + "'" +
                  did_you_mean(name, {names.begin(), names.end()}));
}

}  // namespace

std::string_view name_of(PathSampling sampling) {
  return kSamplings[static_cast<std::size_t>(sampling)];
}

PathSampling path_sampling_named(std::string_view name) {
  return named<PathSampling>("rule of drawing paths", kSamplings, name);
}

std::string_view name_of(WeightSharing sharing) {
  return kSharings[static_cast<std::size_t>(sharing)];
}

WeightSharing weight_sharing_named(std::string_view name) {
  return named<WeightSharing>("rule of sharing weights", kSharings, name);
}

std::vector<std::string> problems_in(const SupernetRecipe& recipe, std::int64_t images) {
  std::vector<std::string> problems = problems_in(recipe.training, images);
  if (recipe.training.patience != 0)
    problems.push_back("recipe.patience = " + std::to_string(recipe.training.patience) +
                       ": must be zero: a supernet has no one accuracy to stop by");
  if (recipe.training.batches.size() > 1)
    problems.emplace_back("recipe.batch: a supernet is trained with batches of one size");
  if (recipe.random_paths < 0)
    problems.push_back("recipe.random_paths = " + std::to_string(recipe.random_paths) +
                       ": must be zero or more");
  return problems;
}

std::vector<std::string> problems_in(const EvaluationOptions& options, const SupernetRecipe& recipe,
                                     std::int64_t images) {
  const TrainingRecipe& training = recipe.training;
  std::vector<std::string> problems;
  if (options.recalibration_images < training.batches.front() ||
      options.recalibration_images > training.training_images)
    problems.push_back("recalibration_images = " + std::to_string(options.recalibration_images) +
                       ": must be from one batch, " + std::to_string(training.batches.front()) +
                       ", to the " + std::to_string(training.training_images) +
                       " images trained on");
  if (options.validation_images < 1 ||
      options.validation_images > images - training.training_images)
    problems.push_back(
        "validation_images = " + std::to_string(options.validation_images) +
        ": must be from 1 to the " + std::to_string(images - training.training_images) + " of " +
        std::to_string(images) + " training images that the supernet was not trained on");
  return problems;
}

std::unique_ptr<SupernetTrainer> load_supernet_trainer(const std::filesystem::path& module_folder) {
  const auto create = reinterpret_cast<SupernetTrainerFactory>(
      module_function(module_folder, kSupernetTrainerFactoryName));
  return std::unique_ptr<SupernetTrainer>(create());
}

}  // namespace cosearch::nas
