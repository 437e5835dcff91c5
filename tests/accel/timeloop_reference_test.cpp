// Accounting::timeloop against every mapping that Timeloop itself costed.
#include <gtest/gtest.h>

#include <string>

#include "accel/access_counts.h"
#include "accel/nest_energy.h"
#include "accel/nest_latency.h"
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
    const NestEnergy energy = energy_of(counts, machine, widths, Accounting::timeloop);
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

}  // namespace
}  // namespace cosearch::accel::test
