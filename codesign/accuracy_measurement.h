// Measures the accuracies of a space's networks by training them: `cosearch dataset train`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "codesign/workers.h"
#include "datasets/front_file.h"
#include "datasets/table.h"
#include "nas/training/trainer.h"

namespace cosearch::codesign {

/// One network to train.
struct TrainingJob {
  std::string genotype;
  std::uint64_t seed = 0;

  friend auto operator<=>(const TrainingJob&, const TrainingJob&) = default;
};

struct TrainedNetwork {
  TrainingJob job;
  nas::TrainingResult result;
};

struct ImageFolder {
  nas::LabelledImages training, test;  ///< views of the members below
  std::vector<std::uint8_t> pixels[2], labels[2];
};

/// The files train- and t10k-{images-idx3,labels-idx1}-ubyte.gz of `folder`, as MNIST and
/// Fashion-MNIST are published. Throws FileError or UserError when one is missing or damaged.
[[nodiscard]] std::unique_ptr<ImageFolder> read_image_folder(const std::filesystem::path& folder);

/// 32 hexadecimal digits, equal for the same pixels and labels.
[[nodiscard]] std::string fingerprint(const ImageFolder& images);

/// Every `every`-th genotype of a space times every seed, genotype by genotype.
/// Throws UserError for a space that cannot be enumerated.
[[nodiscard]] std::vector<TrainingJob> training_jobs(const std::string& space,
                                                     const std::vector<std::uint64_t>& seeds,
                                                     std::uint64_t every);

/// Trains `jobs` on `workers`, one network a thread, calling `finished` (one call at a time) with
/// each as it ends. Returns them in the order of `jobs`.
[[nodiscard]] std::vector<TrainedNetwork> train_all(
    const std::vector<TrainingJob>& jobs, const nas::Trainer& trainer, const ImageFolder& images,
    const nas::TrainingRecipe& recipe, Workers& workers,
    const std::function<void(const TrainedNetwork& network)>& finished);

/// The table that `networks: {table: ...}` reads: genotype, seed, accuracy_percent, accuracy after
/// each epoch, loss of the last epoch, parameters, seconds. A network that diverged has empty
/// accuracies.
[[nodiscard]] datasets::Columns training_columns(const std::vector<TrainedNetwork>& networks,
                                                 int epochs);

/// How far accuracies move when only the seed changes.
struct SeedNoise {
  std::uint64_t networks = 0;
  std::vector<std::uint64_t> seeds;
  double standard_deviation = 0;  ///< within networks, pooled, in percentage points
  double mean_spearman = 0;       ///< mean over pairs of seeds, of accuracies over networks
  double least_spearman = 0;
};

/// From rows of a table with the columns genotype, seed and accuracy_percent that hold every
/// network with every seed. Throws UserError for fewer than two seeds or a network without one of
/// them.
[[nodiscard]] SeedNoise seed_noise(const std::vector<const datasets::Table*>& tables);

}  // namespace cosearch::codesign
