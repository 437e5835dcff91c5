#include "nas/training/torch/function_preserving.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/user_error.h"

namespace cosearch::nas {
namespace {

std::size_t step_called(const Blueprint& blueprint, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < blueprint.steps.size(); ++i) {
    if (blueprint.steps[i].name == name && !name.empty()) return i;
    if (!blueprint.steps[i].name.empty()) names.push_back(blueprint.steps[i].name);
  }
  throw UserError(blueprint.name + ": no layer is called '" + name + "'" +
                  did_you_mean(name, names));
}

bool has_groups(const Step& step) {
  return step.operation == Operation::convolution && step.layer->G > 1;
}

bool is_depthwise(const Step& step) { return has_groups(step) && step.layer->is_depthwise(); }

/// Has as many channels as all that it reads, one for one.
bool hands_on_channels(const Step& step) {
  switch (step.operation) {
    case Operation::maximum_pool:
    case Operation::average_pool:
    case Operation::global_pool:
    case Operation::normalise:
    case Operation::add:
    case Operation::scale:
    case Operation::activate:
    case Operation::crop:
    case Operation::zero:
    case Operation::tokens:
      return true;
    default:
      return is_depthwise(step);
  }
}

/// Reads every channel with weights of its own.
bool weighs_channels(const Step& step) {
  return step.operation == Operation::up_convolution || step.operation == Operation::linear ||
         step.operation == Operation::token_linear ||
         (step.operation == Operation::convolution && !has_groups(step));
}

/// Computes with all channels of a token together, or those of a head, whose copies would count.
bool mixes_channels(const Step& step) {
  switch (step.operation) {
    case Operation::embed_tokens:
    case Operation::embed_positions:
    case Operation::attention_scores:
    case Operation::attention_values:
      return true;
    default:
      return step.affine == Affine::layer_norm;
  }
}

/// Which steps have the same channels, so that they are widened together.
class ChannelSets {
 public:
  explicit ChannelSets(const Blueprint& blueprint) : blueprint_(blueprint) {
    for (std::size_t i = 0; i < blueprint.steps.size(); ++i) parent_.push_back(i);
    for (std::size_t i = 0; i < blueprint.steps.size(); ++i)
      if (hands_on_channels(blueprint.steps[i]))
        for (const std::size_t input : blueprint.steps[i].inputs) parent_[root(input)] = root(i);
  }

  [[nodiscard]] bool are_one(std::size_t a, std::size_t b) const { return root(a) == root(b); }

  /// Why the channels of `step` must stay as many as they are; empty: they need not.
  [[nodiscard]] std::string obstacle(std::size_t step) const {
    if (are_one(step, 0)) return "it has as many outputs as the network's input";
    if (are_one(step, blueprint_.steps.size() - 1)) return "its outputs are the network's";
    for (std::size_t i = 1; i < blueprint_.steps.size(); ++i) {
      const Step& reader = blueprint_.steps[i];
      const bool reads = std::ranges::any_of(
          reader.inputs, [&](std::size_t input) { return are_one(input, step); });
      if (reads && reader.operation == Operation::concatenate)
        return "its outputs are concatenated with others";
      if (reads && reader.operation == Operation::truncate)
        return "only its first outputs are read";
      if ((reads || are_one(i, step)) && has_groups(reader) && !is_depthwise(reader))
        return "layer '" + reader.name + "' groups its channels";
      if ((reads || are_one(i, step)) && mixes_channels(reader))
        return "layer '" + reader.name + "' computes with all its channels together";
    }
    return "";
  }

 private:
  [[nodiscard]] std::size_t root(std::size_t step) const {
    while (parent_[step] != step) step = parent_[step];
    return step;
  }

  const Blueprint& blueprint_;
  std::vector<std::size_t> parent_;
};

/// Which old channel each new one is a copy of, and what of it its readers take from this copy.
struct Copies {
  torch::Tensor source;  // 64-bit numbers
  torch::Tensor share;   // those of one source sum to one
};

Copies draw_copies(std::int64_t before, std::int64_t after, Random random) {
  std::vector<std::int64_t> source;
  std::vector<double> share;
  std::map<std::int64_t, double> sum;
  for (std::int64_t i = 0; i < after; ++i) {
    source.push_back(
        i < before ? i
                   : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(before))));
    share.push_back(0.5 + random.uniform());
    sum[source.back()] += share.back();
  }
  for (std::size_t i = 0; i < share.size(); ++i) share[i] /= sum.at(source[i]);
  return {torch::tensor(source), torch::tensor(share, torch::kFloat64).to(torch::kFloat32)};
}

/// What becomes of one step.
struct Widening {
  bool is_written = false;  // its outputs are copied
  bool is_read = false;     // its inputs are copies

  [[nodiscard]] Step apply(Step step, std::int64_t channels, const FeatureShape& input) const {
    if (is_read && step.operation == Operation::linear)
      step.layer->C = channels * input.height * input.width;
    else if (is_read)
      step.layer->C = channels;
    if (!is_written) return step;
    step.shape.channels = channels;
    if (!step.layer) return step;
    if (hands_on_channels(step))
      step.layer->G = channels;
    else
      step.layer->K = channels * (step.operation == Operation::up_convolution ? 4 : 1);
    return step;
  }

  [[nodiscard]] torch::Tensor apply(const Step& step, torch::Tensor weight,
                                    const Copies& copies) const {
    // A transposed convolution has inputs x outputs, the others outputs x inputs.
    const std::int64_t output = step.operation == Operation::up_convolution ? 1 : 0;
    if (is_written) weight = weight.index_select(output, copies.source);
    if (!is_read) return weight;
    const std::vector<std::int64_t> shape = weight.sizes().vec();
    // A linear layer reads all numbers of one channel, then those of the next.
    if (step.operation == Operation::linear)
      weight = weight.view({shape[0], copies.source.max().item<std::int64_t>() + 1, -1});
    std::vector<std::int64_t> along(static_cast<std::size_t>(weight.dim()), 1);
    along[static_cast<std::size_t>(1 - output)] = -1;
    weight = weight.index_select(1 - output, copies.source) * copies.share.view(along);
    return step.operation == Operation::linear ? weight.flatten(1) : weight;
  }
};

void copy_all(const std::vector<torch::Tensor>& from, const std::vector<torch::Tensor>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
}

void copy_numbers(const StepModules& from, const StepModules& to, const Step& step,
                  const Widening& widening, const Copies& copies) {
  const auto outputs = [&](const torch::Tensor& numbers) {
    return widening.is_written ? numbers.index_select(0, copies.source) : numbers;
  };
  if (torch::Tensor weight = to.weight(); weight.defined())
    weight.copy_(widening.apply(step, from.weight(), copies));
  const auto copy_bias = [&](const auto& old, const auto& made) {
    if (!made.is_empty() && made->bias.defined()) made->bias.copy_(outputs(old->bias));
  };
  copy_bias(from.convolution, to.convolution);
  copy_bias(from.up_convolution, to.up_convolution);
  copy_bias(from.linear, to.linear);
  copy_bias(from.normalisation, to.normalisation);
  // No channels that these read or make are ever widened.
  if (to.layer_norm) copy_all(from.layer_norm->parameters(), to.layer_norm->parameters());
  if (to.embedding) copy_all(from.embedding->parameters(), to.embedding->parameters());
  if (to.normalisation.is_empty()) return;
  to.normalisation->weight.copy_(outputs(from.normalisation->weight));
  to.normalisation->running_mean.copy_(outputs(from.normalisation->running_mean));
  to.normalisation->running_var.copy_(outputs(from.normalisation->running_var));
}

/// The activation that alone reads `step`, or else `step`.
std::size_t with_activation(const Blueprint& blueprint, std::size_t step) {
  std::vector<std::size_t> readers;
  for (std::size_t i = 0; i < blueprint.steps.size(); ++i)
    if (std::ranges::count(blueprint.steps[i].inputs, step) > 0) readers.push_back(i);
  const bool is_activated =
      readers.size() == 1 && blueprint.steps[readers.front()].operation == Operation::activate;
  return is_activated ? readers.front() : step;
}

/// The new convolution and, where there is one, its activation.
std::vector<Step> identity_steps(const Step& before, std::size_t input, const std::string& name,
                                 const NewLayer& new_layer) {
  const auto [channels, height, width] = before.shape;
  Step convolution{.name = name,
                   .operation = Operation::convolution,
                   .shape = before.shape,
                   .inputs = {input},
                   .layer = same_convolution(channels, channels, height, width, new_layer.kernel, 1,
                                             new_layer.is_depthwise ? channels : 1),
                   .affine = Affine::batch_norm};
  std::vector<Step> steps{std::move(convolution)};
  if (before.operation == Operation::activate)
    steps.push_back({.operation = Operation::activate,
                     .shape = before.shape,
                     .inputs = {input + 1},
                     .activation = before.activation});
  return steps;
}

Blueprint with_steps_behind(const Blueprint& blueprint, std::size_t place,
                            const std::vector<Step>& added) {
  Blueprint larger = blueprint;
  for (std::size_t i = place + 1; i < larger.steps.size(); ++i)
    for (std::size_t& input : larger.steps[i].inputs)
      if (input >= place) input += added.size();
  larger.steps.insert(larger.steps.begin() + static_cast<std::ptrdiff_t>(place) + 1, added.begin(),
                      added.end());
  return larger;
}

/// Hands on what it reads, of which `sample` (count x channels x height x width) is typical.
StepModules identity_modules(const Step& step, const torch::Tensor& sample) {
  StepModules modules = modules_for(step);
  const Layer& layer = *step.layer;
  torch::Tensor& weight = modules.convolution->weight;
  weight.zero_();
  for (std::int64_t channel = 0; channel < step.shape.channels; ++channel)
    weight[channel][layer.G > 1 ? 0 : channel][layer.R / 2][layer.S / 2] = 1;
  const torch::Tensor numbers = sample.transpose(0, 1).flatten(1);
  const torch::Tensor mean = numbers.mean(1), variance = numbers.var(1, /*unbiased=*/false);
  auto& normalisation = modules.normalisation;
  normalisation->running_mean.copy_(mean);
  normalisation->running_var.copy_(variance);
  normalisation->bias.copy_(mean);
  normalisation->weight.copy_((variance + normalisation->options.eps()).sqrt());
  return modules;
}

}  // namespace

std::unique_ptr<BlueprintNetwork> widen(const BlueprintNetwork& network, const std::string& name,
                                        std::int64_t channels, std::uint64_t seed) {
  const torch::NoGradGuard no_gradient;
  const Blueprint& blueprint = network.blueprint();
  const std::size_t target = step_called(blueprint, name);
  const std::int64_t before = blueprint.steps[target].shape.channels;
  const auto refuse = [&](const std::string& why) {
    throw UserError(blueprint.name + ": layer '" + name + "' cannot be widened: " + why);
  };
  if (!weighs_channels(blueprint.steps[target]) && !has_groups(blueprint.steps[target]))
    refuse("it has no weights of its own");
  if (channels < before)
    refuse("it has " + std::to_string(before) + " outputs, not fewer than " +
           std::to_string(channels));
  const ChannelSets sets(blueprint);
  if (const std::string obstacle = sets.obstacle(target); !obstacle.empty()) refuse(obstacle);

  const Copies copies = draw_copies(before, channels, Random(seed, "widen"));
  Blueprint wider{blueprint.name, {}};
  std::vector<StepModules> modules;
  for (std::size_t i = 0; i < blueprint.steps.size(); ++i) {
    const Step& step = blueprint.steps[i];
    const Widening widening{
        .is_written = sets.are_one(i, target),
        .is_read = weighs_channels(step) && sets.are_one(step.inputs.front(), target)};
    const FeatureShape input =
        step.inputs.empty() ? step.shape : blueprint.steps[step.inputs.front()].shape;
    wider.steps.push_back(widening.apply(step, channels, input));
    modules.push_back(modules_for(wider.steps.back()));
    copy_numbers(network.modules()[i], modules.back(), step, widening, copies);
  }
  return std::make_unique<BlueprintNetwork>(std::move(wider), std::move(modules));
}

std::unique_ptr<BlueprintNetwork> deepen(BlueprintNetwork& network, const std::string& name,
                                         const NewLayer& new_layer, const torch::Tensor& images) {
  const torch::NoGradGuard no_gradient;
  const Blueprint& blueprint = network.blueprint();
  const std::size_t place = with_activation(blueprint, step_called(blueprint, name));
  const Step& before = blueprint.steps[place];
  const auto refuse = [&](const std::string& why) {
    throw UserError(blueprint.name + ": no identity can stand behind layer '" + name + "': " + why);
  };
  if (before.operation == Operation::activate && before.activation != Activation::relu &&
      before.activation != Activation::relu6)
    refuse("its activation, applied twice, is not the same as once (ReLU and ReLU6 are)");
  if (place + 1 == blueprint.steps.size() && reads_tokens(blueprint))
    refuse("its weights are those of the tokens that the network reads");
  if (new_layer.kernel < 1 || new_layer.kernel % 2 == 0)
    refuse("a window of " + std::to_string(new_layer.kernel) + " has no middle");

  torch::Tensor sample;
  const bool was_training = network.is_training();
  network.eval();
  network.forward(images, [&](const Step& step, const torch::Tensor& output) {
    if (&step == &before) sample = output;
  });
  network.train(was_training);

  const std::vector<Step> added = identity_steps(before, place, name + ".identity", new_layer);
  std::vector<StepModules> modules;
  for (std::size_t i = 0; i < blueprint.steps.size(); ++i) {
    modules.push_back(modules_for(blueprint.steps[i]));
    copy_numbers(network.modules()[i], modules.back(), blueprint.steps[i], {}, {});
    if (i != place) continue;
    modules.push_back(identity_modules(added.front(), sample));
    modules.resize(modules.size() + added.size() - 1);
  }
  return std::make_unique<BlueprintNetwork>(with_steps_behind(blueprint, place, added),
                                            std::move(modules));
}

}  // namespace cosearch::nas
