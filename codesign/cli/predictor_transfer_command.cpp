// cosearch predictor transfer: a device from few measurements, and devices or our model as a prior.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "accel/machine_zoo.h"
#include "codesign/accelerator_set.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/predictor_options.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/text_table.h"
#include "codesign/device_transfer.h"
#include "codesign/predictor_data.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// --------------------------------------------------------------------------------------

struct TransferCommand {
  NetworkTableOptions table;
  std::vector<std::string> devices, chips;
  TransferBenchOptions bench;
  std::string target, measured, output;
  std::size_t suggest = 0;
};

std::vector<CostColumn> measured_columns(const JoinedTables& tables,
                                         const std::vector<std::string>& names) {
  std::vector<CostColumn> columns;
  for (const std::string& name : names) columns.push_back({name, tables.numbers(name)});
  return columns;
}

// How often each network has each operation, as it is spelled and as it runs: devices differ in
// whether they run what has no effect.
predictors::FeatureGroups operation_counts(const NetworkSet& networks, const JoinedTables& tables,
                                           FeatureSource source, Workers& workers) {
  predictors::FeatureGroups groups;
  for (const char* feature : {"spelled", "running"}) {
    source.features = {feature};
    const NetworkExamples examples = examples_of(networks, tables, source, workers);
    groups.push_back(predictors::as_matrix(examples.examples));
  }
  return groups;
}

AcceleratorSet chips_named(std::vector<std::string> names) {
  if (names == std::vector<std::string>{"none"}) return {};
  if (names.empty())
    for (const accel::NamedAccelerator& named : accel::named_accelerators())
      names.emplace_back(named.name);
  return accelerators_named(names);
}

const char* name_of(MeasurementChoice choice) {
  return choice == MeasurementChoice::random ? "random" : "telling";
}

// The mean over devices, seed by seed.
std::vector<double> over_devices(const std::vector<std::vector<double>>& by_device) {
  std::vector<double> means(by_device.front().size(), 0.0);
  for (const std::vector<double>& device : by_device)
    for (std::size_t seed = 0; seed < means.size(); ++seed)
      means[seed] += device[seed] / static_cast<double>(by_device.size());
  return means;
}

json transfer_json(const TransferBench& bench) {
  json rows = json::array();
  for (const TransferScore& score : bench.scores) {
    json row{{"prior", score.prior},
             {"choice", name_of(score.choice)},
             {"measurements", score.measurements},
             {"spearman", interval_json(over_devices(score.spearman))},
             {"coverage_95", interval_json(over_devices(score.coverage))}};
    for (std::size_t device = 0; device < bench.devices.size(); ++device)
      row["devices"][bench.devices[device]] = interval_json(score.spearman[device]);
    rows.push_back(std::move(row));
  }
  json control;
  for (std::size_t device = 0; device < bench.devices.size(); ++device)
    control[bench.devices[device]] = bench.macs_spearman[device];
  return {{"macs_only", control}, {"results", rows}};
}

void print(const TransferBench& bench, const Console& console) {
  std::vector<std::string> header{"prior", "chosen", "measured", "all devices"};
  header.insert(header.end(), bench.devices.begin(), bench.devices.end());
  header.emplace_back("in 95 %");
  TextTable table(header);
  std::vector<std::string> control{"MACs only", "", "0",
                                   fixed(mean_interval(bench.macs_spearman).mean, 3)};
  for (const double rho : bench.macs_spearman) control.push_back(fixed(rho, 3));
  control.emplace_back("-");
  table.add(std::move(control));
  for (const TransferScore& score : bench.scores) {
    std::vector<std::string> row{score.prior, name_of(score.choice),
                                 std::to_string(score.measurements),
                                 with_interval(mean_interval(over_devices(score.spearman)), 3)};
    for (const std::vector<double>& device : score.spearman)
      row.push_back(with_interval(mean_interval(device), 3));
    row.push_back(fixed(mean_interval(over_devices(score.coverage)).mean, 3));
    table.add(std::move(row));
  }
  table.print(console.out);
}

struct TransferInputs {
  std::vector<std::string> genotypes;
  std::vector<double> macs, target;  // target: only where a column is named, NaN if not measured
  TransferKnowledge knowledge;
};

// What a table of few rows says of the networks of the large one; NaN where it says nothing.
std::vector<double> measured_values(const TransferCommand& options,
                                    const std::vector<std::string>& genotypes) {
  const datasets::Table table = datasets::Table::read(options.measured);
  const std::size_t target = table.column(options.target);
  std::map<std::string, std::size_t> row_of;
  for (std::size_t row = 0; row < genotypes.size(); ++row) row_of.emplace(genotypes[row], row);
  std::vector<double> values(genotypes.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string genotype = joined_cells(table, row, options.table.table.genotype, ";");
    const auto found = row_of.find(genotype);
    if (found == row_of.end())
      throw UserError(table.where(row), fmt::format("network '{}' is not among those of {}",
                                                    genotype, options.table.table.file.string()));
    if (!std::isnan(values[found->second]))
      throw UserError(table.where(row), fmt::format("network '{}' was measured twice", genotype));
    values[found->second] = table.number(row, target);
  }
  return values;
}

TransferInputs read_inputs(TransferCommand& options, Workers& workers) {
  options.table.complete();
  const JoinedTables tables(options.table.table);
  TransferInputs inputs;
  inputs.knowledge.devices = measured_columns(tables, options.devices);
  const NetworkSet networks =
      lower_table(options.table.table, tables, options.table.source, workers);
  for (const Candidate& candidate : networks.candidates) {
    inputs.genotypes.push_back(candidate.genotype);
    inputs.macs.push_back(static_cast<double>(candidate.macs));
  }
  if (!options.measured.empty())
    inputs.target = measured_values(options, inputs.genotypes);
  else if (!options.target.empty())
    inputs.target = tables.numbers(options.target);
  inputs.knowledge.features = operation_counts(networks, tables, options.table.source, workers);
  const AcceleratorSet chips = chips_named(options.chips);
  if (!chips.list.empty()) inputs.knowledge.chips = modelled_latencies(networks, chips, workers);
  return inputs;
}

void bench_devices(TransferCommand& options, const Console& console) {
  Workers workers(job_count(options.table.jobs));
  const TransferInputs inputs = read_inputs(options, workers);
  Progress progress(console);
  const TransferBench bench =
      bench_transfer(inputs.knowledge, inputs.macs, options.bench, workers, [&](std::size_t done) {
        progress.update(done, 0, [] { return std::string("devices left out"); });
      });
  if (console.json) return console.print(transfer_json(bench));
  console.out << fmt::format(
      "Spearman over the networks not measured, {} networks in all; means over {} seeds with the "
      "95 % interval of the mean\n\n",
      grouped(static_cast<double>(inputs.macs.size())), options.bench.seeds);
  print(bench, console);
}

void suggest(const TransferInputs& inputs, const TransferCommand& options, const Console& console) {
  const DeviceTransfer transfer(inputs.knowledge, options.bench.seed);
  json genotypes = json::array();
  for (const std::size_t row : transfer.networks_to_measure(options.suggest, options.bench.seed)) {
    if (!console.json) console.out << inputs.genotypes[row] << '\n';
    genotypes.push_back(inputs.genotypes[row]);
  }
  if (console.json) console.print(genotypes);
}

void transfer(TransferCommand& options, const Console& console) {
  if (!options.measured.empty() && options.target.empty())
    throw UserError("--measured needs --target, its column of what was measured");
  if (options.target.empty() == (options.suggest == 0))
    throw UserError(
        "give --target, the column of the new device, or --suggest, how many networks to measure "
        "there");
  for (const std::string& input : {options.table.table.file.string(), options.measured})
    if (!options.output.empty() && !input.empty()) refuse_as_output(options.output, input);
  Workers workers(job_count(options.table.jobs));
  const TransferInputs inputs = read_inputs(options, workers);
  if (options.suggest > 0) return suggest(inputs, options, console);

  std::vector<std::size_t> measured;
  std::vector<double> values;
  for (std::size_t row = 0; row < inputs.target.size(); ++row) {
    if (std::isnan(inputs.target[row])) continue;
    measured.push_back(row);
    values.push_back(inputs.target[row]);
  }
  const DeviceTransfer transfer(inputs.knowledge, options.bench.seed);
  std::vector<predictors::PredictedRange> ranges;
  for (const predictors::Prediction& prediction : transfer.predict(measured, values))
    ranges.push_back(predictors::positive_range_of(prediction));
  show_predictions({inputs.genotypes, options.target}, ranges, options.output, console);
}

void add_transfer_options(TransferCommand& options, CLI::App& command) {
  options.table.add_table_to(command);
  options.table.add_space_to(command);
  command
      .add_option("--devices", options.devices,
                  "columns of the devices that are known, a number in each row")
      ->delimiter(',');
  command
      .add_option("--chips", options.chips,
                  "accelerators of our own model, or none (default: all of cosearch list "
                  "accelerators)")
      ->delimiter(',');
  command.add_option("--seed", options.bench.seed, "of what is drawn at random")
      ->check(whole_number(0))
      ->capture_default_str();
}

}  // namespace

void add_predictor_transfer(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<TransferCommand>();
  CLI::App* transfer_command = command.add_subcommand(
      "transfer", "Predict a new device from few measurements; low and high hold 95 % of them");
  add_transfer_options(*options, *transfer_command);
  transfer_command->add_option("--target", options->target,
                               "the column of the new device, empty where it was not measured");
  transfer_command->add_option("--measured", options->measured,
                               "a CSV file that has this column and the genotype's, a row for each "
                               "network that was measured; left out, the table has it");
  transfer_command->add_option("--suggest", options->suggest,
                               "instead, name so many networks that are worth measuring there");
  transfer_command->add_option("-o,--output", options->output, "a .csv, .json or .h5 file");
  transfer_command->callback([options, &console] { transfer(*options, console); });
}

void add_predictor_bench_transfer(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<TransferCommand>();
  CLI::App* bench_command = command.add_subcommand(
      "bench-transfer", "How well few measurements predict each device, left out in turn");
  add_transfer_options(*options, *bench_command);
  bench_command->add_option("--measure", options->bench.measurements, "networks measured")
      ->delimiter(',')
      ->check(whole_number(2));
  bench_command->add_option("--seeds", options->bench.seeds, "draws of these networks")
      ->check(whole_number(1))
      ->capture_default_str();
  bench_command->callback([options, &console] { bench_devices(*options, console); });
}

}  // namespace cosearch::codesign
