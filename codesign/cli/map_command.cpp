// cosearch map: the optimal mapping of each layer of a network on a machine, with its proof.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/machine_report.h"
#include "codesign/mapping_file.h"
#include "codesign/network_file.h"
#include "codesign/network_mapping.h"
#include "core/user_error.h"
#include "datasets/partial_file.h"

namespace cosearch::codesign {
namespace {

struct MapOptions {
  std::string network, machine, layer, objective = "edp", accounting = "exact",
                                       factors = "dividing", output;
  bool pareto = false, per_layer = false, nests = false;
  int jobs = 0;
};

void check_map_options(const MapOptions& options) {
  if (options.pareto && !options.output.empty())
    throw UserError("--pareto finds many mappings a layer, --output takes one: leave out either");
  if (options.output.empty()) return;
  refuse_as_output(options.output, options.network);
  refuse_as_output(options.output, options.machine);
}

void print_map(const Console& console, const MapOptions& options, const MachineReport& report) {
  if (options.pareto) {
    if (!console.json) return print_pareto_sets(console, report, options.nests);
    nlohmann::json result = heading_json(report);
    result["layers"] = pareto_sets_json(report);
    return console.print(result);
  }
  if (console.json) {
    nlohmann::json result = sums_json(report);
    result["objective"] = options.objective;
    result["layers"] = layers_json(report, options.per_layer);
    return console.print(result);
  }
  print_costs(console, report, options.per_layer);
  print_rooflines(console, report, options.per_layer);
  print_certificates(console, report);
  if (options.nests || !options.layer.empty()) print_nests(console, report);
  print_sums(console, report);
}

void write_found_mappings(const std::string& path, const MachineReport& report) {
  std::vector<SharedMapping> mappings;
  for (const ShapeOnMachine& shape : report.result.shapes)
    if (!shape.layer.is_memory_bound()) mappings.push_back({shape.names, shape.runs.front().nest});
  datasets::write_file(path,
                       write_mappings(report.network.name(), report.machine.machine, mappings));
}

void map(const MapOptions& options, Console& console) {
  check_map_options(options);
  Network network = find_network(options.network);
  if (!options.layer.empty()) network = only_layer(network, options.layer);
  const MachineDescription machine = find_machine(options.machine);
  const accel::Accounting accounting = parse_accounting(options.accounting);
  const accel::Factors factors = parse_factors(options.factors, accounting);
  const MapperChoice mapper{Mapper::optimal, parse_objective(options.objective), factors};
  Workers workers(job_count(options.jobs));
  const NetworkOnMachine result =
      options.pareto ? pareto_map_network(network, machine, accounting, factors, workers)
                     : map_network(network, machine, mapper, accounting, workers);
  const MachineReport report{network, machine, result, accounting};
  if (report_misfits(console, report)) return;
  if (!options.output.empty()) write_found_mappings(options.output, report);
  print_map(console, options, report);
}

}  // namespace

void add_map_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<MapOptions>();
  CLI::App* command =
      app.add_subcommand("map", "The optimal mapping of each layer of a network on a machine");
  command
      ->add_option("-n,--network", options->network,
                   "a name (list networks), SPACE:GENOTYPE, or a YAML file")
      ->required();
  command
      ->add_option("-m,--machine", options->machine,
                   "a name (list machines) or a YAML file, with or without :NAME=VALUE,...")
      ->required();
  command->add_option("-l,--layer", options->layer, "this layer alone, with its loop nest");
  command->add_option("--objective", options->objective,
                      "latency, energy, edp (the default) or a product of powers, such as "
                      "latency^2*energy");
  command->add_option("--accounting", options->accounting,
                      "exact (the default), or timeloop: as Timeloop counts");
  command->add_option("--factors", options->factors,
                      "dividing (the default), or imperfect: fan-outs may also be used by pieces "
                      "of which the last is shorter");
  command->add_flag("--pareto", options->pareto,
                    "all mappings that no other beats in both latency and energy");
  command->add_flag("--per-layer", options->per_layer, "one row a layer instead of one a shape");
  command->add_flag("--nests", options->nests, "the loop nest of each shape");
  command->add_option("-o,--output", options->output,
                      "a file of the mappings, for cosearch cost --mapping");
  command->add_option("-j,--jobs", options->jobs, "threads; the answer is the same for any number")
      ->check(CLI::Range(1, 1024));
  command->callback([options, &console] { map(*options, console); });
}

}  // namespace cosearch::codesign
