#include "datasets/timeloop_file.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/datasets/support.h"

namespace cosearch::datasets::test {
namespace {

using cosearch::test::message_of;
using Kind = TimeloopDirective::Kind;

constexpr const char* kVersion3 = R"(
architecture:
  version: 0.3
  subtree:
    - name: system
      local:
        - name: DRAM
          class: DRAM
          attributes: { width: 64, block-size: 4, word-bits: 16, read_bandwidth: 5 }
      subtree:
        - name: chip
          attributes: { technology: 45nm }
          local:
            - name: buffer
              class: smartbuffer_SRAM
              attributes: { depth: 1024, width: 64, block-size: 4, word-bits: 16, bandwidth: 16 }
            - name: Dummy[0..3]
              class: regfile
              attributes: { depth: 0, width: 16, word-bits: 16, meshX: 4 }
          subtree:
            - name: PE[0..11]
              local:
                - name: spad
                  class: regfile
                  attributes: { depth: 12, width: 16, word-bits: 16, meshX: 4 }
                - name: mac
                  class: intmac
                  attributes: { datawidth: 16, meshX: 4 }
problem:
  shape: cnn-layer
  instance: { C: 3, K: 8, R: 3, S: 3, N: 1, P: 14, Q: 12, Wstride: 2 }
mapping:
  - target: DRAM
    type: temporal
    factors: R=3 S1 P=2
    permutation: RSPQCKN
  - target: buffer
    type: spatial
    factors: [K=4, C=3]
    permutation: [C, K]
    split: 1
  - target: buffer
    type: bypass
    keep: [Inputs]
    bypass: [Weights]
constraints:
  targets:
    - { target: buffer, type: temporal, factors: "C<=32 K=0", permutation: "C K" }
mapper: { algorithm: random }
)";

TEST(TimeloopFile, ReadsVersion3) {
  const TimeloopFiles files = parse_timeloop(kVersion3, "a.yaml");
  ASSERT_TRUE(files.architecture.has_value());
  const auto& levels = files.architecture->levels;
  ASSERT_EQ(levels.size(), 4U);
  EXPECT_EQ(levels[0].name, "DRAM");
  EXPECT_FALSE(levels[0].entries.has_value());
  EXPECT_EQ(levels[0].read_bandwidth, 5);
  EXPECT_EQ(levels[1].entries, 4096);  // rows of four words
  EXPECT_EQ(levels[1].write_bandwidth, 8);
  EXPECT_EQ(levels[2].name, "Dummy");
  EXPECT_EQ(levels[2].instances, 4);
  EXPECT_EQ(levels[2].entries, 0);
  EXPECT_EQ(levels[3].instances, 12);
  EXPECT_EQ(levels[3].mesh_x, 4);
  EXPECT_EQ(files.architecture->compute, "mac");
  EXPECT_EQ(files.architecture->compute_instances, 12);
  EXPECT_EQ(files.problem->values.at("Wstride"), 2);
  EXPECT_EQ(files.problem->values.at("Hdilation"), 1);
  EXPECT_EQ(files.ignored, std::vector<std::string>{"mapper"});
}

TEST(TimeloopFile, ReadsMappingsAndConstraints) {
  const TimeloopFiles files = parse_timeloop(kVersion3, "a.yaml");
  ASSERT_EQ(files.mapping.size(), 3U);
  const TimeloopDirective& temporal = files.mapping[0];
  EXPECT_EQ(temporal.factors.size(), 3U);
  EXPECT_EQ(temporal.factors[1].dimension, "S");
  EXPECT_EQ(temporal.factors[1].bound, 1);
  EXPECT_EQ(temporal.permutation.front(), "R");
  EXPECT_EQ(files.mapping[1].split, 1);
  EXPECT_EQ(files.mapping[2].kind, Kind::data_space);
  EXPECT_EQ(files.mapping[2].bypass, std::vector<std::string>{"Weights"});
  ASSERT_EQ(files.constraints.size(), 1U);
  EXPECT_EQ(files.constraints[0].factors[0].relation, TimeloopFactor::Relation::at_most);
  EXPECT_EQ(files.constraints[0].factors[1].bound, 0);
}

TEST(TimeloopFile, ReadsVersion4WithItsTagsAndInlineConstraints) {
  const TimeloopFiles files = parse_timeloop(R"(
architecture:
  version: 0.4
  nodes:
    - !Container
      name: system
      attributes: { datawidth: 8 }
    - !Component
      name: DRAM
      class: DRAM
      attributes: { width: 64 }
    - !Hierarchical
      nodes:
        - !Component
          name: buffer
          class: SRAM
          attributes: { depth: 64, width: 32, shared_bandwidth: 2 }
          constraints:
            dataspace: { keep: [Inputs], bypass: [Weights] }
            spatial: { factors: [C=4], split: 1 }
        - !Container
          name: column
          spatial: { meshX: 14 }
        - !Container
          name: PE
          spatial: { meshY: 12 }
        - !Component
          name: spad
          class: regfile
          attributes: { depth: 12 }
        - !Component
          name: mac
          class: intmac
)",
                                             "a.yaml");
  const auto& levels = files.architecture->levels;
  ASSERT_EQ(levels.size(), 3U);
  EXPECT_EQ(levels[1].word_bits, 8);  // from the container around it
  EXPECT_EQ(levels[1].block_size, 4);
  EXPECT_EQ(levels[1].entries, 256);
  EXPECT_EQ(levels[2].instances, 168);
  EXPECT_EQ(levels[2].mesh_x, 14);
  ASSERT_EQ(files.constraints.size(), 2U);
  EXPECT_EQ(files.constraints[0].target, "buffer");
  EXPECT_EQ(files.constraints[0].keep, std::vector<std::string>{"Inputs"});
  EXPECT_EQ(files.constraints[1].kind, Kind::spatial);
}

TEST(TimeloopFile, ReadsAShapeWrittenOut) {
  const TimeloopFiles files = parse_timeloop(R"(
problem:
  version: 0.4
  shape:
    name: product
    dimensions: [M, N, K]
    data_spaces:
      - { name: A, projection: [[[M]], [[K]]] }
      - { name: B, projection: [[K], [N]] }
      - { name: Z, projection: [[[M]], [[N]]], read_write: True }
  instance: { M: 4, N: 5, K: 6 }
)",
                                             "a.yaml");
  EXPECT_EQ(files.problem->data_spaces[1].projection[0][0].dimension, "K");
  EXPECT_TRUE(files.problem->data_spaces[2].read_write);
  EXPECT_EQ(files.problem->values.at("N"), 5);
}

TEST(TimeloopFile, WhatItWritesItReadsBack) {
  const std::string text = to_text(parse_timeloop(kVersion3, "a.yaml"));
  EXPECT_EQ(to_text(parse_timeloop(text, "b.yaml")), text) << text;
}

TEST(TimeloopFile, PartsMayComeFromSeveralFilesButEachOnce) {
  const cosearch::test::TemporaryFolder folder;
  cosearch::test::write_bytes(
      folder / "problem.yaml",
      "problem: { instance: { C: 1, K: 1, R: 1, S: 1, N: 1, P: 2, Q: 2 } }\n");
  cosearch::test::write_bytes(folder / "map.yaml",
                              "mapping: [ { target: DRAM, type: temporal, factors: P=2 } ]\n");
  const TimeloopFiles files = read_timeloop({folder / "problem.yaml", folder / "map.yaml"});
  EXPECT_TRUE(files.problem.has_value());
  EXPECT_EQ(files.mapping.size(), 1U);
  const std::string message = message_of([&] {
    (void)read_timeloop({folder / "problem.yaml", folder / "problem.yaml"});
  });
  EXPECT_NE(message.find("problem.yaml:1:1: a second part of that name"), std::string::npos)
      << message;
}

TEST(TimeloopFile, TemplatesHaveToBeExpandedFirst) {
  const std::string message =
      message_of([] { (void)parse_timeloop("a: 1\nproblem:\n  {{cube}}\n", "a.yaml"); });
  EXPECT_TRUE(message.starts_with("a.yaml:3:3: this is a Jinja2 template; expand it first"))
      << message;
  EXPECT_TRUE(message_of([] {
                (void)parse_timeloop("{% include 'x' %}", "a.yaml");
              }).starts_with("a.yaml:1:1: this is a Jinja2 template"));
}

TEST(TimeloopFile, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c : {
           Case{"architectur: {}",
                "a.yaml:1:1: no part 'architectur' of Timeloop's files; expected architecture, "
                "problem, mapping, constraints"},
           Case{"mapping:\n- { target: DRAM, type: tempral }",
                "a.yaml:2:3: type 'tempral'; expected temporal, spatial, dataspace or bypass"},
           Case{"mapping:\n- { target: DRAM, type: temporal, factors: K=x }",
                "a.yaml:2:44: 'K=x' is not a factor; expected ones as R=3, P=16,4 or C<=32"},
           Case{"mapping:\n- { target: DRAM, type: temporal, factors: K=2 K=3 }",
                "a.yaml:2:44: two factors of K"},
           Case{"mapping:\n- { target: DRAM, type: temporal, factor: K=2 }",
                "a.yaml:2:35: no key 'factor' here (did you mean 'factors'?)"},
           Case{
               "problem: { shape: depthwise }",
               "a.yaml:1:19: the shape 'depthwise' is not known here; only cnn-layer is: write the "
               "shape out (dimensions, data-spaces)"},
           Case{
               "problem: { instance: { C: 1024 * 2 } }",
               "a.yaml:1:27: problem.instance.C is \"1024 * 2\"; expected a whole number from 1 to "
               "1000000000 (expressions must be written out)"},
           Case{
               "architecture: { subtree: [ { name: s, local: [ { name: 'PE[0..', class: DRAM } ] } "
               "] }",
               "a.yaml:1:56: 'PE[0..' is not a name with a range; expected one as PE[0..15]"},
           Case{"architecture: { nodes: [ { name: s } ] }",
                "a.yaml:1:26: no tag; expected !Container, !Component or !Hierarchical"},
           Case{"architecture: { nodes: [ !Parallel { name: s } ] }",
                "a.yaml:1:26: the tag !Parallel; expected !Container, !Component or !Hierarchical"},
       }) {
    EXPECT_EQ(message_of([&] { (void)parse_timeloop(c.text, "a.yaml"); }), c.message) << c.text;
  }
}

}  // namespace
}  // namespace cosearch::datasets::test
