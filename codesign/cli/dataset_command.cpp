// cosearch dataset: tables of accuracies, those embedded in the program and new ones.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "codesign/accuracy_measurement.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/dataset_train.h"
#include "codesign/cli/text_table.h"
#include "codesign/embedded_tables.h"
#include "codesign/joint_space.h"
#include "codesign/space_file.h"
#include "codesign/study.h"
#include "core/user_error.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

json summary_of_embedded() {
  const datasets::Table table = embedded_accuracies("fashion-macro");
  std::vector<double> accuracies;
  for (std::size_t row = 0; row < table.rows(); ++row)
    accuracies.push_back(table.number(row, table.column("accuracy_percent")));
  const datasets::Table repeats =
      datasets::Table::parse(kFashionMacroNoise, "embedded noise table");
  const SeedNoise noise = seed_noise({&repeats});
  return {{"space", "fashion-macro"},
          {"networks", table.rows()},
          {"accuracy_percent",
           {{"least", std::ranges::min(accuracies)},
            {"median", predictors::quantile(accuracies, 0.5)},
            {"most", std::ranges::max(accuracies)}}},
          {"noise",
           {{"networks", noise.networks},
            {"seeds", noise.seeds},
            {"standard_deviation_percent", noise.standard_deviation},
            {"mean_spearman", noise.mean_spearman},
            {"least_spearman", noise.least_spearman}}}};
}

void show(const Console& console) {
  const json summary = summary_of_embedded();
  if (console.json) return console.print(summary);
  const json& accuracy = summary["accuracy_percent"];
  const json& noise = summary["noise"];
  console.out << fmt::format(
      "fashion-macro: {} networks trained on Fashion-MNIST\n"
      "test accuracy: least {:.2f} %, median {:.2f} %, most {:.2f} %\n"
      "noise: {} networks trained with {} seeds: standard deviation {:.2f} points between seeds,\n"
      "       Spearman between seeds {:.3f} on average, {:.3f} at least\n\nrecipe:\n{}",
      summary["networks"].get<int>(), accuracy["least"].get<double>(),
      accuracy["median"].get<double>(), accuracy["most"].get<double>(),
      noise["networks"].get<int>(), noise["seeds"].size(),
      noise["standard_deviation_percent"].get<double>(), noise["mean_spearman"].get<double>(),
      noise["least_spearman"].get<double>(), kFashionMacroRecipe);
}

struct ImportOptions {
  std::string input, output;
  NetworkSource source;
  NetworkTableSource table;
};

// Checks a table of accuracies against its space and writes what a study needs of it.
void import(ImportOptions options, const Console& console) {
  refuse_as_output(options.output, options.input);
  options.table.file = options.input;
  Study study;
  study.networks = options.source;
  study.networks.space_text = space_source(options.source.space).text;
  study.networks.table = options.table;
  Workers workers(1);
  const NetworkSet set = load_networks(study, workers);
  std::vector<std::string> genotypes, canonical;
  std::vector<double> accuracies;
  std::vector<std::int64_t> macs, parameters;
  for (const Candidate& candidate : set.candidates) {
    genotypes.push_back(candidate.genotype);
    canonical.push_back(candidate.canonical);
    accuracies.push_back(candidate.accuracy_percent);
    macs.push_back(candidate.macs);
    parameters.push_back(candidate.parameters);
  }
  datasets::Columns columns;
  columns.columns.push_back({"genotype", "", std::move(genotypes)});
  columns.columns.push_back({"canonical", "", std::move(canonical)});
  columns.columns.push_back({"accuracy_percent", "", std::move(accuracies)});
  columns.columns.push_back({"macs", "", std::move(macs)});
  columns.columns.push_back({"parameters", "", std::move(parameters)});
  datasets::write_columns(options.output, columns);
  console.note(fmt::format("{}: {} networks of {}, {} layer shapes -> {}", options.input,
                           set.candidates.size(), set.space, set.layers.size(), options.output));
}

void add_import(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* import_command = command.add_subcommand(
      "import", "Check a table of accuracies against its space and rewrite it");
  import_command->add_option("TABLE", options->input, "a CSV file, .gz too")->required();
  import_command
      ->add_option("--space", options->source.space, "the space, or a file that describes one")
      ->required();
  import_command->add_option("--genotype", options->table.genotype, "its columns")
      ->required()
      ->delimiter(',');
  import_command->add_option("--accuracy", options->table.accuracy, "its column of percentages")
      ->required();
  import_command->add_flag("--merge-equivalent", options->source.merge_equivalent,
                           "one row for all spellings of a network, with their mean accuracy");
  import_command->add_option("-o,--output", options->output, "the table to write")->required();
  import_command->callback([options, &console] { import(*options, console); });
}

void list(const Console& console) {
  const json summary = summary_of_embedded();
  if (console.json) return console.print(json::array({summary}));
  TextTable table({"space", "networks", "accuracy[%]", "measured on"});
  const json& accuracy = summary["accuracy_percent"];
  table.add({summary["space"], std::to_string(summary["networks"].get<int>()),
             fmt::format("{:.2f} to {:.2f}", accuracy["least"].get<double>(),
                         accuracy["most"].get<double>()),
             "Fashion-MNIST"});
  table.print(console.out);
}

}  // namespace

void add_dataset_command(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("dataset", "Tables of accuracies");
  command->require_subcommand(1);
  add_dataset_train(*command, console);
  add_import(*command, console);
  command->add_subcommand("list", "The tables in the program")->callback([&console] {
    list(console);
  });
  command->add_subcommand("show", "The embedded table: accuracies, noise and recipe")
      ->callback([&console] { show(console); });
}

}  // namespace cosearch::codesign
