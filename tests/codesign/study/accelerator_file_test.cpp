#include "codesign/accelerator_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "accel/machine_zoo.h"
#include "accel/technology.h"
#include "codesign/technology_file.h"
#include "core/user_error.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using testing::HasSubstr;

const std::string kHead = "kind: accelerator\nschema_version: 1\nname: mine\n";

std::string message_for(const std::string& body) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "chip.yaml", kHead + body);
  return test::message_of(
      [&] { static_cast<void>(find_accelerator((folder / "chip.yaml").string())); });
}

// Names apart.
void expect_same(MachineDescription is, const std::string& machine) {
  const MachineDescription expected = find_machine(machine);
  is.machine.name = expected.machine.name;
  EXPECT_EQ(is, expected);
}

TEST(AcceleratorFile, ReadsEveryParameter) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "chip.yaml",
                    kHead +
                        "template: eyeriss\npe_rows: 12\npe_columns: 14\npe_buffer: 512B\n"
                        "shared_buffer: 108KiB\nnoc_bandwidth: 32B/cycle\ndram_bandwidth: "
                        "6B/cycle\nclock: 250MHz\nprecision: 16\n");
  const MachineDescription chip = find_accelerator((folder / "chip.yaml").string());
  EXPECT_EQ(chip.machine.name, "mine");
  EXPECT_EQ(chip.dataflow, accel::Dataflow::eyeriss);
  expect_same(chip,
              "eyeriss:pe_rows=12,pe_columns=14,pe_buffer=512B,shared_buffer=108KiB,"
              "noc_bandwidth=32B/cycle,dram_bandwidth=6B/cycle,clock=250MHz,precision=16");
}

TEST(AcceleratorFile, KeepsTheTemplatesDefaults) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "chip.yaml", kHead + "template: xp_ws\n");
  expect_same(find_accelerator((folder / "chip.yaml").string()), "xp_ws");
}

TEST(AcceleratorFile, RefusesWhatNoMachineMayHave) {
  EXPECT_THAT(message_for("template: nvdlaa\n"),
              HasSubstr("chip.yaml:4:11: no template 'nvdlaa' (did you mean 'nvdla'?)"));
  EXPECT_THAT(message_for("template: nvdla\nprecision: 12\n"), HasSubstr("precision"));
  EXPECT_THAT(message_for("template: nvdla\npe_rows: 0\n"), HasSubstr("chip.yaml:5:10: "));
  EXPECT_THAT(message_for("template: nvdla\npe_buffer: 12\n"), HasSubstr("chip.yaml:5:12: "));
  EXPECT_THAT(message_for("template: nvdla\npe_buffer: 12KB\n"),
              HasSubstr("chip.yaml:5:12: pe_buffer = 12KB: nvdla.yaml"));
  EXPECT_THAT(message_for("template: nvdla\npe_rows: [4, 8]\n"), HasSubstr("chip.yaml:5:10: "));
  EXPECT_THAT(message_for("template: nvdla\npe_row: 4\n"), HasSubstr("did you mean 'pe_rows'?"));
  EXPECT_THAT(message_for("pe_rows: 4\n"), HasSubstr("template"));
}

TEST(AcceleratorFile, FindsNamesAndSuggestsThem) {
  expect_same(find_accelerator("xp-ws-64"), "xp_ws:pe_rows=8,pe_columns=8");
  EXPECT_THAT(test::message_of([] { static_cast<void>(find_accelerator("nvdla-65")); }),
              HasSubstr("no accelerator 'nvdla-65' (did you mean 'nvdla-64'?)"));
  EXPECT_THROW(static_cast<void>(find_accelerator("no-such.yaml")), FileError);
}

TEST(NamedAccelerators, AreTemplatesWithDistinctNamesThatSayWhereTheyComeFrom) {
  std::set<std::string> names;
  std::set<accel::Dataflow> dataflows;
  for (const accel::NamedAccelerator& named : accel::named_accelerators()) {
    EXPECT_TRUE(names.emplace(named.name).second) << named.name;
    EXPECT_GT(named.source.size(), 20U);
    dataflows.insert(*find_accelerator(std::string(named.name)).dataflow);
  }
  EXPECT_EQ(dataflows.size(), accel::kDataflows.size());
}

TEST(AcceleratorFile, TakesATechnologyBesideIt) {
  const test::TemporaryFolder folder;
  const std::string embedded(accel::kTechnology45nm);
  test::write_bytes(folder / "own.csv", embedded);
  test::write_bytes(folder / "chip.yaml", kHead + "template: nvdla\ntechnology: own.csv\n");
  expect_same(find_accelerator((folder / "chip.yaml").string()), "nvdla");

  // Without its last line the table lacks a constant.
  const std::string shorter = embedded.substr(0, embedded.rfind('\n', embedded.size() - 2) + 1);
  test::write_bytes(folder / "own.csv", shorter);
  EXPECT_THAT(test::message_of(
                  [&] { static_cast<void>(find_accelerator((folder / "chip.yaml").string())); }),
              HasSubstr("own.csv"));
  EXPECT_THROW(static_cast<void>(find_technology("no-such.csv")), FileError);
}

}  // namespace
}  // namespace cosearch::codesign
