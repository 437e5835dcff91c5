// cosearch cost: what a network costs on an accelerator or a machine, in all and layer by layer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "accel/area.h"
#include "accel/cost.h"
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

using nlohmann::json;

struct CostOptions {
  std::string network, accelerator, machine, mapping, layer, accounting = "exact";
  bool per_layer = false, nests = false;
  int jobs = 0;
};

struct CostedNode {
  const NetworkNode* node;
  accel::LayerCost cost;
};

std::string_view name_of(accel::Level level) {
  switch (level) {
    case accel::Level::pe_buffer:
      return "PE buffer";
    case accel::Level::shared_buffer:
      return "shared buffer";
    case accel::Level::dram:
      return "DRAM";
  }
  return "";
}

// Every layer costed; those that do not run are told of in `misfits` instead.
std::vector<CostedNode> cost_nodes(const Network& network, const accel::Accelerator& accelerator,
                                   std::string& misfits) {
  std::vector<CostedNode> costed;
  for (const NetworkNode& node : network.nodes()) {
    auto cost = accel::layer_cost(node.layer, accelerator);
    if (const auto* infeasible = std::get_if<accel::Infeasible>(&cost))
      misfits += fmt::format("cosearch: layer '{}' ({}) does not run on {}: {}\n", node.name,
                             describe(node.layer), accelerator.name, infeasible->reason);
    else
      costed.push_back({&node, std::get<accel::LayerCost>(std::move(cost))});
  }
  return costed;
}

struct Totals {
  std::int64_t cycles = 0;
  accel::EnergyBreakdown energy;
};

Totals total(const std::vector<CostedNode>& costed) {
  Totals totals;
  for (const auto& [node, cost] : costed) {
    const auto times = static_cast<double>(node->multiplicity);
    totals.cycles += node->multiplicity * cost.latency.value;
    for (std::size_t level = 0; level < totals.energy.levels.size(); ++level)
      for (std::size_t tensor = 0; tensor < totals.energy.levels[level].size(); ++tensor)
        totals.energy.levels[level][tensor] += times * cost.energy_parts.levels[level][tensor];
    totals.energy.mac += times * cost.energy_parts.mac;
    totals.energy.vector += times * cost.energy_parts.vector;
    totals.energy.noc += times * cost.energy_parts.noc;
  }
  return totals;
}

json energy_json(const accel::EnergyBreakdown& energy) {
  json parts{{"mac_pj", energy.mac.value},
             {"vector_pj", energy.vector.value},
             {"noc_pj", energy.noc.value},
             {"total_pj", energy.total().value}};
  for (const accel::Level level : accel::kLevels)
    for (const Tensor tensor : kTensors)
      parts[std::string(name_of(level))][std::string(cosearch::name_of(tensor)) + "_pj"] =
          energy.at(level, tensor).value;
  return parts;
}

json layer_json(const CostedNode& costed) {
  const auto& [node, cost] = costed;
  json counts;
  for (const accel::Level level : accel::kLevels)
    for (const Tensor tensor : kTensors) {
      const accel::Accesses& accesses = cost.counts.at(level, tensor);
      counts[std::string(name_of(level))][std::string(cosearch::name_of(tensor))] = {
          {"reads", accesses.reads}, {"fills", accesses.fills}, {"updates", accesses.updates}};
    }
  return {{"name", node->name},
          {"layer", describe(node->layer)},
          {"multiplicity", node->multiplicity},
          {"macs", node->layer.macs()},
          {"latency_cycles", cost.latency.value},
          {"utilisation", cost.utilisation},
          {"energy", energy_json(cost.energy_parts)},
          {"words", counts}};
}

json as_json(const Network& network, const accel::Accelerator& accelerator,
             const std::vector<CostedNode>& costed, bool per_layer) {
  const Totals totals = total(costed);
  json result{{"network", network.name()},
              {"accelerator", accelerator.name},
              {"macs", network.macs()},
              {"parameters", network.parameters()},
              {"latency_cycles", totals.cycles},
              {"energy", energy_json(totals.energy)},
              {"area_mm2", accel::area_of(accelerator).value}};
  if (per_layer)
    for (const CostedNode& one : costed) result["layers"].push_back(layer_json(one));
  return result;
}

void print_layers(const Console& console, const std::vector<CostedNode>& costed) {
  TextTable table({"layer", "shape", "times", "MACs", "cycles", "use %", "energy[pJ]"});
  for (const auto& [node, cost] : costed)
    table.add({node->name, describe(node->layer), std::to_string(node->multiplicity),
               grouped(static_cast<double>(node->layer.macs())),
               grouped(static_cast<double>(cost.latency.value)), fixed(100 * cost.utilisation, 1),
               grouped(cost.energy().value)});
  table.print(console.out);
  console.out << '\n';
}

void print_energy(const Console& console, const accel::EnergyBreakdown& energy) {
  const double whole = energy.total().value;
  TextTable table({"energy", "input", "weights", "output", "all", "share %"});
  const auto text = [](Picojoules part) { return datasets::format_picojoules(part); };
  for (const accel::Level level : accel::kLevels)
    table.add({std::string(name_of(level)), text(energy.at(level, Tensor::input)),
               text(energy.at(level, Tensor::weights)), text(energy.at(level, Tensor::output)),
               text(energy.at(level)), fixed(100 * energy.at(level).value / whole, 1)});
  for (const auto& [name, part] : {std::pair{"multiplications", energy.mac},
                                   {"vector lanes", energy.vector},
                                   {"network on chip", energy.noc},
                                   {"total", energy.total()}})
    table.add({name, "", "", "", text(part), fixed(100 * part.value / whole, 1)});
  table.print(console.out);
}

void print_totals(const Console& console, const Network& network,
                  const accel::Accelerator& accelerator, const std::vector<CostedNode>& costed) {
  const Totals totals = total(costed);
  const double seconds = static_cast<double>(totals.cycles) / accelerator.parameters.clock.value;
  const double use =
      static_cast<double>(network.macs()) /
      (static_cast<double>(totals.cycles) * static_cast<double>(accelerator.pe_count()));
  console.out << fmt::format(
      "{} on {}: {} MACs, {} parameters\n"
      "latency  {} cycles = {} at {}; {:.1f} % of the array's multiplications used\n"
      "energy   {} = {} on average\n"
      "area     {}\n\n",
      network.name(), accelerator.name, grouped(static_cast<double>(network.macs())),
      grouped(static_cast<double>(network.parameters())),
      grouped(static_cast<double>(totals.cycles)), datasets::format_seconds(seconds),
      datasets::format_hertz(accelerator.parameters.clock), 100 * use,
      datasets::format_picojoules(totals.energy.total()),
      fmt::format("{:.3g} W", totals.energy.total().value * 1e-12 / seconds),
      datasets::format_square_millimetres(accel::area_of(accelerator)));
  print_energy(console, totals.energy);
}

}  // namespace

void report_cost(const Network& network, const accel::Accelerator& accelerator, bool per_layer,
                 Console& console) {
  std::string misfits;
  const std::vector<CostedNode> costed = cost_nodes(network, accelerator, misfits);
  if (!misfits.empty()) {
    console.err << misfits;
    console.exit_code = kNothingFeasible;
    return;
  }
  if (console.json) return console.print(as_json(network, accelerator, costed, per_layer));
  if (per_layer) print_layers(console, costed);
  print_totals(console, network, accelerator, costed);
}

namespace {

/// `whole` has all layers that a file of mappings may name; `network` those to be costed.
NetworkOnMachine run_on_machine(const CostOptions& options, const Network& whole,
                                const Network& network, const MachineDescription& machine) {
  const accel::Accounting accounting = parse_accounting(options.accounting);
  if (options.mapping.empty()) {
    Workers workers(job_count(options.jobs));
    return map_network(network, machine, {accel::MappingObjective::of_edp(), accounting}, workers);
  }
  const Mappings mappings =
      read_mappings(datasets::read_yaml(options.mapping), whole, machine, accounting);
  return cost_network(network, machine, mappings, accounting);
}

void cost_on_machine(const CostOptions& options, const Network& whole, const Network& network,
                     Console& console) {
  const MachineDescription machine = find_machine(options.machine);
  const NetworkOnMachine result = run_on_machine(options, whole, network, machine);
  const MachineReport report{network, machine, result, parse_accounting(options.accounting)};
  if (report_misfits(console, report)) return;
  if (console.json) {
    json values = sums_json(report);
    if (options.per_layer) values["layers"] = layers_json(report, options.per_layer);
    return console.print(values);
  }
  if (options.per_layer) {
    print_costs(console, report, options.per_layer);
    print_rooflines(console, report, options.per_layer);
  }
  if (options.nests) print_nests(console, report);
  print_sums(console, report);
}

void cost(const CostOptions& options, Console& console) {
  if (options.accelerator.empty() == options.machine.empty())
    throw UserError("cost takes either --accelerator or --machine");
  const Network whole = find_network(options.network);
  const Network network = options.layer.empty() ? whole : only_layer(whole, options.layer);
  if (options.machine.empty())
    return report_cost(network, find_accelerator(options.accelerator), options.per_layer, console);
  cost_on_machine(options, whole, network, console);
}

}  // namespace

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
  command
      ->add_option("--mapping", options->mapping,
                   "a file of mappings (cosearch map -o); without it, the mappings of least "
                   "latency times energy")
      ->needs(machine);
  command
      ->add_option("--accounting", options->accounting,
                   "exact (the default), or timeloop: as Timeloop counts")
      ->needs(machine);
  command->add_option("-l,--layer", options->layer, "this layer alone");
  command->add_flag("--per-layer", options->per_layer, "one row a layer, before the totals");
  command->add_flag("--nests", options->nests, "the loop nest of each shape")->needs(machine);
  command->add_option("-j,--jobs", options->jobs, "threads; the answer is the same for any number")
      ->check(CLI::Range(1, 1024));
  command->callback([options, &console] { cost(*options, console); });
}

}  // namespace cosearch::codesign
