// Technologies: what is accepted, what is refused and how.
#include "accel/technology.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "tests/accel/support.h"

namespace cosearch::accel::test {
namespace {

std::string error_of(const std::vector<TechnologyRow>& rows) {
  try {
    (void)technology_from_rows("mine.csv", rows);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

std::vector<TechnologyRow> good_rows() { return rows_of(kTechnology45nm, "technology_45nm.csv"); }

TEST(Technology, EveryConstantOfTheEmbeddedTableHasASource) {
  for (const TechnologyRow& row : good_rows()) EXPECT_GT(row.source.size(), 20u) << row.constant;
}

TEST(Technology, TheSramLawPassesThroughThePublishedPoints) {
  // Horowitz, ISSCC 2014: 64 bits cost 10, 20 and 100 pJ at 8 KB, 32 KB and 1 MB.
  const auto& table = technology_45nm();
  EXPECT_NEAR(8 * table.access_energy_per_byte({8 * 1024}).value, 10, 0.01);
  EXPECT_NEAR(8 * table.access_energy_per_byte({32 * 1024}).value, 20, 1);
  EXPECT_NEAR(8 * table.access_energy_per_byte({1024 * 1024}).value, 100, 0.1);
  EXPECT_EQ(table.access_energy_per_byte({1}).value, table.register_file_energy);
}

TEST(Technology, RefusesBadRowsAtTheirLine) {
  auto rows = good_rows();
  rows[2].constant = "mac_energy_33bit";
  EXPECT_EQ(error_of(rows),
            "mine.csv:4: unknown technology constant 'mac_energy_33bit' (did you mean "
            "'mac_energy_32bit'?)");
  rows = good_rows();
  rows[0].value = -1;
  EXPECT_NE(error_of(rows).find("mine.csv:2: mac_energy_8bit = -1"), std::string::npos);
  rows[0].value = std::nan("");
  EXPECT_NE(error_of(rows).find("must be a finite number"), std::string::npos);
  rows = good_rows();
  rows[1].unit = "nJ";
  EXPECT_EQ(error_of(rows), "mine.csv:3: mac_energy_16bit has unit 'nJ': expected 'pJ'");
  rows = good_rows();
  rows[1].source.clear();
  EXPECT_NE(error_of(rows).find("mine.csv:3: mac_energy_16bit has no source"), std::string::npos);
  rows = good_rows();
  rows.push_back(rows.front());
  EXPECT_NE(error_of(rows).find("given twice"), std::string::npos);
  rows = good_rows();
  rows.erase(rows.begin(), rows.begin() + 2);
  EXPECT_EQ(error_of(rows),
            "mine.csv: technology constants missing: mac_energy_8bit, mac_energy_16bit");
}

}  // namespace
}  // namespace cosearch::accel::test
