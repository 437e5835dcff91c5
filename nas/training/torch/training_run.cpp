#include "nas/training/torch/training_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <sstream>
#include <utility>

#include "nas/training/augmentation.h"
#include "nas/training/torch/image_tensors.h"

namespace cosearch::nas {
namespace {

// Small enough for activations to stay in the cache.
constexpr std::int64_t kTestBatch = 50;

// FNV-1a (G. Fowler, L. Noll, K. Vo).
std::uint64_t stream_of(const std::string& identity) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char letter : identity) hash = (hash ^ letter) * 0x100000001b3;
  return hash;
}

struct Normalisation {
  double mean, deviation;
};

// In parts: in double precision, all images at once would be eight times their size.
Normalisation normalisation_of(const LabelledImages& images, std::int64_t count) {
  constexpr std::int64_t kPart = 1000;
  const auto numbers = static_cast<double>(count * images.channels * images.height * images.width);
  const auto sum_over_parts = [&](auto value_of) {
    double sum = 0;
    for (std::int64_t first = 0; first < count; first += kPart)
      sum += value_of(pixels_of(images, first, std::min(kPart, count - first)).to(torch::kFloat64))
                 .sum()
                 .template item<double>();
    return sum;
  };
  const double mean = sum_over_parts([](const torch::Tensor& part) { return part; }) / numbers;
  const double squares =
      sum_over_parts([&](const torch::Tensor& part) { return (part - mean).square(); });
  const double deviation = std::sqrt(squares / (numbers - 1));
  return {mean, deviation > 0 ? deviation : 1};
}

torch::Tensor normalised(const LabelledImages& images, std::int64_t first, std::int64_t count,
                         const Normalisation& by, torch::Device device) {
  return pixels_of(images, first, count)
      .to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true)
      .sub_(by.mean)
      .div_(by.deviation)
      .to(device);
}

std::unique_ptr<torch::optim::Optimizer> make_optimiser(const TrainingRecipe& recipe,
                                                        std::vector<torch::Tensor> parameters) {
  if (recipe.optimiser == Optimiser::adamw)
    return std::make_unique<torch::optim::AdamW>(std::move(parameters),
                                                 torch::optim::AdamWOptions(recipe.learning_rate)
                                                     .betas({recipe.momentum, 0.999})
                                                     .weight_decay(recipe.weight_decay));
  return std::make_unique<torch::optim::SGD>(std::move(parameters),
                                             torch::optim::SGDOptions(recipe.learning_rate)
                                                 .momentum(recipe.momentum)
                                                 .nesterov(recipe.momentum > 0)
                                                 .weight_decay(recipe.weight_decay));
}

}  // namespace

TrainingRun::TrainingRun(const TrainingTask& task, const LabelledImages& training,
                         const LabelledImages& test)
    : task_(task),
      recipe_(task.recipe),
      device_(task.device == Device::cuda ? torch::kCUDA : torch::kCPU),
      network_(task.blueprint),
      steps_per_epoch_(recipe_.training_images / recipe_.batch) {
  require_suitable(training, task.blueprint, "training images");
  require_suitable(test, task.blueprint, "test images");
  draw_weights();
  network_.to(device_);
  parameters_ = network_.parameters();
  for (const torch::Tensor& parameter : parameters_) result_.parameters += parameter.numel();
  optimiser_ = make_optimiser(recipe_, parameters_);

  const Normalisation by = normalisation_of(training, recipe_.training_images);
  const auto part = [&](const LabelledImages& images, std::int64_t first, std::int64_t count) {
    return Images{normalised(images, first, count, by, device_),
                  labels_of(images, first, count).to(device_)};
  };
  training_ = part(training, 0, recipe_.training_images);
  validation_ = part(training, recipe_.training_images, recipe_.validation_images);
  test_ = part(test, 0, test.count);
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

// He uniform over the fan-in (K. He et al., ICCV 2015) for every weight tensor; scales stay one,
// shifts and biases zero.
// From our own stream, so that weights do not depend on LibTorch's version.
void TrainingRun::draw_weights() {
  const torch::NoGradGuard no_gradient;
  Random random(task_.seed, "weights", stream_of(task_.identity));
  for (torch::Tensor& parameter : network_.weights()) {
    const double bound =
        std::sqrt(6.0 / static_cast<double>(parameter.numel() / parameter.size(0)));
    std::vector<float> values(static_cast<std::size_t>(parameter.numel()));
    for (float& value : values) value = static_cast<float>((2 * random.uniform() - 1) * bound);
    parameter.copy_(torch::from_blob(values.data(), parameter.sizes()));
  }
  for (auto& named : network_.named_parameters())
    if (named.key().ends_with(".bias")) named.value().zero_();
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
  double sum = 0;
  for (std::int64_t batch = 0; batch < steps_per_epoch_; ++batch) {
    const double loss =
        step(torch::from_blob(order.data() + batch * recipe_.batch, {recipe_.batch}, torch::kInt64),
             augmentation);
    if (!std::isfinite(loss))
      return fail(std::string("the loss became ") +
                  (std::isnan(loss) ? "not a number" : "infinite") + " at step " +
                  std::to_string(batch + 1) + " of " + std::to_string(steps_per_epoch_));
    sum += loss;
  }
  if (!is_finite()) return fail("the weights stopped being numbers");
  result_.epoch_loss.push_back(sum / static_cast<double>(steps_per_epoch_));
  result_.epoch_accuracy_percent.push_back(accuracy_percent(test_));
  if (recipe_.validation_images > 0)
    result_.epoch_validation_percent.push_back(accuracy_percent(validation_));
}

double TrainingRun::step(const torch::Tensor& chosen, Random& augmentation) {
  const double rate = learning_rate_at(steps_done_++, steps_per_epoch_ * recipe_.epochs, recipe_);
  for (auto& group : optimiser_->param_groups()) group.options().set_lr(rate);
  for (torch::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
  const torch::Tensor loss = torch::nn::functional::cross_entropy(
      network_.forward(batch_of(chosen, augmentation)),
      training_.labels.index_select(0, chosen.to(device_)),
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(recipe_.label_smoothing));
  loss.backward();
  optimiser_->step();
  return loss.item<double>();
}

torch::Tensor TrainingRun::batch_of(const torch::Tensor& chosen, Random& augmentation) const {
  torch::Tensor batch = training_.pixels.index_select(0, chosen.to(device_));
  if (recipe_.crop_padding == 0 && !recipe_.horizontal_flip) return batch;
  batch = batch.to(torch::kCPU);
  const ImageShape shape{batch.size(1), batch.size(2), batch.size(3)};
  const auto numbers = static_cast<std::size_t>(shape.numbers());
  torch::Tensor augmented = torch::empty_like(batch);
  for (std::int64_t i = 0; i < batch.size(0); ++i)
    augment({batch.data_ptr<float>() + i * shape.numbers(), numbers}, shape,
            draw_augmentation(augmentation, recipe_.crop_padding, recipe_.horizontal_flip),
            {augmented.data_ptr<float>() + i * shape.numbers(), numbers});
  return augmented.to(device_);
}

bool TrainingRun::is_finite() const {
  const auto all_finite = [](const torch::Tensor& numbers) {
    return numbers.isfinite().all().item<bool>();
  };
  return std::ranges::all_of(parameters_, all_finite) &&
         std::ranges::all_of(network_.buffers(), all_finite);
}

double TrainingRun::accuracy_percent(const Images& images) {
  const torch::NoGradGuard no_gradient;
  network_.eval();
  std::int64_t right = 0;
  const std::int64_t count = images.labels.size(0);
  for (std::int64_t first = 0; first < count; first += kTestBatch) {
    const std::int64_t last = std::min(first + kTestBatch, count);
    const torch::Tensor guess = network_.forward(images.pixels.slice(0, first, last)).argmax(1);
    right += guess.eq(images.labels.slice(0, first, last)).sum().item<std::int64_t>();
  }
  return 100 * static_cast<double>(right) / static_cast<double>(count);
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
  steps_done_ = steps_per_epoch_ * std::ssize(result_.epoch_loss);
}

}  // namespace cosearch::nas
