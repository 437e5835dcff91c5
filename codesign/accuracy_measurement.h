// Measures the accuracies of a space's networks by training them: `cosearch dataset train`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "codesign/workers.h"
#include "datasets/front_file.h"
#include "datasets/image_set.h"
#include "datasets/table.h"
#include "nas/space.h"
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

/// What is measured, but for the seeds.
struct AccuracyMeasurement {
  std::string space;            ///< of the program's own, or a file's path
  std::string space_text = {};  ///< of the file, else empty
  nas::SpaceOptions space_options = {};
  nas::TrainingRecipe recipe = {};
  nas::Device device = nas::Device::cpu;
};

/// Everything that the results depend on but the processor and the libraries, for people and for
/// comparison.
[[nodiscard]] nlohmann::json record_of(const AccuracyMeasurement& measurement,
                                       const datasets::ImageData& images);

/// The recipe in what `record_of` gave. Throws nlohmann::json::exception where it is none of these,
/// UserError for an optimiser of another name.
[[nodiscard]] nas::TrainingRecipe recipe_in(const nlohmann::json& record);

[[nodiscard]] nas::LabelledImages view_of(const datasets::ImageSet& set, std::int32_t classes);

/// Of `declared`, which are those of a space, the options that the images decide, `image` and
/// `classes`, where it has them and `given` does not say otherwise.
[[nodiscard]] nas::SpaceOptions options_for(const std::vector<nas::SpaceOption>& declared,
                                            nas::SpaceOptions given,
                                            const datasets::ImageData& images);

/// Every `every`-th network of a space; of the genotypes that spell one network the first. Throws
/// UserError for a space of more than a million genotypes.
[[nodiscard]] std::vector<std::string> every_network(const nas::NetworkSpace& space,
                                                     std::uint64_t every);

/// `count` networks drawn for `seed`, evenly over the genotypes, each once. Throws UserError where
/// the space seems not to have as many.
[[nodiscard]] std::vector<std::string> drawn_networks(const nas::NetworkSpace& space,
                                                      std::uint64_t count, std::uint64_t seed);

/// Each network with every seed, network by network.
[[nodiscard]] std::vector<TrainingJob> training_jobs(const std::vector<std::string>& genotypes,
                                                     const std::vector<std::uint64_t>& seeds);

/// While jobs are trained.
struct TrainingWatch {
  /// Called with each network as it ends, one call at a time.
  std::function<void(const TrainedNetwork& network)> finished;
  /// Asked after every epoch, by several threads; true ends the measurement. Empty: never.
  std::function<bool()> stop;
};

/// Trains `jobs` on `workers`, one network a thread, keeping the state of each after every epoch in
/// the folder `checkpoints`: a network that was cut short goes on from there, and ends as if it
/// never had been.
/// Throws what Trainer::train and CheckpointFile::load throw.
void train_all(std::span<const TrainingJob> jobs, const AccuracyMeasurement& measurement,
               const nas::NetworkSpace& space, const nas::Trainer& trainer,
               const datasets::ImageData& images, const std::filesystem::path& checkpoints,
               Workers& workers, const TrainingWatch& watch);

/// Once all networks are trained: a process that was killed may have left some.
void remove_checkpoints(const std::filesystem::path& checkpoints);

/// The table that `networks: {table: ...}` reads: genotype, seed, accuracy_percent, accuracy after
/// and loss over each epoch, parameters, failure. A network whose training failed has no accuracy;
/// epochs after an early stop are empty too.
[[nodiscard]] datasets::Columns training_columns(const std::vector<TrainedNetwork>& networks,
                                                 int epochs);

/// Tells how long training will take from how long it took: a straight line of seconds over the
/// multiply-accumulates of a network, by least squares.
class TrainingTime {
 public:
  void add(double macs, double seconds);

  /// For one more network. Not a number before the first `add`.
  [[nodiscard]] double seconds_for(double macs) const;

 private:
  double count_ = 0, macs_ = 0, seconds_ = 0, macs_squared_ = 0, products_ = 0;  // sums
};

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
