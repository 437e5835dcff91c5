#include "codesign/accuracy_measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <type_traits>
#include <utility>

#include "codesign/checkpoint_file.h"
#include "codesign/study.h"
#include "core/user_error.h"
#include "datasets/fingerprint.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

constexpr const char* kCheckpointExtension = ".checkpoint";

std::string hexadecimal(const datasets::Fingerprint& halves) {
  return fmt::format("{:016x}{:016x}", halves[0], halves[1]);
}

std::string fingerprint(const datasets::ImageSet& set) {
  std::string bytes = fmt::format("{}x{}x{}x{}:", set.count, set.channels, set.height, set.width);
  const auto append = [&](const auto& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  };
  std::visit(append, set.pixels);
  append(set.labels);
  return hexadecimal(datasets::fingerprint_of(bytes));
}

// Accuracies by genotype and seed, over all tables.
std::map<std::string, std::map<std::uint64_t, double>> by_genotype(
    const std::vector<const datasets::Table*>& tables) {
  std::map<std::string, std::map<std::uint64_t, double>> accuracies;
  for (const datasets::Table* table : tables) {
    const std::size_t genotype = table->column("genotype"), seed = table->column("seed"),
                      accuracy = table->column("accuracy_percent");
    for (std::size_t row = 0; row < table->rows(); ++row)
      accuracies[table->text(row, genotype)]
                [static_cast<std::uint64_t>(table->integer(row, seed))] =
                    table->number(row, accuracy);
  }
  return accuracies;
}

double pooled_deviation(const std::vector<std::vector<double>>& by_seed) {
  double squares = 0;
  const std::size_t seeds = by_seed.size(), networks = by_seed.front().size();
  for (std::size_t network = 0; network < networks; ++network) {
    double mean = 0;
    for (const auto& accuracies : by_seed) mean += accuracies[network];
    mean /= static_cast<double>(seeds);
    for (const auto& accuracies : by_seed)
      squares += (accuracies[network] - mean) * (accuracies[network] - mean);
  }
  return std::sqrt(squares / static_cast<double>(networks * (seeds - 1)));
}

}  // namespace

nas::LabelledImages view_of(const datasets::ImageSet& set, std::int32_t classes) {
  nas::LabelledImages view{.count = set.count,
                           .channels = set.channels,
                           .height = set.height,
                           .width = set.width,
                           .pixels = {},
                           .labels = set.labels,
                           .classes = classes};
  std::visit([&](const auto& pixels) { view.pixels = std::span(pixels); }, set.pixels);
  return view;
}

json record_of(const AccuracyMeasurement& measurement, const datasets::ImageData& images) {
  const nas::TrainingRecipe& recipe = measurement.recipe;
  json record{
      {"space", measurement.space},
      {"space_options", measurement.space_options},
      {"images", {fingerprint(images.training), fingerprint(images.test)}},
      {"training_images", recipe.training_images},
      {"validation_images", recipe.validation_images},
      {"epochs", recipe.epochs},
      {"patience", recipe.patience},
      {"batch", recipe.batches.size() == 1 ? json(recipe.batches.front()) : json(recipe.batches)},
      {"optimiser", nas::name_of(recipe.optimiser)},
      {"learning_rate", recipe.learning_rate},
      {"warmup_fraction", recipe.warmup_fraction},
      {"momentum", recipe.momentum},
      {"weight_decay", recipe.weight_decay},
      {"label_smoothing", recipe.label_smoothing},
      {"crop_padding", recipe.crop_padding},
      {"horizontal_flip", recipe.horizontal_flip},
      {"device", measurement.device == nas::Device::cuda ? "cuda" : "cpu"}};
  if (!measurement.space_text.empty())
    record["space_file"] = hexadecimal(datasets::fingerprint_of(measurement.space_text));
  return record;
}

nas::TrainingRecipe recipe_in(const json& record) {
  return {.training_images = record.at("training_images"),
          .epochs = record.at("epochs"),
          .batches = batches_in(record.at("batch")),
          .optimiser = nas::optimiser_named(record.at("optimiser").get<std::string>()),
          .learning_rate = record.at("learning_rate"),
          .warmup_fraction = record.at("warmup_fraction"),
          .momentum = record.at("momentum"),
          .weight_decay = record.at("weight_decay"),
          .label_smoothing = record.at("label_smoothing"),
          .crop_padding = record.at("crop_padding"),
          .horizontal_flip = record.at("horizontal_flip"),
          .patience = record.at("patience"),
          .validation_images = record.at("validation_images")};
}

nas::SpaceOptions options_for(const std::vector<nas::SpaceOption>& declared,
                              nas::SpaceOptions given, const datasets::ImageData& images) {
  for (const nas::SpaceOption& option : declared) {
    if (option.name == "image") given.try_emplace(option.name, images.training.height);
    if (option.name == "classes") given.try_emplace(option.name, images.classes);
  }
  return given;
}

std::vector<std::string> every_network(const nas::NetworkSpace& space, std::uint64_t every) {
  constexpr double kMost = 1 << 20;
  if (space.size() > kMost)
    throw UserError(
        fmt::format("space {} has {:.3g} genotypes, too many to train them all: draw some "
                    "(--sample COUNT)",
                    space.name(), space.size()));
  std::vector<std::string> genotypes;
  std::set<std::string> networks;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); ++i) {
    std::string genotype = space.genotype(i);
    if (networks.insert(space.canonical(genotype)).second && (networks.size() - 1) % every == 0)
      genotypes.push_back(std::move(genotype));
  }
  return genotypes;
}

std::vector<std::string> drawn_networks(const nas::NetworkSpace& space, std::uint64_t count,
                                        std::uint64_t seed) {
  constexpr int kMostRepeated = 10000;
  std::vector<std::string> genotypes;
  std::set<std::string> networks;
  Random random(seed, "networks to train");
  int repeated = 0;
  while (genotypes.size() < count) {
    if (repeated == kMostRepeated)
      throw UserError(
          fmt::format("space {}: {} networks are asked for, and the last {} drawn were "
                      "among the {} drawn before",
                      space.name(), count, kMostRepeated, genotypes.size()));
    std::string genotype = space.sample(random);
    const bool is_new = networks.insert(space.canonical(genotype)).second;
    repeated = is_new ? 0 : repeated + 1;
    if (is_new) genotypes.push_back(std::move(genotype));
  }
  return genotypes;
}

std::vector<TrainingJob> training_jobs(const std::vector<std::string>& genotypes,
                                       const std::vector<std::uint64_t>& seeds) {
  std::vector<TrainingJob> jobs;
  for (const std::string& genotype : genotypes)
    for (const std::uint64_t seed : seeds) jobs.push_back({genotype, seed});
  return jobs;
}

void train_all(std::span<const TrainingJob> jobs, const AccuracyMeasurement& measurement,
               const nas::NetworkSpace& space, const nas::Trainer& trainer,
               const datasets::ImageData& images, const std::filesystem::path& checkpoints,
               Workers& workers, const TrainingWatch& watch) {
  const std::string record = record_of(measurement, images).dump();
  const nas::LabelledImages training = view_of(images.training, images.classes),
                            test = view_of(images.test, images.classes);
  std::filesystem::create_directories(checkpoints);
  std::mutex one_at_a_time;
  const auto train = [&](const TrainingJob& job) {
    const std::string name = hexadecimal(
        datasets::fingerprint_of(fmt::format("{} {} {}", record, job.genotype, job.seed)));
    CheckpointFile checkpoint(checkpoints / (name + kCheckpointExtension));
    const auto result = trainer.train({.blueprint = space.blueprint(job.genotype),
                                       .identity = space.canonical(job.genotype),
                                       .seed = job.seed,
                                       .recipe = measurement.recipe,
                                       .device = measurement.device,
                                       .checkpoints = &checkpoint,
                                       .stop = watch.stop},
                                      training, test);
    if (!result) return;
    {
      const std::lock_guard lock(one_at_a_time);
      watch.finished({job, *result});
    }
    checkpoint.remove();  // not before the result is safe
  };
  workers.for_ranges(jobs.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && !(watch.stop && watch.stop()); ++i) train(jobs[i]);
  });
}

void remove_checkpoints(const std::filesystem::path& checkpoints) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(checkpoints, ignored))
    if (entry.path().extension() == kCheckpointExtension)
      std::filesystem::remove(entry.path(), ignored);
  std::filesystem::remove(checkpoints, ignored);  // stays where somebody put something else
}

datasets::Columns training_columns(const std::vector<TrainedNetwork>& networks, int epochs) {
  const auto column = [&](auto value_of) {
    std::vector<std::decay_t<decltype(value_of(networks.front()))>> values;
    for (const TrainedNetwork& network : networks) values.push_back(value_of(network));
    return values;
  };
  using Curve = std::vector<double> nas::TrainingResult::*;
  const auto at_epoch = [&](Curve curve, std::size_t epoch) {
    return column([=](const TrainedNetwork& network) {
      const std::vector<double>& values = network.result.*curve;
      return epoch < values.size() ? values[epoch] : std::numeric_limits<double>::quiet_NaN();
    });
  };
  datasets::Columns table;
  const auto add = [&](std::string name, auto values) {
    table.columns.push_back({std::move(name), "", std::move(values)});
  };
  add("genotype", column([](const auto& network) { return network.job.genotype; }));
  add("seed",
      column([](const auto& network) { return static_cast<std::int64_t>(network.job.seed); }));
  add("accuracy_percent",
      column([](const auto& network) { return network.result.test_accuracy_percent; }));
  for (std::size_t epoch = 0; epoch < static_cast<std::size_t>(epochs); ++epoch)
    add(fmt::format("epoch{}_percent", epoch + 1),
        at_epoch(&nas::TrainingResult::epoch_accuracy_percent, epoch));
  for (std::size_t epoch = 0; epoch < static_cast<std::size_t>(epochs); ++epoch)
    add(fmt::format("epoch{}_loss", epoch + 1), at_epoch(&nas::TrainingResult::epoch_loss, epoch));
  add("parameters", column([](const auto& network) { return network.result.parameters; }));
  add("failure", column([](const auto& network) { return network.result.failure; }));
  return table;
}

void TrainingTime::add(double macs, double seconds) {
  count_ += 1;
  macs_ += macs;
  seconds_ += seconds;
  macs_squared_ += macs * macs;
  products_ += macs * seconds;
}

double TrainingTime::seconds_for(double macs) const {
  const double variance = macs_squared_ - macs_ * macs_ / count_,
               slope = (products_ - macs_ * seconds_ / count_) / variance,
               intercept = (seconds_ - slope * macs_) / count_;
  if (slope >= 0 && intercept >= 0) return intercept + slope * macs;
  // Nothing takes less than no time: few networks, or a machine that is busy now and then.
  return macs_ > 0 ? seconds_ / macs_ * macs : seconds_ / count_;
}

SeedNoise seed_noise(const std::vector<const datasets::Table*>& tables) {
  const auto accuracies = by_genotype(tables);
  std::set<std::uint64_t> seeds;
  for (const auto& [genotype, of_seed] : accuracies)
    for (const auto& [seed, accuracy] : of_seed) seeds.insert(seed);
  if (seeds.size() < 2) throw UserError("noise between seeds needs at least two of them");

  std::vector<std::vector<double>> by_seed;
  std::uint64_t networks = 0;
  for (const std::uint64_t seed : seeds) {
    std::vector<double> column;
    for (const auto& [genotype, of_seed] : accuracies)
      if (of_seed.size() == seeds.size()) column.push_back(of_seed.at(seed));
    networks = column.size();
    by_seed.push_back(std::move(column));
  }
  if (networks < 2) throw UserError("noise between seeds needs two networks trained with them all");

  SeedNoise noise{.networks = networks,
                  .seeds = {seeds.begin(), seeds.end()},
                  .standard_deviation = pooled_deviation(by_seed),
                  .least_spearman = 1};
  int pairs = 0;
  for (std::size_t a = 0; a < by_seed.size(); ++a)
    for (std::size_t b = 0; b < a; ++b, ++pairs) {
      const double rho = predictors::spearman(by_seed[a], by_seed[b]);
      noise.mean_spearman += rho;
      noise.least_spearman = std::min(noise.least_spearman, rho);
    }
  noise.mean_spearman /= pairs;
  return noise;
}

}  // namespace cosearch::codesign
