#include "nas/scores/torch/torch_scores.h"

#include <cmath>
#include <numbers>
#include <tuple>

namespace cosearch::nas {
namespace {

/// Gradients of `value` by the network's weights; zeros where a weight does not reach it.
std::vector<torch::Tensor> weight_gradients(const BlueprintNetwork& network,
                                            const torch::Tensor& value) {
  const std::vector<torch::Tensor> weights = network.weights();
  if (!value.requires_grad()) {
    std::vector<torch::Tensor> zeros;
    for (const torch::Tensor& weight : weights) zeros.push_back(torch::zeros_like(weight));
    return zeros;
  }
  auto gradients = torch::autograd::grad({value}, weights, {}, /*retain_graph=*/false,
                                         /*create_graph=*/false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!gradients[i].defined()) gradients[i] = torch::zeros_like(weights[i]);
  return gradients;
}

torch::Tensor cross_entropy(BlueprintNetwork& network, const torch::Tensor& images,
                            const torch::Tensor& labels) {
  return torch::nn::functional::cross_entropy(network.forward(images), labels);
}

/// Linear in each weight: every weight positive, in double precision because products over many
/// layers exceed single precision; undone on destruction.
class Linearised {
 public:
  explicit Linearised(BlueprintNetwork& network) : network_(network) {
    const torch::NoGradGuard no_gradient;
    for (const torch::Tensor& parameter : network.parameters())
      drawn_.push_back(parameter.detach().clone());
    network.to(torch::kFloat64);
    for (torch::Tensor& parameter : network.parameters()) parameter.abs_();
    network.switch_normalisation_off(true);
  }
  ~Linearised() {
    const torch::NoGradGuard no_gradient;
    network_.to(torch::kFloat32);
    auto drawn = drawn_.begin();
    for (torch::Tensor& parameter : network_.parameters()) parameter.copy_(*drawn++);
    network_.switch_normalisation_off(false);
  }
  Linearised(const Linearised&) = delete;
  Linearised& operator=(const Linearised&) = delete;

 private:
  BlueprintNetwork& network_;
  std::vector<torch::Tensor> drawn_;
};

double synaptic_flow(BlueprintNetwork& network, const torch::Tensor& image,
                     torch::Tensor (*remap)(const torch::Tensor& gradient)) {
  const Linearised linearised(network);
  const torch::Tensor ones = torch::ones(image.sizes(), torch::kFloat64);
  const auto gradients = weight_gradients(network, network.forward(ones).sum());
  const std::vector<torch::Tensor> weights = network.weights();
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    sum += (weights[i].detach() * remap(gradients[i])).abs().sum().item<double>();
  return sum;
}

/// Signs of the activations of each image, +1 where positive and else -1, activation by activation:
/// one matrix of count x (numbers of that activation) a time.
template <class Visit>
void visit_codes(BlueprintNetwork& network, const torch::Tensor& images, const Visit& visit) {
  const torch::NoGradGuard no_gradient;
  network.train();
  network.forward(images, [&](const Step& step, const torch::Tensor& output) {
    if (step.operation == Operation::activate)
      visit(output.flatten(1).gt(0).to(torch::kFloat32).mul_(2).sub_(1));
  });
}

/// The output of the step that the last global pooling reads; the network's where nothing pools.
std::size_t feature_step(const Blueprint& blueprint) {
  std::size_t step = blueprint.steps.size() - 1;
  for (std::size_t i = 0; i < blueprint.steps.size(); ++i)
    if (blueprint.steps[i].operation == Operation::global_pool) step = blueprint.steps[i].inputs[0];
  return step;
}

}  // namespace

torch::Tensor gaussian(at::IntArrayRef shape, Random random) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat32);
  auto* values = tensor.data_ptr<float>();
  // Box and Muller: two numbers from two.
  for (std::int64_t i = 0; i < tensor.numel(); i += 2) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    const double angle = 2 * std::numbers::pi * random.uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < tensor.numel()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
  return tensor;
}

void draw_weights(BlueprintNetwork& network, WeightScale scale, std::uint64_t seed) {
  const torch::NoGradGuard no_gradient;
  for (torch::Tensor& parameter : network.parameters())
    if (parameter.dim() == 1) parameter.zero_();
  for (const StepModules& modules : network.modules()) {
    if (modules.normalisation) modules.normalisation->weight.fill_(1);
    if (modules.layer_norm) modules.layer_norm->weight.fill_(1);
    if (modules.embedding)
      for (torch::Tensor& numbers : modules.embedding->parameters()) numbers.zero_();
  }
  std::uint64_t layer = 0;
  for (torch::Tensor& weight : network.weights()) {
    const auto fan_out = static_cast<double>(weight.numel() / weight.size(1));
    const double deviation = scale == WeightScale::unit ? 1 : std::sqrt(2 / fan_out);
    weight.copy_(gaussian(weight.sizes(), Random(seed, "score weights", layer++)).mul_(deviation));
  }
}

double synflow(BlueprintNetwork& network, const torch::Tensor& image) {
  return synaptic_flow(network, image, [](const torch::Tensor& gradient) { return gradient; });
}

double logsynflow(BlueprintNetwork& network, const torch::Tensor& image) {
  return synaptic_flow(network, image,
                       [](const torch::Tensor& gradient) { return torch::log1p(gradient); });
}

torch::Tensor agreements(BlueprintNetwork& network, const torch::Tensor& images) {
  torch::Tensor sum = torch::zeros({images.size(0), images.size(0)}, torch::kFloat64);
  // Of n signs, a agree and n - a do not: their product is 2a - n. Counts are whole numbers below
  // 2^24, which single precision holds exactly.
  visit_codes(network, images, [&](const torch::Tensor& codes) {
    const auto count = static_cast<double>(codes.size(1));
    sum += codes.matmul(codes.t()).to(torch::kFloat64).add_(count).div_(2);
  });
  return sum;
}

double naswot(BlueprintNetwork& network, const torch::Tensor& images) {
  return std::get<1>(torch::slogdet(agreements(network, images))).item<double>();
}

double nregions(BlueprintNetwork& network, const torch::Tensor& images) {
  // Two images are of one region when all their signs agree.
  const torch::Tensor same = agreements(network, images);
  const torch::Tensor is_same = same.eq(same.diagonal().unsqueeze(1));
  // An image counts when no earlier one has its pattern.
  return static_cast<double>(is_same.tril(-1).any(1).logical_not().sum().item<std::int64_t>());
}

double jacob_cov(BlueprintNetwork& network, const torch::Tensor& images) {
  constexpr double kSmall = 1e-5;
  network.train();
  const torch::Tensor input = images.detach().clone().requires_grad_();
  const torch::Tensor output = network.forward(input).sum();
  if (!output.requires_grad()) return std::nan("");
  const torch::Tensor gradient =
      torch::autograd::grad({output}, {input}, {}, /*retain_graph=*/false, /*create_graph=*/false,
                            /*allow_unused=*/true)[0];
  // The images do not reach the output: there is nothing to correlate.
  if (!gradient.defined()) return std::nan("");
  const torch::Tensor correlation = torch::corrcoef(gradient.flatten(1).to(torch::kFloat64));
  if (!correlation.isfinite().all().item<bool>()) return std::nan("");
  const torch::Tensor v = torch::linalg_eigvalsh(correlation).add(kSmall);
  return -(v.log() + v.reciprocal()).sum().item<double>();
}

double snip(BlueprintNetwork& network, const torch::Tensor& images, const torch::Tensor& labels) {
  network.train();
  const auto gradients = weight_gradients(network, cross_entropy(network, images, labels));
  const std::vector<torch::Tensor> weights = network.weights();
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    sum += (weights[i].detach() * gradients[i]).abs().sum().item<double>();
  return sum;
}

double grad_norm(BlueprintNetwork& network, const torch::Tensor& images,
                 const torch::Tensor& labels) {
  network.train();
  double sum = 0;
  for (const torch::Tensor& gradient :
       weight_gradients(network, cross_entropy(network, images, labels)))
    sum += gradient.norm().item<double>();
  return sum;
}

double zico(BlueprintNetwork& network, const torch::Tensor& images, const torch::Tensor& labels) {
  network.train();
  const std::int64_t half = images.size(0) / 2;
  const auto gradients_of = [&](std::int64_t from) {
    auto gradients =
        weight_gradients(network, cross_entropy(network, images.slice(0, from, from + half),
                                                labels.slice(0, from, from + half)));
    for (torch::Tensor& gradient : gradients) gradient = gradient.abs().to(torch::kFloat64);
    return gradients;
  };
  const auto first = gradients_of(0), second = gradients_of(half);
  double sum = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const torch::Tensor mean = (first[i] + second[i]) / 2;
    const torch::Tensor deviation = (first[i] - second[i]).abs() / 2;
    // A weight whose gradient does not vary tells nothing of the ratio.
    const torch::Tensor varies = deviation.gt(0);
    const double ratio =
        (mean.masked_select(varies) / deviation.masked_select(varies)).sum().item<double>();
    if (ratio > 0) sum += std::log(ratio);
  }
  return sum;
}

double zen(BlueprintNetwork& network, const torch::Tensor& images, const torch::Tensor& change) {
  constexpr double kShare = 0.01;  // of the change: alpha of the algorithm
  const torch::NoGradGuard no_gradient;
  network.train();
  const auto features_of = [&](const torch::Tensor& input) {
    const Step* feature = &network.blueprint().steps[feature_step(network.blueprint())];
    torch::Tensor features;
    network.forward(input, [&](const Step& step, const torch::Tensor& output) {
      if (&step == feature) features = output;
    });
    return features;
  };
  // With a momentum of one, the running variance of a normalisation is that of the last batch.
  double scaling = 0;
  const auto normalisations = network.normalisations();
  for (auto normalisation : normalisations) normalisation->options.momentum(1);
  const torch::Tensor features = features_of(images);
  for (const auto& normalisation : normalisations) {
    const double variance = normalisation->running_var.mean().item<double>();
    // What is constant is handed on as zero, whatever it was divided by.
    if (variance > 0) scaling += std::log(variance) / 2;
  }
  const torch::Tensor moved = features_of(images + kShare * change);
  const double difference = (features - moved).abs().flatten(1).sum(1).mean().item<double>();
  return std::log(difference) + scaling;
}

}  // namespace cosearch::nas
