// Machines, their technology and spaces of them: what is accepted, what is refused and how.
#include "accel/accelerator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "accel/accelerator_space.h"
#include "accel/area.h"
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

TEST(Accelerator, NamesEveryProblemAtOnce) {
  AcceleratorParameters p;
  p.template_name = "nvdlla";
  p.pe_rows = 0;
  p.dram_bandwidth = -1;
  p.noc_bandwidth = std::nan("");
  p.precision_bits = 12;
  try {
    (void)make_accelerator("mine", p, technology_45nm());
    FAIL() << "accepted";
  } catch (const UserError& error) {
    const std::string text = error.what();
    for (const char* part :
         {"accelerator 'mine'", "'nvdlla'", "did you mean 'nvdla'?", "pe_rows = 0", "noc_bandwidth",
          "dram_bandwidth", "precision_bits = 12: must be 8, 16 or 32"})
      EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(Accelerator, NamedOnesAreValidDistinctAndSayWhereTheyComeFrom) {
  std::set<std::string> names;
  std::set<std::string> templates;
  for (const NamedAccelerator& named : named_accelerators()) {
    EXPECT_TRUE(problems_in(named.parameters).empty()) << named.name;
    EXPECT_TRUE(names.insert(named.name).second) << named.name;
    EXPECT_GT(named.source.size(), 20u);
    templates.insert(named.parameters.template_name);
  }
  EXPECT_EQ(templates.size(), template_names().size());
}

TEST(Area, IsTheSumOfItsPartsAndFollowsTheTable) {
  AcceleratorParameters p;
  p.pe_rows = 2;
  p.pe_columns = 3;
  p.pe_buffer = {100};
  p.shared_buffer = {2048};
  p.noc_bandwidth = 10;
  const Accelerator accelerator = machine(p);
  const TechnologyTable& t = accelerator.technology;
  const AreaBreakdown area = area_breakdown(accelerator);
  EXPECT_NEAR(area.pes.value, 6 * (t.mac_area_8bit + t.pe_control_area) * 1e-6, 1e-12);
  EXPECT_NEAR(area.pe_buffers.value, 6 * 100 * t.register_file_area * 1e-6, 1e-12);
  EXPECT_NEAR(area.shared_buffer.value, 2 * t.sram_area * 1e-6, 1e-12);
  EXPECT_NEAR(area.noc.value, 6 * 10 * t.noc_area * 1e-6, 1e-12);
  EXPECT_EQ(area_of(accelerator), area.pes + area.pe_buffers + area.shared_buffer + area.noc);
}

AcceleratorChoices small_choices() {
  AcceleratorChoices choices;
  choices.template_name = "eyeriss";
  choices.pe_rows = {4, 8, 12};
  choices.shared_buffer = {Bytes{1024}, Bytes{4096}};
  choices.dram_bandwidth = {1, 2, 4, 8};
  return choices;
}

TEST(AcceleratorSpace, HoldsEveryCombinationOnce) {
  const AcceleratorSpace space(small_choices());
  ASSERT_EQ(space.size(), 3u * 2 * 4);
  for (std::uint64_t i = 0; i < space.size(); ++i) {
    EXPECT_EQ(space.encode(space.decode(i)), i);
    EXPECT_TRUE(space.contains(space.at(i)));
    for (std::uint64_t j = 0; j < i; ++j) EXPECT_NE(space.at(i), space.at(j));
  }
  EXPECT_EQ(space.at(0).template_name, "eyeriss");
  EXPECT_EQ(space.at(1).dram_bandwidth, 2);
  AcceleratorParameters elsewhere = space.at(0);
  elsewhere.pe_rows = 5;
  EXPECT_FALSE(space.contains(elsewhere));
}

TEST(AcceleratorSpace, NeighboursDifferByOneStepInOneParameterAndAreMutual) {
  const AcceleratorSpace space(small_choices());
  for (std::uint64_t i = 0; i < space.size(); ++i)
    for (const std::uint64_t j : space.neighbours(i)) {
      std::size_t steps = 0;
      const auto a = space.decode(i), b = space.decode(j);
      for (std::size_t d = 0; d < a.size(); ++d) steps += a[d] > b[d] ? a[d] - b[d] : b[d] - a[d];
      EXPECT_EQ(steps, 1u);
      const auto back = space.neighbours(j);
      EXPECT_NE(std::find(back.begin(), back.end(), i), back.end());
    }
  // A corner: one step up in each of the three parameters with a choice.
  EXPECT_EQ(space.neighbours(0).size(), 3u);
}

TEST(AcceleratorSpace, RefusesEmptyUnorderedAndImpossibleLists) {
  AcceleratorChoices choices = small_choices();
  choices.pe_rows = {};
  choices.pe_columns = {4, 4};
  choices.dram_bandwidth = {0, 1};
  choices.precision_bits = {8, 9};
  const auto problems = problems_in(choices);
  ASSERT_EQ(problems.size(), 4u);
  EXPECT_EQ(problems[0], "pe_rows: has no values");
  EXPECT_EQ(problems[1], "pe_columns: values must increase, value 2 does not");
  EXPECT_NE(problems[2].find("dram_bandwidth"), std::string::npos);
  EXPECT_NE(problems[3].find("precision_bits = 9"), std::string::npos);
  EXPECT_THROW(AcceleratorSpace{choices}, UserError);
}

}  // namespace
}  // namespace cosearch::accel::test
