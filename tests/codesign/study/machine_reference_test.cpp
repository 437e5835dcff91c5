// Timeloop's machines and constraints as our files have them, against its own data.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "codesign/machine_file.h"
#include "tests/accel/timeloop_rows.h"
#include "tests/support/reference_data.h"

namespace cosearch::codesign {
namespace {

using accel::Machine;
using accel::test::timeloop_machines;
using accel::test::timeloop_rows;
using accel::test::TimeloopRow;

class TimeloopFiles : public testing::Test {
 protected:
  void SetUp() override { COSEARCH_NEEDS_REFERENCE("timeloop/rows.jsonl"); }
  [[nodiscard]] static std::filesystem::path folder() {
    return cosearch::test::reference_data() / "timeloop";
  }
};

/// Without axes of one child, and with what a file says and the data does not: what is compared.
accel::StorageLevel comparable(accel::StorageLevel level) {
  std::erase_if(level.fanout, [](const accel::Fanout& axis) { return axis.size == 1; });
  level.must_keep = level.may_keep = {};
  if (level.capacity_bits == 0) level.capacity_bits.reset();
  return level;
}

TEST_F(TimeloopFiles, HaveTheMachinesOfTheData) {
  for (const auto& [name, expected] : timeloop_machines(folder())) {
    SCOPED_TRACE(name);
    const Machine machine = find_machine("timeloop-" + name).machine;
    ASSERT_EQ(machine.levels.size(), expected.levels.size());
    EXPECT_EQ(machine.multipliers(), expected.multipliers());
    EXPECT_EQ(machine.compute.mac_energy_pj, expected.compute.mac_energy_pj);
    for (std::size_t i = 0; i < machine.levels.size(); ++i)
      EXPECT_EQ(comparable(machine.levels[i]), comparable(expected.levels[i])) << i;
  }
}

/// The axes of `nest`, X and Y, by their places in `machine`.
accel::LoopNest on_axes_of(const Machine& machine, accel::LoopNest nest) {
  for (std::size_t i = 0; i < nest.levels.size(); ++i)
    for (accel::Loop& loop : nest.levels[i].loops) {
      if (!loop.is_spatial()) continue;
      const std::string axis = loop.axis == 0 ? "X" : "Y";
      const auto& fanout = machine.levels[i].fanout;
      const auto found = std::find_if(fanout.begin(), fanout.end(),
                                      [&](const accel::Fanout& one) { return one.axis == axis; });
      loop.axis = static_cast<std::int8_t>(found - fanout.begin());
    }
  return nest;
}

TEST_F(TimeloopFiles, AllowEveryMappingThatItsMapperFound) {
  std::size_t obeying = 0, scrambled = 0, refused = 0;
  for (const TimeloopRow& row : timeloop_rows(folder())) {
    const auto [machine, constraints, dataflow] = find_machine("timeloop-" + row.arch);
    const accel::LoopNest nest = on_axes_of(machine, row.nest);
    const auto violations = accel::violations_of(constraints, nest, row.layer, machine);
    if (row.is_mapper_best()) {
      SCOPED_TRACE(row.id);
      EXPECT_EQ(accel::problems_in(nest, row.layer, machine), std::vector<std::string>{});
      EXPECT_EQ(violations, std::vector<std::string>{});
      ++obeying;
    } else if (row.arch != "flat256") {
      ++scrambled;
      if (!violations.empty()) ++refused;
    }
  }
  std::cout << obeying << " mappings of Timeloop's mapper obey; of " << scrambled
            << " scrambled ones " << refused << " are refused\n";
  EXPECT_GT(refused, scrambled * 9 / 10) << "the constraints say little";
}

}  // namespace
}  // namespace cosearch::codesign
