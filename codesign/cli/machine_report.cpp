#include "codesign/cli/machine_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "accel/machine_costs.h"
#include "accel/roofline.h"
#include "codesign/cli/text_table.h"
#include "codesign/nest_text.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

/// The layer that stands for a shape, and how many others have it.
std::string name_of_shape(const ShapeOnMachine& shape) {
  const std::size_t others = shape.names.size() - 1;
  return others == 0 ? shape.names.front() : fmt::format("{} +{}", shape.names.front(), others);
}

/// A row of a table: a shape, or one layer of the network.
struct ReportRow {
  const ShapeOnMachine* shape;
  std::string name;
  std::int64_t times;
};

std::vector<ReportRow> rows_of(const MachineReport& report, bool per_layer) {
  std::vector<ReportRow> rows;
  if (!per_layer) {
    for (const ShapeOnMachine& shape : report.result.shapes)
      rows.push_back({&shape, name_of_shape(shape), shape.times});
    return rows;
  }
  for (std::size_t i = 0; i < report.network.nodes().size(); ++i) {
    const NetworkNode& node = report.network.nodes()[i];
    rows.push_back(
        {&report.result.shapes[report.result.shape_of[i]], node.name, node.multiplicity});
  }
  return rows;
}

double share_used(const Layer& layer, const accel::Machine& machine, const LayerRun& run) {
  return static_cast<double>(operations_of(layer)) / (static_cast<double>(machine.multipliers()) *
                                                      static_cast<double>(run.cost.cycles().value));
}

accel::Roofline roofline_of_run(const MachineReport& report, const Layer& layer,
                                const LayerRun& run) {
  // Memory-bound layers are counted exactly under either accounting.
  const accel::Accounting accounting =
      layer.is_memory_bound() ? accel::Accounting::exact : report.accounting;
  return accel::roofline_of(as_counted(layer, accounting), report.machine.machine, run.nest,
                            run.cost, operations_of(layer), accounting);
}

std::string picojoules(double energy) {
  return energy == 0 ? "-" : datasets::format_picojoules({energy});
}

void add_energy_row(TextTable& table, const std::string& name, const std::array<double, 3>& parts,
                    double whole) {
  const double sum = parts[0] + parts[1] + parts[2];
  table.add({name, picojoules(parts[0]), picojoules(parts[1]), picojoules(parts[2]),
             picojoules(sum), fixed(100 * sum / whole, 1)});
}

void print_energy_of(const Console& console, const accel::Machine& machine,
                     const accel::NestEnergy& energy) {
  const double whole = energy.total().value;
  TextTable table({"energy", "input", "weights", "output", "all", "share %"});
  for (std::size_t i = 0; i < energy.levels; ++i) {
    add_energy_row(table, machine.levels[i].name, energy.access_pj[i], whole);
    if (energy.network_at(i) > 0)
      add_energy_row(table, "network below " + machine.levels[i].name, energy.network_pj[i], whole);
  }
  for (const auto& [name, part] : {std::pair{"additions on the way up", energy.addition_pj},
                                   {"multiplications", energy.mac_pj},
                                   {"vector lanes", energy.vector_pj},
                                   {"leakage", energy.leakage_pj},
                                   {"total", whole}})
    table.add({name, "", "", "", picojoules(part), fixed(100 * part / whole, 1)});
  table.print(console.out);
}

// ------------------------------------------------------------------------------------------- JSON

using nlohmann::json;

json tensors_json(const std::array<double, 3>& parts) {
  json result;
  for (const Tensor tensor : kTensors)
    result[std::string(name_of(tensor)) + "_pj"] = parts[accel::index_of(tensor)];
  return result;
}

json energy_parts_json(const accel::Machine& machine, const accel::NestEnergy& energy) {
  json result{{"additions_pj", energy.addition_pj}, {"mac_pj", energy.mac_pj},
              {"vector_pj", energy.vector_pj},      {"leakage_pj", energy.leakage_pj},
              {"total_pj", energy.total().value},   {"levels", json::object()},
              {"network", json::object()}};
  for (std::size_t i = 0; i < energy.levels; ++i) {
    result["levels"][machine.levels[i].name] = tensors_json(energy.access_pj[i]);
    result["network"][machine.levels[i].name] = tensors_json(energy.network_pj[i]);
  }
  return result;
}

json latency_json(const accel::Machine& machine, const accel::NestLatency& latency) {
  json ports = json::object();
  for (std::size_t i = 0; i < machine.levels.size(); ++i)
    ports[machine.levels[i].name] = {{"read", latency.ports[i].read},
                                     {"write", latency.ports[i].write},
                                     {"shared", latency.ports[i].shared},
                                     {"network", latency.ports[i].network}};
  return {{"compute", latency.compute}, {"fill", latency.fill},   {"steady", latency.steady},
          {"drain", latency.drain},     {"waits", latency.waits}, {"ports", ports}};
}

json counts_json(const accel::Machine& machine, const accel::AccessCounts& counts) {
  json result = json::object();
  for (std::size_t i = 0; i < machine.levels.size(); ++i)
    for (const Tensor tensor : kTensors) {
      const accel::LevelAccesses& level = counts.levels[i][accel::index_of(tensor)];
      const accel::LinkTraffic& link = counts.links[i][accel::index_of(tensor)];
      result[machine.levels[i].name][std::string(name_of(tensor))] = {
          {"reads", level.reads},   {"fills", level.fills},       {"updates", level.updates},
          {"drains", level.drains}, {"down", link.down},          {"down_copies", link.down_copies},
          {"up", link.up},          {"up_copies", link.up_copies}};
    }
  return result;
}

json nest_json(const accel::Machine& machine, const accel::LoopNest& nest) {
  json levels = json::array();
  for (std::size_t i = 0; i < nest.levels.size(); ++i) {
    const accel::StorageLevel& level = machine.levels[i];
    json keep = json::array(), loops = json::array();
    for (const Tensor tensor : kTensors)
      if (nest.levels[i].keep.has(tensor)) keep.push_back(name_of(tensor));
    for (const accel::Loop& loop : nest.levels[i].loops) {
      loops.push_back({{"dimension", name_of(loop.dimension)}, {"tile", loop.tile}});
      if (loop.is_spatial())
        loops.back()["axis"] = level.fanout[static_cast<std::size_t>(loop.axis)].axis;
    }
    levels.push_back({{"level", level.name}, {"keep", keep}, {"loops", loops}});
  }
  return levels;
}

json roofline_json(const accel::Roofline& roofline) {
  return {{"outermost_bits", roofline.outermost_bits}, {"operations_per_byte", roofline.intensity},
          {"attained_per_cycle", roofline.attained},   {"roof_per_cycle", roofline.roof},
          {"peak_per_cycle", roofline.peak},           {"bound_by", roofline.bound.name},
          {"bound_cycles", roofline.bound.cycles}};
}

json certificate_json(const accel::Certificate& certificate) {
  return {{"space_size", certificate.space_size},  {"spatial", certificate.spatial},
          {"partial", certificate.partial},        {"too_large", certificate.too_large},
          {"bounded", certificate.bounded},        {"evaluated", certificate.evaluated},
          {"lower_bound", certificate.lower_bound}};
}

json run_json(const MachineReport& report, const ShapeOnMachine& shape, const LayerRun& run) {
  const accel::Machine& machine = report.machine.machine;
  json result{{"latency_cycles", run.cost.cycles().value},
              {"latency", latency_json(machine, run.cost.latency)},
              {"utilisation", share_used(shape.layer, machine, run)},
              {"energy", energy_parts_json(machine, run.cost.energy)},
              {"values", counts_json(machine, run.cost.counts)},
              {"roofline", roofline_json(roofline_of_run(report, shape.layer, run))},
              {"nest", nest_json(machine, run.nest)}};
  if (run.certificate) result["certificate"] = certificate_json(*run.certificate);
  return result;
}

json row_json(const ReportRow& row) {
  const Layer& layer = row.shape->layer;
  return {{"name", row.name},          {"layer", describe(layer)},
          {"multiplicity", row.times}, {"layers", row.shape->names},
          {"macs", layer.macs()},      {"operations", operations_of(layer)}};
}

}  // namespace

bool report_misfits(Console& console, const MachineReport& report) {
  if (report.result.fits()) return false;
  for (const ShapeOnMachine& shape : report.result.shapes) {
    if (shape.misfit.empty()) continue;
    const bool one = shape.names.size() == 1;
    console.err << fmt::format("cosearch: {} '{}' ({}) {} not run on {}: {}\n",
                               one ? "layer" : "layers", fmt::join(shape.names, "', '"),
                               describe(shape.layer), one ? "does" : "do",
                               report.machine.machine.name, shape.misfit);
  }
  console.exit_code = kNothingFeasible;
  return true;
}

void print_costs(const Console& console, const MachineReport& report, bool per_layer) {
  TextTable table({"layer", "shape", "times", "MACs", "cycles", "use %", "energy[pJ]"});
  for (const auto& [shape, name, times] : rows_of(report, per_layer)) {
    const LayerRun& run = shape->runs.front();
    table.add({name, describe(shape->layer), std::to_string(times),
               grouped(static_cast<double>(shape->layer.macs())),
               grouped(static_cast<double>(run.cost.cycles().value)),
               fixed(100 * share_used(shape->layer, report.machine.machine, run), 1),
               grouped(run.cost.total_energy().value)});
  }
  table.print(console.out);
  console.out << '\n';
}

void print_rooflines(const Console& console, const MachineReport& report, bool per_layer) {
  TextTable table({"layer", "ops/byte", "ops/cycle", "roof", "of roof %", "bound by", "cycles %"});
  for (const auto& [shape, name, times] : rows_of(report, per_layer)) {
    const LayerRun& run = shape->runs.front();
    const accel::Roofline roofline = roofline_of_run(report, shape->layer, run);
    const auto cycles = static_cast<double>(run.cost.cycles().value);
    table.add({name, fixed(roofline.intensity, 2), fixed(roofline.attained, 2),
               fixed(roofline.roof, 2), fixed(100 * roofline.attained / roofline.roof, 1),
               roofline.bound.name, fixed(100 * roofline.bound.cycles / cycles, 1)});
  }
  table.print(console.out);
  console.out << '\n';
}

void print_certificates(const Console& console, const MachineReport& report) {
  TextTable table({"search", "space", "spatial", "visited", "too large", "bounded", "evaluated",
                   "lower bound"});
  bool any = false;
  for (const ShapeOnMachine& shape : report.result.shapes) {
    if (shape.runs.empty() || !shape.runs.front().certificate) continue;
    const accel::Certificate& c = *shape.runs.front().certificate;
    const auto count = [](std::uint64_t number) { return grouped(static_cast<double>(number)); };
    table.add({name_of_shape(shape), fmt::format("{:.3g}", c.space_size), count(c.spatial),
               count(c.partial), count(c.too_large), count(c.bounded), count(c.evaluated),
               fmt::format("{:.6g}", c.lower_bound)});
    any = true;
  }
  if (!any) return;
  table.print(console.out);
  console.out << '\n';
}

void print_nests(const Console& console, const MachineReport& report) {
  for (const ShapeOnMachine& shape : report.result.shapes)
    console.out << fmt::format(
        "{}: {}\n{}\n", name_of_shape(shape), describe(shape.layer),
        nest_text(shape.runs.front().nest, as_counted(shape.layer, report.accounting),
                  report.machine.machine));
}

void print_pareto_sets(const Console& console, const MachineReport& report, bool nests) {
  for (const ShapeOnMachine& shape : report.result.shapes) {
    console.out << fmt::format("{}: {}\n", name_of_shape(shape), describe(shape.layer));
    TextTable table({"cycles", "energy[pJ]", "cycles*pJ", "use %"});
    for (const LayerRun& run : shape.runs) {
      const auto cycles = static_cast<double>(run.cost.cycles().value);
      const double energy = run.cost.total_energy().value;
      table.add({grouped(cycles), grouped(energy), fmt::format("{:.6g}", cycles * energy),
                 fixed(100 * share_used(shape.layer, report.machine.machine, run), 1)});
    }
    table.print(console.out);
    console.out << '\n';
    if (!nests) continue;
    for (const LayerRun& run : shape.runs)
      console.out << fmt::format(
          "{} cycles:\n{}\n", grouped(static_cast<double>(run.cost.cycles().value)),
          nest_text(run.nest, as_counted(shape.layer, report.accounting), report.machine.machine));
  }
}

void print_sums(const Console& console, const MachineReport& report) {
  const accel::Machine& machine = report.machine.machine;
  const NetworkTotals totals = totals_of(report.result);
  const auto cycles = static_cast<double>(totals.cycles);
  const double seconds = cycles / machine.clock.value;
  const double use = static_cast<double>(report.network.macs()) /
                     (cycles * static_cast<double>(machine.multipliers()));
  const double energy = totals.energy.total().value;
  const SquareMillimetres area = accel::area_of(machine);
  console.out << fmt::format(
      "{} on {}: {} MACs, {} parameters\n"
      "latency  {} cycles = {} at {}; {:.1f} % of the array's multiplications used\n"
      "energy   {} = {:.3g} W on average\n"
      "area     {}\n\n",
      report.network.name(), machine.name, grouped(static_cast<double>(report.network.macs())),
      grouped(static_cast<double>(report.network.parameters())), grouped(cycles),
      datasets::format_seconds(seconds), datasets::format_hertz(machine.clock), 100 * use,
      picojoules(energy), energy * 1e-12 / seconds,
      area.value > 0 ? datasets::format_square_millimetres(area) : "not known");
  print_energy_of(console, machine, totals.energy);
}

json heading_json(const MachineReport& report) {
  const accel::Machine& machine = report.machine.machine;
  return {{"network", report.network.name()},
          {"machine", machine.name},
          {"accounting", report.accounting == accel::Accounting::exact ? "exact" : "timeloop"},
          {"clock_hz", machine.clock.value},
          {"macs", report.network.macs()},
          {"parameters", report.network.parameters()},
          {"area_mm2", accel::area_of(machine).value}};
}

json sums_json(const MachineReport& report) {
  const NetworkTotals totals = totals_of(report.result);
  json result = heading_json(report);
  result["latency_cycles"] = totals.cycles;
  result["energy"] = energy_parts_json(report.machine.machine, totals.energy);
  return result;
}

json layers_json(const MachineReport& report, bool per_layer) {
  json layers = json::array();
  for (const ReportRow& row : rows_of(report, per_layer)) {
    json layer = row_json(row);
    layer.update(run_json(report, *row.shape, row.shape->runs.front()));
    layers.push_back(std::move(layer));
  }
  return layers;
}

json pareto_sets_json(const MachineReport& report) {
  json layers = json::array();
  for (const ReportRow& row : rows_of(report, /*per_layer=*/false)) {
    json layer = row_json(row);
    for (const LayerRun& run : row.shape->runs)
      layer["pareto"].push_back(run_json(report, *row.shape, run));
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace cosearch::codesign
