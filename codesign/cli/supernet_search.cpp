#include "codesign/cli/supernet_search.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codesign/accelerator_file.h"
#include "codesign/accuracy_measurement.h"
#include "codesign/choice_latencies.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/stop_signal.h"
#include "codesign/cli/text_table.h"
#include "codesign/cli/training_options.h"
#include "codesign/space_file.h"
#include "codesign/supernet_file.h"
#include "core/user_error.h"
#include "datasets/front_file.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

struct SupernetSearchOptions {
  std::string space = "fashion-macro";
  std::vector<std::string> space_options;  ///< "NAME=VALUE"
  ImageOptions images;
  nas::SearchRecipe recipe;
  std::string accelerator;  ///< empty: latency does not count
  std::string output;
  std::uint64_t seed = 1;
  bool are_images_counted = false, is_validation_counted = false;
};

json record_of(const SupernetSearchOptions& options, const nas::SearchRecipe& recipe,
               const nas::SpaceOptions& space_options, const nas::ChoiceLatencies& latencies,
               const datasets::ImageData& images) {
  json record = record_of(
      AccuracyMeasurement{
          .space = options.space, .space_options = space_options, .recipe = recipe.training},
      images);
  record["seed"] = options.seed;
  record["validation_images"] = recipe.validation_images;
  record["variant"] = nas::name_of(recipe.hypergradient);
  record["architecture_learning_rate"] = recipe.architecture_learning_rate;
  record["architecture_weight_decay"] = recipe.architecture_weight_decay;
  record["weight_steps"] = recipe.weight_steps;
  record["neumann_terms"] = recipe.neumann_terms;
  record["neumann_rate"] = recipe.neumann_rate;
  record["latency_weight"] = recipe.latency_weight;
  record["accelerator"] = options.accelerator;
  // What its file says may change while its name stays.
  if (!latencies.of.empty()) record["latencies"] = {latencies.fixed, latencies.of};
  return record;
}

// One row an epoch.
datasets::Columns trace_of(const std::vector<nas::SearchEpoch>& epochs, bool has_latency) {
  const auto numbers = [&](auto value_of) {
    std::vector<double> values;
    for (const nas::SearchEpoch& epoch : epochs) values.push_back(value_of(epoch));
    return values;
  };
  datasets::Columns trace;
  std::vector<std::int64_t> number;
  std::vector<std::string> genotype;
  for (const nas::SearchEpoch& epoch : epochs) {
    number.push_back(epoch.number);
    genotype.push_back(epoch.genotype);
  }
  trace.columns.push_back({"epoch", "", number});
  trace.columns.push_back({"genotype", "", genotype});
  trace.columns.push_back(
      {"training_loss", "", numbers([](const auto& epoch) { return epoch.training_loss; })});
  trace.columns.push_back(
      {"validation_loss", "", numbers([](const auto& epoch) { return epoch.validation_loss; })});
  if (has_latency)
    trace.columns.push_back({"expected_latency_cycles", "",
                             numbers([](const auto& epoch) { return epoch.expected_latency; })});
  const auto& probabilities = epochs.front().probabilities;
  for (std::size_t choice = 0; choice < probabilities.size(); ++choice)
    for (std::size_t i = 0; i < probabilities[choice].size(); ++i)
      trace.columns.push_back(
          {fmt::format("choice{}_alternative{}", choice, i), "",
           numbers([&](const auto& epoch) { return epoch.probabilities[choice][i]; })});
  return trace;
}

void report(const nas::SearchEpoch& found, const nas::ChoiceLatencies& latencies,
            const nas::ChoiceSpace& space, const Console& console) {
  json result{{"genotype", found.genotype}, {"probabilities", found.probabilities}};
  if (!latencies.of.empty()) {
    result["expected_latency_cycles"] = found.expected_latency;
    result["latency_cycles"] = latency_of(latencies, space.choices(found.genotype));
  }
  if (console.json) return console.print(result);
  console.out << found.genotype << "\n\n";
  TextTable text({"choice", "alternative", "probability"});
  const nas::Choices chosen = space.choices(found.genotype);
  for (std::size_t choice = 0; choice < chosen.size(); ++choice)
    text.add({std::to_string(choice), std::to_string(chosen[choice]),
              fixed(found.probabilities[choice][chosen[choice]], 3)});
  text.print(console.out);
  if (latencies.of.empty()) return;
  console.out << fmt::format("\nlatency {} cycles, of the mixture {} cycles\n",
                             grouped(latency_of(latencies, chosen)),
                             grouped(found.expected_latency));
}

nas::SearchRecipe recipe_for(const SupernetSearchOptions& options, std::int64_t images) {
  nas::SearchRecipe recipe = options.recipe;
  std::int64_t& training = recipe.training.training_images;
  if (!options.are_images_counted) training = std::min(training, images / 2);
  if (!options.is_validation_counted)
    recipe.validation_images = std::min(recipe.validation_images, images - training);
  return recipe;
}

void search(const SupernetSearchOptions& options, Console& console) {
  if (options.recipe.latency_weight > 0 && options.accelerator.empty())
    throw UserError("--latency-weight counts latency on an --accelerator: none is given");
  if (datasets::names_document(options.space))
    throw UserError("--space " + options.space +
                    ": a space in a file cannot be searched by gradients, which mixes the "
                    "alternatives of each choice; expected fashion-macro, nas-bench-macro or "
                    "nas-bench-201");
  const datasets::ImageData images = options.images.read();
  const nas::SearchRecipe recipe = recipe_for(options, images.training.count);
  const nas::SpaceOptions space_options =
      options_for(nas::options_of(options.space), space_options_in(options.space_options), images);
  const std::shared_ptr<const nas::NetworkSpace> space =
      nas::make_space(options.space, space_options);
  const auto choices = std::dynamic_pointer_cast<const nas::ChoiceSpace>(space);
  if (choices == nullptr)
    throw UserError("space '" + options.space +
                    "' cannot be searched by gradients: its genotypes are not fixed choices");
  nas::SearchTask task{.space = *choices, .recipe = recipe, .seed = options.seed};
  if (!options.accelerator.empty()) {
    Workers workers(1);
    task.latencies = choice_latencies(choices, find_accelerator(options.accelerator), workers);
  }
  RecordedState partial(options.output + ".part", kSearchKind,
                        record_of(options, recipe, space_options, task.latencies, images));
  const auto trainer = nas::load_supernet_trainer(training_module_folder());
  console.note(trainer->description());
  watch_for_stop();
  std::optional<std::vector<nas::SearchEpoch>> epochs;
  {
    Progress progress(console);
    task.checkpoints = &partial;
    task.stop = stop_was_requested;
    task.watch = [&](const nas::SearchEpoch& epoch) {
      progress.show([&] {
        return fmt::format("epoch {} of {}: {}, validation loss {:.4f}", epoch.number,
                           recipe.training.epochs, epoch.genotype, epoch.validation_loss);
      });
    };
    epochs = trainer->search(task, view_of(images.training, images.classes));
  }
  if (!epochs) {
    console.note("cosearch: stopped; the same command goes on");
    console.exit_code = kStopped;
    return;
  }
  datasets::write_columns(options.output, trace_of(*epochs, !task.latencies.of.empty()));
  partial.remove();
  report(epochs->back(), task.latencies, *choices, console);
}

}  // namespace

void add_supernet_search(CLI::App& command, Console& console) {
  const auto options = std::make_shared<SupernetSearchOptions>();
  CLI::App* search_command = command.add_subcommand(
      "search",
      "Search a space by gradients (DARTS) and write how its choices were mixed after every epoch; "
      "a stopped run goes on where it was");
  search_command->option_defaults()->always_capture_default();
  search_command->add_option("--space", options->space,
                             "fashion-macro, nas-bench-macro or nas-bench-201");
  search_command->add_option("--option", options->space_options,
                             "NAME=VALUE; image and classes follow from the images");
  add_image_options(*search_command, options->images);
  search_command
      ->add_option("-o,--output", options->output, "the trace to write: .csv, .json or .h5")
      ->required();
  nas::SearchRecipe& recipe = options->recipe;
  search_command->add_option("--variant", "first-order, second-order, or implicit (iDARTS)")
      ->default_str(std::string(nas::name_of(recipe.hypergradient)))
      ->each([&recipe](const std::string& name) {
        recipe.hypergradient = nas::hypergradient_named(name);
      });
  search_command->add_option("--latency-weight", recipe.latency_weight,
                             "what the expected latency, over that of evenly mixed alternatives, "
                             "adds to the validation loss");
  search_command->add_option("-a,--accelerator", options->accelerator,
                             "whose latency: a name or a YAML file");
  search_command
      ->add_option("--validation-images", recipe.validation_images,
                   "training images behind those the weights learn from, for the mixing")
      ->each(
          [options = options.get()](const std::string&) { options->is_validation_counted = true; });
  search_command->add_option("--architecture-learning-rate", recipe.architecture_learning_rate,
                             "of the mixing");
  search_command->add_option("--architecture-weight-decay", recipe.architecture_weight_decay,
                             "of the mixing");
  search_command->add_option("--weight-steps", recipe.weight_steps,
                             "steps of the weights for each of the mixing");
  search_command->add_option("--neumann-terms", recipe.neumann_terms,
                             "implicit: terms of the series behind the first");
  search_command->add_option("--neumann-rate", recipe.neumann_rate,
                             "implicit: what the Hessian is multiplied by in it");
  add_recipe_options(*search_command, recipe.training, options->are_images_counted);
  search_command->add_option("--seed", options->seed, "of weights, orders and augmentation")
      ->check(whole_number(0));
  search_command->callback([options, &console] { search(*options, console); });
}

}  // namespace cosearch::codesign
