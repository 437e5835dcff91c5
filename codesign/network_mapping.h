// A network on a machine, layer by layer: each shape is mapped and costed once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "accel/infeasible.h"
#include "accel/optimal_mapper.h"
#include "codesign/machine_file.h"
#include "codesign/mapper_choice.h"
#include "codesign/mapping_file.h"
#include "codesign/workers.h"
#include "core/network.h"

namespace cosearch::codesign {

/// What a run of a layer takes.
struct LayerRun {
  accel::LoopNest nest;  ///< of a memory-bound layer: what levels keep
  accel::NestCost cost;
  /// Of the mapper that chose `nest`.
  std::optional<accel::Certificate> certificate;
};

/// `layer` on `machine` under the mapping that `choice` and the machine's `dataflow` ask for;
/// memory-bound layers have one way to run. Requires require_rule() to be content, and with
/// Accounting::timeloop the optimal mapper. Pure and safe to call from several threads.
[[nodiscard]] std::variant<accel::Infeasible, LayerRun> run_layer(
    const Layer& layer, const accel::Machine& machine, const accel::MapConstraints& constraints,
    const std::optional<accel::Dataflow>& dataflow, const MapperChoice& choice,
    accel::Accounting accounting = accel::Accounting::exact);

/// One shape of a network under one mapping.
struct ShapeOnMachine {
  Layer layer;
  std::int64_t times = 0;          ///< it runs, in all
  std::vector<std::string> names;  ///< of its layers
  /// One; none when it fits nowhere; the Pareto set where that was asked for, fastest first.
  std::vector<LayerRun> runs;
  std::string misfit;  ///< why there are none
};

/// Multiply-accumulates of one run; operations of the vector lanes for memory-bound layers.
[[nodiscard]] std::int64_t operations_of(const Layer& layer);

struct NetworkOnMachine {
  std::vector<ShapeOnMachine> shapes;  ///< in order of first appearance
  std::vector<std::size_t> shape_of;   ///< for each node of the network

  [[nodiscard]] bool fits() const;
};

struct NetworkTotals {
  std::int64_t cycles = 0;
  accel::NestEnergy energy;
};

/// Over all layers and repetitions. Requires one run for every shape.
[[nodiscard]] NetworkTotals totals_of(const NetworkOnMachine& network);

/// Every shape as run_layer() has it. The same for any number of workers. Throws UserError where
/// the machine is not the template that `choice` wants.
[[nodiscard]] NetworkOnMachine map_network(const Network& network,
                                           const MachineDescription& machine,
                                           const MapperChoice& choice, accel::Accounting accounting,
                                           Workers& workers);

/// All mappings of every shape that no other beats in both latency and energy.
[[nodiscard]] NetworkOnMachine pareto_map_network(const Network& network,
                                                  const MachineDescription& machine,
                                                  accel::Accounting accounting,
                                                  accel::Factors factors, Workers& workers);

/// Under given mappings. Throws UserError when a layer of multiply-accumulates has none.
[[nodiscard]] NetworkOnMachine cost_network(const Network& network,
                                            const MachineDescription& machine,
                                            const Mappings& mappings, accel::Accounting accounting);

/// The layer called `name`, alone. Throws UserError when there is none.
[[nodiscard]] Network only_layer(const Network& network, const std::string& name);

/// "exact" or "timeloop".
[[nodiscard]] accel::Accounting parse_accounting(std::string_view text);

/// "dividing" or "imperfect". Throws UserError at others, and at imperfect ones where `accounting`
/// is Timeloop's.
[[nodiscard]] accel::Factors parse_factors(std::string_view text, accel::Accounting accounting);

}  // namespace cosearch::codesign
