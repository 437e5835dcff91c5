// A differentiable search under way.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "nas/supernet/differentiable_search.h"
#include "nas/supernet/torch/hypergradient.h"
#include "nas/training/torch/blueprint_network.h"
#include "nas/training/torch/image_tensors.h"

namespace cosearch::nas {

class DifferentiableRun {
 public:
  /// At the task's checkpoint, where there is one, or the beginning. `task` must outlive the run.
  /// Requires a recipe without problems. Throws UserError as SupernetTrainer::search does.
  DifferentiableRun(const SearchTask& task, const LabelledImages& images);

  /// Searches to the end and returns all epochs, or until the task says to stop: nothing then.
  [[nodiscard]] std::optional<std::vector<SearchEpoch>> finish();

 private:
  void epoch();
  /// Of the weights; returns the loss.
  [[nodiscard]] double weight_step(const ScaledImages& batch, double learning_rate);
  /// Of the mixing weights; returns the validation loss without the latency.
  [[nodiscard]] double architecture_step(const ScaledImages& training,
                                         const ScaledImages& validation, double learning_rate);
  [[nodiscard]] BilevelGradient gradient_of(const BilevelProblem& problem,
                                            double learning_rate) const;
  /// Of the mixture that the mixing weights now make.
  [[nodiscard]] torch::Tensor loss_on(const ScaledImages& batch);
  [[nodiscard]] SearchEpoch described(double training_loss, double validation_loss) const;
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::string state() const;
  void restore(const std::string& bytes);

  const SearchTask& task_;
  const TrainingRecipe& recipe_;
  TrainingRecipe architecture_recipe_;
  MixedBlueprint mixed_;
  std::optional<BlueprintNetwork> network_;
  Tensors weights_, architecture_;  // by choice
  std::unique_ptr<torch::optim::Optimizer> weight_optimiser_, architecture_optimiser_;
  ScaledImages training_, validation_;
  double even_latency_ = 1;  // expected before anything is learnt
  std::int64_t steps_per_epoch_;
  std::vector<SearchEpoch> epochs_;
};

}  // namespace cosearch::nas
