// What `cosearch map` and `cosearch cost --machine` print: a network on a machine in tables and as
// JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "codesign/cli/console.h"
#include "codesign/machine_file.h"
#include "codesign/network_mapping.h"
#include "core/network.h"

namespace cosearch::codesign {

struct MachineReport {
  const Network& network;
  const MachineDescription& machine;
  const NetworkOnMachine& result;
  accel::Accounting accounting = accel::Accounting::exact;
};

/// One line on `console.err` for each shape that runs nowhere, and the exit code; false when all
/// run.
bool report_misfits(Console& console, const MachineReport& report);

// Tables of rows that are shapes, or with `per_layer` layers of the network.
void print_costs(const Console& console, const MachineReport& report, bool per_layer);
void print_rooflines(const Console& console, const MachineReport& report, bool per_layer);
/// What the mapper did to prove each mapping best.
void print_certificates(const Console& console, const MachineReport& report);
void print_nests(const Console& console, const MachineReport& report);
void print_pareto_sets(const Console& console, const MachineReport& report, bool nests);
/// Sums over the network, and where its energy goes.
void print_sums(const Console& console, const MachineReport& report);

/// What the report is about.
[[nodiscard]] nlohmann::json heading_json(const MachineReport& report);
/// The same with sums over the network.
[[nodiscard]] nlohmann::json sums_json(const MachineReport& report);
/// An entry for each shape, or with `per_layer` for each layer of the network.
[[nodiscard]] nlohmann::json layers_json(const MachineReport& report, bool per_layer);
/// An entry for each shape, with all its runs.
[[nodiscard]] nlohmann::json pareto_sets_json(const MachineReport& report);

}  // namespace cosearch::codesign
