// cosearch predictor transfer: a device from few measurements, and devices or our model as a prior.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "accel/accelerator.h"
#include "codesign/accelerator_file.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/predictor_options.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/text_table.h"
#include "codesign/device_transfer.h"
#include "codesign/predictor_data.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// --------------------------------------------------------------------------------------

struct TransferCommand {
  NetworkTableOptions table;
  std::vector<std::string> devices, chips;
  TransferBenchOptions bench;
  std::string measured, output;
  std::size_t suggest = 0;
};

std::vector<CostColumn> measured_columns(const JoinedTables& tables,
                                         const std::vector<std::string>& names) {
  std::vector<CostColumn> columns;
  for (const std::string& name : names) columns.push_back({name, tables.numbers(name)});
  return columns;
}

predictors::Matrix as_matrix(const predictors::Examples& examples) {
  predictors::Matrix matrix(static_cast<Eigen::Index>(examples.rows()),
                            static_cast<Eigen::Index>(examples.columns.size()));
  for (std::size_t row = 0; row < examples.rows(); ++row)
    for (std::size_t column = 0; column < examples.columns.size(); ++column)
      matrix(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column)) =
          examples.row(row)[column];
  return matrix;
}

std::vector<accel::Accelerator> chips_named(std::vector<std::string> names) {
  if (names.empty())
    for (const accel::NamedAccelerator& named : accel::named_accelerators())
      names.push_back(named.name);
  std::vector<accel::Accelerator> chips;
  if (names != std::vector<std::string>{"none"})
    for (const std::string& name : names) chips.push_back(find_accelerator(name));
  return chips;
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

void transfer(TransferCommand& options, const Console& console) {
  options.table.source.features = {"operations"};
  options.table.complete();
  Workers workers(job_count(options.table.jobs));
  const JoinedTables tables(options.table.table);
  TransferKnowledge knowledge{
      .features = {}, .devices = measured_columns(tables, options.devices), .chips = {}};
  const NetworkSet networks =
      lower_table(options.table.table, tables, options.table.source, workers);
  const NetworkExamples examples = examples_of(networks, tables, options.table.source, workers);
  knowledge.features = {as_matrix(examples.examples)};
  const std::vector<accel::Accelerator> chips = chips_named(options.chips);
  if (!chips.empty()) knowledge.chips = modelled_latencies(networks, chips, workers);
  Progress progress(console);
  const TransferBench bench =
      bench_transfer(knowledge, examples.macs, options.bench, workers, [&](std::size_t done) {
        progress.update(done, 0, [] { return std::string("devices left out"); });
      });
  if (console.json) return console.print(transfer_json(bench));
  console.out << fmt::format(
      "Spearman over the networks not measured, {} networks in all; means over {} seeds with the "
      "95 % interval of the mean\n\n",
      grouped(static_cast<double>(examples.rows())), options.bench.seeds);
  print(bench, console);
}

}  // namespace

void add_predictor_transfer(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<TransferCommand>();
  CLI::App* transfer_command = command.add_subcommand(
      "transfer", "Predict a device from few measurements, each device left out in turn");
  options->table.add_table_to(*transfer_command);
  options->table.add_space_to(*transfer_command);
  transfer_command->add_option("--devices", options->devices, "columns of latencies, one a device")
      ->delimiter(',')
      ->required();
  transfer_command
      ->add_option("--chips", options->chips,
                   "accelerators of our own model, or none (default: all of cosearch list "
                   "accelerators)")
      ->delimiter(',');
  transfer_command->add_option("--measure", options->bench.measurements, "networks measured")
      ->delimiter(',')
      ->check(whole_number(2));
  transfer_command->add_option("--seeds", options->bench.seeds, "draws of these networks")
      ->check(whole_number(1))
      ->capture_default_str();
  transfer_command->add_option("--seed", options->bench.seed, "of the first")
      ->check(whole_number(0))
      ->capture_default_str();
  transfer_command->callback([options, &console] { transfer(*options, console); });
}

}  // namespace cosearch::codesign
