#include "codesign/validation_quantities.h"

#include <algorithm>

#include "accel/machine_costs.h"
#include "accel/word_counts.h"

namespace cosearch::codesign {
namespace {

using accel::Machine;
using accel::StorageLevel;

double peak_tops(const Machine& machine) {
  return 2 * static_cast<double>(machine.multipliers()) * machine.clock.value * 1e-12;
}

double tops(const ValidationOutcome& o) { return 2 * o.macs / o.seconds() * 1e-12; }

double chip_watts(const ValidationOutcome& o) {
  return (o.energy_pj - o.outermost_pj) * 1e-12 / o.seconds();
}

const StorageLevel& level_of(const ValidationOutcome& o, const ReferenceValue& r) {
  return o.machine->levels[r.level];
}

/// Energy of reading one word of a level, in multiply-accumulates.
double word_energy(const ValidationOutcome& o, const ReferenceValue& r) {
  const StorageLevel& level = level_of(o, r);
  return level.read_energy_pj / static_cast<double>(level.block_words) /
         o.machine->compute.mac_energy_pj;
}

double hop_energy(const ValidationOutcome& o, const ReferenceValue& r) {
  const StorageLevel& level = level_of(o, r);
  return level.hop_energy_pj * static_cast<double>(level.word_bits) /
         o.machine->compute.mac_energy_pj;
}

double equal_counts(const ValidationOutcome& o, const ReferenceValue& r) {
  int equal = 0;
  for (const ExpectedCounts& expected : r.counts) {
    const accel::LevelAccesses& one =
        o.counts.busiest[expected.level][accel::index_of(expected.tensor)];
    equal += (one.reads == expected.reads) + (one.fills == expected.fills) +
             (one.updates == expected.updates);
  }
  return equal;
}

double milliseconds(double cycles, const ValidationOutcome& o) {
  return 1e3 * cycles / o.machine->clock.value;
}

double on_chip_cycles(const ValidationLayer& layer, Machine machine, const accel::LoopNest& nest,
                      const accel::NestCost& cost, accel::Accounting accounting) {
  StorageLevel& outermost = machine.levels.front();
  outermost.read_bandwidth = outermost.write_bandwidth = outermost.shared_bandwidth =
      accel::kUnlimited;
  return static_cast<double>(
      accel::latency_of(cost.counts, layer.layer, machine, nest, accounting).total().value);
}

/// Bytes read from and written to a level.
double bytes_moved(const accel::ValueWidths& widths, const accel::NestCost& cost,
                   const Machine& machine, std::size_t level) {
  std::int64_t moved = 0;
  for (const Tensor tensor : kTensors) {
    const accel::WordCounts words =
        widths.words(level, tensor, cost.counts.levels[level][accel::index_of(tensor)]);
    moved += words.reads + words.writes;
  }
  return static_cast<double>(moved) * static_cast<double>(machine.levels[level].word_bits) / 8;
}

}  // namespace

void add_run(ValidationOutcome& outcome, const ValidationLayer& layer, const accel::LoopNest& nest,
             const accel::NestCost& cost, accel::Accounting accounting) {
  const auto times = static_cast<double>(layer.times);
  const Machine& machine = *outcome.machine;
  outcome.cycles += times * static_cast<double>(cost.cycles().value);
  outcome.macs += times * static_cast<double>(cost.counts.macs);
  outcome.on_chip_cycles += times * on_chip_cycles(layer, machine, nest, cost, accounting);
  outcome.energy_pj += times * cost.total_energy().value;
  outcome.outermost_pj += times * cost.energy.at(0);
  outcome.multipliers = std::max(outcome.multipliers, cost.counts.instances[machine.levels.size()]);
  outcome.bytes.resize(machine.levels.size());
  const accel::ValueWidths widths(layer.layer, machine, nest, cost.counts, accounting);
  for (std::size_t i = 0; i < machine.levels.size(); ++i)
    outcome.bytes[i] += times * bytes_moved(widths, cost, machine, i);
  outcome.counts = cost.counts;
}

const std::vector<Quantity>& quantities() {
  using O = ValidationOutcome;
  using R = ReferenceValue;
  static const std::vector<Quantity> all{
      {"area", "mm2", false, false,
       [](const O& o, const R&) { return accel::area_of(*o.machine).value; }},
      {"peak", "TOPS", false, false, [](const O& o, const R&) { return peak_tops(*o.machine); }},
      {"peak per area", "TOPS/mm2", false, false,
       [](const O& o, const R&) {
         return peak_tops(*o.machine) / accel::area_of(*o.machine).value;
       }},
      {"word energy", "MACs", false, true, word_energy},
      {"hop energy", "MACs", false, true, hop_energy},
      {"latency", "ms", true, false,
       [](const O& o, const R&) { return milliseconds(o.cycles, o); }},
      {"latency on chip", "ms", true, false,
       [](const O& o, const R&) { return milliseconds(o.on_chip_cycles, o); }},
      {"cycles", "cycles", true, false, [](const O& o, const R&) { return o.cycles; }},
      {"rate", "images/s", true, false,
       [](const O& o, const R&) { return o.images / o.seconds(); }},
      {"throughput", "TOPS", true, false, [](const O& o, const R&) { return tops(o); }},
      {"multipliers", "used", true, false,
       [](const O& o, const R&) { return static_cast<double>(o.multipliers); }},
      {"moved", "MB", true, true, [](const O& o, const R& r) { return o.bytes[r.level] * 1e-6; }},
      {"moved per MAC", "words", true, true,
       [](const O& o, const R& r) {
         return o.bytes[r.level] * 8 / static_cast<double>(level_of(o, r).word_bits) / o.macs;
       }},
      {"energy", "pJ", true, false, [](const O& o, const R&) { return o.energy_pj; }},
      {"chip power", "mW", true, false, [](const O& o, const R&) { return 1e3 * chip_watts(o); }},
      {"chip efficiency", "TOPS/W", true, false,
       [](const O& o, const R&) { return tops(o) / chip_watts(o); }},
      {"equal counts", "numbers", true, false, equal_counts},
  };
  return all;
}

std::vector<std::string> quantity_names() {
  std::vector<std::string> names;
  for (const Quantity& one : quantities()) names.emplace_back(one.name);
  return names;
}

const Quantity* find_quantity(std::string_view name) {
  for (const Quantity& one : quantities())
    if (one.name == name) return &one;
  return nullptr;
}

}  // namespace cosearch::codesign
