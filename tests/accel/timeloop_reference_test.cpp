// Accounting::timeloop against every mapping that Timeloop itself costed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>

#include "accel/access_counts.h"
#include "accel/nest_energy.h"
#include "accel/nest_latency.h"
#include "datasets/table.h"
#include "tests/accel/timeloop_rows.h"
#include "tests/support/reference_data.h"

namespace cosearch::accel::test {
namespace {

class TimeloopReference : public testing::Test {
 protected:
  void SetUp() override {
    COSEARCH_NEEDS_REFERENCE("timeloop/rows.jsonl");
    const auto folder = cosearch::test::reference_data() / "timeloop";
    machines_ = timeloop_machines(folder);
    rows_ = timeloop_rows(folder);
  }
  std::map<std::string, Machine> machines_;
  std::vector<TimeloopRow> rows_;
};

std::size_t level_index(const Machine& machine, const std::string& name) {
  for (std::size_t i = 0; i < machine.levels.size(); ++i)
    if (machine.levels[i].name == name) return i;
  throw std::runtime_error("no level " + name);
}

TEST_F(TimeloopReference, CountsOfEveryRow) {
  std::size_t compared = 0, left_out = 0;
  for (const TimeloopRow& row : rows_) {
    if (row.uses_links()) {
      ++left_out;
      continue;
    }
    SCOPED_TRACE(row.id);
    const Machine& machine = machines_.at(row.arch);
    ASSERT_EQ(problems_in(row.nest, row.layer, machine), std::vector<std::string>{});
    const AccessCounts counts = count_accesses(row.layer, machine, row.nest, Accounting::timeloop);
    EXPECT_EQ(counts.macs, row.raw["macs"]);
    for (const auto& [level, tensors] : row.raw["levels"].items())
      for (const auto& [name, expected] : tensors.items()) {
        SCOPED_TRACE(level + " " + name);
        const std::size_t i = level_index(machine, level), t = index_of(timeloop_tensor(name));
        const LevelAccesses& one = counts.busiest[i][t];
        EXPECT_EQ(one.reads, expected["reads"]);
        EXPECT_EQ(one.fills, expected["fills"]);
        EXPECT_EQ(one.updates, expected["updates"]);
        EXPECT_EQ(counts.instances[i], expected["instances"]);
        ++compared;
      }
  }
  std::cout << rows_.size() << " rows, " << left_out << " of them with neighbour links left out, "
            << compared << " levels and tensors compared\n";
}

TEST_F(TimeloopReference, CyclesOfEveryRow) {
  for (const TimeloopRow& row : rows_) {
    if (row.uses_links()) continue;
    SCOPED_TRACE(row.id);
    const Machine& machine = machines_.at(row.arch);
    const AccessCounts counts = count_accesses(row.layer, machine, row.nest, Accounting::timeloop);
    const Cycles cycles =
        latency_of(counts, row.layer, machine, row.nest, Accounting::timeloop).total();
    // Timeloop may be one higher from its floating point.
    const std::int64_t printed = row.raw["cycles"];
    EXPECT_GE(printed, cycles.value);
    EXPECT_LE(printed, cycles.value + 1);
  }
}

TEST_F(TimeloopReference, EnergyOfEveryRow) {
  for (const TimeloopRow& row : rows_) {
    if (row.uses_links()) continue;
    SCOPED_TRACE(row.id);
    const Machine& machine = machines_.at(row.arch);
    const AccessCounts counts = count_accesses(row.layer, machine, row.nest, Accounting::timeloop);
    const ValueWidths widths(row.layer, machine, row.nest, counts, Accounting::timeloop);
    NestEnergy energy;
    add_energy(counts, machine, widths, Accounting::timeloop, energy);
    for (const auto& [level, tensors] : row.raw["levels"].items())
      for (const auto& [name, expected] : tensors.items()) {
        SCOPED_TRACE(level + " " + name);
        const std::size_t i = level_index(machine, level), t = index_of(timeloop_tensor(name));
        const double printed = expected["energy_pJ"];
        // archs.json gives energies to eight digits after the point, the rows two.
        EXPECT_NEAR(energy.access_pj[i][t], printed, 0.01 + 1e-7 * printed);
      }
    const double total = row.raw["energy_pJ"];
    EXPECT_NEAR(energy.total().value, total, 0.02 + 1e-7 * total);
  }
}

/// A row of dosa_gemmini_timeloop.csv: DOSA's Gemmini-like machines, costed by an older Timeloop.
struct DosaRow {
  Layer layer;
  Machine machine;
  LoopNest nest;
  std::int64_t cycles = 0;
};

/// "L3[WIO] C32 K8 - L2[WI] N1 K32X - L1[O] R3 - L0[W] P2": levels outer to inner, loops with their
/// numbers of pieces, X where they spread.
LoopNest dosa_nest(const std::string& text, const Layer& layer) {
  using enum Dimension;
  LoopNest nest;
  Extents piece = extents_of(layer);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "-") continue;
    if (word[0] == 'L') {
      nest.levels.emplace_back().keep = {};
      for (const char c : word.substr(word.find('[')))
        if (c == 'W' || c == 'I' || c == 'O')
          nest.levels.back().keep.add(c == 'W'   ? Tensor::weights
                                      : c == 'I' ? Tensor::input
                                                 : Tensor::output);
      continue;
    }
    const std::string letters = "NGKCDPQTRS";
    const auto d = static_cast<Dimension>(letters.find(word[0]));
    const bool spreads = word.back() == 'X';
    piece[index_of(d)] /= std::stoll(word.substr(1));
    nest.levels.back().loops.push_back(
        {d, piece[index_of(d)], spreads ? std::int8_t{0} : Loop::kTemporal});
  }
  // Temporal loops come first here as there, whatever their place in the text.
  for (LevelNest& level : nest.levels)
    std::stable_partition(level.loops.begin(), level.loops.end(),
                          [](const Loop& loop) { return !loop.is_spatial(); });
  return nest;
}

DosaRow dosa_row(const datasets::Table& table, std::size_t row) {
  const auto number = [&](const char* column) {
    return static_cast<std::int64_t>(table.number(row, table.column(column)));
  };
  DosaRow r;
  r.layer = timeloop_layer({{"N", 1},
                            {"K", number("prob.K")},
                            {"C", number("prob.C")},
                            {"P", number("prob.P")},
                            {"Q", number("prob.Q")},
                            {"R", number("prob.R")},
                            {"S", number("prob.S")},
                            {"Wstride", number("prob.Wstride")},
                            {"Hstride", number("prob.Hstride")},
                            {"Wdilation", 1},
                            {"Hdilation", 1}});
  r.nest = dosa_nest(table.text(row, table.column("mapping.mapping")), r.layer);
  const std::int64_t wide = std::int64_t{1} << 20;
  for (const char* name : {"DRAM", "scratchpad", "accumulator", "register"}) {
    StorageLevel level;
    level.name = name;
    level.fanout = {{.axis = "X", .size = wide}};
    r.machine.levels.push_back(level);
  }
  r.machine.levels[0].shared_bandwidth = 8;
  r.machine.levels[1].shared_bandwidth =
      table.number(row, table.column("arch.mem2_shared_bandwidth"));
  r.machine.levels[2].shared_bandwidth = 2;
  r.cycles = number("target.cycle");
  return r;
}

TEST_F(TimeloopReference, CyclesOfDosasMachines) {
  COSEARCH_NEEDS_REFERENCE("timeloop/dosa_gemmini_timeloop.csv");
  const datasets::Table table = datasets::Table::read(cosearch::test::reference_data() /
                                                      "timeloop/dosa_gemmini_timeloop.csv");
  std::size_t equal = 0, within_two = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    SCOPED_TRACE(row);
    const DosaRow r = dosa_row(table, row);
    AccessCounts counts = count_accesses(r.layer, r.machine, r.nest, Accounting::timeloop);
    // That Timeloop reads an output at its first visit too.
    LevelAccesses& sums = counts.busiest[2][index_of(Tensor::output)];
    sums.reads = sums.updates;
    const NestLatency latency =
        latency_of(counts, r.layer, r.machine, r.nest, Accounting::timeloop);
    const std::int64_t difference = std::abs(latency.total().value - r.cycles);
    EXPECT_LE(difference, 2);
    equal += difference == 0 ? 1U : 0U;
    within_two += difference <= 2 ? 1U : 0U;
    if (HasFailure()) break;
  }
  std::cout << table.rows() << " rows, " << equal << " with the same cycles, " << within_two - equal
            << " within two\n";
}

}  // namespace
}  // namespace cosearch::accel::test
