// Every mapping that Timeloop itself costed, written as its files, read back and costed: cycles and
// access counts are Timeloop's, so that nothing is lost on the way in or out.
#include "tests/accel/timeloop_rows.h"

#include <gtest/gtest.h>

#include <string>

#include "accel/nest_cost.h"
#include "codesign/import/timeloop_design.h"
#include "tests/support/reference_data.h"

namespace cosearch::codesign::test {
namespace {

using accel::Accounting;
using accel::test::TimeloopRow;

TEST(TimeloopFilesOfEveryRow, CostWhatTimeloopSays) {
  COSEARCH_NEEDS_REFERENCE("timeloop/rows.jsonl");
  const auto folder = cosearch::test::reference_data() / "timeloop";
  const auto machines = accel::test::timeloop_machines(folder);
  std::size_t compared = 0;
  for (const TimeloopRow& row : accel::test::timeloop_rows(folder)) {
    SCOPED_TRACE(row.id);
    const LayerDesign design{row.id, row.layer, machines.at(row.arch), row.nest};
    const LayerDesign again =
        import_timeloop(datasets::parse_timeloop(to_text(export_timeloop(design)), row.id));
    EXPECT_EQ(problems_in(again.nest, again.layer, again.machine), std::vector<std::string>{});
    EXPECT_EQ(count_accesses(again.layer, again.machine, again.nest, Accounting::exact),
              count_accesses(design.layer, design.machine, design.nest, Accounting::exact));
    if (row.uses_links()) continue;  // neighbours' links are not modelled
    const std::int64_t cycles =
        evaluate(again.layer, again.machine, again.nest, Accounting::timeloop).cycles().value;
    const std::int64_t printed = row.raw["cycles"];
    // Timeloop may be one higher from its floating point.
    EXPECT_GE(printed, cycles);
    EXPECT_LE(printed, cycles + 1);
    ++compared;
  }
  std::printf("%zu rows\n", compared);
}

}  // namespace
}  // namespace cosearch::codesign::test
