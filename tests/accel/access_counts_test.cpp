// Counts of nests small enough to follow with a finger.
#include "accel/access_counts.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/support/nest_case.h"
#include "tests/support/nest_walk.h"

namespace cosearch::accel::test {
namespace {

using enum Dimension;

constexpr std::size_t kInput = index_of(Tensor::input);
constexpr std::size_t kWeights = index_of(Tensor::weights);
constexpr std::size_t kOutput = index_of(Tensor::output);

/// Levels without limits, each with the fan-out given.
Machine machine_with(const std::vector<std::vector<Fanout>>& fanouts) {
  Machine machine;
  for (const auto& fanout : fanouts) {
    machine.levels.emplace_back();
    machine.levels.back().fanout = fanout;
  }
  return machine;
}

std::vector<std::int64_t> instances_of(const AccessCounts& counts, std::size_t levels) {
  return {counts.instances.begin(), counts.instances.begin() + static_cast<std::ptrdiff_t>(levels)};
}

/// A row of `inputs` under a window of `taps`, without padding.
Layer row_of(std::int64_t inputs, std::int64_t taps) {
  return convolution({.height = 1, .width = inputs, .kernel_w = taps});
}

/// DRAM, a buffer, an array of 2 x 2 with registers. 4 input channels, 2 output channels, a 1x1
/// filter, 3x3 inputs and outputs: 72 multiply-accumulates. All of it fits the buffer; rows (Y)
/// take one output channel each, columns (X) one of two input channels, weights stay meanwhile.
NestCase two_by_two() {
  NestCase test;
  test.layer = convolution({.in_channels = 4, .out_channels = 2, .height = 3, .width = 3});
  test.machine = machine_with({{}, {{.axis = "X", .size = 2}, {.axis = "Y", .size = 2}}, {}});
  test.nest.levels.resize(3);
  test.nest.levels[1].loops = {{C, 2}, {P, 1}, {Q, 1}, {C, 1, 0}, {K, 1, 1}};
  return test;
}

/// Also holds the oracle of the property tests to what a finger finds.
AccessCounts counts_of(const NestCase& test) {
  const AccessCounts counts =
      count_accesses(test.layer, test.machine, test.nest, Accounting::exact);
  EXPECT_EQ(text_of(differences(walk(test.layer, test.machine, test.nest), counts)), "");
  return counts;
}

TEST(AccessCounts, MatchFingersOnATwoByTwoArray) {
  const AccessCounts counts = counts_of(two_by_two());
  // 2 steps over C, 3 over P, 3 over Q; 4 multipliers.
  EXPECT_EQ(counts.compute_cycles, 18);
  EXPECT_EQ(counts.macs, 72);
  EXPECT_EQ(instances_of(counts, 4), (std::vector<std::int64_t>{1, 1, 4, 4}));
  // DRAM: one tile of everything, so each tensor crosses once: 4*9 inputs, 2*4 weights, 2*9
  // outputs.
  EXPECT_EQ(counts.levels[0][kInput], (LevelAccesses{.reads = 36}));
  EXPECT_EQ(counts.levels[0][kWeights], (LevelAccesses{.reads = 8}));
  EXPECT_EQ(counts.levels[0][kOutput], (LevelAccesses{.updates = 18}));
  EXPECT_EQ(counts.links[0][kInput], (LinkTraffic{.down = 36, .down_copies = 36}));
  EXPECT_EQ(counts.links[0][kOutput], (LinkTraffic{.up = 18, .up_copies = 18}));
  // Every step asks for 2 channels of one position; both rows get the same word: 18*2 are read and
  // 18*4 arrive, 18 of them at the first register.
  EXPECT_EQ(counts.levels[1][kInput], (LevelAccesses{.reads = 36, .fills = 36}));
  EXPECT_EQ(counts.links[1][kInput], (LinkTraffic{.down = 36, .down_copies = 72}));
  EXPECT_EQ(counts.levels[2][kInput], (LevelAccesses{.reads = 72, .fills = 72}));
  EXPECT_EQ(counts.busiest[2][kInput], (LevelAccesses{.reads = 18, .fills = 18}));
  // Weights: 2 loads, one per step over C, of 4 different ones; each is used in 9 cycles.
  EXPECT_EQ(counts.levels[1][kWeights], (LevelAccesses{.reads = 8, .fills = 8}));
  EXPECT_EQ(counts.levels[2][kWeights], (LevelAccesses{.reads = 72, .fills = 8}));
  EXPECT_EQ(counts.busiest[2][kWeights], (LevelAccesses{.reads = 18, .fills = 2}));
}

TEST(AccessCounts, AddsTheColumnsOfATwoByTwoArray) {
  const AccessCounts counts = counts_of(two_by_two());
  // C is outside P and Q, so each of the 18 outputs visits the buffer twice, each time as the sum
  // of two columns: 36 updates of 72 sums. 18 come back once, to one column; 18 drain to DRAM.
  EXPECT_EQ(counts.levels[1][kOutput], (LevelAccesses{.reads = 36, .updates = 36, .drains = 18}));
  EXPECT_EQ(counts.links[1][kOutput],
            (LinkTraffic{.down = 18, .down_copies = 18, .up = 36, .up_copies = 72}));
  // The multipliers give 72 addends. 72 sums have begun, 18 of them with what came back, so 54
  // first addends find zero and 18 are added to what is read; each sum is read again when it
  // leaves.
  EXPECT_EQ(counts.levels[2][kOutput],
            (LevelAccesses{.reads = 18 + 72, .fills = 18, .updates = 72, .drains = 72}));
  EXPECT_EQ(counts.links[2][kOutput],
            (LinkTraffic{.down = 18, .down_copies = 18, .up = 72, .up_copies = 72}));
  // The first register: 18 sums of 9 outputs; the second time an output comes, so does its sum.
  EXPECT_EQ(counts.busiest[2][kOutput],
            (LevelAccesses{.reads = 9 + 18, .fills = 9, .updates = 18, .drains = 18}));
  EXPECT_EQ(counts.busiest[1][kOutput], counts.levels[1][kOutput]);
}

TEST(AccessCounts, WithoutMulticastAndReductionEveryChildCounts) {
  NestCase test = two_by_two();
  for (Fanout& axis : test.machine.levels[1].fanout) axis.multicast = axis.reduction = false;
  const AccessCounts counts = counts_of(test);
  EXPECT_EQ(counts.levels[1][kInput], (LevelAccesses{.reads = 72, .fills = 36}));
  // 72 sums arrive one by one; the first of each of the 18 outputs finds nothing to continue.
  EXPECT_EQ(counts.levels[1][kOutput],
            (LevelAccesses{.reads = 54 + 18, .updates = 72, .drains = 18}));
  EXPECT_EQ(counts.levels[2][kOutput],
            (LevelAccesses{.reads = 54 + 72, .fills = 54, .updates = 72, .drains = 72}));
}

/// Q of 6 in two loops; the register holds the window of 3, the buffer passes inputs by.
NestCase sliding_row() {
  NestCase test;
  test.layer = row_of(/*inputs=*/8, /*taps=*/3);
  test.machine = machine_with({{}, {}, {}});
  test.nest.levels = {{.loops = {{Q, 3}}},
                      {.keep = {Tensor::weights, Tensor::output}, .loops = {{Q, 1}}},
                      {.loops = {{S, 1}}}};
  return test;
}

TEST(AccessCounts, AWindowSlidesAcrossTheLoopsOfItsDimension) {
  const AccessCounts counts = counts_of(sliding_row());
  // 3 inputs for the first window, one more for each of the other 5, also where the outer loop
  // steps.
  EXPECT_EQ(counts.levels[0][kInput], (LevelAccesses{.reads = 8}));
  EXPECT_EQ(counts.levels[1][kInput], LevelAccesses{});
  EXPECT_EQ(counts.levels[2][kInput], (LevelAccesses{.reads = 18, .fills = 8}));
}

TEST(AccessCounts, ALoopOverSomethingElseEndsTheSlide) {
  NestCase test = sliding_row();
  test.layer.K = 2;
  test.nest.levels[1].loops = {{K, 1}, {Q, 1}};
  // 2 halves of the row, each for 2 output channels: 4 times 3 + 1 + 1.
  EXPECT_EQ(counts_of(test).levels[2][kInput].fills, 20);
  // Inside the sliding loop the other one does no harm.
  test.nest.levels[1].loops = {{Q, 1}, {K, 1}};
  EXPECT_EQ(counts_of(test).levels[2][kInput].fills, 8);
}

TEST(AccessCounts, NeighboursThatShareAnAxisDoNotSlide) {
  NestCase test = sliding_row();
  test.machine.levels[0].fanout = {{.axis = "X", .size = 3}};
  test.nest.levels = {
      {.loops = {{Q, 3}, {Q, 1, 0}}}, {.keep = {}, .loops = {}}, {.loops = {{S, 1}}}};
  const AccessCounts counts = counts_of(test);
  // 3 registers take their whole windows twice; of the 9 words each time 5 are different.
  EXPECT_EQ(counts.levels[2][kInput].fills, 18);
  EXPECT_EQ(counts.levels[0][kInput].reads, 10);
  // Without multicast every register reads for itself.
  test.machine.levels[0].fanout[0].multicast = false;
  EXPECT_EQ(counts_of(test).levels[0][kInput].reads, 18);
}

TEST(AccessCounts, NeighboursFurtherOutThatShareAnAxisDoNotSlideEither) {
  NestCase test = sliding_row();
  test.machine.levels[0].fanout = {{.axis = "X", .size = 2}};
  test.nest.levels = {{.loops = {{Q, 2}, {Q, 1, 0}}}, {}, {.loops = {{S, 1}}}};
  // Two buffers take outputs in turn, one register below each: it too skips every other window, and
  // takes 3 words for each of the 6 although 1 of 3 is left from the last.
  const AccessCounts counts = counts_of(test);
  EXPECT_EQ(counts.levels[1][kInput], (LevelAccesses{.reads = 18, .fills = 18}));
  EXPECT_EQ(counts.levels[2][kInput], (LevelAccesses{.reads = 18, .fills = 18}));
}

/// 3 inputs spread over 2 taps each into 4 outputs: tiles {0, 1}, {1, 2}, {2, 3} of the output.
TEST(AccessCounts, TheOutputOfATransposedLayerSlides) {
  NestCase test;
  test.layer = row_of(/*inputs=*/4, /*taps=*/2);
  test.layer.transposed = true;
  std::swap(test.layer.input_w, test.layer.Q);
  ASSERT_TRUE(problems_in(test.layer).empty());
  test.machine = machine_with({{}, {}});
  test.nest.levels = {{.loops = {{Q, 1}}}, {.loops = {{S, 1}}}};
  const AccessCounts counts = counts_of(test);
  // Each step but the first finds one of its two outputs in place: 4 drain, none comes back.
  EXPECT_EQ(counts.levels[0][kOutput], (LevelAccesses{.updates = 4}));
  // 6 addends, 4 of them the first of their output.
  EXPECT_EQ(counts.levels[1][kOutput], (LevelAccesses{.reads = 2 + 4, .updates = 6, .drains = 4}));
}

/// A row of 3 outputs under 3 taps, one word of padding at either end: DRAM and a register.
TEST(AccessCounts, PaddingIsNotStoredButMultiplied) {
  NestCase test;
  test.layer = row_of(/*inputs=*/3, /*taps=*/3);
  test.layer.pad_left = test.layer.pad_right = 1;
  test.layer.Q = 3;
  ASSERT_TRUE(problems_in(test.layer).empty());
  test.machine = machine_with({{}, {}});
  test.nest.levels = {{.loops = {{Q, 1}}}, {.loops = {{S, 1}}}};
  const AccessCounts counts = counts_of(test);
  EXPECT_EQ(counts.macs, 9);
  // Positions -1, 0 and 1, then 2, then 3: the first and the last are no words.
  EXPECT_EQ(counts.levels[0][kInput], (LevelAccesses{.reads = 3}));
  EXPECT_EQ(counts.levels[1][kInput], (LevelAccesses{.reads = 9, .fills = 3}));
  EXPECT_EQ(counts.links[1][kInput], (LinkTraffic{.down = 9, .down_copies = 9}));
}

/// 2 inputs over 2 taps and 2 outputs: the first tap of the first input falls off the edge.
TEST(AccessCounts, ProductsInThePaddingOfAnOutputAreDropped) {
  NestCase test;
  test.layer = row_of(/*inputs=*/3, /*taps=*/2);
  test.layer.transposed = true;
  test.layer.Q = 2;
  test.layer.input_w = 2;
  test.layer.pad_left = 1;
  ASSERT_TRUE(problems_in(test.layer).empty());
  test.machine = machine_with({{}});
  test.nest.levels = {{.loops = {{Q, 1}, {S, 1}}}};
  const AccessCounts counts = counts_of(test);
  EXPECT_EQ(counts.macs, 4);
  // Outputs -1, 0, 0 and 1: of the three that are stored one continues a sum.
  EXPECT_EQ(counts.levels[0][kOutput], (LevelAccesses{.reads = 1, .updates = 3}));
  EXPECT_EQ(counts.links[0][kOutput],
            (LinkTraffic{.down = 1, .down_copies = 1, .up = 3, .up_copies = 3}));
}

TEST(AccessCounts, WhatDoesNotDivideLeavesInstancesIdle) {
  NestCase test;
  test.layer = fully_connected(/*in_features=*/1, /*out_features=*/5);
  test.machine = machine_with({{{.axis = "X", .size = 2}}, {}});
  test.nest.levels = {{.loops = {{K, 2}, {K, 1, 0}}}, {}};
  const AccessCounts counts = counts_of(test);
  // Outputs 0 and 1, 2 and 3, then 4 alone. The one input is read once, for both.
  EXPECT_EQ(counts.compute_cycles, 3);
  EXPECT_EQ(counts.macs, 5);
  EXPECT_EQ(instances_of(counts, 3), (std::vector<std::int64_t>{1, 2, 2}));
  EXPECT_EQ(counts.levels[0][kInput], (LevelAccesses{.reads = 1}));
  EXPECT_EQ(counts.levels[1][kInput], (LevelAccesses{.reads = 5, .fills = 2}));
  EXPECT_EQ(counts.levels[1][kWeights], (LevelAccesses{.reads = 5, .fills = 5}));
  EXPECT_EQ(counts.busiest[1][kWeights], (LevelAccesses{.reads = 3, .fills = 3}));
  // A sum of one addend is read when it drains, not to accumulate.
  EXPECT_EQ(counts.levels[1][kOutput], (LevelAccesses{.reads = 5, .updates = 5, .drains = 5}));
}

}  // namespace
}  // namespace cosearch::accel::test
