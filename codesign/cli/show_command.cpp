// cosearch show: one point of a stored study in full.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/cost_report.h"
#include "codesign/network_mapping.h"
#include "codesign/open_study.h"
#include "codesign/stored_design.h"

namespace cosearch::codesign {

void add_show_command(CLI::App& app, Console& console) {
  struct Options {
    std::string input, folder;
    std::uint64_t id = 0;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "show", "One point of a stored study in full: network, chip, cost of each layer");
  command->add_option("STORE", options->input, "a study store, .h5")->required();
  command->add_option("POINT", options->id, "the point's id, as `pareto` lists it")
      ->required()
      ->check(whole_number(0));
  command->add_option("-o,--output", options->folder,
                      "a folder for accelerator.yaml (or machine.yaml) and network.yaml, which "
                      "`cost` reads, and "
                      "study.yaml, which `run` reads (with network.csv)");
  command->callback([options, &console] {
    const StoredDesign design(
        open_study(options->input,
                   [&](const std::string& text) { console.note("cosearch: " + text); }),
        options->id);
    if (!console.json) {
      for (const auto& [what, value] : design.facts()) console.out << what << ": " << value << '\n';
      console.out << '\n';
    }
    if (!options->folder.empty()) design.write_files(options->folder);
    const Network network = design.network();
    const MachineDescription machine = design.accelerator();
    Workers workers(1);
    const NetworkOnMachine result =
        map_network(network, machine, design.mapping(), accel::Accounting::exact, workers);
    report_cost({network, machine, result}, /*per_layer=*/true, /*nests=*/false, console);
  });
}

}  // namespace cosearch::codesign
