#include "nas/supernet/torch/optimiser_state.h"

#include <cstdint>
#include <memory>
#include <utility>

namespace cosearch::nas {
namespace {

using torch::optim::AdamWParamState;
using torch::optim::SGDParamState;

constexpr const char* kMomentum = "/momentum";
constexpr const char* kSquares = "/squares";
constexpr const char* kSteps = "/steps";

// By which LibTorch's optimisers find it.
std::string key_of(const torch::Tensor& parameter) {
  return c10::guts::to_string(parameter.unsafeGetTensorImpl());
}

}  // namespace

void save_optimiser(torch::optim::Optimizer& optimiser, const TrainingRecipe& recipe,
                    const torch::Tensor& parameter, const std::string& name, TensorMap& tensors) {
  const auto found = optimiser.state().find(key_of(parameter));
  if (found == optimiser.state().end()) return;
  if (recipe.optimiser == Optimiser::adamw) {
    const auto& state = static_cast<const AdamWParamState&>(*found->second);
    tensors[name + kMomentum] = state.exp_avg();
    tensors[name + kSquares] = state.exp_avg_sq();
    tensors[name + kSteps] = torch::tensor(state.step());
  } else if (recipe.momentum > 0) {
    tensors[name + kMomentum] = static_cast<const SGDParamState&>(*found->second).momentum_buffer();
  }
}

void restore_optimiser(torch::optim::Optimizer& optimiser, const TrainingRecipe& recipe,
                       const torch::Tensor& parameter, const std::string& name,
                       const TensorMap& tensors) {
  const auto momentum = tensors.find(name + kMomentum);
  if (momentum == tensors.end()) return;
  if (recipe.optimiser == Optimiser::adamw) {
    auto state = std::make_unique<AdamWParamState>();
    state->exp_avg(momentum->second.clone());
    state->exp_avg_sq(tensors.at(name + kSquares).clone());
    state->step(tensors.at(name + kSteps).item<std::int64_t>());
    optimiser.state()[key_of(parameter)] = std::move(state);
  } else {
    auto state = std::make_unique<SGDParamState>();
    state->momentum_buffer(momentum->second.clone());
    optimiser.state()[key_of(parameter)] = std::move(state);
  }
}

}  // namespace cosearch::nas
