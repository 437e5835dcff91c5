// cosearch predictor train and predict: a model in a file, and what it says.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/predictor_options.h"
#include "codesign/cli/text_table.h"
#include "codesign/predictor_data.h"
#include "codesign/predictor_file.h"
#include "datasets/front_file.h"
#include "predictors/normal_distribution.h"
#include "predictors/registry.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// -----------------------------------------------------------------------------

struct PredictorTraining {
  NetworkTableOptions table;
  TargetOptions target;
  std::string model = "gaussian-process", output;
  std::uint64_t seed = 1;
};

// Rows whose target is known.
std::vector<std::size_t> measured_rows(const std::vector<double>& targets) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < targets.size(); ++row)
    if (!std::isnan(targets[row])) rows.push_back(row);
  return rows;
}

void train_predictor(PredictorTraining& options, const Console& console) {
  (void)predictors::find_predictor(options.model);
  options.table.complete();
  refuse_as_output(options.output, options.table.table.file);
  Workers workers(job_count(options.table.jobs));
  const JoinedTables tables(options.table.table);
  const std::vector<double> column = tables.numbers(options.target.column);
  const NetworkExamples networks =
      examples_of(lower_table(options.table.table, tables, options.table.source, workers), tables,
                  options.table.source, workers);
  const std::vector<std::size_t> rows = measured_rows(column);
  std::vector<double> targets;
  for (const std::size_t row : rows) targets.push_back(column[row]);

  TrainedPredictor trained{.model = options.model,
                           .source = options.table.source,
                           .target = options.target.column,
                           .scale = {options.target.scale_kind(), targets},
                           .predictor = predictors::make_predictor(options.model),
                           .examples = rows.size(),
                           .seed = options.seed};
  const predictors::Examples examples = networks.examples.subset(rows);
  trained.predictor->fit(examples, trained.scale.forward(targets), options.seed);
  write_predictor(options.output, trained);
  if (rows.size() < examples.columns.size())
    console.note(fmt::format(
        "{} networks for {} features: what they leave open is decided by regularisation",
        rows.size(), examples.columns.size()));
  console.note(fmt::format("{} on {} networks of {} -> {}", options.model, rows.size(),
                           options.table.source.space, options.output));
}

struct PredictorQuery {
  NetworkTableOptions table;
  std::string predictor, output;
};

datasets::Columns prediction_columns(const std::vector<std::string>& genotypes,
                                     const std::string& target, std::vector<double> mean,
                                     std::vector<double> low, std::vector<double> high) {
  datasets::Columns columns;
  columns.columns.push_back({"genotype", "", genotypes});
  columns.columns.push_back({target, "", std::move(mean)});
  columns.columns.push_back({target + "_low", "", std::move(low)});
  columns.columns.push_back({target + "_high", "", std::move(high)});
  return columns;
}

void show_predictions(const datasets::Columns& columns, const std::string& output,
                      const Console& console) {
  if (!output.empty()) {
    datasets::write_columns(output, columns);
    return console.note(fmt::format("{} networks -> {}", columns.rows(), output));
  }
  std::vector<std::string> header;
  for (const auto& column : columns.columns) header.push_back(column.name);
  TextTable table(header);
  json rows = json::array();
  for (std::size_t row = 0; row < columns.rows(); ++row) {
    std::vector<std::string> cells{
        std::get<std::vector<std::string>>(columns.columns[0].values)[row]};
    json object{{header[0], cells[0]}};
    for (std::size_t i = 1; i < header.size(); ++i) {
      const double value = std::get<std::vector<double>>(columns.columns[i].values)[row];
      cells.push_back(fmt::format("{:.6g}", value));
      object[header[i]] = value;
    }
    table.add(std::move(cells));
    rows.push_back(std::move(object));
  }
  if (console.json) return console.print(rows);
  table.print(console.out);
}

void ask_predictor(PredictorQuery& options, const Console& console) {
  options.table.complete();
  const TrainedPredictor trained = read_predictor(options.predictor);
  Workers workers(job_count(options.table.jobs));
  const JoinedTables tables(options.table.table);
  const NetworkExamples networks =
      examples_of(lower_table(options.table.table, tables, trained.source, workers), tables,
                  trained.source, workers);
  const double reach = predictors::normal_quantile(0.975);
  std::vector<double> mean, low, high;
  for (const predictors::Prediction& p : trained.predictor->predict(networks.examples)) {
    mean.push_back(trained.scale.inverse(p.mean));
    low.push_back(trained.scale.inverse(p.mean - reach * p.deviation));
    high.push_back(trained.scale.inverse(p.mean + reach * p.deviation));
  }
  show_predictions(prediction_columns(networks.genotypes, trained.target, std::move(mean),
                                      std::move(low), std::move(high)),
                   options.output, console);
}

}  // namespace

void add_predictor_train(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<PredictorTraining>();
  CLI::App* train_command = command.add_subcommand(
      "train", "Fit a model to the networks whose target is known and write it to a file");
  options->table.add_table_to(*train_command);
  options->table.add_space_to(*train_command);
  options->table.add_features_to(*train_command);
  options->target.add_to(*train_command);
  train_command->add_option("--model", options->model, "see cosearch list predictors")
      ->capture_default_str();
  train_command->add_option("--seed", options->seed, "of what the model draws at random")
      ->check(whole_number(0))
      ->capture_default_str();
  train_command->add_option("-o,--output", options->output, "the predictor's file, .h5")
      ->required();
  train_command->callback([options, &console] { train_predictor(*options, console); });
}

void add_predictor_predict(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<PredictorQuery>();
  CLI::App* predict_command = command.add_subcommand(
      "predict", "Ask a trained predictor; low and high hold 95 % of measurements");
  predict_command->add_option("PREDICTOR", options->predictor, "what train wrote")->required();
  options->table.add_table_to(*predict_command);
  predict_command->add_option("-o,--output", options->output, "a .csv, .json or .h5 file");
  predict_command->callback([options, &console] { ask_predictor(*options, console); });
}

}  // namespace cosearch::codesign
