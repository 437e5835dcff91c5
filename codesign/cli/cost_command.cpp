// cosearch cost: what a network costs on an accelerator or a machine, in all and layer by layer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "codesign/accelerator_file.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/cost_report.h"
#include "codesign/cli/machine_report.h"
#include "codesign/cli/text_table.h"
#include "codesign/mapping_file.h"
#include "codesign/network_file.h"
#include "codesign/network_mapping.h"
#include "core/user_error.h"
#include "datasets/document.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

struct CostOptions {
  std::string network, accelerator, machine, mapping, layer, mapper, objective,
      accounting = "exact";
  bool per_layer = false, nests = false;
  int jobs = 0;
};

/// `whole` has all layers that a file of mappings may name; `network` those to be costed.
NetworkOnMachine run_on_machine(const CostOptions& options, const Network& whole,
                                const Network& network, const MachineDescription& machine) {
  const accel::Accounting accounting = parse_accounting(options.accounting);
  if (options.mapping.empty()) {
    MapperChoice choice;
    if (!options.mapper.empty()) choice.mapper = parse_mapper(options.mapper);
    if (options.accelerator.empty() && !choice.mapper) choice.mapper = Mapper::optimal;
    if (!options.objective.empty()) {
      choice.objective = parse_objective(options.objective);
      require_objective_is_heeded(choice, {machine.dataflow});
    }
    if (accounting == accel::Accounting::timeloop &&
        choice.for_machine_with(machine.dataflow) == Mapper::template_rule)
      throw UserError("--accounting timeloop needs tiles that divide: add --mapper optimal");
    Workers workers(job_count(options.jobs));
    return map_network(network, machine, choice, accounting, workers);
  }
  const Mappings mappings =
      read_mappings(datasets::read_yaml(options.mapping), whole, machine, accounting);
  return cost_network(network, machine, mappings, accounting);
}

void cost(const CostOptions& options, Console& console) {
  if (options.accelerator.empty() == options.machine.empty())
    throw UserError("cost takes either --accelerator or --machine");
  const Network whole = find_network(options.network);
  const Network network = options.layer.empty() ? whole : only_layer(whole, options.layer);
  const MachineDescription machine = options.machine.empty() ? find_accelerator(options.accelerator)
                                                             : find_machine(options.machine);
  const NetworkOnMachine result = run_on_machine(options, whole, network, machine);
  report_cost({network, machine, result, parse_accounting(options.accounting)}, options.per_layer,
              options.nests, console);
}

}  // namespace

void report_cost(const MachineReport& report, bool per_layer, bool nests, Console& console) {
  if (report_misfits(console, report)) return;
  if (console.json) {
    nlohmann::json values = sums_json(report);
    if (per_layer) values["layers"] = layers_json(report, per_layer);
    return console.print(values);
  }
  if (per_layer) {
    print_costs(console, report, per_layer);
    print_rooflines(console, report, per_layer);
  }
  if (nests) print_nests(console, report);
  print_sums(console, report);
}

void add_cost_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<CostOptions>();
  CLI::App* command =
      app.add_subcommand("cost", "What a network costs on an accelerator or a machine");
  command
      ->add_option("-n,--network", options->network,
                   "a name (list networks), SPACE:GENOTYPE, or a YAML file")
      ->required();
  command->add_option("-a,--accelerator", options->accelerator,
                      "a name (list accelerators) or a YAML file");
  CLI::Option* machine = command->add_option(
      "-m,--machine", options->machine,
      "instead of an accelerator: a name (list machines) or a YAML file, with or without "
      ":NAME=VALUE,...");
  CLI::Option* mapping =
      command
          ->add_option("--mapping", options->mapping,
                       "a file of mappings (cosearch map -o) instead of a mapper")
          ->needs(machine);
  command
      ->add_option("--mapper", options->mapper,
                   "template (a template's own rule; the default with -a) or optimal (the "
                   "default with -m)")
      ->excludes(mapping);
  command
      ->add_option("--objective", options->objective,
                   "what the optimal mapper minimises: latency, energy, edp (the default) or a "
                   "product of powers")
      ->excludes(mapping);
  command->add_option("--accounting", options->accounting,
                      "exact (the default), or timeloop: as Timeloop counts");
  command->add_option("-l,--layer", options->layer, "this layer alone");
  command->add_flag("--per-layer", options->per_layer, "one row a layer, before the totals");
  command->add_flag("--nests", options->nests, "the loop nest of each shape");
  command->add_option("-j,--jobs", options->jobs, "threads; the answer is the same for any number")
      ->check(CLI::Range(1, 1024));
  command->callback([options, &console] { cost(*options, console); });
}

}  // namespace cosearch::codesign
