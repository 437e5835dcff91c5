// Mapping files: any nest survives a round trip, and what is said of bad ones.
#include "codesign/mapping_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "accel/nest_cost.h"
#include "core/user_error.h"
#include "tests/datasets/support.h"
#include "tests/support/random_nest.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::Loop;
using testing::HasSubstr;

Mappings parse(const std::string& text, const Network& network, const MachineDescription& machine,
               accel::Accounting accounting = accel::Accounting::exact) {
  return read_mappings(datasets::parse_yaml(text, "m.yaml"), network, machine, accounting);
}

TEST(MappingFile, AnyNestSurvivesARoundTrip) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    accel::test::Choices choices(Random(seed, "mapping files"));
    const accel::test::NestCase one = accel::test::random_case(choices);
    Network network("random");
    network.add({.name = "it's: #1", .layer = one.layer});
    network.add({.name = "again", .layer = one.layer});
    const MachineDescription machine{one.machine, {}, {}};
    const std::string text =
        write_mappings("random", one.machine, {{{"it's: #1", "again"}, one.nest}});
    SCOPED_TRACE(text);
    const Mappings read = parse(text, network, machine);
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read.at("it's: #1"), one.nest);
    EXPECT_EQ(read.at("again"), one.nest);
  }
}

TEST(MappingFile, NamesOfLevelsAndAxesMayNeedQuotes) {
  accel::Machine machine;
  machine.levels.resize(2);
  machine.levels[0].name = "a, b";
  machine.levels[1].name = "true";
  machine.levels[1].capacity_bits = 1 << 20;
  machine.levels[0].fanout = {{.axis = "{x}", .size = 2}, {.axis = "null", .size = 2}};
  Layer layer;
  layer.K = 4;
  Network network("n");
  network.add({.name = "12", .layer = layer});
  accel::LoopNest nest;
  nest.levels = {{accel::TensorSet::all(), {{Dimension::K, 2, 0}, {Dimension::K, 1, 1}}},
                 {accel::TensorSet::all(), {}}};
  EXPECT_EQ(
      parse(write_mappings("n", machine, {{{"12"}, nest}}), network, {machine, {}, {}}).at("12"),
      nest);
}

/// DRAM and a buffer of 64 bytes for a matrix product of 8 x 12 times 12 x 16.
struct Small {
  Small() {
    machine.machine.name = "small";
    machine.machine.levels.resize(2);
    machine.machine.levels[0].name = "DRAM";
    machine.machine.levels[1].name = "buffer";
    machine.machine.levels[1].capacity_bits = 64 * 8;
    machine.machine.levels[1].fanout = {{.axis = "rows", .size = 4}};
    network.add({.name = "first", .layer = gemm(8, 16, 12)});
    network.add({.name = "sum", .layer = elementwise(16, 8, 1, 1)});
  }
  [[nodiscard]] Mappings read(const std::string& levels,
                              accel::Accounting accounting = accel::Accounting::exact) const {
    return parse(
        "kind: mappings\nschema_version: 1\nmappings:\n  - layers: [first]\n    levels:\n" + levels,
        network, machine, accounting);
  }
  [[nodiscard]] std::string message(const std::string& levels) const {
    return test::message_of([&] { static_cast<void>(read(levels)); });
  }

  MachineDescription machine;
  Network network{"net"};
};

const std::string kGood =
    "      DRAM:\n"
    "        loops:\n"
    "          - {dimension: P, tile: 1}\n"
    "          - {dimension: K, factor: 5}\n"
    "          - {dimension: C, tile: 1}\n"
    "      buffer:\n"
    "        keep: all\n"
    "        loops:\n"
    "          - {dimension: K, tile: 1, axis: rows}\n";

TEST(MappingFile, ReadsTilesFactorsAndWhatIsLeftOut) {
  const accel::LoopNest nest = Small().read(kGood).at("first");
  // 16 in 5 pieces: of 4, with one piece less.
  EXPECT_EQ(nest.levels[0].loops, (std::vector<Loop>{{Dimension::P, 1, Loop::kTemporal},
                                                     {Dimension::K, 4, Loop::kTemporal},
                                                     {Dimension::C, 1, Loop::kTemporal}}));
  EXPECT_EQ(nest.levels[0].keep, accel::TensorSet::all());
  EXPECT_EQ(nest.levels[1].loops, (std::vector<Loop>{{Dimension::K, 1, 0}}));
}

std::string changed(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(MappingFile, SaysWhereAndWhatIsWrong) {
  const Small small;
  struct Case {
    const char *from, *to, *says;
  };
  for (const Case& c : {
           Case{"dimension: P, tile: 1", "dimension: P, tile: 9",
                "m.yaml:8:34: layer 'first': level DRAM: the loop over P has tile 9: must be in "
                "[1, 8], the piece it is given"},
           {"factor: 5", "factor: 17",
            "m.yaml:9:36: layer 'first': level DRAM: the loop over K "
            "has factor 17: must be in [1, 16]"},
           {"factor: 5", "factor: 5, tile: 2",
            "m.yaml:9:13: layer 'first': level DRAM: a loop over K takes either 'tile' or"},
           {"dimension: C, tile: 1", "dimension: C, tile: 3",
            "m.yaml:4:5: layer 'first': the loops over C leave pieces of 3"},
           {"tile: 1, axis: rows", "tile: 1, axis: row",
            "m.yaml:14:43: layer 'first': level buffer has no axis 'row' (did you mean 'rows'?)"},
           {"dimension: P, tile: 1", "dimension: P, tile: 1, axis: rows",
            "level DRAM has no axis 'rows': it has one child"},
           {"dimension: C", "dimension: X",
            "m.yaml:10:25: layer 'first': level DRAM: no dimension 'X' (expected one of N, G, K"},
           {"buffer:", "bufer:",
            "m.yaml:11:7: layer 'first': machine small has no level 'bufer' "
            "(did you mean 'buffer'?)"},
           {"factor: 5", "factor: 2",
            "m.yaml:11:7: layer 'first': level buffer: loops spread over 8 children along axis "
            "rows: it has 4"},
           {"      DRAM:\n", "      DRAM:\n        keep: [input]\n",
            "level DRAM: must keep weights"},
           {"tile: 1", "tile: 1B", "expected an integer"},
           {"tile: 1", "tiles: 1", "did you mean 'tile'?"},
       }) {
    SCOPED_TRACE(c.to);
    EXPECT_THAT(small.message(changed(c.from, c.to)), HasSubstr(c.says));
  }
}

// Rows of 12 inputs and 12 x 16 weights, 16 sums of 4 bytes: (12 + 192 + 64) * 2 = 536 of 64 bytes.
TEST(MappingFile, SaysByHowMuchALevelOverflows) {
  const std::string message = Small().message(
      "      DRAM:\n        loops:\n          - {dimension: P, tile: 1}\n"
      "      buffer:\n        loops:\n          - {dimension: K, tile: 1}\n"
      "          - {dimension: C, tile: 1}\n");
  EXPECT_THAT(message, HasSubstr("m.yaml:9:7: layer 'first': level buffer: is 3776 bits too small: "
                                 "its tiles take 4288 of 512 bits (input 192, weights 3072, output "
                                 "1024)"));
}

TEST(MappingFile, NamesLayersOfTheNetworkThatMultiplyEachOnce) {
  const Small small;
  const auto message = [&](const std::string& layers) {
    return test::message_of([&] {
      static_cast<void>(parse("kind: mappings\nschema_version: 1\nmappings:\n  - layers: " +
                                  layers + "\n    levels:\n" + kGood,
                              small.network, small.machine));
    });
  };
  EXPECT_THAT(message("[firs]"), HasSubstr("m.yaml:4:14: network net has no layer 'firs' (did "
                                           "you mean 'first'?)"));
  EXPECT_THAT(message("[first, sum]"), HasSubstr("multiplies nothing: it has no mapping"));
  EXPECT_THAT(message("[first, first]"), HasSubstr("layer 'first' has two mappings"));
}

TEST(MappingFile, ObeysTheConstraintsOfTheMachine) {
  Small small;
  small.machine.constraints.levels.resize(2);
  small.machine.constraints.levels[1].axes[0].dimensions = {Dimension::C};
  EXPECT_THAT(small.message(kGood), HasSubstr("m.yaml:11:7: layer 'first': level"));
}

TEST(MappingFile, TimeloopCountsOnlyTilesThatDivide) {
  const Small small;
  const std::string uneven = changed("factor: 5", "tile: 3");
  EXPECT_EQ(small.read(uneven).size(), 1U);
  EXPECT_THAT(
      test::message_of([&] { static_cast<void>(small.read(uneven, accel::Accounting::timeloop)); }),
      HasSubstr("the loop over K has tile 3: must divide 16"));
}

TEST(MappingFile, PaddingIsStoredAsTimeloopCounts) {
  const Layer layer = same_convolution(3, 8, 14, 14, 3);
  EXPECT_EQ(as_counted(layer, accel::Accounting::exact), layer);
  const Layer stored = as_counted(layer, accel::Accounting::timeloop);
  EXPECT_EQ(stored.input_h, 16);
  EXPECT_EQ(stored.pad_top, 0);
  EXPECT_EQ(stored.macs(), layer.macs());
  EXPECT_TRUE(problems_in(stored).empty());
}

}  // namespace
}  // namespace cosearch::codesign
