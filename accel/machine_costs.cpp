#include "accel/machine_costs.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace cosearch::accel {
namespace {

constexpr double kMm2PerUm2 = 1e-6;
constexpr std::int64_t kBitsPerByte = 8;
constexpr double kBytesPerKib = 1024;

bool is_left_out(double value) { return std::isnan(value); }

void fill(double& value, double from_technology) {
  if (is_left_out(value)) value = from_technology;
}

std::int64_t bits_of(const StorageLevel& level) {
  std::int64_t bits = level.capacity_bits.value_or(0);
  for (const auto& partition : level.partition_bits) bits += partition.value_or(0);
  return bits;
}

/// Bits behind one port: partitions are memories of their own.
/// Assumes: an access to any of them costs as much as one to the largest.
std::int64_t largest_memory_bits(const StorageLevel& level) {
  std::int64_t bits = level.capacity_bits.value_or(0);
  for (const auto& partition : level.partition_bits) bits = std::max(bits, partition.value_or(0));
  return bits * level.cluster;
}

/// Of one instance's share of an access to what may be a memory of several instances.
double access_energy_pj(const StorageLevel& level, const Store& store,
                        const TechnologyTable& technology) {
  const std::int64_t block_bits = level.block_words * level.word_bits;
  if (store.kind == Store::Kind::dram)
    return technology.dram_energy * static_cast<double>(block_bits) / kBitsPerByte;
  const std::int64_t bits = largest_memory_bits(level);
  if (bits == 0) return 0;
  const std::int64_t port_bits = store.port_bits ? store.port_bits : block_bits * level.cluster;
  const Bytes capacity{std::max<std::int64_t>(1, ceil_div(bits, kBitsPerByte))};
  return technology.access_energy(capacity, port_bits).value * static_cast<double>(block_bits) /
         static_cast<double>(port_bits);
}

void fill_storage(StorageLevel& level, const Store& store, const TechnologyTable& technology) {
  const double access = access_energy_pj(level, store, technology);
  fill(level.read_energy_pj, access);
  fill(level.write_energy_pj, access);
  const bool on_chip = store.kind != Store::Kind::dram;
  const bool registers = store.kind == Store::Kind::registers;
  const double bytes = on_chip ? static_cast<double>(bits_of(level)) / kBitsPerByte : 0;
  const double um2 = registers ? technology.register_file_area * bytes
                               : technology.sram_area * bytes / kBytesPerKib;
  fill(level.area_mm2, um2 * kMm2PerUm2);
  fill(level.leakage_mw,
       bytes / kBytesPerKib *
           (registers ? technology.register_file_leakage : technology.sram_leakage));
}

void fill_compute(Compute& compute, const TechnologyTable& technology, int bits) {
  fill(compute.mac_energy_pj, technology.mac_energy(bits).value);
  fill(compute.add_energy_pj, technology.add_energy);
  fill(compute.vector_energy_pj, technology.vector_op_energy);
  fill(compute.area_mm2, (technology.mac_area(bits) + technology.pe_control_area) * kMm2PerUm2);
  fill(compute.leakage_mw, compute.area_mm2 * technology.logic_leakage);
}

/// mm2 of one child of level `i` with all below it, but without networks.
double child_area(const Machine& machine, std::size_t i) {
  double area = machine.compute.area_mm2;
  for (std::size_t below = machine.levels.size(); --below > i;)
    area = machine.levels[below].area_mm2 +
           static_cast<double>(machine.levels[below].children()) * area;
  return area;
}

/// From a level to its first child, and from child to child, in sides of a child's square.
struct Hops {
  double to_first = 0, further = 0;
};

/// Two axes are the sides of an array of squares; the children of one axis are slices of a square
/// instead; those of more axes lie in a square in any order.
Hops hops_of(const StorageLevel& level) {
  const double side = std::sqrt(static_cast<double>(level.children()));
  if (level.fanout.size() == 1) return {side, 1 / side};
  if (level.fanout.size() > 2) return {side, 1};
  return {static_cast<double>(level.fanout[0].size + level.fanout[1].size) / 2, 1};
}

/// Bytes per cycle that the network below one instance carries; without a limit, a block.
double network_bytes_per_cycle(const StorageLevel& level) {
  double words = level.network_bandwidth;
  if (words == kUnlimited) words = level.shared_bandwidth;
  if (words == kUnlimited) words = level.read_bandwidth;
  if (words == kUnlimited) words = static_cast<double>(level.block_words);
  return words * static_cast<double>(level.word_bits) / kBitsPerByte;
}

void fill_network(Machine& machine, std::size_t i, const TechnologyTable& technology) {
  StorageLevel& level = machine.levels[i];
  const auto children = static_cast<double>(level.children());
  if (children == 1) {
    for (double* cost : {&level.network_energy_pj, &level.hop_energy_pj, &level.network_area_mm2})
      fill(*cost, 0);
    return;
  }
  const double pitch_mm = std::sqrt(child_area(machine, i));
  const double energy_per_pitch = technology.wire_energy * pitch_mm / kBitsPerByte;
  const Hops hops = hops_of(level);
  fill(level.hop_energy_pj, energy_per_pitch * hops.further);
  fill(level.network_energy_pj, energy_per_pitch * hops.to_first);
  fill(level.network_area_mm2,
       technology.noc_area * children * network_bytes_per_cycle(level) * kMm2PerUm2);
}

}  // namespace

Store default_store(const StorageLevel& level) {
  const bool limited = bits_of(level) > 0 || level.may_keep.empty();
  return {.kind = limited ? Store::Kind::sram : Store::Kind::dram};
}

void set_costs(Machine& machine, double cost) {
  for (StorageLevel& level : machine.levels)
    for (double* field :
         {&level.read_energy_pj, &level.write_energy_pj, &level.leakage_mw, &level.area_mm2,
          &level.network_energy_pj, &level.hop_energy_pj, &level.network_area_mm2})
      *field = cost;
  Compute& compute = machine.compute;
  for (double* field : {&compute.mac_energy_pj, &compute.add_energy_pj, &compute.vector_energy_pj,
                        &compute.leakage_mw, &compute.area_mm2})
    *field = cost;
}

void fill_costs(Machine& machine, const TechnologyTable& technology,
                const std::vector<Store>& stores, int multiplier_bits) {
  assert(stores.size() == machine.levels.size() && "one store for each level");
  assert((multiplier_bits == 8 || multiplier_bits == 16 || multiplier_bits == 32) &&
         "a technology has multipliers of 8, 16 and 32 bits");
  fill_compute(machine.compute, technology, multiplier_bits);
  for (std::size_t i = 0; i < machine.levels.size(); ++i)
    fill_storage(machine.levels[i], stores[i], technology);
  for (std::size_t i = 0; i < machine.levels.size(); ++i) fill_network(machine, i, technology);
}

SquareMillimetres area_of(const Machine& machine) {
  double area = static_cast<double>(machine.multipliers()) * machine.compute.area_mm2;
  for (std::size_t i = 0; i < machine.levels.size(); ++i)
    area += static_cast<double>(machine.instances(i)) *
            (machine.levels[i].area_mm2 + machine.levels[i].network_area_mm2);
  return {area};
}

Bytes bytes_on_chip(const Machine& machine) {
  std::int64_t bits = 0;
  for (std::size_t i = 1; i < machine.levels.size(); ++i)
    bits += machine.instances(i) * bits_of(machine.levels[i]);
  return {bits / kBitsPerByte};
}

}  // namespace cosearch::accel
