// cosearch supernet: all networks of a space trained at once, and how well that tells them apart.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "codesign/accuracy_measurement.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/partial_numbers.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/stop_signal.h"
#include "codesign/cli/supernet_search.h"
#include "codesign/cli/text_table.h"
#include "codesign/cli/training_options.h"
#include "codesign/joint_space.h"
#include "codesign/supernet_file.h"
#include "core/user_error.h"
#include "datasets/front_file.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

struct SupernetTrainOptions {
  SupernetMeasurement measurement;
  std::string space = "fashion-macro";
  std::vector<std::string> space_options;  ///< "NAME=VALUE"
  ImageOptions images;
  std::string output;
  std::uint64_t seed = 1;
  bool are_images_counted = false;  ///< --training-images was given
};

void train_supernet(const SupernetTrainOptions& options, Console& console) {
  if (std::filesystem::exists(options.output))
    throw UserError({options.output},
                    "is there already; remove it to train anew, or name another file");
  const datasets::ImageData images = options.images.read();
  SupernetMeasurement measurement = options.measurement;
  nas::TrainingRecipe& recipe = measurement.recipe.training;
  // Some are left to evaluate networks on.
  if (!options.are_images_counted)
    recipe.training_images = std::min(recipe.training_images, images.training.count * 5 / 6);
  measurement.space = space_source(options.space);
  measurement.space_options =
      options_for(options_of(measurement.space), space_options_in(options.space_options), images);
  const auto space = make_space(measurement.space, measurement.space_options);
  const json record = record_of(measurement, options.seed, images);
  RecordedState partial(options.output + ".part", kSupernetKind, record);
  const auto trainer = nas::load_supernet_trainer(training_module_folder());
  console.note(trainer->description());
  const nas::LabelledImages training = view_of(images.training, images.classes);
  Random random(options.seed);
  note_fitting(console, training, space->blueprint(space->sample(random)));

  watch_for_stop();
  std::optional<std::string> state;
  {
    Progress progress(console);
    nas::SupernetTask task{.space = *space, .recipe = measurement.recipe, .seed = options.seed};
    task.checkpoints = &partial;
    task.stop = stop_was_requested;
    task.watch = [&](const nas::SupernetEpoch& epoch) {
      progress.show([&] {
        return fmt::format("epoch {} of {}, loss {:.4f}", epoch.number, recipe.epochs, epoch.loss);
      });
    };
    state = trainer->train(task, training);
  }
  if (!state) {
    console.note("cosearch: stopped; the same command goes on");
    console.exit_code = kStopped;
    return;
  }
  RecordedState(options.output, kSupernetKind, record).save(*state);
  partial.remove();
  console.note(fmt::format("supernet of {} -> {}", options.space, options.output));
}

void add_supernet_train(CLI::App& command, Console& console) {
  const auto options = std::make_shared<SupernetTrainOptions>();
  CLI::App* train = command.add_subcommand(
      "train", "Train all networks of a space at once; a stopped run goes on where it was");
  train->option_defaults()->always_capture_default();
  train->add_option("--space", options->space, "the space, or a file that describes one");
  train->add_option("--option", options->space_options,
                    "NAME=VALUE; image and classes follow from the images");
  add_image_options(*train, options->images);
  train->add_option("-o,--output", options->output, "the supernet's file")->required();
  nas::SupernetRecipe& recipe = options->measurement.recipe;
  train->add_option("--sampling", "single-path, or sandwich: the largest, the smallest and others")
      ->default_str(std::string(nas::name_of(recipe.sampling)))
      ->each(
          [&recipe](const std::string& name) { recipe.sampling = nas::path_sampling_named(name); });
  train->add_option("--random-paths", recipe.random_paths,
                    "networks a step of the sandwich rule draws beside those two");
  train
      ->add_option("--sharing",
                   "shapes: of weights of one shape; slices: of parts of the largest network's")
      ->default_str(std::string(nas::name_of(recipe.sharing)))
      ->each(
          [&recipe](const std::string& name) { recipe.sharing = nas::weight_sharing_named(name); });
  add_recipe_options(*train, recipe.training, options->are_images_counted);
  train->add_option("--seed", options->seed, "of weights, orders, paths and augmentation")
      ->check(whole_number(0));
  train->callback([options, &console] { train_supernet(*options, console); });
}

struct SupernetEvaluateOptions {
  std::string supernet, output;
  ImageOptions images;
  NetworkTableSource table{.genotype = {"genotype"}};
  std::uint64_t sample = 0;  ///< 0: all networks
  std::uint64_t seed = 1;
  nas::EvaluationOptions evaluation{0, 0};  ///< as open_supernet's
  int jobs = 0;
};

NetworkSet networks_of(const SupernetEvaluateOptions& options, const OpenSupernet& open) {
  Study study;
  study.file =
      options.table.file.empty() ? "--supernet " + options.supernet : options.table.file.string();
  study.seed = options.seed;
  study.networks.space = open.source.name;
  study.networks.space_text = open.source.text;
  study.networks.options = open.space_options;
  if (options.sample > 0) study.networks.sample = options.sample;
  study.networks.embedded_table = options.table.file == "embedded";
  if (!options.table.file.empty() && !study.networks.embedded_table)
    study.networks.table = options.table;
  Workers workers(job_count(options.jobs));
  return load_networks(study, workers);
}

void evaluate_all(PartialNumbers& partial, const NetworkSet& set, const OpenSupernet& open,
                  int jobs, const Console& console) {
  std::vector<std::string> left;
  for (const Candidate& candidate : set.candidates)
    if (!partial.numbers().contains(candidate.genotype)) left.push_back(candidate.genotype);
  console.note(fmt::format("{} networks to evaluate, {} done already", left.size(),
                           set.candidates.size() - left.size()));
  Workers workers(jobs);
  Progress progress(console);
  std::mutex one_at_a_time;
  std::uint64_t done = 0;
  workers.for_ranges(left.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && !stop_was_requested(); ++i) {
      const double accuracy = open.accuracy_of(left[i]);
      const std::lock_guard lock(one_at_a_time);
      partial.add(left[i], {accuracy});
      progress.update(++done, left.size(), [&] { return left[i]; });
    }
  });
}

// Rank correlation of the networks of which both accuracies are known.
void report_correlation(const std::vector<double>& one_shot, const std::vector<double>& alone,
                        const Console& console) {
  std::vector<double> x, y;
  for (std::size_t i = 0; i < one_shot.size(); ++i) {
    if (std::isnan(one_shot[i]) || std::isnan(alone[i])) continue;
    x.push_back(one_shot[i]);
    y.push_back(alone[i]);
  }
  const double rho = predictors::spearman(x, y), tau = predictors::kendall_tau_b(x, y);
  const predictors::Interval rho_interval = predictors::spearman_interval(x, y),
                             tau_interval = predictors::kendall_interval(x, y);
  if (console.json)
    return console.print({{"networks", x.size()},
                          {"spearman", rho},
                          {"spearman_interval", {rho_interval.low, rho_interval.high}},
                          {"kendall", tau},
                          {"kendall_interval", {tau_interval.low, tau_interval.high}}});
  TextTable text({"coefficient", "networks", "value", "95 % interval"});
  const auto add = [&](const std::string& name, double value,
                       const predictors::Interval& interval) {
    text.add({name, std::to_string(x.size()), fixed(value, 3),
              fixed(interval.low, 3) + " to " + fixed(interval.high, 3)});
  };
  add("Spearman's rho", rho, rho_interval);
  add("Kendall's tau-b", tau, tau_interval);
  text.print(console.out);
}

void evaluate_supernet(const SupernetEvaluateOptions& options, Console& console) {
  if (!options.table.file.empty()) refuse_as_output(options.output, options.table.file);
  refuse_as_output(options.output, options.supernet);
  const datasets::ImageData images = options.images.read();
  const OpenSupernet open =
      open_supernet(options.supernet, training_module_folder(), images, options.evaluation);
  const NetworkSet set = networks_of(options, open);
  PartialNumbers partial(options.output, fmt::format("{} {} {}", open.record.dump(),
                                                     options.evaluation.recalibration_images,
                                                     options.evaluation.validation_images));
  watch_for_stop();
  evaluate_all(partial, set, open, job_count(options.jobs), console);
  if (stop_was_requested()) {
    console.note("cosearch: stopped; the same command goes on");
    console.exit_code = kStopped;
    return;
  }
  std::vector<std::string> genotypes;
  std::vector<double> one_shot, alone;
  for (const Candidate& candidate : set.candidates) {
    genotypes.push_back(candidate.genotype);
    one_shot.push_back(partial.numbers().at(candidate.genotype).front());
    alone.push_back(candidate.accuracy_percent);
  }
  const bool are_known =
      !std::ranges::all_of(alone, [](double accuracy) { return std::isnan(accuracy); });
  datasets::Columns columns{{{"genotype", "", genotypes}, {"accuracy_percent", "", one_shot}}};
  if (are_known) columns.columns.push_back({"alone_percent", "", alone});
  datasets::write_columns(options.output, columns);
  partial.remove();
  if (are_known) report_correlation(one_shot, alone, console);
}

void add_supernet_evaluate(CLI::App& command, Console& console) {
  const auto options = std::make_shared<SupernetEvaluateOptions>();
  CLI::App* evaluate = command.add_subcommand(
      "evaluate",
      "Accuracies of networks with the weights they inherit, and, beside accuracies of networks "
      "trained alone, how well they rank; a stopped run goes on where it was");
  evaluate->option_defaults()->always_capture_default();
  evaluate->add_option("SUPERNET", options->supernet, "the supernet's file")->required();
  add_image_options(*evaluate, options->images);
  evaluate->add_option("--table", options->table.file,
                       "a CSV file with one network a row, or 'embedded'; left out, the whole "
                       "space");
  evaluate->add_option("--genotype", options->table.genotype, "its columns of the genotype")
      ->delimiter(',');
  evaluate->add_option("--accuracy", options->table.accuracy,
                       "its column of accuracies in percent of networks trained alone");
  evaluate
      ->add_option("--sample", options->sample,
                   "so many of the networks, at random; 0: all of them")
      ->check(whole_number(0));
  evaluate->add_option("--seed", options->seed, "of the sample")->check(whole_number(0));
  evaluate->add_option("--recalibration-images", options->evaluation.recalibration_images,
                       "training images for the statistics of normalisation; 0: 1000, or all");
  evaluate->add_option("--validation-images", options->evaluation.validation_images,
                       "training images not trained on that the accuracies are of; 0: 5000, or "
                       "all");
  evaluate->add_option("-o,--output", options->output, "the table to write: .csv, .json or .h5")
      ->required();
  evaluate
      ->add_option("-j,--jobs", options->jobs,
                   "networks at a time, one thread each; the answer is the same for any number")
      ->check(CLI::Range(0, 1024));
  evaluate->callback([options, &console] { evaluate_supernet(*options, console); });
}

}  // namespace

void add_supernet_command(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand(
      "supernet", "Networks of a space that share weights: train, evaluate, search by gradients");
  command->require_subcommand(1);
  add_supernet_train(*command, console);
  add_supernet_evaluate(*command, console);
  add_supernet_search(*command, console);
}

}  // namespace cosearch::codesign
