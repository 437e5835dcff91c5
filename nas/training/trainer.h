// Trains a network of a space on labelled images and says how well it does on others. No torch type
// appears here: the work is done by a module that is loaded when the first network is trained, so
// that a program which trains nothing neither needs LibTorch nor waits for it to start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cosearch::nas {

/// Grey or colour images with one label each, as views of somebody else's memory.
struct LabelledImages {
  std::int64_t count = 0, channels = 1, height = 0, width = 0;
  std::span<const std::uint8_t> pixels;  ///< count x channels x height x width, row-major
  std::span<const std::uint8_t> labels;  ///< count, each in [0, classes)
  int classes = 0;
};

/// How to train: stochastic gradient descent with Nesterov momentum, the learning rate rising
/// linearly and then falling to zero along half a cosine. Images are normalised to zero mean and
/// unit variance over the training images and are not augmented. The defaults are the recipe of the
/// embedded Fashion-MNIST table (datasets/data/fashion_macro.csv).
struct TrainingRecipe {
  /// The first so many of the training images are used.
  std::int64_t training_images = 20000;

  /// Passes over them, each in an order of its own.
  int epochs = 2;

  /// Images per step. Images that do not fill a last batch wait for another epoch's order.
  int batch = 50;

  /// Largest learning rate, reached at the end of the warm-up.
  double learning_rate = 0.15;

  /// Share of all steps over which the learning rate rises, in [0, 1).
  double warmup_fraction = 0.2;

  /// Nesterov momentum, in [0, 1).
  double momentum = 0.9;

  /// Added to the gradient as this times the parameter, for every parameter.
  double weight_decay = 5e-4;

  /// Probability taken from the true class and spread evenly over all classes, in [0, 1).
  double label_smoothing = 0.0;
};

/// Everything wrong with `recipe`, in the user's words; empty when valid.
[[nodiscard]] std::vector<std::string> problems_in(const TrainingRecipe& recipe);

struct TrainingResult {
  /// On the test images after the last epoch; not a number when training diverged.
  double test_accuracy_percent = 0;
  /// One entry per completed epoch: accuracy on the test images, mean loss over its steps.
  std::vector<double> epoch_accuracy_percent;
  std::vector<double> epoch_loss;
  /// Wall-clock time of the call.
  double seconds = 0;
  /// Trained numbers, batch-norm scales and shifts included.
  std::int64_t parameters = 0;
  /// True when the loss or the weights stopped being numbers: training ended there.
  bool diverged = false;
};

/// Trains networks of the `fashion-macro` space. Each call runs on the caller's thread alone (and
/// leaves that thread's LibTorch set to one thread); calls from several threads are independent.
class Trainer {
 public:
  virtual ~Trainer() = default;

  /// Trains `genotype` from weights, and in orders of images, drawn for (seed, network). The same
  /// arguments give the same result on the same processor and libraries, whatever else runs. Throws
  /// UserError when the genotype is not of the space, the recipe has problems, or the images do not
  /// suit the network or the recipe.
  [[nodiscard]] virtual TrainingResult train(const std::string& genotype,
                                             const LabelledImages& training,
                                             const LabelledImages& test,
                                             const TrainingRecipe& recipe,
                                             std::uint64_t seed) const = 0;

  /// Trained numbers of the module that `train` would train.
  [[nodiscard]] virtual std::int64_t parameters(const std::string& genotype) const = 0;

  /// Versions of what computes the result, for its record: "LibTorch 1.13.0 (AVX512), OpenBLAS
  /// 0.3.21 ...". Another processor or version gives results that differ as another seed's do.
  [[nodiscard]] virtual std::string description() const = 0;
};

/// Loads the training module from `module_folder`. Throws UserError saying what to install or build
/// when the module is not there, and why when it does not load.
[[nodiscard]] std::unique_ptr<Trainer> load_trainer(const std::filesystem::path& module_folder);

}  // namespace cosearch::nas
