#include "codesign/import/timeloop_design.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "accel/access_counts.h"
#include "core/random.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign::test {
namespace {

using accel::Dimension;
using accel::Loop;
using accel::TensorSet;
using cosearch::test::message_of;
using datasets::parse_timeloop;

constexpr std::int8_t kTemporal = Loop::kTemporal;

constexpr const char* kArchitecture = R"(
architecture:
  version: 0.3
  subtree:
    - name: system
      local:
        - { name: DRAM, class: DRAM, attributes: { width: 64, block-size: 4, word-bits: 16 } }
        - { name: buffer, class: SRAM, attributes: { entries: 4096, word-bits: 16, read_bandwidth: 8 } }
        - { name: 'Dummy[0..3]', class: regfile, attributes: { depth: 0, word-bits: 16, meshX: 4 } }
        - { name: 'spad[0..11]', class: regfile, attributes: { depth: 64, word-bits: 16, meshX: 4 } }
        - { name: 'mac[0..11]', class: intmac, attributes: { meshX: 4 } }
)";
constexpr const char* kProblem = R"(
problem: { shape: cnn-layer, instance: { C: 6, K: 8, R: 3, S: 2, N: 1, P: 14, Q: 12, Wstride: 2 } }
)";
constexpr const char* kMapping = R"(
mapping:
  - { target: DRAM, type: temporal, factors: P=7 K=2, permutation: PK }
  - { target: buffer, type: temporal, factors: Q=0 C=2, permutation: QC }
  - { target: buffer, type: spatial, factors: K=4 }
  - { target: Dummy, type: spatial, factors: R=3, permutation: R, split: 0 }
  - { target: spad, type: temporal, factors: S=2 C=3 P=2, permutation: SCP }
  - { target: spad, type: bypass, bypass: [ Outputs ], keep: [ Inputs, Weights ] }
)";

LayerDesign import(const std::string& mapping = kMapping, const std::string& problem = kProblem) {
  return import_timeloop(parse_timeloop(kArchitecture + problem + mapping, "a.yaml"));
}

std::string message(const std::string& mapping) {
  return message_of([&] { (void)import(mapping); });
}

TEST(TimeloopImport, TheMachineHasFanOutsBetweenItsLevels) {
  const accel::Machine machine = import().machine;
  ASSERT_EQ(machine.levels.size(), 4U);
  EXPECT_FALSE(machine.levels[0].capacity_bits.has_value());
  EXPECT_EQ(machine.levels[0].block_words, 4);
  EXPECT_EQ(machine.levels[1].capacity_bits, 4096 * 16);
  EXPECT_EQ(machine.levels[1].read_bandwidth, 8);
  ASSERT_EQ(machine.levels[1].fanout.size(), 1U);
  EXPECT_EQ(machine.levels[1].fanout[0].axis, "X");
  EXPECT_EQ(machine.levels[1].fanout[0].size, 4);
  EXPECT_TRUE(machine.levels[2].may_keep.empty());
  ASSERT_EQ(machine.levels[2].fanout.size(), 1U);
  EXPECT_EQ(machine.levels[2].fanout[0].axis, "Y");
  EXPECT_EQ(machine.levels[2].fanout[0].size, 3);
  EXPECT_TRUE(machine.levels[3].fanout.empty());
}

TEST(TimeloopImport, TheMappingRunsOutermostFirstAndPermutationsFromTheInside) {
  const LayerDesign design = import();
  const std::vector<Loop> dram{{Dimension::K, 4, kTemporal}, {Dimension::P, 2, kTemporal}};
  EXPECT_EQ(design.nest.levels[0].loops, dram);
  const std::vector<Loop> buffer{
      {Dimension::C, 3, kTemporal}, {Dimension::Q, 1, kTemporal}, {Dimension::K, 1, 0}};
  EXPECT_EQ(design.nest.levels[1].loops, buffer);
  const std::vector<Loop> dummy{{Dimension::R, 1, 0}};
  EXPECT_EQ(design.nest.levels[2].loops, dummy);
  EXPECT_TRUE(design.nest.levels[2].keep.empty());
  EXPECT_EQ(design.nest.levels[3].keep, (TensorSet{Tensor::input, Tensor::weights}));
  EXPECT_TRUE(problems_in(design.nest, design.layer, design.machine).empty());
  EXPECT_EQ(design.layer.stride_h, 2);
  EXPECT_EQ(design.layer.input_h, 13 * 2 + 3);
  EXPECT_EQ(design.layer.input_bits, 16);
}

TEST(TimeloopImport, ImperfectFactorsAreShortLastPieces) {
  const std::string problem =
      "problem: { instance: { C: 1, K: 1, R: 1, S: 1, N: 1, P: 10, Q: 1 } }\n";
  const LayerDesign design = import(
      "mapping:\n  - { target: DRAM, type: temporal, factors: \"P=3\" }\n"
      "  - { target: spad, type: temporal, factors: \"P=4,2\" }\n",
      problem);
  EXPECT_EQ(design.nest.levels[0].loops, (std::vector<Loop>{{Dimension::P, 4, kTemporal}}));
  const auto counts =
      count_accesses(design.layer, design.machine, design.nest, accel::Accounting::exact);
  EXPECT_EQ(counts.macs, 10);
}

TEST(TimeloopImport, ShapesAreReadByWhatTheDataSpacesAreProjectedOn) {
  const auto layer = [](const std::string& text) {
    return timeloop_layer(*parse_timeloop(text, "a.yaml").problem);
  };
  const TimeloopLayer product = layer(R"(
problem:
  shape:
    name: product
    dimensions: [M, N, K]
    data-spaces:
      - { name: Weights, projection: [[[K]], [[N]]] }
      - { name: Inputs, projection: [[[M]], [[K]]] }
      - { name: Outputs, projection: [[[M]], [[N]]], read-write: true }
  instance: { M: 4, N: 5, K: 6 }
)");
  EXPECT_EQ(product.layer.kind, LayerKind::gemm);
  EXPECT_EQ(product.layer.macs(), 120);
  EXPECT_EQ(product.dimensions.at("M"), Dimension::P);
  EXPECT_EQ(product.dimensions.at("K"), Dimension::C);
  EXPECT_EQ(product.dimensions.at("N"), Dimension::K);
  const TimeloopLayer depthwise = layer(R"(
problem:
  shape:
    name: depthwise
    dimensions: [C, R, S, N, P, Q]
    coefficients: [ { name: Wstride, default: 2 } ]
    data-spaces:
      - { name: Weights, projection: [[[C]], [[R]], [[S]]] }
      - { name: Inputs, projection: [[[N]], [[C]], [[R], [P, Wstride]], [[S], [Q]]] }
      - { name: Outputs, projection: [[[N]], [[C]], [[P]], [[Q]]], read-write: true }
  instance: { C: 16, R: 3, S: 3, N: 1, P: 7, Q: 8 }
)");
  EXPECT_TRUE(depthwise.layer.is_depthwise());
  EXPECT_EQ(depthwise.layer.stride_h, 2);
  EXPECT_EQ(depthwise.layer.stride_w, 1);
}

TEST(TimeloopImport, WhatCannotBeTranslatedIsNamedWithItsLine) {
  const std::string mapping = "mapping:\n";
  EXPECT_EQ(message(mapping + "  - { target: sram, type: temporal }"),
            "a.yaml:15:5: no level 'sram' (expected one of: DRAM, buffer, Dummy, spad)");
  EXPECT_EQ(message(mapping + "  - { target: DRAM, type: temporal, factors: Z=2 }"),
            "a.yaml:15:5: DRAM: no dimension 'Z'; expected one of: C, K, N, P, Q, R, S");
  EXPECT_EQ(message(mapping + "  - { target: DRAM, type: temporal, factors: C=6 K=8 }"),
            "a.yaml:15:5: DRAM: the permutation does not say where the loop over C stands");
  EXPECT_EQ(message(mapping + "  - { target: DRAM, type: temporal, factors: C=3 }"),
            "a.yaml:15:5: the factors of C come to 3; its extent is 6");
  EXPECT_EQ(message(mapping + "  - { target: DRAM, type: temporal, factors: C=1000000000 }"),
            "a.yaml:15:5: the factors of C come to more than 6; its extent is 6");
  EXPECT_EQ(message(mapping + "  - { target: DRAM, type: spatial, factors: C=6 }"),
            "a.yaml:15:5: DRAM has nothing below it along X for the loop over C");
  EXPECT_EQ(message(mapping + "  - { target: DRAM, type: bypass, bypass: [Input] }"),
            "a.yaml:15:5: DRAM: no data space 'Input' (did you mean 'Inputs'?)");
  EXPECT_EQ(message_of([] { (void)import_timeloop(parse_timeloop(kProblem, "a.yaml")); }),
            "the files have no architecture, mapping");
}

TEST(TimeloopImport, ConstraintsBindLoopsAndWhatLevelsKeep) {
  const TimeloopMapSpace space = import_timeloop_constraints(parse_timeloop(
      std::string(kArchitecture) + kProblem +
          "constraints:\n"
          "  - { target: buffer, type: temporal, factors: R=1 S<=2 C=0, permutation: SC }\n"
          "  - { target: buffer, type: bypass, bypass: [Weights], keep: [Inputs] }\n"
          "  - { target: Dummy, type: spatial, factors: K=3, permutation: KC, split: 0 }\n",
      "a.yaml"));
  EXPECT_EQ(space.machine.levels[1].must_keep, TensorSet{Tensor::input});
  EXPECT_EQ(space.machine.levels[1].may_keep, (TensorSet{Tensor::input, Tensor::output}));
  const accel::LevelConstraints& buffer = space.constraints.levels[1];
  EXPECT_EQ(buffer.temporal.factors[accel::index_of(Dimension::R)], 1);
  EXPECT_EQ(buffer.temporal.factors[accel::index_of(Dimension::C)], accel::kAllThatIsLeft);
  EXPECT_EQ(buffer.temporal.most[accel::index_of(Dimension::S)], 2);
  EXPECT_EQ(buffer.innermost, (std::vector{Dimension::S, Dimension::C}));
  EXPECT_EQ(space.constraints.levels[2].axes[0].factors[accel::index_of(Dimension::K)], 3);
}

LayerDesign round_trip(const LayerDesign& design) {
  return import_timeloop(parse_timeloop(to_text(export_timeloop(design)), "again.yaml"));
}

TEST(TimeloopExport, WhatIsExportedComesBackTheSame) {
  for (const LayerDesign& design :
       {import(),
        import("mapping:\n  - { target: DRAM, type: temporal, factors: \"P=3 Q=2,2\", permutation: "
               "QP }\n"
               "  - { target: spad, type: temporal, factors: \"P=4,2 Q=5,3\", permutation: PQ }\n",
               "problem: { instance: { C: 1, K: 1, R: 1, S: 1, N: 1, P: 10, Q: 8 } }\n")}) {
    LayerDesign again = round_trip(design);
    again.name = design.name;
    EXPECT_EQ(again, design) << to_text(export_timeloop(design));
  }
}

TEST(TimeloopExport, ADimensionAlongBothAxesGetsALevelBetweenThem) {
  LayerDesign design = import(
      "mapping:\n  - { target: DRAM, type: temporal, factors: P=14 Q=12 C=3, permutation: CQP }\n"
      "  - { target: spad, type: temporal, factors: R=3 S=2 C=2, permutation: RSC }\n"
      "  - { target: buffer, type: spatial, factors: K=4 }\n"
      "  - { target: Dummy, type: spatial, factors: K=2, permutation: K, split: 0 }\n");
  // The same with both axes below one level.
  accel::StorageLevel& buffer = design.machine.levels[1];
  buffer.fanout.push_back(design.machine.levels[2].fanout.front());
  design.nest.levels[1].loops.push_back({Dimension::K, 1, 1});
  design.machine.levels.erase(design.machine.levels.begin() + 2);
  design.nest.levels.erase(design.nest.levels.begin() + 2);
  ASSERT_TRUE(problems_in(design.nest, design.layer, design.machine).empty());
  const LayerDesign again = round_trip(design);
  EXPECT_EQ(again.machine.levels.size(), 4U);
  EXPECT_TRUE(again.machine.levels[2].may_keep.empty());
  const auto counts = [](const LayerDesign& d) {
    return count_accesses(d.layer, d.machine, d.nest, accel::Accounting::exact);
  };
  EXPECT_EQ(counts(again).levels[1], counts(design).levels[1]);
  EXPECT_EQ(counts(again).levels[3], counts(design).levels[2]);
}

TEST(TimeloopExport, WhatCannotBeSaidNamesTheLevel) {
  const LayerDesign good = import();
  const auto message_for = [&](auto change) {
    LayerDesign design = good;
    change(design);
    return message_of([&] { (void)export_timeloop(design); });
  };
  EXPECT_EQ(
      message_for([](LayerDesign& design) { design.machine.levels[1].partition_bits[0] = 100; }),
      "level buffer: Timeloop has no room for one tensor alone");
  EXPECT_EQ(message_for([](LayerDesign& design) { design.machine.levels[1].fanout.resize(3); }),
            "level buffer: 3 axes below it; Timeloop has X and Y");
  EXPECT_EQ(
      message_for([](LayerDesign& design) {
        design.nest.levels[1].loops[0].tile = 2;  // 6 = 2 + 2 + 2, but 6 = 4 + 2 further in
        design.nest.levels[0].loops.insert(design.nest.levels[0].loops.begin(),
                                           {Dimension::C, 5, kTemporal});
      }),
      "level buffer: pieces of 5 C do not divide into 2; Timeloop's last factors are short only "
      "once");
  EXPECT_EQ(message_for([](LayerDesign& design) { design.layer.transposed = true; }),
            "layer cnn-layer: a transposed convolution cannot be written as a Timeloop problem");
}

}  // namespace
}  // namespace cosearch::codesign::test
