#include "codesign/network_mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "accel/nest_vector_layer.h"
#include "accel/template_mapper.h"
#include "accel/vector_work.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

/// Each shape once, without runs. `nest_of` gives the mapping of a layer, where that is known: the
/// same layer under another mapping is another shape.
template <class NestOf>
NetworkOnMachine shapes_of(const Network& network, const NestOf& nest_of) {
  NetworkOnMachine result;
  std::vector<const accel::LoopNest*> nests;
  for (const NetworkNode& node : network.nodes()) {
    const accel::LoopNest* const nest = nest_of(node);
    std::size_t i = 0;
    while (i < result.shapes.size() &&
           !(result.shapes[i].layer == node.layer && (nests[i] == nest || *nests[i] == *nest)))
      ++i;
    if (i == result.shapes.size()) {
      result.shapes.push_back({.layer = node.layer, .names = {}, .runs = {}, .misfit = ""});
      nests.push_back(nest);
    }
    result.shapes[i].times += node.multiplicity;
    result.shapes[i].names.push_back(node.name);
    result.shape_of.push_back(i);
  }
  return result;
}

NetworkOnMachine shapes_of(const Network& network) {
  return shapes_of(network, [](const NetworkNode&) -> const accel::LoopNest* { return nullptr; });
}

void put(ShapeOnMachine& shape, std::variant<accel::Infeasible, LayerRun> found) {
  if (auto* infeasible = std::get_if<accel::Infeasible>(&found))
    shape.misfit = std::move(infeasible->reason);
  else
    shape.runs.push_back(std::get<LayerRun>(std::move(found)));
}

std::variant<accel::Infeasible, LayerRun> run_vector_layer(const Layer& layer,
                                                           const accel::Machine& machine) {
  auto found = accel::vector_layer_cost(layer, machine);
  if (auto* infeasible = std::get_if<accel::Infeasible>(&found)) return std::move(*infeasible);
  auto& run = std::get<accel::VectorLayerCost>(found);
  return LayerRun{std::move(run.nest), run.cost, std::nullopt};
}

LayerRun as_run(accel::MappedLayer mapped) {
  return {std::move(mapped.nest), mapped.cost, mapped.certificate};
}

/// Calls run(shape) for every shape, each from one thread.
template <class Run>
NetworkOnMachine for_each_shape(const Network& network, Workers& workers, const Run& run) {
  NetworkOnMachine result = shapes_of(network);
  workers.for_ranges(result.shapes.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) run(result.shapes[i]);
  });
  return result;
}

void require_all_mapped(const Network& network, const Mappings& mappings) {
  std::vector<std::string> missing;
  for (const NetworkNode& node : network.nodes())
    if (!node.layer.is_memory_bound() && !mappings.contains(node.name))
      missing.push_back("'" + node.name + "'");
  if (!missing.empty())
    throw UserError(fmt::format("no mapping for {} {} of network {} (cosearch map writes them)",
                                missing.size() == 1 ? "layer" : "layers", fmt::join(missing, ", "),
                                network.name()));
}

}  // namespace

std::int64_t operations_of(const Layer& layer) {
  return layer.is_memory_bound() ? accel::vector_work_of(layer).operations : layer.macs();
}

bool NetworkOnMachine::fits() const {
  return std::ranges::all_of(shapes, [](const ShapeOnMachine& s) { return !s.runs.empty(); });
}

NetworkTotals totals_of(const NetworkOnMachine& network) {
  NetworkTotals totals;
  for (const ShapeOnMachine& shape : network.shapes) {
    const accel::NestCost& cost = shape.runs.front().cost;
    const auto times = static_cast<double>(shape.times);
    totals.cycles += shape.times * cost.cycles().value;
    accel::NestEnergy& sum = totals.energy;
    sum.levels = cost.energy.levels;
    for (std::size_t level = 0; level < sum.levels; ++level)
      for (std::size_t tensor = 0; tensor < kTensors.size(); ++tensor) {
        sum.access_pj[level][tensor] += times * cost.energy.access_pj[level][tensor];
        sum.network_pj[level][tensor] += times * cost.energy.network_pj[level][tensor];
      }
    sum.addition_pj += times * cost.energy.addition_pj;
    sum.mac_pj += times * cost.energy.mac_pj;
    sum.vector_pj += times * cost.energy.vector_pj;
    sum.leakage_pj += times * cost.energy.leakage_pj;
  }
  return totals;
}

std::variant<accel::Infeasible, LayerRun> run_layer(const Layer& layer,
                                                    const accel::Machine& machine,
                                                    const accel::MapConstraints& constraints,
                                                    const std::optional<accel::Dataflow>& dataflow,
                                                    const MapperChoice& choice,
                                                    accel::Accounting accounting) {
  if (layer.is_memory_bound()) return run_vector_layer(layer, machine);
  if (choice.for_machine_with(dataflow) == Mapper::template_rule) {
    auto found = accel::template_mapping(layer, machine, *dataflow);
    if (auto* infeasible = std::get_if<accel::Infeasible>(&found)) return std::move(*infeasible);
    auto& run = std::get<accel::CostedNest>(found);
    return LayerRun{std::move(run.nest), run.cost, std::nullopt};
  }
  auto found = accel::optimal_mapping(as_counted(layer, accounting), machine, constraints,
                                      {choice.objective, accounting, choice.factors});
  if (auto* infeasible = std::get_if<accel::Infeasible>(&found)) return std::move(*infeasible);
  return as_run(std::get<accel::MappedLayer>(std::move(found)));
}

NetworkOnMachine map_network(const Network& network, const MachineDescription& machine,
                             const MapperChoice& choice, accel::Accounting accounting,
                             Workers& workers) {
  require_rule(choice, machine.machine.name, machine.dataflow);
  return for_each_shape(network, workers, [&](ShapeOnMachine& shape) {
    put(shape, run_layer(shape.layer, machine.machine, machine.constraints, machine.dataflow,
                         choice, accounting));
  });
}

NetworkOnMachine pareto_map_network(const Network& network, const MachineDescription& machine,
                                    accel::Accounting accounting, accel::Factors factors,
                                    Workers& workers) {
  return for_each_shape(network, workers, [&](ShapeOnMachine& shape) {
    if (shape.layer.is_memory_bound())
      return put(shape, run_vector_layer(shape.layer, machine.machine));
    auto found = accel::pareto_mappings(as_counted(shape.layer, accounting), machine.machine,
                                        machine.constraints, accounting, factors);
    if (auto* infeasible = std::get_if<accel::Infeasible>(&found))
      shape.misfit = std::move(infeasible->reason);
    else
      for (accel::MappedLayer& mapped : std::get<std::vector<accel::MappedLayer>>(found))
        shape.runs.push_back(as_run(std::move(mapped)));
  });
}

NetworkOnMachine cost_network(const Network& network, const MachineDescription& machine,
                              const Mappings& mappings, accel::Accounting accounting) {
  require_all_mapped(network, mappings);
  NetworkOnMachine result = shapes_of(network, [&](const NetworkNode& node) {
    const auto found = mappings.find(node.name);
    return found == mappings.end() ? nullptr : &found->second;
  });
  for (ShapeOnMachine& shape : result.shapes) {
    if (shape.layer.is_memory_bound()) {
      put(shape, run_vector_layer(shape.layer, machine.machine));
      continue;
    }
    const accel::LoopNest& nest = mappings.at(shape.names.front());
    const accel::NestCost cost =
        accel::evaluate(as_counted(shape.layer, accounting), machine.machine, nest, accounting);
    shape.runs.push_back({nest, cost, std::nullopt});
  }
  return result;
}

Network only_layer(const Network& network, const std::string& name) {
  std::vector<std::string> known;
  for (const NetworkNode& node : network.nodes()) {
    if (node.name == name) {
      Network one(fmt::format("{} ({})", network.name(), name));
      NetworkNode alone = node;
      alone.inputs.clear();
      one.add(std::move(alone));
      return one;
    }
    known.push_back(node.name);
  }
  throw UserError(fmt::format("network {} has no layer '{}'{}", network.name(), name,
                              did_you_mean(name, known)));
}

accel::Accounting parse_accounting(std::string_view text) {
  if (text == "exact") return accel::Accounting::exact;
  if (text == "timeloop") return accel::Accounting::timeloop;
  throw UserError(
      fmt::format("accounting: no '{}'{}", text, did_you_mean(text, {"exact", "timeloop"})));
}

accel::Factors parse_factors(std::string_view text, accel::Accounting accounting) {
  if (text == "dividing") return accel::Factors::dividing;
  if (text != "imperfect")
    throw UserError(
        fmt::format("factors: no '{}'{}", text, did_you_mean(text, {"dividing", "imperfect"})));
  if (accounting == accel::Accounting::timeloop)
    throw UserError(
        "factors: imperfect ones cannot be counted as Timeloop counts; leave out --factors, or "
        "take "
        "--accounting exact");
  return accel::Factors::imperfect_spatial;
}

}  // namespace cosearch::codesign
