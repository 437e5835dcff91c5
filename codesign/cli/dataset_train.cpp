#include "codesign/cli/dataset_train.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "codesign/accuracy_measurement.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/stop_signal.h"
#include "codesign/cli/training_options.h"
#include "codesign/space_file.h"
#include "codesign/training_log.h"
#include "core/user_error.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

struct TrainOptions {
  AccuracyMeasurement measurement{.space = "fashion-macro"};
  std::vector<std::string> space_options;  ///< "NAME=VALUE"
  ImageOptions images;
  std::string output;
  std::vector<std::uint64_t> seeds{1};
  std::uint64_t every = 1;
  std::uint64_t sample = 0;         ///< 0: not drawn, every so many-th
  bool are_images_counted = false;  ///< --training-images was given
  std::string device = "auto";
  int jobs = 0;  ///< 0: one per core
};

// Of the networks drawn: the seeds are those of weights and orders, of which there may be several.
constexpr std::uint64_t kSampleSeed = 1;

nas::Device device_named(const std::string& name, const nas::Trainer& trainer) {
  if (name == "cuda" && !trainer.has_cuda())
    throw UserError("--device cuda: LibTorch was built without CUDA, or there is no such device");
  if (name == "cuda" || (name == "auto" && trainer.has_cuda())) return nas::Device::cuda;
  return nas::Device::cpu;
}

// How long the networks take that are left, which are not all of one size.
class TrainingClock {
 public:
  TrainingClock(const nas::NetworkSpace& space, const std::vector<TrainingJob>& all) {
    for (const TrainingJob& job : all)
      if (!macs_.contains(job.genotype))
        macs_[job.genotype] = static_cast<double>(space.lower(job.genotype).macs());
    for (const TrainingJob& job : all) left_[job] = macs_.at(job.genotype);
  }

  void finished(const TrainedNetwork& network) {
    if (left_.erase(network.job) > 0)
      time_.add(macs_.at(network.job.genotype), network.result.seconds);
  }

  [[nodiscard]] std::string text(std::size_t all, int jobs) const {
    double seconds = 0;
    for (const auto& [job, macs] : left_) seconds += time_.seconds_for(macs);
    return fmt::format("{} of {} networks, about {} left", all - left_.size(), all,
                       datasets::format_seconds(seconds / jobs));
  }

 private:
  std::map<std::string, double> macs_;
  std::map<TrainingJob, double> left_;
  TrainingTime time_;
};

std::string outcome_of(const TrainedNetwork& network) {
  const nas::TrainingResult& result = network.result;
  return network.job.genotype + ": " +
         (result.failure.empty() ? fmt::format("{:.2f} %", result.test_accuracy_percent)
                                 : result.failure);
}

std::vector<TrainingJob> without(const std::vector<TrainingJob>& jobs,
                                 const std::vector<TrainedNetwork>& trained) {
  std::vector<TrainingJob> done, left;
  for (const TrainedNetwork& network : trained) done.push_back(network.job);
  std::ranges::sort(done);
  std::ranges::copy_if(jobs, std::back_inserter(left), [&](const TrainingJob& job) {
    return !std::ranges::binary_search(done, job);
  });
  return left;
}

// In the order of `jobs`, which are all there.
std::vector<TrainedNetwork> in_order(const std::vector<TrainingJob>& jobs,
                                     const std::vector<TrainedNetwork>& trained) {
  std::map<TrainingJob, const TrainedNetwork*> by_job;
  for (const TrainedNetwork& network : trained) by_job[network.job] = &network;
  std::vector<TrainedNetwork> ordered;
  for (const TrainingJob& job : jobs) ordered.push_back(*by_job.at(job));
  return ordered;
}

// Where a table stands and no log beside it, hours of training may be in it.
void refuse_finished(const std::string& table, const std::string& log) {
  if (std::filesystem::exists(table) && !std::filesystem::exists(log))
    throw UserError({table}, "is there already; remove it to measure anew, or name another table");
}

// What the command line and the images together ask for.
AccuracyMeasurement measurement_of(const TrainOptions& options, const datasets::ImageData& images) {
  AccuracyMeasurement measurement = options.measurement;
  nas::TrainingRecipe& recipe = measurement.recipe;
  if (!options.are_images_counted)
    recipe.training_images =
        std::min(recipe.training_images, images.training.count - recipe.validation_images);
  if (const auto problems = nas::problems_in(recipe, images.training.count); !problems.empty())
    throw UserError(fmt::format("{}", fmt::join(problems, "; ")));
  const SpaceSource source = space_source(measurement.space);
  measurement.space_text = source.text;
  measurement.space_options =
      options_for(options_of(source), space_options_in(options.space_options), images);
  return measurement;
}

void train(const TrainOptions& options, Console& console) {
  const std::string log_file = options.output + ".part",
                    checkpoints = options.output + ".checkpoints";
  refuse_finished(options.output, log_file);
  const datasets::ImageData images = options.images.read();
  AccuracyMeasurement measurement = measurement_of(options, images);
  const auto space =
      make_space({measurement.space, measurement.space_text}, measurement.space_options);
  const std::vector<TrainingJob> all =
      training_jobs(options.sample > 0 ? drawn_networks(*space, options.sample, kSampleSeed)
                                       : every_network(*space, options.every),
                    options.seeds);
  const auto trainer = nas::load_trainer(training_module_folder());
  measurement.device = device_named(options.device, *trainer);

  TrainingLog log(log_file, record_of(measurement, images));
  std::vector<TrainedNetwork> trained = log.networks();
  const std::vector<TrainingJob> left = without(all, trained);
  const int jobs = job_count(options.jobs);
  console.note(fmt::format("{} networks to train, {} done already; {} at a time on {}; {}",
                           left.size(), all.size() - left.size(), jobs,
                           measurement.device == nas::Device::cuda ? "CUDA" : "the CPU",
                           trainer->description()));
  if (!left.empty())
    note_fitting(console, view_of(images.training, images.classes),
                 space->blueprint(left.front().genotype));
  TrainingClock clock(*space, all);
  for (const TrainedNetwork& network : trained) clock.finished(network);
  watch_for_stop();
  {
    Workers workers(jobs);
    Progress progress(console);
    const auto finished = [&](const TrainedNetwork& network) {
      log.append(network);
      trained.push_back(network);
      clock.finished(network);
      progress.show([&] { return clock.text(all.size(), jobs) + ", " + outcome_of(network); });
    };
    try {
      train_all(left, measurement, *space, *trainer, images, checkpoints, workers,
                {.finished = finished, .stop = stop_was_requested});
    } catch (...) {
      // Images that do not suit: nothing stays that the right command would trip over.
      std::error_code ignored;
      if (trained.empty() && std::filesystem::is_empty(checkpoints, ignored)) {
        log.remove();
        remove_checkpoints(checkpoints);
      }
      throw;
    }
  }
  if (const std::size_t missing = without(all, trained).size(); missing > 0) {
    console.note(fmt::format("cosearch: stopped after {} of {} networks; the same command goes on",
                             all.size() - missing, all.size()));
    console.exit_code = kStopped;
    return;
  }
  datasets::write_columns(options.output,
                          training_columns(in_order(all, trained), measurement.recipe.epochs));
  log.remove();
  remove_checkpoints(checkpoints);
  console.note(fmt::format("{} networks -> {}", all.size(), options.output));
}

void add_early_stopping(CLI::App& command, nas::TrainingRecipe& recipe) {
  command.add_option("--patience", recipe.patience,
                     "epochs without a better validation accuracy that end training");
  command.add_option("--validation-images", recipe.validation_images,
                     "training images behind those used, which patience goes by");
}

}  // namespace

void add_dataset_train(CLI::App& command, Console& console) {
  const auto options = std::make_shared<TrainOptions>();
  command.option_defaults()->always_capture_default();
  CLI::App* train_command = command.add_subcommand(
      "train",
      "Train networks of a space, all or some, and write the table of accuracies; a stopped run "
      "goes on where it was");
  train_command->add_option("--space", options->measurement.space,
                            "the space, or a file that describes one");
  train_command->add_option("--option", options->space_options,
                            "NAME=VALUE; image and classes follow from the images");
  add_image_options(*train_command, options->images);
  train_command->add_option("-o,--output", options->output, "the table, a CSV file")->required();
  train_command->add_option("--seeds", options->seeds, "seeds, each network with every one")
      ->delimiter(',');
  CLI::Option* every =
      train_command->add_option("--every", options->every, "every so many-th network of the space")
          ->check(whole_number(1));
  train_command
      ->add_option("--sample", options->sample,
                   "so many networks at random instead, always the same ones; 0: all")
      ->check(whole_number(0))
      ->excludes(every);
  add_recipe_options(*train_command, options->measurement.recipe, options->are_images_counted);
  add_early_stopping(*train_command, options->measurement.recipe);
  train_command->add_option("--device", options->device, "auto: CUDA where LibTorch has it")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  train_command->add_option("-j,--jobs", options->jobs, "networks at a time; 0: one a core")
      ->check(CLI::Range(0, 1024));
  train_command->callback([options, &console] { train(*options, console); });
}

}  // namespace cosearch::codesign
