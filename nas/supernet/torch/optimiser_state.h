// What an optimiser keeps beside each parameter, as tensors with names: the same state makes the
// same bytes, which LibTorch's own archives, named by addresses, do not.
#pragma once

#include <torch/torch.h>

#include <string>

#include "nas/supernet/torch/tensor_map.h"
#include "nas/training/recipe.h"

namespace cosearch::nas {

/// Adds what `optimiser`, made for `recipe`, keeps beside `parameter`, under names that begin with
/// `name` and '/'. Nothing where the parameter was not trained yet.
void save_optimiser(torch::optim::Optimizer& optimiser, const TrainingRecipe& recipe,
                    const torch::Tensor& parameter, const std::string& name, TensorMap& tensors);

/// The inverse.
void restore_optimiser(torch::optim::Optimizer& optimiser, const TrainingRecipe& recipe,
                       const torch::Tensor& parameter, const std::string& name,
                       const TensorMap& tensors);

}  // namespace cosearch::nas
