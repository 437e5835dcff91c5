#include "nas/supernet/torch/shared_weights.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/random.h"
#include "nas/supernet/torch/optimiser_state.h"
#include "nas/training/torch/learning.h"

namespace cosearch::nas {
namespace {

std::string parameter_name(const std::string& key, std::size_t number) {
  return key + "#" + std::to_string(number);
}

}  // namespace

std::string weights_key(const Step& step) {
  const bool has_weights = step.operation == Operation::convolution ||
                           step.operation == Operation::up_convolution ||
                           step.operation == Operation::linear;
  if (!has_weights && step.affine != Affine::batch_norm) return "";
  const Layer& layer = *step.layer;
  std::ostringstream key;
  key << step.name << " operation " << static_cast<int>(step.operation) << " affine "
      << static_cast<int>(step.affine) << " channels " << step.shape.channels;
  if (has_weights)
    key << " weights " << layer.G << "x" << layer.K << "x" << layer.C << "x" << layer.R << "x"
        << layer.S << " stride " << layer.stride_h << "x" << layer.stride_w << " dilation "
        << layer.dilation_h << "x" << layer.dilation_w;
  return key.str();
}

StepModules inherited_modules(const Step& step, const std::string& key, std::uint64_t seed,
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

SharedWeights::SharedWeights(const TrainingRecipe& recipe, std::uint64_t seed, TensorMap state)
    : recipe_(recipe), seed_(seed), saved_(std::move(state)) {}

SharedWeights::Entry SharedWeights::made(const Step& step, const std::string& key) const {
  Entry entry{inherited_modules(step, key, seed_, saved_), nullptr};
  const std::vector<torch::Tensor> parameters = entry.modules.parameters();
  entry.optimiser = make_optimiser(recipe_, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    restore_optimiser(*entry.optimiser, recipe_, parameters[i], parameter_name(key, i), saved_);
  return entry;
}

std::vector<StepModules> SharedWeights::modules_of(const Blueprint& blueprint) {
  std::vector<StepModules> modules;
  for (const Step& step : blueprint.steps) {
    const std::string key = weights_key(step);
    if (key.empty()) {
      modules.emplace_back();
      continue;
    }
    auto entry = entries_.find(key);
    if (entry == entries_.end()) entry = entries_.emplace(key, made(step, key)).first;
    active_.insert(key);
    modules.push_back(entry->second.modules);
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
