// Machine files: what they mean, that they survive a round trip, and what is said of bad ones.
#include "codesign/machine_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "accel/machine_costs.h"
#include "accel/optimal_mapper.h"
#include "accel/template_mapper.h"
#include "codesign/technology_file.h"
#include "core/random.h"
#include "core/user_error.h"
#include "tests/accel/support.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::Machine;
using accel::test::TemplateSizes;
using testing::HasSubstr;
using Texts = std::vector<std::string>;

const char* const kSmall = R"(kind: machine
schema_version: 1
name: small
source: made up for this test
parameters: {rows: 4, size: 2KiB}
clock: 100MHz
levels:
  - name: DRAM
    bandwidth: 16B/cycle
    word: 16bit
  - name: buffer
    keep: [input]
    bypass: [weights]
    capacity: ${size}
    partition:
      output: 64 words
    word: 16bit
    block: 4 words
    buffers: single
    read_bandwidth: 1.6GB/s
    energy: 1.5pJ
    leakage: 3uW
    network:
      energy: 20fJ/bit
      bandwidth: 64bits/cycle
    fanout:
      - axis: X
        size: ${rows * 2}
        multicast: false
  - name: registers
    store: registers
    capacity: 8B
constraints:
  buffer:
    temporal:
      dimensions: KC
      innermost: CK
      factors: {K: rest, C: 3}
    axes:
      X:
        dimensions: PQ
        most: {P: 2}
)";

MachineDescription parse(const std::string& text, const ParameterValues& values = {}) {
  return read_machine(datasets::parse_yaml(text, "mine.yaml"), values);
}

std::string error_of(const std::string& text, const ParameterValues& values = {}) {
  try {
    (void)parse(text, values);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

/// kSmall with one piece of text replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(MachineFile, SaysEverythingAMachineHas) {
  const auto [machine, constraints, dataflow] = parse(kSmall);
  EXPECT_FALSE(dataflow);
  EXPECT_EQ(machine.name, "small");
  EXPECT_EQ(machine.source, "made up for this test");
  EXPECT_EQ(machine.clock.value, 100e6);
  ASSERT_EQ(machine.levels.size(), 3u);
  EXPECT_EQ(machine.levels[0].shared_bandwidth, 8);  // words of 16 bits
  EXPECT_FALSE(machine.levels[0].capacity_bits);
  const accel::StorageLevel& buffer = machine.levels[1];
  EXPECT_EQ(buffer.must_keep, accel::TensorSet{Tensor::input});
  EXPECT_EQ(buffer.may_keep, (accel::TensorSet{Tensor::input, Tensor::output}));
  EXPECT_EQ(buffer.capacity_bits, 2048 * 8);
  EXPECT_EQ(buffer.partition_bits[static_cast<std::size_t>(Tensor::output)], 64 * 16);
  EXPECT_EQ(buffer.word_bits, 16);
  EXPECT_EQ(buffer.block_words, 4);
  EXPECT_EQ(buffer.buffers, 1);
  EXPECT_EQ(buffer.read_bandwidth, 8);  // 16 bytes per cycle
  EXPECT_EQ(buffer.write_bandwidth, accel::kUnlimited);
  EXPECT_EQ(buffer.read_energy_pj, 1.5);
  EXPECT_EQ(buffer.write_energy_pj, 1.5);
  EXPECT_EQ(buffer.leakage_mw, 0.003);
  EXPECT_EQ(buffer.network_energy_pj, 0.02);
  EXPECT_EQ(buffer.network_bandwidth, 4);
  EXPECT_EQ(buffer.fanout, (std::vector<accel::Fanout>{
                               {.axis = "X", .size = 8, .multicast = false, .reduction = true}}));
  EXPECT_GT(buffer.hop_energy_pj, 0) << "from the technology";
  EXPECT_EQ(machine.levels[2].buffers, 2);
  EXPECT_EQ(machine.multipliers(), 8);

  ASSERT_EQ(constraints.levels.size(), 3u);
  const accel::LevelConstraints& level = constraints.levels[1];
  EXPECT_EQ(level.temporal.dimensions, (accel::DimensionSet{Dimension::K, Dimension::C}));
  EXPECT_EQ(level.innermost, (std::vector<Dimension>{Dimension::C, Dimension::K}));
  EXPECT_EQ(level.temporal.factors[index_of(Dimension::K)], accel::kAllThatIsLeft);
  EXPECT_EQ(level.temporal.factors[index_of(Dimension::C)], 3);
  EXPECT_EQ(level.axes[0].most[index_of(Dimension::P)], 2);
}

TEST(MachineFile, ParametersReplaceTheirDefaults) {
  const Machine machine = parse(kSmall, {{"rows", "3"}, {"size", "100 words"}}).machine;
  EXPECT_EQ(machine.levels[1].fanout[0].size, 6);
  EXPECT_EQ(machine.levels[1].capacity_bits, 1600);
  const auto size = [](const std::string& expression) {
    return parse(changed("${rows * 2}", expression)).machine.levels[1].fanout[0].size;
  };
  EXPECT_EQ(size("${rows}"), 4);
  EXPECT_EQ(size("${(rows + 2) * 3 - 8 / 4}"), 16);
  EXPECT_EQ(size("${ 6 / 2 / rows * 8 }"), 6);
}

TEST(MachineFile, NamesPlaceLevelAndValueOfEachMistake) {
  struct Mistake {
    std::string from, to, message;
  };
  const std::vector<Mistake> mistakes{
      // Units.
      {"clock: 100MHz", "clock: 100",
       "mine.yaml:6:8: machine, clock: '100' as a frequency: the "
       "unit is missing"},
      {"capacity: ${size}", "capacity: 2KB",
       "mine.yaml:14:15: level 'buffer', capacity: '2KB' as a capacity: 'KB' may mean 1000 or "
       "1024"},
      {"capacity: ${size}", "capacity: 2.55 words",
       "level 'buffer', capacity: '2.55 words' as a capacity"},
      {"output: 64 words", "output: 64",
       "mine.yaml:16:15: level 'buffer', partition, output: '64' as a capacity: the unit is "
       "missing"},
      {"block: 4 words", "block: 4B",
       "level 'buffer', block: '4B' as a number of words: unknown unit 'B'"},
      {"energy: 1.5pJ", "energy: 1.5pJ/bit",
       "level 'buffer', energy: '1.5pJ/bit' as an energy: unknown unit 'pJ/bit'"},
      {"leakage: 3uW", "leakage: -3uW",
       "mine.yaml:22:14: level 'buffer', leakage: '-3uW' as a power: must not be negative"},
      {"bandwidth: 16B/cycle", "bandwidth: 16B",
       "level 'DRAM', bandwidth: '16B' as a bandwidth: unknown unit 'B'"},
      {"energy: 20fJ/bit", "energy: 20fJ",
       "mine.yaml:24:15: level 'buffer', network, energy: '20fJ' as an energy per bit"},
      // Structure.
      {"    leakage: 3uW\n", "    leekage: 3uW\n",
       "mine.yaml:22:5: unknown key 'levels[1].leekage' (did you mean 'leakage'?)"},
      {"source: made up for this test\n", "", "source"},
      {"    capacity: 8B\n", "",
       "mine.yaml:30:11: level 'registers': has neither a capacity nor a partition for input"},
      {"name: registers", "name: buffer",
       "mine.yaml:30:11: level 'buffer': levels 1 and 2 have this name"},
      {"${rows * 2}", "-3", "mine.yaml:27:7: level 'buffer': fan-out along X = -3: must be in [1,"},
      {"${rows * 2}", "0", "level 'buffer': fan-out along X = 0: must be in [1,"},
      {"${rows * 2}", "2.5", "levels[1].fanout[0].size: 2.5"},
      {"${rows * 2}", "${rows / 3}", "levels[1].fanout[0].size: 1.333"},
      {"bypass: [weights]", "bypass: [input]",
       "mine.yaml:13:13: level 'buffer', bypass: input is also in keep"},
      {"bypass: [weights]", "bypass: [weight]", "levels[1].bypass"},
      {"energy: 1.5pJ", "energy: 1.5pJ\n    read_energy: 1pJ",
       "level 'buffer', energy: read_energy and write_energy say the same"},
      {"buffers: single", "buffers: 99", "level 'buffer': buffers = 99: must be in [1, 16]"},
      // Parameters.
      {"${rows * 2}", "${row * 2}",
       "mine.yaml:28:15: ${row * 2}: no parameter 'row' (did you mean 'rows'?)"},
      {"${rows * 2}", "${size * 2}",
       "mine.yaml:28:15: ${size * 2}: parameter 'size' = '2KiB' is text, which cannot be "
       "calculated with"},
      {"${rows * 2}", "${rows / 0}", "mine.yaml:28:15: ${rows / 0}: division by zero"},
      {"${rows * 2}", "${rows *}", "${rows *}: a parameter or a number is missing"},
      {"${rows * 2}", "${(rows}", "${(rows}: ')' is missing"},
      {"${rows * 2}", "${2 rows}", "${2 rows}: unexpected 'rows'"},
      {"${rows * 2}", "${rows", "'${rows': '}' is missing after '${'"},
      {"rows: 4", "rows: [4]", "mine.yaml:5:20: parameter 'rows' = [4]: expected a number or text"},
      // Technology.
      {"clock: 100MHz", "clock: 100MHz\ntechnology: 29nm", "mine.yaml:7:13: no technology '29nm'"},
      {"clock: 100MHz", "clock: 100MHz\ncompute: {precision: 4bit}",
       "mine.yaml:7:22: compute, precision: 4 bits; a technology has multipliers of 8, 16 and 32"},
      // Constraints.
      {"constraints:\n  buffer:", "constraints:\n  bufer:",
       "mine.yaml:34:3: no level 'bufer' (did you mean 'buffer'?)"},
      {"      X:\n        dimensions", "      Y:\n        dimensions",
       "level 'buffer' has no axis 'Y'"},
      {"dimensions: KC", "dimensions: KZ",
       "mine.yaml:36:7: level 'buffer': no dimension 'Z' (expected one of N, G, K, C"},
      {"C: 3}", "C: 3, P: 2}",
       "mine.yaml:34:3: level 'buffer', temporal loops: factor of P = 2, but only loops over KC "
       "are allowed"},
  };
  for (const Mistake& mistake : mistakes)
    EXPECT_THAT(error_of(changed(mistake.from, mistake.to)), HasSubstr(mistake.message))
        << "instead of '" << mistake.from << "': '" << mistake.to << "'";
}

TEST(MachineFile, NamesAParameterThatTheFileLacks) {
  EXPECT_EQ(error_of(kSmall, {{"rowz", "3"}}),
            "mine.yaml: no parameter 'rowz' (did you mean 'rows'?)");
  EXPECT_EQ(error_of(kSmall, {{"rows", "3B"}}),
            "mine.yaml: parameter rows = '3B': expected a number, as its default 4");
  EXPECT_THAT(error_of(kSmall, {{"rows", "-1"}}), HasSubstr("fan-out along X = -2"));
}

TEST(MachineFile, SplitsParametersFromNames) {
  EXPECT_EQ(split_parameters("nvdla"), (std::pair<std::string, ParameterValues>{"nvdla", {}}));
  EXPECT_EQ(
      split_parameters("a:b.yaml:rows=8,clock=1GHz"),
      (std::pair<std::string, ParameterValues>{"a:b.yaml", {{"rows", "8"}, {"clock", "1GHz"}}}));
  EXPECT_THROW(static_cast<void>(split_parameters("nvdla:rows=")), UserError);
  EXPECT_THROW(static_cast<void>(split_parameters("nvdla:rows=1,")), UserError);
  EXPECT_THROW(static_cast<void>(split_parameters("nvdla:rows=1,rows=2")), UserError);
}

TEST(MachineFile, SurvivesARoundTrip) {
  const MachineDescription description = parse(kSmall);
  EXPECT_EQ(parse(write_machine(description)), description) << write_machine(description);
}

TEST(MachineFile, TheExampleOfTheManualIsTrue) {
  std::ifstream in(COSEARCH_SOURCE_DIR "/docs/machines.md");
  std::string example;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```"))
      inside = line == "```yaml";
    else if (inside)
      example += line + "\n";
  }
  const MachineDescription description = parse(example);
  EXPECT_EQ(description.machine.multipliers(), 16 * 32);
  EXPECT_EQ(description.machine.levels[1].write_bandwidth, 16);  // 8 GB/s at 500 MHz
  EXPECT_EQ(description.constraints.levels[1].axes[0].most[index_of(Dimension::K)], 8);
}

TEST(MachineFile, IsFoundByPathToo) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "machine_file_test.yaml";
  std::ofstream(path) << kSmall;
  EXPECT_EQ(find_machine(path.string() + ":rows=3").machine.levels[1].fanout[0].size, 6);
  EXPECT_EQ(find_machine(path.string() + ":rows=3").machine.name, "small:rows=3");
  std::filesystem::remove(path);
  EXPECT_THROW(static_cast<void>(find_machine(path.string())), FileError);
}

TEST(ShippedMachines, AreValidSayWhereTheyComeFromAndSurviveARoundTrip) {
  for (const std::string& name : machine_names()) {
    SCOPED_TRACE(name);
    const MachineDescription description = find_machine(name);
    EXPECT_EQ(description.machine.name, name);
    EXPECT_GT(description.machine.source.size(), 60u);
    EXPECT_EQ(accel::problems_in(description.machine), Texts{});
    EXPECT_EQ(accel::problems_in(description.constraints, description.machine), Texts{});
    EXPECT_EQ(parse(write_machine(description)), description);
  }
}

TEST(ShippedMachines, HaveTheirPublishedSizes) {
  const auto machine = [](const char* name) { return find_machine(name).machine; };
  // Chen et al., JSSC 2017: 168 PEs; 108 KB and 168 times 12 + 224 + 24 words of two bytes.
  EXPECT_EQ(machine("eyeriss-v1").multipliers(), 168);
  EXPECT_EQ(accel::bytes_on_chip(machine("eyeriss-v1")).value, 108 * 1024 + 168 * 260 * 2);
  EXPECT_EQ(machine("nvdla-256").multipliers(), 256);
  EXPECT_EQ(machine("nvdla-1024").multipliers(), 1024);
  EXPECT_EQ(machine("shidiannao-64").multipliers(), 64);
  // Jouppi et al., ISCA 2017: 64 Ki multipliers; 34 GB/s at 700 MHz are 48.57 bytes per cycle.
  EXPECT_EQ(machine("tpu-v1").multipliers(), 65536);
  EXPECT_NEAR(machine("tpu-v1").levels[0].shared_bandwidth, 48.571, 1e-3);
  EXPECT_EQ(machine("simba").multipliers(), 36 * 1024);
  EXPECT_EQ(machine("simba:chiplet_rows=1,chiplet_columns=1").multipliers(), 1024);
  EXPECT_EQ(machine("gemmini").multipliers(), 256);
  EXPECT_EQ(machine("gemmini").levels[2].capacity_bits, 64 * 1024 * 8 / 16);
  EXPECT_EQ(machine("edge-tpu-like").multipliers(), 8 * 8 * 4 * 4);
  EXPECT_EQ(machine("ascend-like").multipliers(), 16 * 16 * 2 * 2);
  EXPECT_EQ(machine("meta-prototype-like").multipliers(), 32 * 2 * 4 * 4);
}

// Sizes and constraints together must leave room for some mapping.
TEST(ShippedMachines, RunAConvolution) {
  Layer layer;
  layer.K = layer.C = 8, layer.P = layer.Q = 4, layer.R = layer.S = 3;
  layer.input_h = layer.input_w = 4;
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = 1;
  for (const std::string& name : machine_names()) {
    SCOPED_TRACE(name);
    const auto [machine, constraints, dataflow] = find_machine(name);
    const auto best = accel::optimal_mapping(layer, machine, constraints, {});
    ASSERT_TRUE(std::holds_alternative<accel::MappedLayer>(best))
        << std::get<accel::Infeasible>(best).reason;
    const auto& mapped = std::get<accel::MappedLayer>(best);
    EXPECT_EQ(accel::violations_of(constraints, mapped.nest, layer, machine), Texts{});
    EXPECT_GT(mapped.cost.total_energy().value, 0);
  }
}

/// The template file of `sizes` with its parameters.
std::string text_of(const TemplateSizes& p) {
  return fmt::format(
      "{}:pe_rows={},pe_columns={},pe_buffer={}B,shared_buffer={}B,noc_bandwidth={}B/cycle,"
      "dram_bandwidth={}B/cycle,precision={}",
      accel::name_of(p.dataflow), p.pe_rows, p.pe_columns, p.pe_buffer.value, p.shared_buffer.value,
      p.noc_bandwidth, p.dram_bandwidth, p.precision_bits);
}

// accel's own tests cannot read files: the machine they test is the files'.
TEST(TemplateFiles, AreTheMachinesThatTheTemplateMapperIsTestedOn) {
  for (const accel::Dataflow dataflow : accel::kDataflows)
    for (const int precision : {8, 16, 32}) {
      const TemplateSizes sizes{.dataflow = dataflow,
                                .pe_rows = 12,
                                .pe_columns = 14,
                                .pe_buffer = {200},
                                .shared_buffer = {50'000},
                                .noc_bandwidth = 48,
                                .dram_bandwidth = 6,
                                .precision_bits = precision};
      SCOPED_TRACE(text_of(sizes));
      const MachineDescription file = find_machine(text_of(sizes));
      EXPECT_EQ(file.dataflow, dataflow);
      Machine expected = accel::test::machine(sizes);
      expected.name = file.machine.name;
      expected.source = file.machine.source;
      EXPECT_EQ(file.machine, expected);
    }
}

TEST(TemplateFiles, HaveAPitchThatFollowsFromTheAreaOfAPe) {
  const Machine machine = find_machine("nvdla:pe_rows=8,pe_columns=32").machine;
  const accel::TechnologyTable t = find_technology("45nm");
  const double pe_mm2 = machine.compute.area_mm2 + machine.levels[2].area_mm2;
  const auto near = [](double is, double should) { EXPECT_NEAR(is, should, 1e-9 * should); };
  near(pe_mm2 * 1e6, t.mac_area(8) + t.pe_control_area + 512 * t.register_file_area);
  near(machine.levels[1].hop_energy_pj * 8, t.wire_energy * std::sqrt(pe_mm2));
  near(machine.levels[1].network_energy_pj / machine.levels[1].hop_energy_pj, (8 + 32) / 2);
}

Layer random_convolution(Random& random) {
  Layer layer;
  const auto up_to = [&](std::uint64_t most) {
    return static_cast<std::int64_t>(1 + random.below(most));
  };
  layer.K = up_to(64), layer.C = up_to(64), layer.P = up_to(30), layer.Q = up_to(30);
  layer.R = up_to(3), layer.S = up_to(3);
  if (random.below(4) == 0) layer.G = up_to(32), layer.K = layer.C = 1;
  layer.input_h = layer.P + layer.R - 1;
  layer.input_w = layer.Q + layer.S - 1;
  return layer;
}

TEST(TemplateFiles, AllowWhatTheTemplateMapperChooses) {
  for (const accel::Dataflow dataflow : accel::kDataflows) {
    const MachineDescription file =
        find_machine(text_of({.dataflow = dataflow, .pe_rows = 8, .pe_columns = 6}));
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      SCOPED_TRACE(file.machine.name + " " + std::to_string(seed));
      Random random(seed, "template files");
      const Layer layer = random_convolution(random);
      const auto found = accel::template_mapping(layer, file.machine, dataflow);
      const auto* run = std::get_if<accel::CostedNest>(&found);
      if (run == nullptr) continue;
      EXPECT_EQ(accel::problems_in(run->nest, layer, file.machine), Texts{});
      EXPECT_EQ(accel::violations_of(file.constraints, run->nest, layer, file.machine), Texts{});
    }
  }
}

// A template is one by its file: what its rule needs is checked there.
TEST(MachineFile, TakesADataflowWhereTheRuleHasItsRowsAndColumns) {
  EXPECT_THAT(
      error_of(changed("constraints:\n", "dataflow: nvdla\nconstraints:\n")),
      HasSubstr("mine.yaml:33:11: machine, dataflow: level 'DRAM': with a dataflow it keeps "
                "all tensors"));
  EXPECT_THAT(error_of(changed("constraints:\n", "dataflow: nvdlaa\nconstraints:\n")),
              HasSubstr("did you mean 'nvdla'?"));
}

TEST(MachineFileClass, KnowsItsParametersInTheOrderOfTheFile) {
  const MachineFile file("xp_ws");
  std::vector<std::string> names;
  for (const auto& [name, value] : file.parameters()) names.push_back(name + "=" + value);
  EXPECT_EQ(names, (Texts{"pe_rows=16", "pe_columns=16", "pe_buffer=512B", "shared_buffer=128KiB",
                          "noc_bandwidth=64B/cycle", "dram_bandwidth=16B/cycle", "clock=200MHz",
                          "precision=8", "technology=45nm"}));
  EXPECT_TRUE(file.is_shipped());
  EXPECT_EQ(file.with({{"pe_rows", "3"}}).machine.multipliers(), 3 * 16);
  EXPECT_EQ(file.with({}).machine, find_machine("xp_ws").machine);
}

TEST(FindMachine, SuggestsTheLikelyName) {
  try {
    (void)find_machine("eyeris-v1");
    FAIL() << "found";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "no machine 'eyeris-v1' (did you mean 'eyeriss-v1'?)");
  }
}

TEST(FindTechnology, KnowsTheScaledNodes) {
  EXPECT_EQ(technology_names(),
            (Texts{"65nm", "45nm", "40nm", "32nm", "28nm", "22nm", "16nm", "14nm", "10nm", "7nm"}));
  EXPECT_EQ(find_technology("7nm").name, "7nm");
  EXPECT_LT(find_technology("7nm").mac_energy_8bit, find_technology("45nm").mac_energy_8bit);
  const Machine slow = find_machine("nvdla").machine;
  const Machine fast = find_machine("nvdla:technology=7nm").machine;
  EXPECT_LT(accel::area_of(fast).value, 0.1 * accel::area_of(slow).value);
}

}  // namespace
}  // namespace cosearch::codesign
