#include "accel/nest_energy.h"

#include <algorithm>

#include "accel/flat_nest.h"

namespace cosearch::accel {
namespace {

double blocks(std::int64_t words, std::int64_t block_words) {
  if (block_words == 1) return static_cast<double>(words);
  return static_cast<double>(quotient(words + block_words - 1, block_words));
}

/// Timeloop discounts a cluster once more than its table does already, and rounds blocks up for
/// each instance and kind of access.
double timeloop_access_energy(const LevelAccesses& one, const Machine& machine, std::size_t level,
                              std::int64_t instances) {
  const StorageLevel& l = machine.levels[level];
  const double accesses = blocks(one.reads, l.block_words) + blocks(one.fills, l.block_words) +
                          blocks(one.updates, l.block_words);
  const auto memories = static_cast<double>(machine.instances(level) / l.cluster);
  return accesses * l.read_energy_pj * std::min(static_cast<double>(instances), memories);
}

double access_energy(const WordCounts& words, const StorageLevel& level, std::int64_t instances) {
  const double energy = blocks(words.reads, level.block_words) * level.read_energy_pj +
                        blocks(words.writes, level.block_words) * level.write_energy_pj;
  if (level.cluster == 1) return energy;
  const std::int64_t powered = ceil_div(instances, level.cluster) * level.cluster;
  return energy * static_cast<double>(powered) / static_cast<double>(instances);
}

/// pJ per bit of the networks that a value crosses between the level that keeps it and the next.
double bypassed_networks(const Machine& machine, const AccessCounts& counts, std::size_t upper,
                         Tensor tensor) {
  double energy = 0;
  for (std::size_t i = upper + 1; i < machine.levels.size(); ++i) {
    const LinkTraffic& below = counts.links[i][index_of(tensor)];
    if (below.down + below.up > 0) break;
    energy += machine.levels[i].network_energy_pj;
  }
  return energy;
}

double network_energy(const Machine& machine, const AccessCounts& counts, std::size_t level,
                      Tensor tensor, std::int64_t width_words) {
  const LinkTraffic& link = counts.links[level][index_of(tensor)];
  const StorageLevel& l = machine.levels[level];
  const auto bits = static_cast<double>(width_words * l.word_bits);
  const auto sent = static_cast<double>(link.down + link.up);
  const auto copies = static_cast<double>(link.down_copies + link.up_copies);
  double energy = l.network_energy_pj * sent + l.hop_energy_pj * (copies - sent);
  if (sent > 0) energy += bypassed_networks(machine, counts, level, tensor) * copies;
  return bits * energy;
}

}  // namespace

Picojoules NestEnergy::total() const {
  double sum = mac_pj + vector_pj + addition_pj + leakage_pj;
  for (std::size_t i = 0; i < levels; ++i) sum += at(i) + network_at(i);
  return {sum};
}

void add_energy(const AccessCounts& counts, const Machine& machine, const ValueWidths& widths,
                Accounting accounting, NestEnergy& energy) {
  energy.levels = machine.levels.size();
  energy.mac_pj = static_cast<double>(counts.macs) * machine.compute.mac_energy_pj;
  for (std::size_t i = 0; i < energy.levels; ++i)
    for (const Tensor tensor : kTensors) {
      const std::size_t t = index_of(tensor);
      if (accounting == Accounting::timeloop) {
        energy.access_pj[i][t] =
            timeloop_access_energy(counts.busiest[i][t], machine, i, counts.instances[i]);
        continue;
      }
      energy.access_pj[i][t] = access_energy(widths.words(i, tensor, counts.levels[i][t]),
                                             machine.levels[i], counts.instances[i]);
      energy.network_pj[i][t] =
          network_energy(machine, counts, i, tensor, widths.on_link(i, tensor));
    }
  const std::size_t output = index_of(Tensor::output);
  for (std::size_t i = 0; i < energy.levels; ++i) {
    const LinkTraffic& link = counts.links[i][output];
    energy.addition_pj +=
        static_cast<double>(link.up_copies - link.up) * machine.compute.add_energy_pj;
  }
}

double leakage_of(const Machine& machine) {
  double milliwatts = 0;
  std::int64_t instances = 1;
  for (const StorageLevel& level : machine.levels) {
    milliwatts += static_cast<double>(instances) * level.leakage_mw;
    instances *= level.children();
  }
  return milliwatts + static_cast<double>(instances) * machine.compute.leakage_mw;
}

void add_leakage(NestEnergy& energy, const Machine& machine, Cycles latency) {
  const double seconds = static_cast<double>(latency.value) / machine.clock.value;
  energy.leakage_pj += leakage_of(machine) * 1e9 * seconds;  // 1 mW is 10^9 pJ/s
}

}  // namespace cosearch::accel
