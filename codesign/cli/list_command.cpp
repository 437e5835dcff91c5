// cosearch list: what there is to choose from.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "accel/machine_costs.h"
#include "accel/machine_zoo.h"
#include "codesign/accelerator_file.h"
#include "codesign/cli/console.h"
#include "codesign/cli/text_table.h"
#include "codesign/machine_file.h"
#include "codesign/search/registry.h"
#include "codesign/space_file.h"
#include "core/user_error.h"
#include "datasets/quantity_text.h"
#include "nas/described_space.h"
#include "nas/named_networks.h"
#include "nas/space.h"
#include "predictors/registry.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// A list as rows of named cells: printed as a table or as JSON.
struct Listing {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

Listing networks() {
  Listing listing{{"name", "MACs", "parameters", "layers", "source"}, {}};
  for (const nas::NamedNetwork& named : nas::named_networks()) {
    const Network network = named.build();
    listing.rows.push_back({named.name, grouped(static_cast<double>(network.macs())),
                            grouped(static_cast<double>(network.parameters())),
                            std::to_string(network.nodes().size()), named.source});
  }
  return listing;
}

void add_space(const SpaceSource& source, Listing& listing) {
  std::string options;
  for (const nas::SpaceOption& option : options_of(source))
    options +=
        fmt::format("{}{} ({})", options.empty() ? "" : ", ", option.name, option.default_value);
  listing.rows.push_back({source.name, fmt::format("{:.6g}", make_space(source)->size()), options});
}

Listing spaces(const std::vector<std::string>& names) {
  Listing listing{{"name", "genotypes", "options (default)"}, {}};
  for (const std::string& name : names) add_space(space_source(name), listing);
  return listing;
}

// What the values of a genotype stand for, in their order.
Listing choices(const std::string& space) {
  Listing listing{{"choice", "values", "made"}, {}};
  const auto made = make_space(space_source(space));
  const auto* described = dynamic_cast<const nas::DescribedSpace*>(made.get());
  if (described == nullptr)
    throw UserError(
        fmt::format("--choices {}: the choices of a space of the program's own are in "
                    "docs/spaces.md; expected a file",
                    space));
  for (const nas::ProgramChoice& choice : described->made_choices()) {
    std::string values;
    for (const nas::Value& value : choice.values)
      values += (values.empty() ? "" : " ") + nas::text_of(value);
    listing.rows.push_back({choice.name, values, choice.when ? "sometimes" : "always"});
  }
  return listing;
}

Listing accelerators() {
  Listing listing{{"name", "template", "PEs", "on chip", "area[mm2]", "clock", "machine", "source"},
                  {}};
  for (const accel::NamedAccelerator& named : accel::named_accelerators()) {
    const MachineDescription description = find_accelerator(std::string(named.name));
    const accel::Machine& machine = description.machine;
    listing.rows.push_back({machine.name, std::string(accel::name_of(*description.dataflow)),
                            std::to_string(machine.multipliers()),
                            datasets::format_bytes(accel::bytes_on_chip(machine)),
                            fixed(accel::area_of(machine).value, 2),
                            datasets::format_hertz(machine.clock), std::string(named.machine),
                            std::string(named.source)});
  }
  return listing;
}

std::string shape_of(const accel::Machine& machine) {
  std::string names;
  for (const accel::StorageLevel& level : machine.levels)
    names += (names.empty() ? "" : " > ") + level.name;
  return names;
}

Listing machines() {
  Listing listing{{"name", "levels", "PEs", "on chip", "area[mm2]", "clock", "source"}, {}};
  for (const std::string& name : machine_names()) {
    const accel::Machine machine = find_machine(name).machine;
    const double area = accel::area_of(machine).value;
    listing.rows.push_back({name, shape_of(machine), std::to_string(machine.multipliers()),
                            datasets::format_bytes(accel::bytes_on_chip(machine)),
                            area > 0 ? fixed(area, 2) : "-",  // of a file without areas
                            datasets::format_hertz(machine.clock), machine.source});
  }
  return listing;
}

Listing templates() {
  Listing listing{{"name"}, {}};
  for (const accel::Dataflow dataflow : accel::kDataflows)
    listing.rows.push_back({std::string(accel::name_of(dataflow))});
  return listing;
}

Listing strategy_listing() {
  Listing listing{{"name", "option", "kind", "default", "meaning"}, {}};
  for (const StrategyInfo& info : strategies()) {
    listing.rows.push_back({info.name, "", "", "", info.sentence});
    for (const OptionInfo& option : info.options)
      listing.rows.push_back({"", option.name, std::string(name_of(option.kind)),
                              option.default_value, option.sentence});
  }
  return listing;
}

Listing predictor_listing() {
  Listing listing{{"name", "reads", "ranking loss", "needs", "model"}, {}};
  for (const predictors::PredictorInfo& info : predictors::predictors())
    listing.rows.push_back({info.name, info.reads, info.ranks ? info.name + ":rank" : "-",
                            info.neural ? "LibTorch" : "-", info.sentence});
  return listing;
}

void show(const Listing& listing, const Console& console) {
  if (console.json) {
    json rows = json::array();
    for (const auto& row : listing.rows) {
      json one;
      for (std::size_t i = 0; i < row.size(); ++i) one[listing.header[i]] = row[i];
      rows.push_back(std::move(one));
    }
    return console.print(rows);
  }
  TextTable table(listing.header);
  for (const auto& row : listing.rows) table.add(row);
  table.print(console.out);
}

struct SpacesOptions {
  std::vector<std::string> files;
  std::string choices;
};

void add_spaces(CLI::App& command, Console& console) {
  const auto options = std::make_shared<SpacesOptions>();
  CLI::App* spaces_command = command.add_subcommand("spaces", "spaces of networks");
  CLI::Option* files = spaces_command->add_option(
      "FILE", options->files, "files that describe spaces; left out, the program's own spaces");
  spaces_command
      ->add_option("--choices", options->choices,
                   "what the values of a genotype stand for in the space of this file")
      ->excludes(files);
  spaces_command->callback([options, &console] {
    if (!options->choices.empty()) return show(choices(options->choices), console);
    show(spaces(options->files.empty() ? nas::space_names() : options->files), console);
  });
}

}  // namespace

void add_list_command(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("list", "What there is to choose from");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* description, Listing (*make)()) {
    command->add_subcommand(name, description)->callback([make, &console] {
      show(make(), console);
    });
  };
  add("networks", "networks by name", networks);
  add_spaces(*command, console);
  add("accelerators", "accelerators by name", accelerators);
  add("machines", "machines of any levels by name", machines);
  add("templates", "templates of accelerators", templates);
  add("predictors", "models that predict networks", predictor_listing);
  add("strategies", "search strategies and their options", strategy_listing);
}

}  // namespace cosearch::codesign
