// Differentiable search: the alternatives of every choice are mixed with softmax weights, which are
// trained by gradient descent beside the network's own. Source: H. Liu, K. Simonyan, Y. Yang,
// "DARTS: differentiable architecture search", ICLR 2019.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nas/choice_space.h"
#include "nas/training/recipe.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

/// The gradient of the validation loss at the trained weights w*(a) by the mixing weights a is
/// found
enum class Hypergradient : std::uint8_t {
  /// with w in place of w*(a), as if it did not depend on a (DARTS, section 2.3).
  first_order,
  /// through one step of gradient descent from w, the product with a second derivative taken by
  /// finite differences (DARTS, equations 7 and 8).
  second_order,
  /// by the implicit function theorem, w taken for w*(a) and the inverse Hessian for the first
  /// terms of its Neumann series: M. Zhang et al., "iDARTS: differentiable architecture search with
  /// stochastic implicit gradients", ICML 2021, equation 9.
  implicit,
};

[[nodiscard]] std::vector<std::string> hypergradient_names();
[[nodiscard]] std::string_view name_of(Hypergradient hypergradient);
/// Throws UserError (with a suggestion) when none is called `name`.
[[nodiscard]] Hypergradient hypergradient_named(std::string_view name);

struct SearchRecipe {
  /// Of the network's weights; without early stopping (patience and validation_images zero).
  /// Batch normalisation does not scale or shift: it would undo the mixing weights.
  TrainingRecipe training;

  /// Training images behind those the weights are trained on, for the mixing weights.
  std::int64_t validation_images = 20000;

  Hypergradient hypergradient = Hypergradient::second_order;

  /// Of the mixing weights, by AdamW with a first beta of 0.5 (DARTS has Adam with this rate, beta
  /// and decay in its experiments, appendix A.1).
  double architecture_learning_rate = 3e-4;
  double architecture_weight_decay = 1e-3;

  /// Steps of the weights before each of the mixing weights.
  int weight_steps = 1;

  /// Hypergradient::implicit: terms of the series behind the first, and what the Hessian is
  /// multiplied by in it; it converges where that is below two over the largest curvature.
  int neumann_terms = 2;
  double neumann_rate = 0.01;

  /// What the expected latency, over that of evenly mixed alternatives, adds to the validation
  /// loss. 0: nothing.
  double latency_weight = 0;
};

/// Everything wrong with `recipe` for so many training images, in the user's words; empty when
/// valid.
[[nodiscard]] std::vector<std::string> problems_in(const SearchRecipe& recipe, std::int64_t images);

/// Latency of a network whose choices add up, in any unit.
struct ChoiceLatencies {
  double fixed = 0;  ///< whatever is chosen
  /// By choice and alternative, beside `fixed`.
  std::vector<std::vector<double>> of = {};
};

/// After an epoch.
struct SearchEpoch {
  int number = 0;               ///< from 1
  double training_loss = 0;     ///< means over the steps of the epoch
  double validation_loss = 0;   ///< without the latency
  double expected_latency = 0;  ///< under `probabilities`; 0 without latencies
  /// Softmax of the mixing weights, by choice and alternative.
  std::vector<std::vector<double>> probabilities = {};
  /// The likeliest alternative of every choice; the first of equals.
  std::string genotype = {};
};

struct SearchTask {
  const ChoiceSpace& space;
  SearchRecipe recipe;
  std::uint64_t seed = 0;
  /// Empty `of` where the latency weight is zero.
  ChoiceLatencies latencies = {};

  /// As SupernetTask's.
  CheckpointStore* checkpoints = nullptr;
  std::function<void(const SearchEpoch& epoch)> watch = nullptr;
  std::function<bool()> stop = nullptr;
};

}  // namespace cosearch::nas
