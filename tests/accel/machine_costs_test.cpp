// What a machine's parts cost in a technology, and how technologies scale.
#include "accel/machine_costs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "tests/accel/support.h"

namespace cosearch::accel::test {
namespace {

std::vector<ScalingRow> scaling_rows() {
  const auto table = datasets::Table::parse(kTechnologyScaling, "technology_scaling.csv");
  const std::vector<TechnologyRow> rows = rows_of(kTechnologyScaling, "technology_scaling.csv");
  std::vector<ScalingRow> scalings;
  for (std::size_t row = 0; row < rows.size(); ++row)
    scalings.push_back({static_cast<int>(table.integer(row, table.column("node"))), rows[row]});
  return scalings;
}

const std::vector<TechnologyScaling>& scalings() {
  static const auto all = scalings_from_rows("technology_scaling.csv", scaling_rows());
  return all;
}

const TechnologyScaling& node(int nm) {
  return *std::find_if(scalings().begin(), scalings().end(),
                       [&](const TechnologyScaling& s) { return s.node_nm == nm; });
}

TechnologyTable at_node(int nm) { return scaled(technology_45nm(), node(45), node(nm)); }

TEST(TechnologyScaling, CoversTheNodesWithSources) {
  std::vector<int> nodes;
  for (const TechnologyScaling& scaling : scalings()) nodes.push_back(scaling.node_nm);
  EXPECT_EQ(nodes, (std::vector<int>{65, 45, 40, 32, 28, 22, 16, 14, 10, 7}));
  for (const ScalingRow& row : scaling_rows())
    EXPECT_GE(row.row.source.size(), 8u) << row.node_nm << " " << row.row.constant;
}

TEST(TechnologyScaling, FollowsThePublishedEquation) {
  // Stillmaker and Baas, Integration 58, 2017: energy is a V^2 + b V + c.
  struct Fit {
    double a, b, c;
  };
  const std::map<int, Fit> fits{
      {65, {3.755, -4.398, 1.975}},      {45, {1.018, -0.3107, 0.1539}},
      {32, {0.8367, -0.4341, 0.1701}},   {16, {0.2958, -0.1241, 0.03024}},
      {14, {0.2363, -0.09675, 0.02239}}, {10, {0.2068, -0.09311, 0.02375}},
      {7, {0.1776, -0.09097, 0.02447}}};
  const auto energy = [&](int nm) {
    const double v = node(nm).supply_voltage;
    const Fit& fit = fits.at(nm);
    return fit.a * v * v + fit.b * v + fit.c;
  };
  for (const auto& [nm, fit] : fits)
    EXPECT_NEAR(node(nm).logic_energy, energy(nm) / energy(45), 5e-4 * node(nm).logic_energy) << nm;
}

TEST(TechnologyScaling, EveryCostFallsFromNodeToNode) {
  for (std::size_t i = 1; i < scalings().size(); ++i) {
    const TechnologyTable larger = at_node(scalings()[i - 1].node_nm);
    const TechnologyTable smaller = at_node(scalings()[i].node_nm);
    SCOPED_TRACE(smaller.name);
    for (double TechnologyTable::*constant :
         {&TechnologyTable::mac_energy_8bit, &TechnologyTable::mac_energy_16bit,
          &TechnologyTable::mac_energy_32bit, &TechnologyTable::add_energy,
          &TechnologyTable::vector_op_energy, &TechnologyTable::register_file_energy,
          &TechnologyTable::sram_energy_8kib, &TechnologyTable::mac_area_8bit,
          &TechnologyTable::mac_area_16bit, &TechnologyTable::mac_area_32bit,
          &TechnologyTable::pe_control_area, &TechnologyTable::noc_area,
          &TechnologyTable::sram_area, &TechnologyTable::register_file_area,
          &TechnologyTable::sram_leakage, &TechnologyTable::register_file_leakage})
      EXPECT_LT(smaller.*constant, larger.*constant);
    // The voltage stays for a while, and these follow it alone.
    EXPECT_LE(smaller.wire_energy, larger.wire_energy);
    EXPECT_LE(smaller.logic_leakage, larger.logic_leakage);
    EXPECT_EQ(smaller.dram_energy, larger.dram_energy);
  }
}

TEST(TechnologyScaling, ToItsOwnNodeChangesNothing) {
  const TechnologyTable same = at_node(45);
  EXPECT_EQ(same.mac_energy_8bit, technology_45nm().mac_energy_8bit);
  EXPECT_EQ(same.sram_energy_8kib, technology_45nm().sram_energy_8kib);
  EXPECT_EQ(same.noc_area, technology_45nm().noc_area);
}

TEST(TechnologyScaling, RefusesBadRowsAtTheirLine) {
  const auto error_of = [](const std::vector<ScalingRow>& rows) -> std::string {
    try {
      (void)scalings_from_rows("mine.csv", rows);
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  };
  auto rows = scaling_rows();
  rows[1].row.unit = "pJ";
  EXPECT_EQ(error_of(rows), "mine.csv:3: logic_energy has unit 'pJ': expected '1'");
  rows = scaling_rows();
  rows.erase(rows.begin());
  EXPECT_EQ(error_of(rows), "mine.csv: technology constants missing of 65 nm: supply_voltage");
}

TEST(Technology, AccessEnergyGrowsWithCapacityAndWidth) {
  const TechnologyTable& table = technology_45nm();
  double before = 0;
  for (const std::int64_t capacity : {16, 64, 512, 8192, 131072, 1 << 24}) {
    const double energy = table.access_energy({capacity}, 64).value;
    EXPECT_GE(energy, before) << capacity;
    before = energy;
    double narrower = 0, per_bit_before = 1e9;
    for (const std::int64_t bits : {1, 8, 16, 64, 256, 2048}) {
      const double wide = table.access_energy({capacity}, bits).value;
      EXPECT_GT(wide, narrower) << capacity << " " << bits;
      // A wide access is cheaper than several narrow ones.
      EXPECT_LE(wide / static_cast<double>(bits), per_bit_before * (1 + 1e-12));
      narrower = wide;
      per_bit_before = wide / static_cast<double>(bits);
    }
  }
  // Horowitz, ISSCC 2014: 64 bits at 8 KB cost 10 pJ.
  EXPECT_NEAR(table.access_energy({8192}, 64).value, 10, 1e-9);
  // 0.6 of it does not depend on the width.
  EXPECT_NEAR(table.access_energy({8192}, 128).value, 14, 1e-9);
  EXPECT_NEAR(table.access_energy({8192}, 32).value, 8, 1e-9);
}

/// DRAM, an 8 KiB buffer feeding 2 x 3 registers of 16 words that feed one multiplier each.
Machine small_machine() {
  StorageLevel dram, buffer, registers;
  dram.name = "DRAM";
  dram.word_bits = 16;
  dram.block_words = 4;
  buffer.name = "buffer";
  buffer.capacity_bits = 8192 * 8;
  buffer.block_words = 8;
  buffer.shared_bandwidth = 4;
  buffer.fanout = {{.axis = "X", .size = 2}, {.axis = "Y", .size = 3}};
  registers.name = "registers";
  registers.capacity_bits = 128;
  Machine machine;
  machine.levels = {dram, buffer, registers};
  set_costs(machine, kFromTechnology);
  return machine;
}

std::vector<Store> stores_of(const Machine& machine) {
  std::vector<Store> stores;
  for (const StorageLevel& level : machine.levels) stores.push_back(default_store(level));
  return stores;
}

TEST(FillCosts, TakesEveryCostFromTheTable) {
  Machine machine = small_machine();
  std::vector<Store> stores = stores_of(machine);
  stores[2].kind = Store::Kind::registers;
  const TechnologyTable& t = technology_45nm();
  fill_costs(machine, t, stores, 8);
  ASSERT_TRUE(problems_in(machine).empty());

  EXPECT_EQ(machine.levels[0].read_energy_pj, 8 * t.dram_energy);  // a block of 64 bits
  EXPECT_EQ(machine.levels[0].area_mm2, 0);
  EXPECT_EQ(machine.levels[0].network_energy_pj, 0);
  EXPECT_NEAR(machine.levels[1].read_energy_pj, 10, 1e-9);
  EXPECT_EQ(machine.levels[1].write_energy_pj, machine.levels[1].read_energy_pj);
  EXPECT_NEAR(machine.levels[1].area_mm2, 8 * t.sram_area * 1e-6, 1e-12);
  EXPECT_NEAR(machine.levels[1].leakage_mw, 8 * t.sram_leakage, 1e-12);
  EXPECT_NEAR(machine.levels[2].area_mm2, 16 * t.register_file_area * 1e-6, 1e-12);

  // A child is one register file and one multiplier; the array is 2 by 3 of them.
  const double child_um2 = 16 * t.register_file_area + t.mac_area_8bit + t.pe_control_area;
  const double hop = t.wire_energy / 8 * std::sqrt(child_um2 * 1e-6);
  EXPECT_NEAR(machine.levels[1].hop_energy_pj, hop, 1e-12);
  EXPECT_NEAR(machine.levels[1].network_energy_pj, 2.5 * hop, 1e-12);
  EXPECT_NEAR(machine.levels[1].network_area_mm2, 6 * 4 * t.noc_area * 1e-6, 1e-12);

  EXPECT_EQ(machine.compute.mac_energy_pj, t.mac_energy_8bit);
  EXPECT_EQ(machine.compute.add_energy_pj, t.add_energy);
  EXPECT_EQ(machine.compute.vector_energy_pj, t.vector_op_energy);
  EXPECT_NEAR(machine.compute.leakage_mw, (419 + 500) * 1e-6 * 11, 1e-12);

  EXPECT_NEAR(
      area_of(machine).value,
      machine.levels[1].area_mm2 + machine.levels[1].network_area_mm2 + 6 * child_um2 * 1e-6,
      1e-12);
  EXPECT_EQ(bytes_on_chip(machine).value, 8192 + 6 * 16);
}

TEST(FillCosts, LeavesGivenCostsAlone) {
  Machine machine = small_machine();
  machine.levels[1].read_energy_pj = 3;
  machine.levels[1].leakage_mw = 0;
  machine.compute.area_mm2 = 0.5;
  fill_costs(machine, technology_45nm(), stores_of(machine), 8);
  EXPECT_EQ(machine.levels[1].read_energy_pj, 3);
  EXPECT_EQ(machine.levels[1].leakage_mw, 0);
  EXPECT_EQ(machine.compute.area_mm2, 0.5);
  EXPECT_NEAR(machine.compute.leakage_mw, 0.5 * 11, 1e-12);
}

TEST(FillCosts, ABlockPaysForItsShareOfThePort) {
  const auto energy = [](std::int64_t port_bits) {
    Machine machine = small_machine();
    std::vector<Store> stores = stores_of(machine);
    stores[1].port_bits = port_bits;
    fill_costs(machine, technology_45nm(), stores, 8);
    return machine.levels[1].read_energy_pj;
  };
  EXPECT_NEAR(energy(64), energy(0), 1e-9);
  EXPECT_NEAR(energy(128), 14.0 / 2, 1e-9);
  EXPECT_NEAR(energy(32), 8.0 * 2, 1e-9);
}

TEST(FillCosts, AClusterSharesOneWideMemory) {
  Machine machine = small_machine();
  machine.levels[2].cluster = 3;
  fill_costs(machine, technology_45nm(), stores_of(machine), 8);
  // 48 bytes, three words of 8 bits at once, of which one instance has a third.
  EXPECT_NEAR(machine.levels[2].read_energy_pj, technology_45nm().access_energy({48}, 24).value / 3,
              1e-12);
}

TEST(FillCosts, OneAxisIsSlicesOfASquare) {
  Machine machine = small_machine();
  machine.levels[1].fanout = {{.axis = "X", .size = 16}};
  fill_costs(machine, technology_45nm(), stores_of(machine), 8);
  // From the level over the side, and to the sixteenth slice over the side.
  EXPECT_NEAR(machine.levels[1].network_energy_pj, 16 * machine.levels[1].hop_energy_pj, 1e-12);
}

}  // namespace
}  // namespace cosearch::accel::test
