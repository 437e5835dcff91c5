// cosearch predictor train and predict: a model in a file, and what it says.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/predictor_options.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/text_table.h"
#include "codesign/predictor_bench.h"
#include "codesign/predictor_data.h"
#include "codesign/predictor_file.h"
#include "predictors/registry.h"

namespace cosearch::codesign {
namespace {

// -----------------------------------------------------------------------------

struct PredictorTraining {
  NetworkTableOptions table;
  TargetOptions target;
  std::string model = "gaussian-process", output;
  std::uint64_t seed = 1;
  bool validate = false;
};

// Rows whose target is known.
std::vector<std::size_t> measured_rows(const std::vector<double>& targets) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < targets.size(); ++row)
    if (!std::isnan(targets[row])) rows.push_back(row);
  return rows;
}

// How well the model does on networks that it has not seen, by five-fold cross-validation.
void show_validation(const PredictorTraining& options, const NetworkExamples& networks,
                     const std::vector<double>& column, const std::vector<std::size_t>& rows,
                     Workers& workers, const Console& console) {
  PredictorBenchOptions bench;
  bench.seed = options.seed;
  bench.scale = options.target.scale_kind();
  bench.more_is_better = options.target.more_is_better();
  bench.module_folder = neural_module_folder();
  const PredictorScore score =
      cross_validate(networks, column, rows, options.model, bench, workers);
  if (console.json)
    return console.print({{"kendall_tau", score.kendall},
                          {"spearman", score.spearman},
                          {"rmse", score.rmse},
                          {"coverage_95", score.coverage}});
  console.out << fmt::format(
      "on networks left out, a fifth at a time: Kendall tau {}, Spearman {}, RMSE {}, {} of them "
      "in the interval for 95 %\n",
      fixed(score.kendall, 3), fixed(score.spearman, 3), fixed(score.rmse, 3),
      fixed(score.coverage, 3));
}

void train_predictor(PredictorTraining& options, const Console& console) {
  (void)predictors::find_predictor(options.model);
  options.table.complete();
  refuse_as_output(options.output, options.table.table.file);
  Workers workers(job_count(options.table.jobs));
  const JoinedTables tables(options.table.table);
  const std::vector<double> column =
      targets_of(tables, options.target.column, options.target.scale_kind());
  const NetworkExamples networks =
      examples_of(lower_table(options.table.table, tables, options.table.source, workers), tables,
                  options.table.source, workers);
  const std::vector<std::size_t> rows = measured_rows(column);
  std::vector<double> targets;
  for (const std::size_t row : rows) targets.push_back(column[row]);

  TrainedPredictor trained{
      .model = options.model,
      .source = options.table.source,
      .target = options.target.column,
      .kind = options.target.kind,
      .scale = {options.target.scale_kind(), targets},
      .predictor = predictors::make_predictor(options.model, neural_module_folder()),
      .examples = rows.size(),
      .seed = options.seed};
  const predictors::Examples examples = networks.examples.subset(rows);
  // Before anything is written: there may be too few networks to leave some out.
  if (options.validate) show_validation(options, networks, column, rows, workers, console);
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

void ask_predictor(PredictorQuery& options, const Console& console) {
  options.table.complete();
  const TrainedPredictor trained = read_predictor(options.predictor, neural_module_folder());
  Workers workers(job_count(options.table.jobs));
  const JoinedTables tables(options.table.table);
  const NetworkExamples networks =
      examples_of(lower_table(options.table.table, tables, trained.source, workers), tables,
                  trained.source, workers);
  std::vector<predictors::PredictedRange> ranges;
  for (const predictors::Prediction& prediction : trained.predictor->predict(networks.examples)) {
    const predictors::PredictedRange range = predictors::range_of(prediction);
    ranges.push_back({trained.scale.inverse(range.mean), trained.scale.inverse(range.low),
                      trained.scale.inverse(range.high)});
  }
  show_predictions({networks.genotypes, trained.target}, ranges, options.output, console);
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
  train_command->add_flag("--validate", options->validate,
                          "also say how well the model does on networks left out, five fits more");
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
