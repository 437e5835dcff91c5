// cosearch predictor bench: how well models rank networks they have not seen.
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
#include "codesign/cli/progress.h"
#include "codesign/cli/text_table.h"
#include "codesign/predictor_bench.h"
#include "codesign/predictor_data.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// ---------------------------------------------------------------------------------------

struct PredictorBenchCommand {
  NetworkTableOptions table;
  TargetOptions target;
  PredictorBenchOptions bench;
};

struct Measure {
  const char* key;
  const char* heading;
  double PredictorScore::*value;
  int decimals;
  double factor = 1;
};
constexpr Measure kMeasures[] = {
    {"kendall_tau", "Kendall tau", &PredictorScore::kendall, 3},
    {"spearman", "Spearman", &PredictorScore::spearman, 3},
    {"regret", "regret", &PredictorScore::regret, 3},
    {"rmse", "RMSE", &PredictorScore::rmse, 3},
    {"coverage_95", "in 95 %", &PredictorScore::coverage, 3},
    {"calibration_error", "cal. error", &PredictorScore::calibration_error, 3},
};
constexpr Measure kTimes[] = {
    {"fit_seconds", "fit[s]", &PredictorScore::fit_seconds, 2},
    {"predict_seconds", "predict[us]", &PredictorScore::predict_seconds, 1, 1e6},
};

std::vector<double> values_of(const PredictorBenchCell& cell, const Measure& measure) {
  std::vector<double> values;
  for (const PredictorScore& score : cell.scores)
    values.push_back(measure.factor * (score.*measure.value));
  return values;
}

void print_cells(const Console& console, const std::vector<PredictorBenchCell>& cells) {
  std::vector<std::string> header{"model", "networks"};
  for (const Measure& measure : kMeasures) header.emplace_back(measure.heading);
  for (const Measure& time : kTimes) header.emplace_back(time.heading);
  TextTable table(header);
  for (const PredictorBenchCell& cell : cells) {
    std::vector<std::string> row{cell.model, std::to_string(cell.training)};
    for (const Measure& measure : kMeasures) {
      const MeanInterval value = mean_interval(values_of(cell, measure));
      const bool is_rank = measure.value == &PredictorScore::kendall;
      row.push_back(is_rank ? with_interval(value, measure.decimals)
                            : fixed(value.mean, measure.decimals));
    }
    for (const Measure& time : kTimes)
      row.push_back(fixed(mean_interval(values_of(cell, time)).mean, time.decimals));
    table.add(std::move(row));
  }
  table.print(console.out);
}

json cells_json(const std::vector<PredictorBenchCell>& cells) {
  json rows = json::array();
  for (const PredictorBenchCell& cell : cells) {
    json row{{"model", cell.model}, {"training_networks", cell.training}};
    for (const Measure& measure : kMeasures)
      row[measure.key] = interval_json(values_of(cell, measure));
    for (const Measure& time : kTimes) {
      double sum = 0;
      for (const PredictorScore& score : cell.scores) sum += score.*time.value;
      row["time"][time.key] = sum / static_cast<double>(cell.scores.size());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void bench_models(PredictorBenchCommand& options, const Console& console) {
  options.table.complete();
  options.bench.scale = options.target.scale_kind();
  options.bench.module_folder = neural_module_folder();
  options.bench.more_is_better = options.target.more_is_better();
  Workers workers(job_count(options.table.jobs));
  const JoinedTables tables(options.table.table);
  const std::vector<double> targets =
      targets_of(tables, options.target.column, options.target.scale_kind());
  const NetworkExamples networks =
      examples_of(lower_table(options.table.table, tables, options.table.source, workers), tables,
                  options.table.source, workers);
  std::vector<PredictorBenchCell> cells;
  {
    Progress progress(console);
    const std::size_t fits =
        options.bench.models.size() * options.bench.training.size() * options.bench.seeds;
    cells = bench_predictors(networks, targets, options.bench, workers, [&](std::size_t done) {
      progress.update(done, fits, [] { return std::string("predictors fitted"); });
    });
  }
  if (console.json)
    return console.print({{"rows", networks.rows()},
                          {"networks", networks.networks},
                          {"features", networks.examples.columns.size()},
                          {"target", options.target.column},
                          {"seeds", options.bench.seeds},
                          {"results", cells_json(cells)}});
  console.out << fmt::format(
      "{}: {} networks in {} spellings, {} features; means over {} splits, tau with the 95 % "
      "interval of its mean\n\n",
      options.target.column, grouped(static_cast<double>(networks.networks)),
      grouped(static_cast<double>(networks.rows())), networks.examples.columns.size(),
      options.bench.seeds);
  print_cells(console, cells);
}

}  // namespace

void add_predictor_bench(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<PredictorBenchCommand>();
  CLI::App* bench_command = command.add_subcommand(
      "bench", "Compare models on networks they have not seen, over training sizes and seeds");
  options->table.add_table_to(*bench_command);
  options->table.add_space_to(*bench_command);
  options->table.add_features_to(*bench_command);
  options->target.add_to(*bench_command);
  bench_command
      ->add_option("--models", options->bench.models,
                   "see cosearch list predictors; MODEL:rank for a ranking loss")
      ->delimiter(',')
      ->required();
  bench_command->add_option("--train", options->bench.training, "networks to train on")
      ->delimiter(',')
      ->required()
      ->check(whole_number(1));
  bench_command->add_option("--seeds", options->bench.seeds, "splits of the networks")
      ->check(whole_number(1))
      ->capture_default_str();
  bench_command->add_option("--seed", options->bench.seed, "of the first split")
      ->check(whole_number(0))
      ->capture_default_str();
  bench_command
      ->add_option("--top", options->bench.top,
                   "regret is that of the best of so many networks predicted best")
      ->check(whole_number(1))
      ->capture_default_str();
  bench_command->callback([options, &console] { bench_models(*options, console); });
}

}  // namespace cosearch::codesign
