// One network in training: its weights, its optimiser, and how far it is.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "nas/training/torch/blueprint_network.h"
#include "nas/training/torch/image_tensors.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

class TrainingRun {
 public:
  /// At the task's checkpoint, where there is one, or the beginning. `task`, and the memory of the
  /// images, must outlive the run. Requires a recipe without problems and as many images as
  /// it asks for. Throws UserError as Trainer::train does.
  TrainingRun(const TrainingTask& task, const LabelledImages& training, const LabelledImages& test);

  /// The same from the weights of `modules`, which are trained, instead of those drawn for the
  /// task.
  TrainingRun(const TrainingTask& task, const LabelledImages& training, const LabelledImages& test,
              std::vector<StepModules> modules);

  /// Trains to the end, or until the task says to stop: nothing then.
  [[nodiscard]] std::optional<TrainingResult> finish();

 private:
  void epoch();
  [[nodiscard]] double step(const torch::Tensor& chosen, Random& augmentation);
  [[nodiscard]] bool is_finite() const;
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::size_t epoch_that_counts() const;
  [[nodiscard]] std::string state() const;
  void restore(const std::string& bytes);

  const TrainingTask& task_;
  const TrainingRecipe& recipe_;
  torch::Device device_;
  BlueprintNetwork network_;
  std::vector<torch::Tensor> parameters_;
  std::unique_ptr<torch::optim::Optimizer> optimiser_;
  ScaledImages training_, validation_, test_;
  std::int64_t steps_;  // in all
  std::int64_t steps_done_ = 0;
  TrainingResult result_;
};

}  // namespace cosearch::nas
