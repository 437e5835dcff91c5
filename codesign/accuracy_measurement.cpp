#include "codesign/accuracy_measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/user_error.h"
#include "datasets/fingerprint.h"
#include "datasets/idx.h"
#include "nas/space.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

void read_part(const std::filesystem::path& folder, const std::string& part,
               std::vector<std::uint8_t>& pixels, std::vector<std::uint8_t>& labels,
               nas::LabelledImages& view) {
  datasets::IdxImages images = datasets::read_idx_images(folder / (part + "-images-idx3-ubyte.gz"));
  const std::filesystem::path label_file = folder / (part + "-labels-idx1-ubyte.gz");
  labels = datasets::read_idx_labels(label_file);
  if (labels.size() != images.count)
    throw UserError({label_file.string()},
                    fmt::format("holds {} labels for {} images", labels.size(), images.count));
  pixels = std::move(images.pixels);
  view.count = static_cast<std::int64_t>(images.count);
  view.height = static_cast<std::int64_t>(images.height);
  view.width = static_cast<std::int64_t>(images.width);
  view.pixels = pixels;
  view.labels = labels;
  view.classes = labels.empty() ? 0 : *std::ranges::max_element(labels) + 1;
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

std::unique_ptr<ImageFolder> read_image_folder(const std::filesystem::path& folder) {
  auto images = std::make_unique<ImageFolder>();
  read_part(folder, "train", images->pixels[0], images->labels[0], images->training);
  read_part(folder, "t10k", images->pixels[1], images->labels[1], images->test);
  return images;
}

std::string fingerprint(const ImageFolder& images) {
  std::string bytes;
  for (const auto* part : {&images.training, &images.test}) {
    bytes += fmt::format("{}x{}x{}x{}:", part->count, part->channels, part->height, part->width);
    bytes.append(part->pixels.begin(), part->pixels.end());
    bytes.append(part->labels.begin(), part->labels.end());
  }
  const datasets::Fingerprint halves = datasets::fingerprint_of(bytes);
  return fmt::format("{:016x}{:016x}", halves[0], halves[1]);
}

std::vector<TrainingJob> training_jobs(const std::string& space,
                                       const std::vector<std::uint64_t>& seeds,
                                       std::uint64_t every) {
  const auto networks = nas::make_space(space);
  std::vector<TrainingJob> jobs;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(networks->size()); i += every)
    for (const std::uint64_t seed : seeds) jobs.push_back({networks->genotype(i), seed});
  return jobs;
}

std::vector<TrainedNetwork> train_all(
    const std::vector<TrainingJob>& jobs, const nas::Trainer& trainer, const ImageFolder& images,
    const nas::TrainingRecipe& recipe, Workers& workers,
    const std::function<void(const TrainedNetwork& network)>& finished) {
  std::vector<TrainedNetwork> trained(jobs.size());
  std::mutex one_at_a_time;
  workers.for_ranges(jobs.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      trained[i] = {jobs[i], trainer.train(jobs[i].genotype, images.training, images.test, recipe,
                                           jobs[i].seed)};
      const std::lock_guard lock(one_at_a_time);
      finished(trained[i]);
    }
  });
  return trained;
}

datasets::Columns training_columns(const std::vector<TrainedNetwork>& networks, int epochs) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const auto numbers = [&](auto value_of) {
    std::vector<double> values;
    for (const TrainedNetwork& network : networks) values.push_back(value_of(network.result));
    return values;
  };
  std::vector<std::string> genotypes;
  std::vector<std::int64_t> seeds, parameters;
  for (const TrainedNetwork& network : networks) {
    genotypes.push_back(network.job.genotype);
    seeds.push_back(static_cast<std::int64_t>(network.job.seed));
    parameters.push_back(network.result.parameters);
  }
  datasets::Columns columns;
  columns.columns.push_back({"genotype", "", std::move(genotypes)});
  columns.columns.push_back({"seed", "", std::move(seeds)});
  columns.columns.push_back({"accuracy_percent", "", numbers([](const nas::TrainingResult& result) {
                               return result.diverged ? kUnknown : result.test_accuracy_percent;
                             })});
  for (int epoch = 0; epoch < epochs; ++epoch)
    columns.columns.push_back(
        {fmt::format("epoch{}_percent", epoch + 1), "", numbers([&](const auto& result) {
           const auto index = static_cast<std::size_t>(epoch);
           return index < result.epoch_accuracy_percent.size()
                      ? result.epoch_accuracy_percent[index]
                      : kUnknown;
         })});
  columns.columns.push_back({"final_loss", "", numbers([](const nas::TrainingResult& result) {
                               return result.epoch_loss.empty() ? kUnknown
                                                                : result.epoch_loss.back();
                             })});
  columns.columns.push_back({"parameters", "", std::move(parameters)});
  columns.columns.push_back(
      {"seconds", "", numbers([](const nas::TrainingResult& result) { return result.seconds; })});
  return columns;
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
