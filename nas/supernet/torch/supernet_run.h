// A supernet in training.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "nas/supernet/supernet.h"
#include "nas/supernet/torch/shared_weights.h"
#include "nas/supernet/torch/tensor_map.h"
#include "nas/training/torch/image_tensors.h"

namespace cosearch::nas {

/// Of a state: the seed that weights not trained yet are drawn from.
[[nodiscard]] std::uint64_t seed_in(const TensorMap& state);

class SupernetRun {
 public:
  /// At the task's checkpoint, where there is one, or the beginning. `task` must outlive the run.
  /// Requires a recipe without problems. Throws UserError as SupernetTrainer::train does.
  SupernetRun(const SupernetTask& task, const LabelledImages& images);

  /// Trains to the end and returns the state, or until the task says to stop: nothing then.
  [[nodiscard]] std::optional<std::string> finish();

 private:
  void epoch();
  [[nodiscard]] double step(const ScaledImages& batch, std::int64_t number);
  [[nodiscard]] std::vector<std::string> paths_of(std::int64_t step) const;
  [[nodiscard]] std::string state() const;
  [[nodiscard]] bool is_over() const;

  const SupernetTask& task_;
  const TrainingRecipe& recipe_;
  ScaledImages images_;
  std::int64_t steps_per_epoch_;
  std::optional<SharedWeights> weights_;
  std::vector<double> epoch_loss_;
  std::string largest_, smallest_;  // only of the sandwich rule
};

}  // namespace cosearch::nas
