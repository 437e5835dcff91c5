// What all trainings have in common: first weights, loss, optimiser, accuracy.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "nas/training/recipe.h"
#include "nas/training/torch/blueprint_network.h"
#include "nas/training/torch/image_tensors.h"

namespace cosearch::nas {

/// The number of the random stream that belongs to `identity` (FNV-1a; G. Fowler, L. Noll, K. Vo).
[[nodiscard]] std::uint64_t stream_of(const std::string& identity);

/// He uniform over the fan-in (K. He et al., ICCV 2015) for the weight tensor; scales stay one,
/// shifts and biases become zero. From our own stream, so that weights do not depend on LibTorch's
/// version.
void draw_weights(const StepModules& modules, Random& random);

[[nodiscard]] std::unique_ptr<torch::optim::Optimizer> make_optimiser(
    const TrainingRecipe& recipe, std::vector<torch::Tensor> parameters);
void set_learning_rate(torch::optim::Optimizer& optimiser, double rate);

/// What `network` says of images, which are fitted to what it takes.
[[nodiscard]] torch::Tensor outputs_of(BlueprintNetwork& network, const torch::Tensor& pixels);

/// Mean cross-entropy, with the recipe's label smoothing.
[[nodiscard]] torch::Tensor loss_of(const torch::Tensor& outputs, const torch::Tensor& labels,
                                    const TrainingRecipe& recipe);

/// In evaluation mode, which the network is left in.
[[nodiscard]] double accuracy_percent(BlueprintNetwork& network, const ScaledImages& images);

}  // namespace cosearch::nas
