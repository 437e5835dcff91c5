// cosearch import and export: designs in files of MAESTRO and Timeloop, and ours written as theirs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "accel/nest_cost.h"
#include "codesign/cli/console.h"
#include "codesign/cli/text_table.h"
#include "codesign/import/peer_files.h"
#include "codesign/machine_file.h"
#include "codesign/mapping_file.h"
#include "codesign/network_file.h"
#include "codesign/network_mapping.h"
#include "core/user_error.h"
#include "datasets/partial_file.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

struct ConvertOptions {
  std::vector<std::string> files;
  MaestroOptions maestro;
  std::string network, machine, mapping, objective = "edp";
  std::string format, folder = ".";
};

std::vector<LayerDesign> read_files(const ConvertOptions& options) {
  return read_peer_files({options.files.begin(), options.files.end()}, options.maestro);
}

struct CostedLayer {
  const LayerDesign* design;
  accel::NestCost cost;
  double utilisation;
};

/// Those that run; what is wrong with the others goes to `misfits`.
std::vector<CostedLayer> cost_layers(const std::vector<LayerDesign>& layers, std::string& misfits) {
  std::vector<CostedLayer> costed;
  for (const LayerDesign& design : layers) {
    const auto problems = problems_in(design.nest, design.layer, design.machine);
    for (const std::string& problem : problems)
      misfits += fmt::format("cosearch: layer '{}' ({}): {}\n", design.name, describe(design.layer),
                             problem);
    if (!problems.empty()) continue;
    const accel::NestCost cost = evaluate(design.layer, design.machine, design.nest);
    costed.push_back(
        {&design, cost, accel::utilisation(design.layer, design.machine, cost.cycles())});
  }
  return costed;
}

json layer_json(const CostedLayer& layer) {
  json levels = json::array();
  const accel::Machine& machine = layer.design->machine;
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    json tensors;
    for (const Tensor tensor : kTensors) {
      const accel::LevelAccesses& accesses = layer.cost.counts.levels[i][accel::index_of(tensor)];
      tensors[std::string(name_of(tensor))] = {
          {"reads", accesses.reads}, {"fills", accesses.fills}, {"updates", accesses.updates}};
    }
    levels.push_back({{"name", machine.levels[i].name}, {"tensors", tensors}});
  }
  return {{"name", layer.design->name},
          {"layer", describe(layer.design->layer)},
          {"macs", layer.cost.counts.macs},
          {"multipliers", machine.multipliers()},
          {"latency_cycles", layer.cost.cycles().value},
          {"utilisation", layer.utilisation},
          {"energy_pj", layer.cost.total_energy().value},
          {"levels", levels}};
}

void print_table(const Console& console, const std::vector<CostedLayer>& costed) {
  TextTable table({"name", "layer", "MACs", "multipliers", "cycles", "used %", "energy nJ"});
  for (const CostedLayer& layer : costed)
    table.add({layer.design->name, describe(layer.design->layer),
               std::to_string(layer.cost.counts.macs),
               std::to_string(layer.design->machine.multipliers()),
               std::to_string(layer.cost.cycles().value), fixed(100 * layer.utilisation, 1),
               fixed(layer.cost.total_energy().value * 1e-3, 1)});
  table.print(console.out);
}

void import_files(const ConvertOptions& options, Console& console) {
  const std::vector<LayerDesign> layers = read_files(options);
  std::string misfits;
  const std::vector<CostedLayer> costed = cost_layers(layers, misfits);
  if (console.json) {
    json rows = json::array();
    for (const CostedLayer& layer : costed) rows.push_back(layer_json(layer));
    console.print({{"layers", rows}});
  } else if (!costed.empty()) {
    print_table(console, costed);
  }
  if (misfits.empty()) return;
  console.err << misfits;
  console.exit_code = kNothingFeasible;
}

/// The layers of multiply-accumulates, which the other tools know, as they count them: padding is
/// input, and every value one word.
Network as_peers_count(const Network& network) {
  Network counted(network.name());
  for (const NetworkNode& node : network.nodes())
    if (!node.layer.is_memory_bound())
      counted.add({.name = node.name,
                   .layer = as_counted(node.layer, accel::Accounting::timeloop),
                   .multiplicity = node.multiplicity});
  return counted;
}

/// The network's shapes with optimal mappings; those that do not fit are told of.
std::vector<LayerDesign> map_layers(const ConvertOptions& options, Console& console) {
  const Network network = as_peers_count(find_network(options.network));
  const MachineDescription machine = find_machine(options.machine);
  Workers workers(1);
  const NetworkOnMachine mapped =
      map_network(network, machine, {Mapper::optimal, parse_objective(options.objective)},
                  accel::Accounting::exact, workers);
  std::vector<LayerDesign> designs;
  for (const ShapeOnMachine& shape : mapped.shapes) {
    const std::string& name = shape.names.front();
    if (shape.runs.empty()) {
      console.err << fmt::format("cosearch: layer '{}' ({}) does not run on {}: {}\n", name,
                                 describe(shape.layer), machine.machine.name, shape.misfit);
      console.exit_code = kNothingFeasible;
      continue;
    }
    designs.push_back({name, shape.layer, machine.machine, shape.runs.front().nest});
  }
  return designs;
}

/// Every layer that the file of mappings names, as the file has it.
std::vector<LayerDesign> given_layers(const ConvertOptions& options) {
  const Network network = find_network(options.network);
  const MachineDescription machine = find_machine(options.machine);
  const Mappings mappings = read_mappings(datasets::read_yaml(options.mapping), network, machine);
  std::vector<LayerDesign> designs;
  for (const NetworkNode& node : network.nodes())
    if (const auto found = mappings.find(node.name); found != mappings.end())
      designs.push_back({node.name, node.layer, machine.machine, found->second});
  return designs;
}

std::vector<LayerDesign> designs_to_export(const ConvertOptions& options, Console& console) {
  const bool ours = !options.network.empty() && !options.machine.empty();
  if (ours == !options.files.empty() || options.network.empty() != options.machine.empty())
    throw UserError("what to export is either FILEs or --network with --machine");
  if (!ours) return read_files(options);
  return options.mapping.empty() ? map_layers(options, console) : given_layers(options);
}

void export_files(const ConvertOptions& options, Console& console) {
  const PeerFormat format = find_peer_format(options.format);
  const std::filesystem::path folder(options.folder);
  const std::vector<NamedText> files = peer_files_of(designs_to_export(options, console), format);
  if (console.exit_code != kDone) return;
  for (const NamedText& file : files) {
    const std::filesystem::path target = folder / file.name;
    for (const std::string& input : options.files)
      if (std::error_code ignored; std::filesystem::equivalent(target, input, ignored))
        throw UserError(fmt::format("{} would be overwritten; name another folder with -o", input));
  }
  json written = json::array();
  for (const NamedText& file : files) {
    datasets::write_file(folder / file.name, file.text);
    written.push_back((folder / file.name).string());
    console.note("wrote " + (folder / file.name).string());
  }
  if (console.json) console.print({{"files", written}});
}

CLI::Option* add_inputs(CLI::App& command, ConvertOptions& options) {
  CLI::Option* files = command.add_option("FILE", options.files,
                                          "a mapping and a hardware file of MAESTRO (.m), or "
                                          "Timeloop's architecture, problem and mapping "
                                          "(.yaml)");
  command.add_flag("--capacities", options.maestro.capacities,
                   "apply the buffer sizes of MAESTRO's hardware file, which MAESTRO does not");
  return files;
}

}  // namespace

void add_import_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<ConvertOptions>();
  CLI::App* command =
      app.add_subcommand("import", "What designs in files of MAESTRO or Timeloop cost here");
  add_inputs(*command, *options)->required();
  command->callback([options, &console] { import_files(*options, console); });
}

void add_export_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<ConvertOptions>();
  CLI::App* command = app.add_subcommand("export", "Write designs as files of MAESTRO or Timeloop");
  add_inputs(*command, *options);
  command->add_option("-n,--network", options->network,
                      "instead of FILEs: a network, each layer with its optimal mapping");
  command->add_option("-m,--machine", options->machine, "the machine for it (list machines)");
  command->add_option("--mapping", options->mapping,
                      "a file of mappings (map -o) instead of the optimal ones");
  command->add_option("--objective", options->objective,
                      "of the optimal ones: latency, energy, edp (default) or a product of powers");
  command->add_option("--to", options->format, "maestro or timeloop")->required();
  command->add_option("-o,--output", options->folder, "the folder to write to (default: this one)");
  command->callback([options, &console] { export_files(*options, console); });
}

}  // namespace cosearch::codesign
