#include "nas/supernet/differentiable_search.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <sstream>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 3> kHypergradients{"first-order", "second-order",
                                                          "implicit"};

}  // namespace

std::vector<std::string> hypergradient_names() {
  return {kHypergradients.begin(), kHypergradients.end()};
}

std::string_view name_of(Hypergradient hypergradient) {
  return kHypergradients[static_cast<std::size_t>(hypergradient)];
}

Hypergradient hypergradient_named(std::string_view name) {
  for (std::size_t i = 0; i < kHypergradients.size(); ++i)
    if (kHypergradients[i] == name) return static_cast<Hypergradient>(i);
  throw UserError("no hypergradient is called '" + std::string(name) + "'" +
                  did_you_mean(name, hypergradient_names()));
}

std::vector<std::string> problems_in(const SearchRecipe& recipe, std::int64_t images) {
  std::vector<std::string> problems = problems_in(recipe.training, images);
  const auto require = [&](bool holds, const std::string& name, double value,
                           const std::string& rule) {
    if (holds) return;
    std::ostringstream text;
    text << "recipe." << name << " = " << value << ": must be " << rule;
    problems.push_back(text.str());
  };
  const auto is_positive = [](double value) { return std::isfinite(value) && value > 0; };
  const auto is_zero_or_more = [](double value) { return std::isfinite(value) && value >= 0; };
  require(recipe.training.patience == 0, "patience", recipe.training.patience,
          "zero: a search runs all its epochs");
  if (recipe.training.batches.size() > 1)
    problems.emplace_back("recipe.batch: a search has batches of one size");
  const std::int64_t left = images - recipe.training.training_images;
  require(recipe.validation_images >= recipe.training.batches.front() &&
              recipe.validation_images <= left,
          "validation_images", static_cast<double>(recipe.validation_images),
          "from one batch to the " + std::to_string(left) + " training images left");
  require(is_positive(recipe.architecture_learning_rate), "architecture_learning_rate",
          recipe.architecture_learning_rate, "a positive number");
  require(is_zero_or_more(recipe.architecture_weight_decay), "architecture_weight_decay",
          recipe.architecture_weight_decay, "zero or more");
  require(recipe.weight_steps >= 1, "weight_steps", recipe.weight_steps, "at least 1");
  require(recipe.neumann_terms >= 0, "neumann_terms", recipe.neumann_terms, "zero or more");
  require(is_positive(recipe.neumann_rate), "neumann_rate", recipe.neumann_rate,
          "a positive number");
  require(is_zero_or_more(recipe.latency_weight), "latency_weight", recipe.latency_weight,
          "zero or more");
  return problems;
}

}  // namespace cosearch::nas
