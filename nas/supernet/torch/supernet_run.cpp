#include "nas/supernet/torch/supernet_run.h"

#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "core/user_error.h"
#include "nas/supernet/extreme_networks.h"
#include "nas/training/torch/learning.h"

namespace cosearch::nas {
namespace {

constexpr const char* kEpochLoss = "epoch loss";
constexpr const char* kSeed = "seed";

}  // namespace

std::uint64_t seed_in(const TensorMap& state) {
  const auto found = state.find(kSeed);
  TORCH_CHECK(found != state.end(), "no state of a supernet");
  return static_cast<std::uint64_t>(found->second.item<std::int64_t>());
}

SupernetRun::SupernetRun(const SupernetTask& task, const LabelledImages& images)
    : task_(task),
      recipe_(task.recipe.training),
      steps_per_epoch_(recipe_.training_images / recipe_.batches.front()) {
  if (task.recipe.sampling == PathSampling::sandwich) {
    largest_ = largest_network(task.space);
    smallest_ = smallest_network(task.space);
  }
  Random random(0);
  const Blueprint blueprint = task.space.blueprint(task.space.sample(random));
  require_runnable(blueprint);
  require_suitable(images, blueprint, "training images");
  const PixelScale scale = pixel_scale(images, recipe_.training_images);
  images_ = scaled(images, 0, recipe_.training_images, scale, torch::kCPU);

  TensorMap state;
  if (task.checkpoints != nullptr)
    if (const std::optional<std::string> bytes = task.checkpoints->load()) {
      state = tensors_in(*bytes);
      TORCH_CHECK(seed_in(state) == task.seed, "a state of another seed");
      const torch::Tensor losses = state.at(kEpochLoss);
      epoch_loss_.assign(losses.data_ptr<double>(), losses.data_ptr<double>() + losses.numel());
    }
  weights_.emplace(recipe_, task.seed, std::move(state),
                   WholeSteps(task.space, task.recipe.sharing));
}

bool SupernetRun::is_over() const {
  return epoch_loss_.size() == static_cast<std::size_t>(recipe_.epochs);
}

std::optional<std::string> SupernetRun::finish() {
  while (!is_over()) {
    epoch();
    if (task_.checkpoints != nullptr) task_.checkpoints->save(state());
    if (task_.watch) task_.watch({static_cast<int>(epoch_loss_.size()), epoch_loss_.back()});
    if (!is_over() && task_.stop && task_.stop()) return std::nullopt;
  }
  return state();
}

void SupernetRun::epoch() {
  const auto number = static_cast<std::int64_t>(epoch_loss_.size());
  Random shuffling(task_.seed, "shuffle", static_cast<std::uint64_t>(number)),
      augmentation(task_.seed, "augment", static_cast<std::uint64_t>(number));
  std::vector<std::int64_t> order(static_cast<std::size_t>(recipe_.training_images));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffling.shuffle(std::span(order));

  const auto diverged = [&](const std::string& what) -> UserError {
    return UserError(what + " in epoch " + std::to_string(number + 1) + " of " +
                     std::to_string(recipe_.epochs) + "; " +
                     (number == 0
                          ? "no epoch was completed"
                          : "the state after epoch " + std::to_string(number) + " is kept") +
                     ". A smaller learning rate may help");
  };
  double sum = 0;
  for (std::int64_t i = 0; i < steps_per_epoch_; ++i) {
    const torch::Tensor chosen = torch::from_blob(order.data() + i * recipe_.batches.front(),
                                                  {recipe_.batches.front()}, torch::kInt64);
    const double loss =
        step(batch_of(images_, chosen, recipe_, augmentation), number * steps_per_epoch_ + i);
    if (!std::isfinite(loss))
      throw diverged(std::string("the loss became ") +
                     (std::isnan(loss) ? "not a number" : "infinite") + " at step " +
                     std::to_string(i + 1) + " of " + std::to_string(steps_per_epoch_));
    sum += loss;
  }
  if (!weights_->are_finite()) throw diverged("the weights stopped being numbers");
  epoch_loss_.push_back(sum / static_cast<double>(steps_per_epoch_));
}

double SupernetRun::step(const ScaledImages& batch, std::int64_t number) {
  const std::vector<std::string> paths = paths_of(number);
  double mean = 0;
  for (const std::string& path : paths) {
    Blueprint blueprint = task_.space.blueprint(path);
    std::vector<StepModules> modules = weights_->modules_of(blueprint);
    BlueprintNetwork network(std::move(blueprint), std::move(modules));
    network.train();
    const torch::Tensor loss = loss_of(outputs_of(network, batch.pixels), batch.labels, recipe_) /
                               static_cast<double>(paths.size());
    loss.backward();
    mean += loss.item<double>();
  }
  weights_->step(learning_rate_at(number, steps_per_epoch_ * recipe_.epochs, recipe_));
  return mean;
}

// Each step has a stream of its own, so that a training that goes on draws what it would have.
std::vector<std::string> SupernetRun::paths_of(std::int64_t step) const {
  Random random(task_.seed, "paths", static_cast<std::uint64_t>(step));
  if (task_.recipe.sampling == PathSampling::single_path) return {task_.space.sample(random)};
  std::vector<std::string> paths{largest_, smallest_};
  for (int i = 0; i < task_.recipe.random_paths; ++i) paths.push_back(task_.space.sample(random));
  return paths;
}

std::string SupernetRun::state() const {
  TensorMap tensors = weights_->state();
  tensors[kEpochLoss] = torch::tensor(epoch_loss_, torch::kFloat64);
  tensors[kSeed] = torch::tensor(static_cast<std::int64_t>(task_.seed));
  return bytes_of(tensors);
}

}  // namespace cosearch::nas
