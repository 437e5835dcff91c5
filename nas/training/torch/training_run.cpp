#include "nas/training/torch/training_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <sstream>
#include <utility>

#include "nas/training/torch/learning.h"

namespace cosearch::nas {
namespace {

/// Of a network that may be trained on these images: a large one is not drawn in vain.
std::vector<StepModules> drawn_modules(const TrainingTask& task, const LabelledImages& training,
                                       const LabelledImages& test) {
  require_runnable(task.blueprint);
  require_suitable(training, task.blueprint, "training images");
  require_suitable(test, task.blueprint, "test images");
  Random random(task.seed, "weights", stream_of(task.identity));
  std::vector<StepModules> all;
  for (const Step& step : task.blueprint.steps) {
    all.push_back(modules_for(step));
    draw_weights(all.back(), random);
  }
  return all;
}

}  // namespace

TrainingRun::TrainingRun(const TrainingTask& task, const LabelledImages& training,
                         const LabelledImages& test)
    : TrainingRun(task, training, test, drawn_modules(task, training, test)) {}

TrainingRun::TrainingRun(const TrainingTask& task, const LabelledImages& training,
                         const LabelledImages& test, std::vector<StepModules> modules)
    : task_(task),
      recipe_(task.recipe),
      device_(task.device == Device::cuda ? torch::kCUDA : torch::kCPU),
      network_(task.blueprint, std::move(modules)),
      steps_(steps_in(recipe_, recipe_.epochs)) {
  require_suitable(training, task.blueprint, "training images");
  require_suitable(test, task.blueprint, "test images");
  network_.to(device_);
  parameters_ = network_.parameters();
  for (const torch::Tensor& parameter : parameters_) result_.parameters += parameter.numel();
  optimiser_ = make_optimiser(recipe_, parameters_);

  const PixelScale scale = pixel_scale(training, recipe_.training_images);
  training_ = scaled(training, 0, recipe_.training_images, scale, device_);
  validation_ =
      scaled(training, recipe_.training_images, recipe_.validation_images, scale, device_);
  test_ = scaled(test, 0, test.count, scale, device_);
  if (task.checkpoints == nullptr) return;
  if (const std::optional<std::string> bytes = task.checkpoints->load()) restore(*bytes);
}

std::optional<TrainingResult> TrainingRun::finish() {
  while (!is_over()) {
    epoch();
    if (is_over()) break;
    if (task_.checkpoints != nullptr) task_.checkpoints->save(state());
    if (task_.stop && task_.stop()) return std::nullopt;
  }
  result_.test_accuracy_percent = result_.failure.empty()
                                      ? result_.epoch_accuracy_percent[epoch_that_counts()]
                                      : std::numeric_limits<double>::quiet_NaN();
  return result_;
}

bool TrainingRun::is_over() const {
  if (!result_.failure.empty()) return true;
  const std::size_t done = result_.epoch_loss.size();
  if (done == static_cast<std::size_t>(recipe_.epochs)) return true;
  return recipe_.patience > 0 && done > 0 &&
         done - 1 - epoch_that_counts() >= static_cast<std::size_t>(recipe_.patience);
}

// Requires that an epoch is done.
std::size_t TrainingRun::epoch_that_counts() const {
  const std::vector<double>& validation = result_.epoch_validation_percent;
  if (validation.empty()) return result_.epoch_loss.size() - 1;
  return static_cast<std::size_t>(std::ranges::max_element(validation) - validation.begin());
}

void TrainingRun::epoch() {
  const auto number = static_cast<std::uint64_t>(result_.epoch_loss.size());
  const std::uint64_t stream = stream_of(task_.identity) + number;
  Random shuffling(task_.seed, "shuffle", stream), augmentation(task_.seed, "augment", stream);
  const auto fail = [&](const std::string& what) {
    result_.failure = what + " in epoch " + std::to_string(number + 1);
  };
  std::vector<std::int64_t> order(static_cast<std::size_t>(recipe_.training_images));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffling.shuffle(std::span(order));

  network_.train();
  const std::int64_t size = batch_in(recipe_, static_cast<int>(number)),
                     steps = recipe_.training_images / size;
  double sum = 0;
  for (std::int64_t batch = 0; batch < steps; ++batch) {
    const double loss =
        step(torch::from_blob(order.data() + batch * size, {size}, torch::kInt64), augmentation);
    if (!std::isfinite(loss))
      return fail(std::string("the loss became ") +
                  (std::isnan(loss) ? "not a number" : "infinite") + " at step " +
                  std::to_string(batch + 1) + " of " + std::to_string(steps));
    sum += loss;
  }
  if (!is_finite()) return fail("the weights stopped being numbers");
  result_.epoch_loss.push_back(sum / static_cast<double>(steps));
  result_.epoch_accuracy_percent.push_back(accuracy_percent(network_, test_));
  if (recipe_.validation_images > 0)
    result_.epoch_validation_percent.push_back(accuracy_percent(network_, validation_));
}

double TrainingRun::step(const torch::Tensor& chosen, Random& augmentation) {
  const double rate = learning_rate_at(steps_done_++, steps_, recipe_);
  set_learning_rate(*optimiser_, rate);
  for (torch::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
  const ScaledImages batch = batch_of(training_, chosen, recipe_, augmentation);
  const torch::Tensor loss = loss_of(outputs_of(network_, batch.pixels), batch.labels, recipe_);
  loss.backward();
  optimiser_->step();
  return loss.item<double>();
}

bool TrainingRun::is_finite() const {
  const auto all_finite = [](const torch::Tensor& numbers) {
    return numbers.isfinite().all().item<bool>();
  };
  return std::ranges::all_of(parameters_, all_finite) &&
         std::ranges::all_of(network_.buffers(), all_finite);
}

// Random streams need no place here: every epoch has its own.
std::string TrainingRun::state() const {
  torch::serialize::OutputArchive archive;
  std::size_t number = 0;
  const auto write = [&](const torch::Tensor& tensor) {
    archive.write("tensor" + std::to_string(number++), tensor);
  };
  for (const torch::Tensor& tensor : parameters_) write(tensor);
  for (const torch::Tensor& tensor : network_.buffers()) write(tensor);
  torch::serialize::OutputArchive optimiser(archive.compilation_unit());
  optimiser_->save(optimiser);
  archive.write("optimiser", optimiser);
  archive.write("accuracy", torch::tensor(result_.epoch_accuracy_percent, torch::kFloat64));
  archive.write("validation", torch::tensor(result_.epoch_validation_percent, torch::kFloat64));
  archive.write("loss", torch::tensor(result_.epoch_loss, torch::kFloat64));
  std::ostringstream bytes;
  archive.save_to(bytes);
  return std::move(bytes).str();
}

void TrainingRun::restore(const std::string& bytes) {
  const torch::NoGradGuard no_gradient;
  torch::serialize::InputArchive archive;
  std::istringstream stream(bytes);
  archive.load_from(stream, device_);
  std::size_t number = 0;
  const auto read = [&](torch::Tensor tensor) {
    torch::Tensor saved;
    archive.read("tensor" + std::to_string(number++), saved);
    TORCH_CHECK(saved.sizes() == tensor.sizes(), "of another network");
    tensor.copy_(saved);
  };
  for (const torch::Tensor& tensor : parameters_) read(tensor);
  for (const torch::Tensor& tensor : network_.buffers()) read(tensor);
  torch::serialize::InputArchive optimiser;
  archive.read("optimiser", optimiser);
  optimiser_->load(optimiser);
  const auto curve = [&](const char* name) {
    torch::Tensor values;
    archive.read(name, values);
    values = values.to(torch::kCPU);
    return std::vector<double>(values.data_ptr<double>(),
                               values.data_ptr<double>() + values.numel());
  };
  result_.epoch_accuracy_percent = curve("accuracy");
  result_.epoch_validation_percent = curve("validation");
  result_.epoch_loss = curve("loss");
  steps_done_ = steps_in(recipe_, static_cast<int>(result_.epoch_loss.size()));
}

}  // namespace cosearch::nas
