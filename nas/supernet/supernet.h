// A supernet: all networks of a space in one, sharing the weights of the steps they share, so that
// training it once tells (roughly) the accuracies of all of them. No torch type appears here: the
// work is done by the module that also trains, loaded when the first supernet is asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nas/space.h"
#include "nas/supernet/differentiable_search.h"
#include "nas/training/recipe.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

/// Which networks each training step trains.
enum class PathSampling : std::uint8_t {
  /// One, drawn evenly from the genotypes. Source: Z. Guo et al., "Single path one-shot neural
  /// architecture search with uniform sampling", ECCV 2020, section 3.2.
  single_path,
  /// The largest, the smallest and some drawn evenly; their gradients are averaged into one step.
  /// Source: J. Yu, T. Huang, "Universally slimmable networks", ICCV 2019, section 3.2, where they
  /// are summed: with the mean a learning rate means the same for both rules.
  sandwich,
};

[[nodiscard]] std::string_view name_of(PathSampling sampling);
/// Throws UserError (with a suggestion) when none is called `name`.
[[nodiscard]] PathSampling path_sampling_named(std::string_view name);

/// Which steps share weights, of those that stand at the same place.
enum class WeightSharing : std::uint8_t {
  /// Those with weights of the same shape.
  shapes,
  /// All that the largest network's step has room for: a narrower one takes the first of its
  /// channels, a smaller window its middle. Source: H. Cai et al., "Once-for-all", ICLR 2020,
  /// section 3.2 (without the matrices that it trains between windows).
  slices,
};

[[nodiscard]] std::string_view name_of(WeightSharing sharing);
/// Throws UserError (with a suggestion) when none is called `name`.
[[nodiscard]] WeightSharing weight_sharing_named(std::string_view name);

struct SupernetRecipe {
  /// As for one network; without early stopping (patience and validation_images zero).
  TrainingRecipe training;
  PathSampling sampling = PathSampling::single_path;
  WeightSharing sharing = WeightSharing::shapes;
  /// Of the sandwich rule: networks drawn in each step beside the largest and the smallest.
  int random_paths = 2;
};

/// How a network with inherited weights is tested.
struct EvaluationOptions {
  /// Training images, from the first, from which the statistics of batch normalisation are found
  /// anew: those of training are of all networks mixed. Whole batches of the recipe's size.
  std::int64_t recalibration_images = 1000;
  /// Training images behind those trained on, which the accuracy is of. The test images are left
  /// for the networks that are chosen by it.
  std::int64_t validation_images = 5000;
};

/// Everything wrong with them for so many training images, in the user's words; empty when valid.
[[nodiscard]] std::vector<std::string> problems_in(const SupernetRecipe& recipe,
                                                   std::int64_t images);
[[nodiscard]] std::vector<std::string> problems_in(const EvaluationOptions& options,
                                                   const SupernetRecipe& recipe,
                                                   std::int64_t images);

/// A trained supernet, ready to be asked.
class Supernet {
 public:
  virtual ~Supernet() = default;

  /// Accuracy in percent of the network `genotype` with the weights it inherits, on the validation
  /// images; not a number where its outputs are none. A step that no trained network had has the
  /// weights it would have begun with. The same for every call, on one thread or several at once.
  /// Throws UserError when `genotype` is not of the space.
  [[nodiscard]] virtual double accuracy_of(const std::string& genotype) const = 0;
};

struct SupernetEpoch {
  int number = 0;   ///< from 1
  double loss = 0;  ///< mean over the networks trained in it
};

struct SupernetTask {
  const NetworkSpace& space;
  SupernetRecipe recipe;
  std::uint64_t seed = 0;

  /// Asked for a state to go on from, and given one after every epoch, the last one too. Null:
  /// neither.
  CheckpointStore* checkpoints = nullptr;
  /// Called after every epoch. Empty: not.
  std::function<void(const SupernetEpoch& epoch)> watch = nullptr;
  /// Asked after every epoch but the last; true ends the training there. Empty: never.
  std::function<bool()> stop = nullptr;
};

/// Each call runs on the caller's thread alone (and leaves that thread's LibTorch set to one
/// thread).
class SupernetTrainer {
 public:
  virtual ~SupernetTrainer() = default;

  /// Trains from weights, in orders of images and along paths drawn for the seed: the same task and
  /// images give the same bytes on the same processor and libraries, however often the training was
  /// stopped and went on from a checkpoint. Returns the state that `load` reads; nothing when
  /// `stop` said so.
  /// Throws UserError when a network of the space cannot run (a layer known by its cost only), the
  /// recipe has problems, the images do not suit, the checkpoint is no checkpoint of this task, or
  /// the loss stops being a number: at which step, and the checkpoint of the epoch before it stays.
  [[nodiscard]] virtual std::optional<std::string> train(const SupernetTask& task,
                                                         const LabelledImages& images) const = 0;

  /// The supernet that `train` left in `state`. `space`, which must outlive it, `recipe` and
  /// `images` are those it was trained with; the images are copied. Throws UserError when the state
  /// is not of this space, the options have problems or the images do not suit.
  [[nodiscard]] virtual std::unique_ptr<Supernet> load(std::string_view state,
                                                       const NetworkSpace& space,
                                                       const SupernetRecipe& recipe,
                                                       const EvaluationOptions& options,
                                                       const LabelledImages& images) const = 0;

  /// Searches as differentiable_search.h says; the last epoch's genotype is the one found. As
  /// repeatable as `train`; nothing when `stop` said so. Throws UserError when the space has no
  /// mixed blueprint, what `train` would throw, and when the latencies do not fit the choices.
  [[nodiscard]] virtual std::optional<std::vector<SearchEpoch>> search(
      const SearchTask& task, const LabelledImages& images) const = 0;

  /// As Trainer::description.
  [[nodiscard]] virtual std::string description() const = 0;
};

/// Loads the module from `module_folder`, as load_trainer does and with its errors.
[[nodiscard]] std::unique_ptr<SupernetTrainer> load_supernet_trainer(
    const std::filesystem::path& module_folder);

}  // namespace cosearch::nas
