// Trains a network on labelled images and says how well it does on others. No torch type appears
// here: the work is done by a module that is loaded when the first network is trained, so that a
// program which trains nothing neither needs LibTorch nor waits for it to start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "nas/blueprint.h"
#include "nas/training/recipe.h"

namespace cosearch::nas {

/// Grey or colour images with one label each, as views of somebody else's memory.
struct LabelledImages {
  std::int64_t count = 0, channels = 1, height = 0, width = 0;
  /// count x channels x height x width, row-major.
  std::variant<std::span<const std::uint8_t>, std::span<const float>> pixels;
  std::span<const std::int32_t> labels;  ///< count, each in [0, classes)
  int classes = 0;
};

/// Whether images can be made what a network takes, by resizing and by repeating a single channel:
/// they have the proportions of `input` and its channels, or one.
[[nodiscard]] bool can_be_fitted(const LabelledImages& images, const FeatureShape& input);

/// Where a training keeps its state between two epochs: bytes that only a trainer of the same
/// version understands.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  /// What was saved last; nothing where training starts from the beginning.
  [[nodiscard]] virtual std::optional<std::string> load() = 0;
  virtual void save(std::string_view bytes) = 0;
};

enum class Device : std::uint8_t { cpu, cuda };

/// One network to train.
struct TrainingTask {
  Blueprint blueprint;

  /// Tells the random streams of this network from those of another: its canonical genotype, so
  /// that two spellings of one network train alike.
  std::string identity;

  std::uint64_t seed = 0;
  TrainingRecipe recipe;
  Device device = Device::cpu;

  /// Asked for a state to go on from, and given one after every epoch. Null: neither.
  CheckpointStore* checkpoints = nullptr;

  /// Asked after every epoch but the last; true ends the training there. Empty: never.
  std::function<bool()> stop = nullptr;
};

struct TrainingResult {
  /// On the test images after the epoch that counts (TrainingRecipe::patience); not a number when
  /// training failed.
  double test_accuracy_percent = 0;
  /// One entry per completed epoch: accuracy on the test images and on the validation images
  /// (where there are any), mean loss over the epoch's steps.
  std::vector<double> epoch_accuracy_percent;
  std::vector<double> epoch_validation_percent;
  std::vector<double> epoch_loss;
  /// Wall-clock time of the call.
  double seconds = 0;
  /// Trained numbers, batch-norm scales and shifts included.
  std::int64_t parameters = 0;
  /// Why training failed: where the loss or the weights stopped being numbers. Empty: it did not.
  std::string failure;
};

/// On the CPU each call runs on the caller's thread alone (and leaves that thread's LibTorch set to
/// one thread); calls from several threads are independent.
class Trainer {
 public:
  virtual ~Trainer() = default;

  /// Trains from weights, in orders of images and with augmentations drawn for (seed, identity).
  /// The same task and images give the same result on the same processor and libraries, whatever
  /// else runs, and however often it was stopped and went on from a checkpoint. Nothing when `stop`
  /// said so. Throws UserError when the blueprint cannot run, the recipe has problems, the images
  /// do not suit the network or the recipe, the device is not there, or the checkpoint is no
  /// checkpoint of this training.
  [[nodiscard]] virtual std::optional<TrainingResult> train(const TrainingTask& task,
                                                            const LabelledImages& training,
                                                            const LabelledImages& test) const = 0;

  /// Whether LibTorch has CUDA and CUDA a device.
  [[nodiscard]] virtual bool has_cuda() const = 0;

  /// Versions of what computes the result, for its record: "LibTorch 1.13.0 (AVX512), OpenBLAS
  /// 0.3.21 ...". Another processor or version gives results that differ as another seed's do.
  [[nodiscard]] virtual std::string description() const = 0;
};

/// Loads the training module from `module_folder`. Throws UserError saying what to install or build
/// when the module is not there, and why when it does not load.
[[nodiscard]] std::unique_ptr<Trainer> load_trainer(const std::filesystem::path& module_folder);

}  // namespace cosearch::nas
