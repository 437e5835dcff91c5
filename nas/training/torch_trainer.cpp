// The training module, loaded by load_trainer.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <sstream>

#include "core/random.h"
#include "core/user_error.h"
#include "nas/fashion_macro.h"
#include "nas/training/module.h"
#include "nas/training/torch/macro_network.h"
#include "nas/training/trainer.h"

// OpenBLAS keeps threads of its own, which LibTorch does not know of. Null with another BLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));
extern "C" char* openblas_get_config() __attribute__((weak));

namespace cosearch::nas {
namespace {

using Clock = std::chrono::steady_clock;

// Small enough for activations to stay in the cache.
constexpr std::int64_t kTestBatch = 50;

// Tells the random streams of one network from those of another: FNV-1a (G. Fowler et al., IETF
// draft-eastlake-fnv) over its canonical genotype, so that two spellings of one network train
// alike.
std::uint64_t stream_of(const std::string& genotype) {
  const auto space =
      make_space("fashion-macro", {{"positions", static_cast<std::int64_t>(genotype.size())}});
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char letter : space->canonical(genotype))
    hash = (hash ^ letter) * 0x100000001b3;
  return hash;
}

// He uniform over the fan-in (K. He et al., ICCV 2015) for every weight tensor; scales stay one,
// shifts and biases zero.
// From our own stream, so that weights do not depend on LibTorch's version.
void draw_weights(torch::nn::Module& network, Random random) {
  const torch::NoGradGuard no_gradient;
  for (torch::Tensor& parameter : network.parameters()) {
    if (parameter.dim() < 2) continue;
    const double bound =
        std::sqrt(6.0 / static_cast<double>(parameter.numel() / parameter.size(0)));
    std::vector<float> values(static_cast<std::size_t>(parameter.numel()));
    for (float& value : values) value = static_cast<float>((2 * random.uniform() - 1) * bound);
    parameter.copy_(torch::from_blob(values.data(), parameter.sizes()));
  }
}

struct Images {
  torch::Tensor pixels;  // count x 1 x 28 x 28, normalised
  torch::Tensor labels;  // count, 64-bit as the loss wants them
};

struct Normalisation {
  double mean, deviation;
};

torch::Tensor pixels_of(const LabelledImages& images, std::int64_t count) {
  // from_blob takes no const pointer; the tensor is only read.
  auto* data = const_cast<std::uint8_t*>(images.pixels.data());
  return torch::from_blob(data, {count, images.channels, images.height, images.width},
                          torch::kUInt8);
}

Normalisation normalisation_of(const LabelledImages& images, std::int64_t count) {
  const torch::Tensor pixels = pixels_of(images, count).to(torch::kFloat64);
  return {pixels.mean().item<double>(), std::max(pixels.std().item<double>(), 1.0)};
}

Images prepare(const LabelledImages& images, std::int64_t count, const Normalisation& by) {
  auto* labels = const_cast<std::uint8_t*>(images.labels.data());
  return {pixels_of(images, count).to(torch::kFloat32).sub_(by.mean).div_(by.deviation),
          torch::from_blob(labels, {count}, torch::kUInt8).to(torch::kInt64)};
}

void check_images(const LabelledImages& images, const std::string& role) {
  std::ostringstream problem;
  if (images.count < 1) {
    problem << "no images";
  } else if (images.channels != kImageChannels || images.height != kFashionImage ||
             images.width != kFashionImage) {
    problem << "images are " << images.channels << "x" << images.height << "x" << images.width
            << "; the fashion-macro networks take " << kImageChannels << "x" << kFashionImage << "x"
            << kFashionImage;
  } else if (images.classes != kFashionClasses) {
    problem << images.classes << " classes; the fashion-macro networks tell " << kFashionClasses
            << " apart";
  } else if (std::ssize(images.pixels) !=
             images.count * images.channels * images.height * images.width) {
    problem << images.pixels.size() << " pixels do not make " << images.count << " images";
  } else if (std::ssize(images.labels) != images.count) {
    problem << images.labels.size() << " labels for " << images.count << " images";
  } else if (const auto largest = std::ranges::max(images.labels); largest >= images.classes) {
    problem << "label " << int{largest} << " with only " << images.classes << " classes";
  }
  if (!problem.str().empty()) throw UserError(role + ": " + problem.str());
}

void check_recipe(const TrainingRecipe& recipe, const LabelledImages& training) {
  std::vector<std::string> problems = problems_in(recipe);
  if (recipe.training_images > training.count) {
    problems.push_back("recipe.training_images = " + std::to_string(recipe.training_images) +
                       ": only " + std::to_string(training.count) + " training images are there");
  }
  if (problems.empty()) return;
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  throw UserError(text);
}

double learning_rate_at(std::int64_t step, std::int64_t steps, const TrainingRecipe& recipe) {
  const double done = (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
  if (done < recipe.warmup_fraction) return recipe.learning_rate * done / recipe.warmup_fraction;
  const double left = (1 - done) / (1 - recipe.warmup_fraction);
  return recipe.learning_rate * 0.5 * (1 - std::cos(std::numbers::pi * left));
}

double accuracy_percent(MacroNetwork& network, const Images& test) {
  const torch::NoGradGuard no_gradient;
  network.eval();
  std::int64_t right = 0;
  const std::int64_t count = test.labels.size(0);
  for (std::int64_t first = 0; first < count; first += kTestBatch) {
    const std::int64_t last = std::min(first + kTestBatch, count);
    const torch::Tensor guess = network.forward(test.pixels.slice(0, first, last)).argmax(1);
    right += guess.eq(test.labels.slice(0, first, last)).sum().item<std::int64_t>();
  }
  return 100 * static_cast<double>(right) / static_cast<double>(count);
}

// One training run, epoch by epoch.
class Run {
 public:
  Run(MacroNetwork& network, const Images& training, const TrainingRecipe& recipe)
      : network_(network),
        training_(training),
        recipe_(recipe),
        parameters_(network.parameters()),
        optimiser_(parameters_, torch::optim::SGDOptions(recipe.learning_rate)
                                    .momentum(recipe.momentum)
                                    .nesterov(recipe.momentum > 0)
                                    .weight_decay(recipe.weight_decay)),
        steps_per_epoch_(recipe.training_images / recipe.batch) {}

  /// Mean loss over the epoch's steps; not a number as soon as one step's is not, or when the last
  /// step has left weights or batch-norm statistics that are no numbers.
  double epoch(Random random) {
    network_.train();
    std::vector<std::int64_t> order(static_cast<std::size_t>(recipe_.training_images));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    random.shuffle(std::span(order));
    double sum = 0;
    for (std::int64_t batch = 0; batch < steps_per_epoch_; ++batch) {
      const double loss = step(
          torch::from_blob(order.data() + batch * recipe_.batch, {recipe_.batch}, torch::kInt64));
      if (!std::isfinite(loss)) return std::numeric_limits<double>::quiet_NaN();
      sum += loss;
    }
    return is_finite() ? sum / static_cast<double>(steps_per_epoch_)
                       : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  double step(const torch::Tensor& chosen) {
    set_learning_rate(learning_rate_at(steps_done_++, steps_per_epoch_ * recipe_.epochs, recipe_));
    for (torch::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
    const torch::Tensor loss = torch::nn::functional::cross_entropy(
        network_.forward(training_.pixels.index_select(0, chosen)),
        training_.labels.index_select(0, chosen),
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(recipe_.label_smoothing));
    loss.backward();
    optimiser_.step();
    return loss.item<double>();
  }

  [[nodiscard]] bool is_finite() const {
    const auto all_finite = [](const torch::Tensor& numbers) {
      return numbers.isfinite().all().item<bool>();
    };
    return std::ranges::all_of(network_.parameters(), all_finite) &&
           std::ranges::all_of(network_.buffers(), all_finite);
  }

  void set_learning_rate(double rate) {
    for (auto& group : optimiser_.param_groups()) {
      static_cast<torch::optim::SGDOptions&>(group.options()).lr(rate);
    }
  }

  MacroNetwork& network_;
  const Images& training_;
  const TrainingRecipe& recipe_;
  std::vector<torch::Tensor> parameters_;
  torch::optim::SGD optimiser_;
  std::int64_t steps_per_epoch_;
  std::int64_t steps_done_ = 0;
};

std::int64_t parameters_of(const torch::nn::Module& network) {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : network.parameters()) count += parameter.numel();
  return count;
}

// For the calling thread: LibTorch's and OpenMP's settings belong to a thread each.
void use_one_thread() {
  at::set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

// "AVX512" and the like: which instructions LibTorch's own kernels were chosen for here.
std::string kernels_in_use() {
  const std::string label = "CPU capability usage: ";
  const std::string configuration = at::show_config();
  const auto start = configuration.find(label);
  if (start == std::string::npos) return "unknown instructions";
  return configuration.substr(start + label.size(),
                              configuration.find('\n', start) - start - label.size());
}

class TorchTrainer : public Trainer {
 public:
  TrainingResult train(const std::string& genotype, const LabelledImages& training,
                       const LabelledImages& test, const TrainingRecipe& recipe,
                       std::uint64_t seed) const override {
    const auto start = Clock::now();
    check_images(training, "training images");
    check_images(test, "test images");
    check_recipe(recipe, training);
    use_one_thread();
    MacroNetwork network(genotype);
    const std::uint64_t stream = stream_of(genotype);
    draw_weights(network, Random(seed, "weights", stream));

    const Normalisation normalisation = normalisation_of(training, recipe.training_images);
    const Images training_set = prepare(training, recipe.training_images, normalisation);
    const Images test_set = prepare(test, test.count, normalisation);
    TrainingResult result;
    result.parameters = parameters_of(network);
    Run run(network, training_set, recipe);
    for (int epoch = 0; epoch < recipe.epochs; ++epoch) {
      const double loss =
          run.epoch(Random(seed, "shuffle", stream + static_cast<std::uint64_t>(epoch)));
      result.diverged = !std::isfinite(loss);
      if (result.diverged) break;
      result.epoch_loss.push_back(loss);
      result.epoch_accuracy_percent.push_back(accuracy_percent(network, test_set));
    }
    result.test_accuracy_percent = result.diverged ? std::numeric_limits<double>::quiet_NaN()
                                                   : result.epoch_accuracy_percent.back();
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
  }

  std::int64_t parameters(const std::string& genotype) const override {
    return parameters_of(MacroNetwork(genotype));
  }

  std::string description() const override {
    std::string text = "LibTorch " TORCH_VERSION " (" + kernels_in_use() + ")";
    if (openblas_get_config != nullptr) text += std::string(", ") + openblas_get_config();
    return text;
  }
};

}  // namespace
}  // namespace cosearch::nas

extern "C" cosearch::nas::Trainer* cosearch_create_trainer_1() {
  return new cosearch::nas::TorchTrainer();
}
