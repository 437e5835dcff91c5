#include "codesign/accelerator_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

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

TEST(AcceleratorFile, ReadsEveryParameter) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "chip.yaml",
                    kHead +
                        "template: eyeriss\npe_rows: 12\npe_columns: 14\npe_buffer: 512B\n"
                        "shared_buffer: 108KiB\nnoc_bandwidth: 32B/cycle\ndram_bandwidth: "
                        "6B/cycle\nclock: 250MHz\nprecision: 16\n");
  const accel::Accelerator chip = find_accelerator((folder / "chip.yaml").string());
  EXPECT_EQ(chip.name, "mine");
  EXPECT_EQ(chip.parameters, (accel::AcceleratorParameters{.template_name = "eyeriss",
                                                           .pe_rows = 12,
                                                           .pe_columns = 14,
                                                           .pe_buffer = {512},
                                                           .shared_buffer = {108 * 1024},
                                                           .noc_bandwidth = 32,
                                                           .dram_bandwidth = 6,
                                                           .clock = {250e6},
                                                           .precision_bits = 16}));
}

TEST(AcceleratorFile, KeepsTheTemplatesDefaults) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "chip.yaml", kHead + "template: xp_ws\n");
  EXPECT_EQ(find_accelerator((folder / "chip.yaml").string()).parameters,
            (accel::AcceleratorParameters{.template_name = "xp_ws"}));
}

TEST(AcceleratorFile, RefusesWhatNoMachineMayHave) {
  EXPECT_THAT(message_for("template: nvdlaa\n"),
              HasSubstr("chip.yaml:4:11: no template 'nvdlaa' (did you mean 'nvdla'?)"));
  EXPECT_THAT(message_for("template: nvdla\nprecision: 12\n"), HasSubstr("precision"));
  EXPECT_THAT(message_for("template: nvdla\npe_rows: 0\n"), HasSubstr("chip.yaml:5:10: "));
  EXPECT_THAT(message_for("template: nvdla\npe_buffer: 12\n"), HasSubstr("chip.yaml:5:12: "));
  EXPECT_THAT(message_for("template: nvdla\npe_buffer: 12KB\n"),
              HasSubstr("chip.yaml:5:12: '12KB'"));
  EXPECT_THAT(message_for("template: nvdla\npe_rows: [4, 8]\n"), HasSubstr("chip.yaml:5:10: "));
  EXPECT_THAT(message_for("template: nvdla\npe_row: 4\n"), HasSubstr("did you mean 'pe_rows'?"));
  EXPECT_THAT(message_for("pe_rows: 4\n"), HasSubstr("template"));
}

TEST(AcceleratorFile, FindsNamesAndSuggestsThem) {
  EXPECT_EQ(find_accelerator("xp-ws-64").parameters, named_parameters("xp-ws-64"));
  EXPECT_THAT(test::message_of([] { static_cast<void>(find_accelerator("nvdla-65")); }),
              HasSubstr("no accelerator 'nvdla-65' (did you mean 'nvdla-64'?)"));
  EXPECT_THROW(static_cast<void>(find_accelerator("no-such.yaml")), FileError);
}

TEST(AcceleratorFile, TakesATechnologyBesideIt) {
  const test::TemporaryFolder folder;
  const std::string embedded(accel::kTechnology45nm);
  test::write_bytes(folder / "own.csv", embedded);
  test::write_bytes(folder / "chip.yaml", kHead + "template: nvdla\ntechnology: own.csv\n");
  const accel::Accelerator chip = find_accelerator((folder / "chip.yaml").string());
  EXPECT_EQ(chip.technology.dram_energy, find_technology("45nm").dram_energy);

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
