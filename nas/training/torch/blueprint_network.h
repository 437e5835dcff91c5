// A blueprint as a LibTorch module.
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <functional>
#include <map>
#include <vector>

#include "nas/blueprint.h"
#include "nas/training/torch/token_steps.h"

namespace cosearch::nas {

/// What a step holds; empty where it holds nothing of the kind.
struct StepModules {
  torch::nn::Conv2d convolution{nullptr};
  torch::nn::ConvTranspose2d up_convolution{nullptr};
  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm2d normalisation{nullptr};
  torch::nn::LayerNorm layer_norm{nullptr};
  TokenEmbedding embedding{nullptr};

  /// Weights, then affine numbers.
  [[nodiscard]] std::vector<torch::Tensor> parameters() const;
  /// Of the convolution or linear layer; undefined where there is none.
  [[nodiscard]] torch::Tensor weight() const;
};

/// New ones, with LibTorch's initial numbers.
[[nodiscard]] StepModules modules_for(const Step& step);

/// Throws UserError, naming the layer, for a blueprint with an opaque step: it cannot run.
void require_runnable(const Blueprint& blueprint);

/// Runs the steps of a blueprint in order. Its parameters are the weights and affine numbers of the
/// lowered core::Network, as many of them, held by standard modules; they are LibTorch's defaults
/// until somebody draws others.
class BlueprintNetwork : public torch::nn::Module {
 public:
  /// Called after each step but the input's, in order.
  using Observer = std::function<void(const Step& step, const torch::Tensor& output)>;

  /// Throws what `require_runnable` throws.
  explicit BlueprintNetwork(Blueprint blueprint);

  /// With `modules`, one entry per step as modules_for makes them, which other networks may hold
  /// too. Throws the same.
  BlueprintNetwork(Blueprint blueprint, std::vector<StepModules> modules);

  /// `images`: count x channels x height x width; for Operation::embed_tokens, whole numbers.
  /// Returns count x (all numbers of the last step). Where the blueprint allows, other heights and
  /// widths than its own are taken too.
  torch::Tensor forward(const torch::Tensor& images, const Observer& observer = {});

  [[nodiscard]] const Blueprint& blueprint() const { return blueprint_; }
  /// By step.
  [[nodiscard]] const std::vector<StepModules>& modules() const { return modules_; }

  /// The terms of the sum that `step` is are multiplied by `weights`, one number each, from now on.
  /// Requires Operation::add.
  void weigh_terms(std::size_t step, torch::Tensor weights);

  /// When `off`, normalisation hands on what it reads, scales and shifts included, and attention
  /// has equal shares of all keys, whatever the scores: outputs are then linear in each weight,
  /// wherever activations are.
  void switch_normalisation_off(bool off) { is_normalisation_off_ = off; }

  /// The weights of convolutions and linear layers, in order: no biases, scales or shifts.
  [[nodiscard]] std::vector<torch::Tensor> weights() const;
  /// Batch normalisations, in order.
  [[nodiscard]] std::vector<torch::nn::BatchNorm2d> normalisations() const;

 private:
  void add_modules(const Step& step, const StepModules& modules);
  torch::Tensor run(std::size_t number, const std::vector<torch::Tensor>& outputs);
  torch::Tensor run_on_tokens(std::size_t number, const std::vector<torch::Tensor>& outputs);
  torch::Tensor convolved(std::size_t number, const torch::Tensor& input);
  torch::Tensor normalised(std::size_t number, const torch::Tensor& input);
  [[nodiscard]] torch::Tensor shares(const torch::Tensor& scores, bool is_causal) const;

  Blueprint blueprint_;
  std::vector<StepModules> modules_;      // by step
  std::vector<std::size_t> last_reader_;  // by step: no output is kept longer than it is needed
  std::map<std::size_t, torch::Tensor> term_weights_;  // by step
  bool is_normalisation_off_ = false;
};

}  // namespace cosearch::nas
