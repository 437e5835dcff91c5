#include "nas/training/torch/learning.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cosearch::nas {
namespace {

// Small enough for activations to stay in the cache.
constexpr std::int64_t kTestBatch = 50;

}  // namespace

std::uint64_t stream_of(const std::string& identity) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char letter : identity) hash = (hash ^ letter) * 0x100000001b3;
  return hash;
}

void draw_weights(const StepModules& modules, Random& random) {
  const torch::NoGradGuard no_gradient;
  if (torch::Tensor weight = modules.weight(); weight.defined()) {
    const double bound = std::sqrt(6.0 / static_cast<double>(weight.numel() / weight.size(0)));
    std::vector<float> values(static_cast<std::size_t>(weight.numel()));
    for (float& value : values) value = static_cast<float>((2 * random.uniform() - 1) * bound);
    weight.copy_(torch::from_blob(values.data(), weight.sizes()));
  }
  const auto clear_bias = [](const auto& module) {
    if (!module.is_empty() && module->bias.defined()) module->bias.zero_();
  };
  clear_bias(modules.convolution);
  clear_bias(modules.up_convolution);
  clear_bias(modules.linear);
}

std::unique_ptr<torch::optim::Optimizer> make_optimiser(const TrainingRecipe& recipe,
                                                        std::vector<torch::Tensor> parameters) {
  if (recipe.optimiser == Optimiser::adamw)
    return std::make_unique<torch::optim::AdamW>(std::move(parameters),
                                                 torch::optim::AdamWOptions(recipe.learning_rate)
                                                     .betas({recipe.momentum, 0.999})
                                                     .weight_decay(recipe.weight_decay));
  return std::make_unique<torch::optim::SGD>(std::move(parameters),
                                             torch::optim::SGDOptions(recipe.learning_rate)
                                                 .momentum(recipe.momentum)
                                                 .nesterov(recipe.momentum > 0)
                                                 .weight_decay(recipe.weight_decay));
}

void set_learning_rate(torch::optim::Optimizer& optimiser, double rate) {
  for (auto& group : optimiser.param_groups()) group.options().set_lr(rate);
}

torch::Tensor outputs_of(BlueprintNetwork& network, const torch::Tensor& pixels) {
  return network.forward(fitted(pixels, network.blueprint().steps.front().shape));
}

torch::Tensor loss_of(const torch::Tensor& outputs, const torch::Tensor& labels,
                      const TrainingRecipe& recipe) {
  return torch::nn::functional::cross_entropy(
      outputs, labels,
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(recipe.label_smoothing));
}

double accuracy_percent(BlueprintNetwork& network, const ScaledImages& images) {
  const torch::NoGradGuard no_gradient;
  network.eval();
  std::int64_t right = 0;
  const std::int64_t count = images.count();
  for (std::int64_t first = 0; first < count; first += kTestBatch) {
    const std::int64_t last = std::min(first + kTestBatch, count);
    const torch::Tensor guess = outputs_of(network, images.pixels.slice(0, first, last)).argmax(1);
    right += guess.eq(images.labels.slice(0, first, last)).sum().item<std::int64_t>();
  }
  return 100 * static_cast<double>(right) / static_cast<double>(count);
}

}  // namespace cosearch::nas
