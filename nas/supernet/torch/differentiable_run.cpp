#include "nas/supernet/torch/differentiable_run.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include "core/user_error.h"
#include "nas/supernet/torch/optimiser_state.h"
#include "nas/supernet/torch/tensor_map.h"
#include "nas/training/torch/learning.h"

namespace cosearch::nas {
namespace {

MixedBlueprint mixed_blueprint_of(const ChoiceSpace& space) {
  if (auto mixed = space.mixed_blueprint()) return std::move(*mixed);
  throw UserError("space '" + space.name() +
                  "' cannot be searched by gradients: its choices are not operations side by side "
                  "(those of fashion-macro, nas-bench-macro and nas-bench-201 are)");
}

std::vector<double> numbers_in(const torch::Tensor& tensor) {
  const torch::Tensor numbers = tensor.detach().to(torch::kFloat64).contiguous();
  return {numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel()};
}

void refuse_unsuitable(const ChoiceLatencies& latencies, const ChoiceSpace& space) {
  const auto& counts = space.choice_counts();
  bool suits = latencies.of.size() == counts.size();
  for (std::size_t i = 0; suits && i < counts.size(); ++i)
    suits = latencies.of[i].size() == counts[i];
  if (!suits)
    throw UserError(space.name() + ": expected a latency for every alternative of its " +
                    std::to_string(counts.size()) + " choices");
}

std::string likeliest(const ChoiceSpace& space,
                      const std::vector<std::vector<double>>& probabilities) {
  Choices choices;
  for (const auto& here : probabilities)
    choices.push_back(static_cast<std::uint32_t>(std::ranges::max_element(here) - here.begin()));
  return space.genotype_of(choices);
}

// An order of `count` images of which only whole batches are used, drawn for an epoch.
class Order {
 public:
  Order(std::int64_t count, std::int64_t batch, Random random)
      : batch_(batch), order_(static_cast<std::size_t>(count)) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    random.shuffle(std::span(order_));
  }

  // Batches beyond the last begin again.
  [[nodiscard]] torch::Tensor chosen(std::int64_t number) {
    const std::int64_t batches = std::ssize(order_) / batch_;
    return torch::from_blob(order_.data() + number % batches * batch_, {batch_}, torch::kInt64);
  }

 private:
  std::int64_t batch_;
  std::vector<std::int64_t> order_;
};

}  // namespace

DifferentiableRun::DifferentiableRun(const SearchTask& task, const LabelledImages& images)
    : task_(task),
      recipe_(task.recipe.training),
      mixed_(mixed_blueprint_of(task.space)),
      steps_per_epoch_(recipe_.training_images / recipe_.batches.front()) {
  require_suitable(images, mixed_.blueprint, "training images");
  const PixelScale scale = pixel_scale(images, recipe_.training_images);
  training_ = scaled(images, 0, recipe_.training_images, scale, torch::kCPU);
  validation_ =
      scaled(images, recipe_.training_images, task.recipe.validation_images, scale, torch::kCPU);

  network_.emplace(mixed_.blueprint);
  Random random(task.seed, "weights");
  for (const StepModules& modules : network_->modules()) draw_weights(modules, random);
  for (auto& normalisation : network_->normalisations()) {
    normalisation->weight.set_requires_grad(false);
    normalisation->bias.set_requires_grad(false);
  }
  for (const torch::Tensor& parameter : network_->parameters())
    if (parameter.requires_grad()) weights_.push_back(parameter);
  for (const std::uint32_t count : task.space.choice_counts())
    architecture_.push_back(torch::zeros({count}, torch::requires_grad()));
  weight_optimiser_ = make_optimiser(recipe_, weights_);
  architecture_recipe_.optimiser = Optimiser::adamw;
  architecture_recipe_.learning_rate = task.recipe.architecture_learning_rate;
  architecture_recipe_.weight_decay = task.recipe.architecture_weight_decay;
  architecture_recipe_.momentum = 0.5;
  architecture_optimiser_ = make_optimiser(architecture_recipe_, architecture_);
  if (task.recipe.latency_weight > 0 || !task.latencies.of.empty()) {
    refuse_unsuitable(task.latencies, task.space);
    even_latency_ = expected_latency(architecture_, task.latencies).item<double>();
  }
  if (task.checkpoints == nullptr) return;
  if (const std::optional<std::string> bytes = task.checkpoints->load()) restore(*bytes);
}

bool DifferentiableRun::is_over() const {
  return epochs_.size() == static_cast<std::size_t>(recipe_.epochs);
}

std::optional<std::vector<SearchEpoch>> DifferentiableRun::finish() {
  while (!is_over()) {
    epoch();
    if (task_.checkpoints != nullptr) task_.checkpoints->save(state());
    if (task_.watch) task_.watch(epochs_.back());
    if (!is_over() && task_.stop && task_.stop()) return std::nullopt;
  }
  return epochs_;
}

void DifferentiableRun::epoch() {
  const auto number = static_cast<std::int64_t>(epochs_.size());
  const auto stream = static_cast<std::uint64_t>(number);
  Order training(recipe_.training_images, recipe_.batches.front(),
                 Random(task_.seed, "shuffle", stream)),
      validation(task_.recipe.validation_images, recipe_.batches.front(),
                 Random(task_.seed, "validation shuffle", stream));
  Random augmentation(task_.seed, "augment", stream);
  network_->train();

  double training_loss = 0, validation_loss = 0;
  std::int64_t architecture_steps = 0;
  for (std::int64_t i = 0; i < steps_per_epoch_; ++i) {
    const double rate =
        learning_rate_at(number * steps_per_epoch_ + i, steps_per_epoch_ * recipe_.epochs, recipe_);
    const ScaledImages batch = batch_of(training_, training.chosen(i), recipe_, augmentation);
    if (i % task_.recipe.weight_steps == 0)
      validation_loss += architecture_step(
          batch,
          batch_of(validation_, validation.chosen(architecture_steps++), recipe_, augmentation),
          rate);
    training_loss += weight_step(batch, rate);
    if (!std::isfinite(training_loss) || !std::isfinite(validation_loss))
      throw UserError("the loss stopped being a number at step " + std::to_string(i + 1) + " of " +
                      std::to_string(steps_per_epoch_) + " in epoch " + std::to_string(number + 1) +
                      " of " + std::to_string(recipe_.epochs) +
                      ". A smaller learning rate may help");
  }
  epochs_.push_back(described(training_loss / static_cast<double>(steps_per_epoch_),
                              validation_loss / static_cast<double>(architecture_steps)));
}

torch::Tensor DifferentiableRun::loss_on(const ScaledImages& batch) {
  for (const MixedBlueprint::Mixture& mixture : mixed_.mixtures)
    network_->weigh_terms(mixture.step, architecture_[mixture.choice].softmax(0));
  return loss_of(outputs_of(*network_, batch.pixels), batch.labels, recipe_);
}

double DifferentiableRun::weight_step(const ScaledImages& batch, double learning_rate) {
  weight_optimiser_->zero_grad();
  set_learning_rate(*weight_optimiser_, learning_rate);
  const torch::Tensor loss = loss_on(batch);
  loss.backward();
  weight_optimiser_->step();
  return loss.item<double>();
}

double DifferentiableRun::architecture_step(const ScaledImages& training,
                                            const ScaledImages& validation, double learning_rate) {
  const double latency_weight = task_.recipe.latency_weight;
  double latency_term = 0;
  const auto validation_loss = [&] {
    torch::Tensor loss = loss_on(validation);
    if (latency_weight == 0) return loss;
    const torch::Tensor term =
        latency_weight * expected_latency(architecture_, task_.latencies) / even_latency_;
    latency_term = term.item<double>();
    return loss + term.to(torch::kFloat32);
  };
  const BilevelGradient found = gradient_of({.weights = weights_,
                                             .architecture = architecture_,
                                             .training_loss = [&] { return loss_on(training); },
                                             .validation_loss = validation_loss},
                                            learning_rate);
  for (std::size_t i = 0; i < architecture_.size(); ++i)
    architecture_[i].mutable_grad() = found.gradient[i].detach();
  architecture_optimiser_->step();
  return found.validation_loss - latency_term;
}

BilevelGradient DifferentiableRun::gradient_of(const BilevelProblem& problem,
                                               double learning_rate) const {
  switch (task_.recipe.hypergradient) {
    case Hypergradient::first_order:
      return first_order_gradient(problem);
    case Hypergradient::second_order:
      return second_order_gradient(problem, learning_rate);
    case Hypergradient::implicit:
      return implicit_gradient(problem, task_.recipe.neumann_terms, task_.recipe.neumann_rate);
  }
  return {};
}

SearchEpoch DifferentiableRun::described(double training_loss, double validation_loss) const {
  SearchEpoch epoch{.number = static_cast<int>(epochs_.size()) + 1,
                    .training_loss = training_loss,
                    .validation_loss = validation_loss};
  for (const torch::Tensor& mixing : architecture_)
    epoch.probabilities.push_back(numbers_in(mixing.softmax(0)));
  epoch.genotype = likeliest(task_.space, epoch.probabilities);
  if (!task_.latencies.of.empty())
    epoch.expected_latency = expected_latency(architecture_, task_.latencies).item<double>();
  return epoch;
}

// The epochs behind us are told by their losses and the mixing weights after each.
std::string DifferentiableRun::state() const {
  TensorMap tensors;
  const auto save = [&](const Tensors& parameters, torch::optim::Optimizer& optimiser,
                        const TrainingRecipe& recipe, const std::string& prefix) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string name = prefix + std::to_string(i);
      tensors[name] = parameters[i];
      save_optimiser(optimiser, recipe, parameters[i], name, tensors);
    }
  };
  save(weights_, *weight_optimiser_, recipe_, "weight");
  save(architecture_, *architecture_optimiser_, architecture_recipe_, "architecture");
  tensors["seed"] = torch::tensor(static_cast<std::int64_t>(task_.seed));
  tensors["epochs"] = torch::tensor(static_cast<std::int64_t>(epochs_.size()));
  for (const SearchEpoch& epoch : epochs_) {
    std::vector<double> numbers{epoch.training_loss, epoch.validation_loss, epoch.expected_latency};
    for (const auto& choice : epoch.probabilities)
      numbers.insert(numbers.end(), choice.begin(), choice.end());
    tensors["epoch" + std::to_string(epoch.number)] = torch::tensor(numbers, torch::kFloat64);
  }
  return bytes_of(tensors);
}

void DifferentiableRun::restore(const std::string& bytes) {
  const torch::NoGradGuard no_gradient;
  const TensorMap tensors = tensors_in(bytes);
  const auto saved = [&](const std::string& name) {
    const auto found = tensors.find(name);
    TORCH_CHECK(found != tensors.end(), "no state of this search");
    return found->second;
  };
  TORCH_CHECK(saved("seed").item<std::int64_t>() == static_cast<std::int64_t>(task_.seed),
              "a state of another seed");
  const auto load = [&](const Tensors& parameters, torch::optim::Optimizer& optimiser,
                        const TrainingRecipe& recipe, const std::string& prefix) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string name = prefix + std::to_string(i);
      TORCH_CHECK(saved(name).sizes() == parameters[i].sizes(), "a state of another search");
      parameters[i].detach().copy_(saved(name));
      restore_optimiser(optimiser, recipe, parameters[i], name, tensors);
    }
  };
  load(weights_, *weight_optimiser_, recipe_, "weight");
  load(architecture_, *architecture_optimiser_, architecture_recipe_, "architecture");
  const auto count = saved("epochs").item<std::int64_t>();
  for (std::int64_t number = 1; number <= count; ++number) {
    const std::vector<double> numbers = numbers_in(saved("epoch" + std::to_string(number)));
    SearchEpoch epoch{.number = static_cast<int>(number),
                      .training_loss = numbers[0],
                      .validation_loss = numbers[1],
                      .expected_latency = numbers[2]};
    auto next = numbers.begin() + 3;
    for (const std::uint32_t alternatives : task_.space.choice_counts()) {
      epoch.probabilities.emplace_back(next, next + alternatives);
      next += alternatives;
    }
    epoch.genotype = likeliest(task_.space, epoch.probabilities);
    epochs_.push_back(std::move(epoch));
  }
}

}  // namespace cosearch::nas
