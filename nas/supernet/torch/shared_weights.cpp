#include "nas/supernet/torch/shared_weights.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/random.h"
#include "nas/supernet/extreme_networks.h"
#include "nas/supernet/torch/optimiser_state.h"
#include "nas/training/torch/learning.h"

namespace cosearch::nas {
namespace {

std::string parameter_name(const std::string& key, std::size_t number) {
  return key + "#" + std::to_string(number);
}

bool is_depthwise(const Layer& layer) { return layer.C == 1 && layer.K == 1; }

/// Whether the middle of a window of `whole` positions may be one of `part`.
bool has_middle(std::int64_t whole, std::int64_t part) {
  return part <= whole && (whole - part) % 2 == 0;
}

/// Whether both learn as many tokens and positions, of whatever width.
bool has_tokens_of(const Step& whole, const Step& part) {
  return whole.shape.height == part.shape.height &&
         whole.further_parameters * part.shape.channels ==
             part.further_parameters * whole.shape.channels;
}

/// Whether the weights of `part` are the first channels and the middle of those of `whole`, at the
/// same strides.
bool has_room(const Step& whole, const Step& part) {
  if (whole.operation != part.operation || whole.affine != part.affine ||
      whole.shape.channels < part.shape.channels || !whole.layer || !part.layer)
    return false;
  if (part.operation == Operation::embed_positions) return has_tokens_of(whole, part);
  const Layer &w = *whole.layer, &p = *part.layer;
  // Groups begin at other channels where there are more of them, unless each is one channel.
  const bool groups_fit = (is_depthwise(w) && is_depthwise(p)) || (w.G == 1 && p.G == 1);
  // Of a flattened map the first inputs are not the first channels.
  if (part.operation == Operation::linear && p.C != w.C) return false;
  return groups_fit && p.G <= w.G && p.K <= w.K && p.C <= w.C && has_middle(w.R, p.R) &&
         has_middle(w.S, p.S) && p.stride_h == w.stride_h && p.stride_w == w.stride_w &&
         p.dilation_h == w.dilation_h && p.dilation_w == w.dilation_w;
}

/// Numbers of `whole`, output channels x input channels x rows x columns, that are of `part`'s
/// shape.
torch::Tensor slice_of(const torch::Tensor& whole, const torch::Tensor& part) {
  torch::Tensor slice = whole;
  for (std::int64_t d = 0; d < whole.dim(); ++d)
    slice = slice.narrow(d, d < 2 ? 0 : (whole.size(d) - part.size(d)) / 2, part.size(d));
  return slice.contiguous();
}

template <class Module>
void take_part(const Module& whole, Module& part) {
  if (part.is_empty()) return;
  part->weight = slice_of(whole->weight, part->weight);
  if (part->bias.defined()) part->bias = slice_of(whole->bias, part->bias);
}

/// Modules of `step` that compute with a part of the weights of `whole`, those of
/// WholeSteps::of(step): the first channels, the middle of the window. Their gradients are those of
/// the whole; their own parameters are not used.
StepModules part_of(const StepModules& whole, const Step& step) {
  StepModules part = modules_for(step);
  take_part(whole.convolution, part.convolution);
  take_part(whole.up_convolution, part.up_convolution);
  take_part(whole.linear, part.linear);
  take_part(whole.normalisation, part.normalisation);
  take_part(whole.layer_norm, part.layer_norm);
  if (part.embedding.is_empty()) return part;
  part.embedding->positions = slice_of(whole.embedding->positions, part.embedding->positions);
  if (part.embedding->learnt.defined())
    part.embedding->learnt = slice_of(whole.embedding->learnt, part.embedding->learnt);
  return part;
}

StepModules trained_modules(const Step& step, const std::string& key, std::uint64_t seed,
                            const TensorMap& trained) {
  StepModules modules = modules_for(step);
  if (!trained.contains(parameter_name(key, 0))) {
    Random random(seed, "weights", stream_of(key));
    draw_weights(modules, random);
    return modules;
  }
  const torch::NoGradGuard no_gradient;
  std::size_t number = 0;
  for (torch::Tensor& parameter : modules.parameters()) {
    const auto found = trained.find(parameter_name(key, number++));
    TORCH_CHECK(found != trained.end() && found->second.sizes() == parameter.sizes(),
                "weights of another network");
    parameter.copy_(found->second);
  }
  return modules;
}

}  // namespace

std::string weights_key(const Step& step) {
  const bool has_weights =
      step.operation == Operation::convolution || step.operation == Operation::up_convolution ||
      step.operation == Operation::linear || step.operation == Operation::token_linear;
  const bool has_scales = step.affine == Affine::batch_norm || step.affine == Affine::layer_norm;
  const bool is_embedding = step.operation == Operation::embed_positions;
  if (!has_weights && !has_scales && !is_embedding) return "";
  std::ostringstream key;
  key << step.name << " operation " << static_cast<int>(step.operation) << " affine "
      << static_cast<int>(step.affine) << " channels " << step.shape.channels;
  if (has_weights) {
    const Layer& layer = *step.layer;
    key << " weights " << layer.G << "x" << layer.K << "x" << layer.C << "x" << layer.R << "x"
        << layer.S << " stride " << layer.stride_h << "x" << layer.stride_w << " dilation "
        << layer.dilation_h << "x" << layer.dilation_w;
  }
  if (is_embedding)
    key << " positions " << step.shape.height << " numbers " << step.further_parameters;
  return key.str();
}

WholeSteps::WholeSteps(const NetworkSpace& space, WeightSharing sharing) {
  if (sharing != WeightSharing::slices) return;
  for (const Step& step : space.blueprint(largest_network(space)).steps)
    if (!weights_key(step).empty()) steps_.emplace(step.name, step);
}

const Step& WholeSteps::of(const Step& step) const {
  const auto found = steps_.find(step.name);
  return found != steps_.end() && has_room(found->second, step) ? found->second : step;
}

StepModules inherited_modules(const Step& step, const WholeSteps& whole, std::uint64_t seed,
                              const TensorMap& trained) {
  const Step& held = whole.of(step);
  const std::string key = weights_key(held);
  if (key.empty()) return {};
  StepModules modules = trained_modules(held, key, seed, trained);
  return weights_key(step) == key ? modules : part_of(modules, step);
}

SharedWeights::SharedWeights(const TrainingRecipe& recipe, std::uint64_t seed, TensorMap state,
                             WholeSteps whole)
    : recipe_(recipe), seed_(seed), whole_(std::move(whole)), saved_(std::move(state)) {}

SharedWeights::Entry SharedWeights::made(const Step& step, const std::string& key) const {
  Entry entry{trained_modules(step, key, seed_, saved_), nullptr};
  const std::vector<torch::Tensor> parameters = entry.modules.parameters();
  entry.optimiser = make_optimiser(recipe_, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    restore_optimiser(*entry.optimiser, recipe_, parameters[i], parameter_name(key, i), saved_);
  return entry;
}

std::vector<StepModules> SharedWeights::modules_of(const Blueprint& blueprint) {
  std::vector<StepModules> modules;
  for (const Step& step : blueprint.steps) {
    const Step& held = whole_.of(step);
    const std::string key = weights_key(held);
    if (key.empty()) {
      modules.emplace_back();
      continue;
    }
    auto entry = entries_.find(key);
    if (entry == entries_.end()) entry = entries_.emplace(key, made(held, key)).first;
    active_.insert(key);
    const StepModules& whole = entry->second.modules;
    modules.push_back(weights_key(step) == key ? whole : part_of(whole, step));
  }
  return modules;
}

void SharedWeights::step(double learning_rate) {
  for (const std::string& key : active_) {
    Entry& entry = entries_.at(key);
    set_learning_rate(*entry.optimiser, learning_rate);
    entry.optimiser->step();
    for (torch::Tensor& parameter : entry.modules.parameters()) parameter.mutable_grad().reset();
  }
  active_.clear();
}

bool SharedWeights::are_finite() const {
  return std::ranges::all_of(entries_, [](const auto& item) {
    return std::ranges::all_of(item.second.modules.parameters(), [](const torch::Tensor& numbers) {
      return numbers.isfinite().all().template item<bool>();
    });
  });
}

TensorMap SharedWeights::state() const {
  TensorMap tensors = saved_;
  for (const auto& [key, entry] : entries_) {
    const std::vector<torch::Tensor> parameters = entry.modules.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string name = parameter_name(key, i);
      tensors[name] = parameters[i];
      save_optimiser(*entry.optimiser, recipe_, parameters[i], name, tensors);
    }
  }
  return tensors;
}

}  // namespace cosearch::nas
