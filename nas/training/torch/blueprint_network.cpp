#include "nas/training/torch/blueprint_network.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/user_error.h"
#include "nas/training/torch/wide_depthwise_convolution.h"

namespace cosearch::nas {
namespace {

torch::nn::Conv2d convolution_of(const Layer& layer, Affine affine) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(layer.G * layer.C, layer.G * layer.K, {layer.R, layer.S})
          .stride({layer.stride_h, layer.stride_w})
          .padding(torch::ExpandingArray<2>({layer.pad_top, layer.pad_left}))
          .dilation({layer.dilation_h, layer.dilation_w})
          .groups(layer.G)
          .bias(affine == Affine::bias));
}

torch::nn::ConvTranspose2d up_convolution_of(const Step& step) {
  return torch::nn::ConvTranspose2d(
      torch::nn::ConvTranspose2dOptions(step.layer->C, step.shape.channels, /*kernel_size=*/2)
          .stride(2)
          .bias(step.affine == Affine::bias));
}

torch::Tensor pooled(const Step& step, const torch::Tensor& input) {
  const Layer& layer = *step.layer;
  const std::array window{layer.R, layer.S}, stride{layer.stride_h, layer.stride_w},
      padding{layer.pad_top, layer.pad_left};
  const bool keeps_last = layer.pad_bottom > layer.pad_top || layer.pad_right > layer.pad_left;
  if (step.operation == Operation::maximum_pool)
    return torch::max_pool2d(input, window, stride, padding, /*dilation=*/1, keeps_last);
  return torch::avg_pool2d(input, window, stride, padding, keeps_last,
                           /*count_include_pad=*/false);
}

torch::Tensor activated(Activation activation, const torch::Tensor& input) {
  switch (activation) {
    case Activation::none:
      return input;
    case Activation::relu:
      return torch::relu(input);
    case Activation::relu6:
      return torch::hardtanh(input, 0, 6);
    case Activation::swish:
      return torch::silu(input);
    case Activation::hard_swish:
      return torch::hardswish(input);
    case Activation::sigmoid:
      return torch::sigmoid(input);
    case Activation::hard_sigmoid:
      return torch::hardsigmoid(input);
    case Activation::gelu:
      return torch::gelu(input);
  }
  return input;
}

bool is_embedding(const Step& step) {
  return step.operation == Operation::embed_tokens || step.operation == Operation::embed_positions;
}

bool is_wide_depthwise(const Layer& layer) {
  return layer.G > 1 && layer.C == 1 && layer.K == 1 && layer.R == 5 && layer.S == 5 &&
         layer.pad_top == 2 && layer.pad_left == 2 && layer.stride_h == layer.stride_w &&
         layer.dilation_h == 1 && layer.dilation_w == 1;
}

std::vector<std::size_t> last_readers(const Blueprint& blueprint) {
  std::vector<std::size_t> last(blueprint.steps.size(), blueprint.steps.size());
  for (std::size_t i = 0; i < blueprint.steps.size(); ++i)
    for (const std::size_t input : blueprint.steps[i].inputs) last[input] = i;
  return last;
}

std::vector<StepModules> all_modules_for(const Blueprint& blueprint) {
  require_runnable(blueprint);
  std::vector<StepModules> all;
  for (const Step& step : blueprint.steps) all.push_back(modules_for(step));
  return all;
}

}  // namespace

std::vector<torch::Tensor> StepModules::parameters() const {
  std::vector<torch::Tensor> all;
  const auto append = [&all](const auto& module) {
    if (module.is_empty()) return;
    for (const torch::Tensor& parameter : module->parameters()) all.push_back(parameter);
  };
  append(convolution);
  append(up_convolution);
  append(linear);
  append(normalisation);
  append(layer_norm);
  append(embedding);
  return all;
}

torch::Tensor StepModules::weight() const {
  if (convolution) return convolution->weight;
  if (up_convolution) return up_convolution->weight;
  if (linear) return linear->weight;
  return {};
}

void require_runnable(const Blueprint& blueprint) {
  for (const Step& step : blueprint.steps)
    if (step.operation == Operation::opaque)
      throw UserError(blueprint.name + ": layer '" + step.name +
                      "' is known by its cost only, so that the network cannot run");
}

StepModules modules_for(const Step& step) {
  StepModules modules;
  if (step.operation == Operation::convolution)
    modules.convolution = convolution_of(*step.layer, step.affine);
  if (step.operation == Operation::up_convolution) modules.up_convolution = up_convolution_of(step);
  if (step.operation == Operation::linear || step.operation == Operation::token_linear)
    modules.linear = torch::nn::Linear(
        torch::nn::LinearOptions(step.layer->C, step.layer->K).bias(step.affine == Affine::bias));
  const auto [channels, height, width] = step.shape;
  if (step.affine == Affine::batch_norm) modules.normalisation = torch::nn::BatchNorm2d(channels);
  if (step.affine == Affine::layer_norm)
    modules.layer_norm = torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels}));
  if (is_embedding(step))
    modules.embedding =
        TokenEmbedding(channels, height, step.further_parameters / channels - height);
  return modules;
}

BlueprintNetwork::BlueprintNetwork(Blueprint blueprint)
    : BlueprintNetwork(blueprint, all_modules_for(blueprint)) {}

BlueprintNetwork::BlueprintNetwork(Blueprint blueprint, std::vector<StepModules> modules)
    : blueprint_(std::move(blueprint)),
      modules_(std::move(modules)),
      last_reader_(last_readers(blueprint_)) {
  require_runnable(blueprint_);
  for (std::size_t i = 0; i < modules_.size(); ++i) add_modules(blueprint_.steps[i], modules_[i]);
}

void BlueprintNetwork::add_modules(const Step& step, const StepModules& modules) {
  // LibTorch takes names without dots only.
  std::string name = step.name;
  std::ranges::replace(name, '.', '/');
  if (modules.convolution) register_module(name + "/convolution", modules.convolution);
  if (modules.up_convolution) register_module(name + "/convolution", modules.up_convolution);
  if (modules.linear) register_module(name + "/linear", modules.linear);
  if (modules.normalisation) register_module(name + "/normalisation", modules.normalisation);
  if (modules.layer_norm) register_module(name + "/normalisation", modules.layer_norm);
  if (modules.embedding) register_module(name + "/embedding", modules.embedding);
  if (step.further_parameters > 0 && !is_embedding(step))
    register_parameter(name + "/idle", torch::zeros({step.further_parameters}));
}

std::vector<torch::Tensor> BlueprintNetwork::weights() const {
  std::vector<torch::Tensor> weights;
  for (const StepModules& modules : modules_)
    if (const torch::Tensor weight = modules.weight(); weight.defined()) weights.push_back(weight);
  return weights;
}

std::vector<torch::nn::BatchNorm2d> BlueprintNetwork::normalisations() const {
  std::vector<torch::nn::BatchNorm2d> normalisations;
  for (const StepModules& modules : modules_)
    if (modules.normalisation) normalisations.push_back(modules.normalisation);
  return normalisations;
}

void BlueprintNetwork::weigh_terms(std::size_t step, torch::Tensor weights) {
  term_weights_[step] = std::move(weights);
}

torch::Tensor BlueprintNetwork::forward(const torch::Tensor& images, const Observer& observer) {
  std::vector<torch::Tensor> outputs{images};
  for (std::size_t i = 1; i < blueprint_.steps.size(); ++i) {
    outputs.push_back(run(i, outputs));
    if (observer) observer(blueprint_.steps[i], outputs.back());
    for (const std::size_t input : blueprint_.steps[i].inputs)
      if (last_reader_[input] == i) outputs[input].reset();
  }
  return outputs.back().flatten(1);
}

torch::Tensor BlueprintNetwork::convolved(std::size_t number, const torch::Tensor& input) {
  torch::nn::Conv2d& convolution = modules_[number].convolution;
  const torch::Tensor output =
      is_wide_depthwise(*blueprint_.steps[number].layer)
          ? WideDepthwiseConvolution::apply(input, convolution->weight,
                                            convolution->options.stride()->front())
          : convolution->forward(input);
  // With the channels innermost convolutions take a third less time, gradients half.
  return output.contiguous(kFormat);
}

torch::Tensor BlueprintNetwork::normalised(std::size_t number, const torch::Tensor& input) {
  StepModules& modules = modules_[number];
  if (is_normalisation_off_) return input;
  if (modules.layer_norm) return layer_norm(modules.layer_norm, input);
  return modules.normalisation ? modules.normalisation->forward(input) : input;
}

torch::Tensor BlueprintNetwork::shares(const torch::Tensor& scores, bool is_causal) const {
  return attention_shares(is_normalisation_off_ ? torch::zeros_like(scores) : scores, is_causal);
}

torch::Tensor BlueprintNetwork::run(std::size_t number, const std::vector<torch::Tensor>& outputs) {
  const Step& step = blueprint_.steps[number];
  const auto input = [&](std::size_t i) -> const torch::Tensor& { return outputs[step.inputs[i]]; };
  switch (step.operation) {
    case Operation::convolution:
      return normalised(number, convolved(number, input(0)));
    case Operation::up_convolution:
      return normalised(number, modules_[number].up_convolution->forward(input(0)));
    case Operation::linear:
      return normalised(
          number,
          modules_[number].linear->forward(input(0).flatten(1)).unsqueeze(-1).unsqueeze(-1));
    case Operation::maximum_pool:
    case Operation::average_pool:
      return pooled(step, input(0));
    case Operation::global_pool:
      return input(0).mean({2, 3}, /*keepdim=*/true);
    case Operation::normalise:
      return normalised(number, input(0));
    case Operation::add: {
      const auto weights = term_weights_.find(number);
      const auto term = [&](std::size_t i) {
        return weights == term_weights_.end()
                   ? input(i)
                   : input(i) * weights->second[static_cast<std::int64_t>(i)];
      };
      torch::Tensor sum = term(0);
      for (std::size_t i = 1; i < step.inputs.size(); ++i) sum = sum + term(i);
      return sum;
    }
    case Operation::scale:
      return input(0) * input(1);
    case Operation::activate:
      return activated(step.activation, input(0));
    case Operation::concatenate: {
      std::vector<torch::Tensor> parts;
      for (std::size_t i = 0; i < step.inputs.size(); ++i) parts.push_back(input(i));
      return torch::cat(parts, 1);
    }
    case Operation::crop: {
      const FeatureShape& whole = blueprint_.steps[step.inputs[0]].shape;
      return input(0)
          .slice(2, whole.height - step.shape.height)
          .slice(3, whole.width - step.shape.width);
    }
    case Operation::truncate:
      return input(0).narrow(1, 0, step.shape.channels);
    case Operation::zero:
      return torch::zeros_like(input(0));
    default:
      return run_on_tokens(number, outputs);
  }
}

torch::Tensor BlueprintNetwork::run_on_tokens(std::size_t number,
                                              const std::vector<torch::Tensor>& outputs) {
  const Step& step = blueprint_.steps[number];
  const auto input = [&](std::size_t i) -> const torch::Tensor& { return outputs[step.inputs[i]]; };
  switch (step.operation) {
    case Operation::tokens:
      return input(0).flatten(2).unsqueeze(3);
    case Operation::embed_tokens:
      return modules_[number].embedding->forward(rows_of(modules_.back().weight(), input(0)));
    case Operation::embed_positions:
      return modules_[number].embedding->forward(input(0));
    case Operation::token_linear:
      return token_linear(modules_[number].linear, input(0));
    case Operation::attention_scores:
      return attention_scores(input(0), input(1), step.layer->G);
    case Operation::softmax:
      return shares(input(0), /*is_causal=*/false);
    case Operation::causal_softmax:
      return shares(input(0), /*is_causal=*/true);
    case Operation::attention_values:
      return attention_values(input(0), input(1), step.layer->G);
    default:
      TORCH_CHECK(false, "a step that cannot run");
  }
}

}  // namespace cosearch::nas
