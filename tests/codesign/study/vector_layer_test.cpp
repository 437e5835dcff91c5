// Memory-bound layers on machines of any levels, by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "accel/nest_vector_layer.h"
#include "codesign/machine_file.h"

namespace cosearch::codesign {
namespace {

using accel::VectorLayerCost;
using testing::HasSubstr;

accel::Machine two_buffers() {
  accel::Machine machine;
  machine.levels.resize(3);
  machine.levels[0].name = "DRAM";
  machine.levels[0].shared_bandwidth = 4;
  machine.levels[1].name = "inputs";
  machine.levels[1].may_keep = {Tensor::input};
  machine.levels[1].capacity_bits = 100 * 8;
  machine.levels[2].name = "outputs";
  machine.levels[2].may_keep = {Tensor::output};
  machine.levels[2].capacity_bits = 100 * 8;
  machine.levels[2].write_bandwidth = 1;
  machine.levels[2].fanout = {{.axis = "X", .size = 2}};
  return machine;
}

// 6 channels of 4x4, pooled 2x2 by 2: 24 outputs of 4 operations on 2 lanes are 48 cycles. DRAM
// moves 96 + 24 bytes at 4 a cycle: 30 cycles. Each sum is 32 bits, so that `outputs` writes 24
// times 4 words at one a cycle: 96 cycles, of which the last 2 outputs' 8 are the drain, together
// with their 2 bytes to DRAM (2 / 4 = 0.5, less than the 0 of the buffer's unlimited read port: the
// slower side decides). The first 2 inputs come at 4 a cycle: 0.5 cycles of fill.
TEST(VectorLayer, IsCostedByHandWhereInputsAndOutputsHaveBuffersOfTheirOwn) {
  const auto found = accel::vector_layer_cost(pooling(6, 4, 4, 2, 2), two_buffers());
  ASSERT_TRUE(std::holds_alternative<VectorLayerCost>(found));
  const auto& result = std::get<VectorLayerCost>(found);
  EXPECT_EQ(result.operations, 96);
  EXPECT_EQ(result.cost.latency.compute, 48);
  EXPECT_EQ(result.cost.latency.ports[0].shared, 30);
  EXPECT_EQ(result.cost.latency.ports[2].write, 96);
  EXPECT_EQ(result.cost.latency.fill, 0.5);
  EXPECT_EQ(result.cost.latency.drain, 8.5);
  EXPECT_EQ(result.cost.latency.steady, 88);
  EXPECT_EQ(result.cost.cycles().value, 97);
  EXPECT_EQ(result.cost.counts.levels[1][accel::index_of(Tensor::input)].reads, 96);
  EXPECT_EQ(result.cost.counts.levels[1][accel::index_of(Tensor::output)], accel::LevelAccesses{});
}

// 8 channels of 4 x 4 plus another on a template: 256 words in, 128 out, 2 operations each. 256
// lanes of one operation a cycle need 1 cycle, DRAM moves 384 bytes at 16 a cycle in 24, all of
// them first or last words.
TEST(VectorLayer, OnATemplateMovesItsTensorsOnceAndCountsItsOperations) {
  const accel::Machine machine = find_machine("nvdla").machine;
  const auto cost = [&](const Layer& layer) {
    return std::get<VectorLayerCost>(accel::vector_layer_cost(layer, machine));
  };
  const VectorLayerCost addition = cost(elementwise(8, 4, 4, 2));
  const auto& counts = addition.cost.counts;
  EXPECT_EQ(addition.operations, 256);
  EXPECT_EQ(counts.levels[0][accel::index_of(Tensor::input)].reads, 256);
  EXPECT_EQ(counts.levels[0][accel::index_of(Tensor::output)].updates, 128);
  EXPECT_EQ(addition.cost.latency.compute, 1);
  EXPECT_EQ(addition.cost.latency.ports[0].shared, 24);
  EXPECT_GE(addition.cost.cycles().value, 24);
  // 3 passes over 10 rows of 20 that fit the buffer: DRAM is read once, the shared buffer 3 times.
  const auto& soft = cost(softmax(10, 20)).cost.counts;
  EXPECT_EQ(soft.levels[0][accel::index_of(Tensor::input)].reads, 200);
  EXPECT_EQ(soft.levels[1][accel::index_of(Tensor::input)].reads, 600);
  // A row of a million words does not fit 128 KiB: every pass reads DRAM.
  EXPECT_EQ(cost(softmax(1, 1000000)).cost.counts.levels[0][0].reads, 3000000);
}

// A row of 9 x 9 inputs, twice: 162 bytes of 100. Pooling's window cannot come in parts.
TEST(VectorLayer, SaysWhichLevelIsTooSmallAndByHowMuch) {
  const auto found = accel::vector_layer_cost(pooling(6, 9, 9, 9, 1), two_buffers());
  ASSERT_TRUE(std::holds_alternative<accel::Infeasible>(found));
  EXPECT_THAT(
      std::get<accel::Infeasible>(found).reason,
      HasSubstr("level inputs is 496 bits too small for pooling 6x1x9x9 groups 6 -> 1x1: it "
                "needs 1296 of 800 bits (input 1296)"));
}

// 81 inputs twice do not fit in 100 bytes: three passes over 2 rows of DRAM.
TEST(VectorLayer, ARowThatDoesNotFitIsReadInEachPass) {
  const auto found = accel::vector_layer_cost(softmax(2, 81), two_buffers());
  ASSERT_TRUE(std::holds_alternative<VectorLayerCost>(found));
  EXPECT_EQ(std::get<VectorLayerCost>(found).cost.counts.levels[0][0].reads, 3 * 2 * 81);
  const auto fits = accel::vector_layer_cost(softmax(2, 10), two_buffers());
  EXPECT_EQ(std::get<VectorLayerCost>(fits).cost.counts.levels[0][0].reads, 2 * 10);
}

TEST(VectorLayer, RunsOnEveryShippedMachine) {
  for (const std::string& name : machine_names())
    for (const Layer& layer : {pooling(64, 112, 112, 3, 2, 1), elementwise(64, 56, 56, 2),
                               softmax(1536, 128), normalisation(128, 768)}) {
      SCOPED_TRACE(name + ": " + describe(layer));
      const accel::Machine machine = find_machine(name).machine;
      const auto found = accel::vector_layer_cost(layer, machine);
      ASSERT_TRUE(std::holds_alternative<VectorLayerCost>(found))
          << std::get<accel::Infeasible>(found).reason;
      const auto& result = std::get<VectorLayerCost>(found);
      EXPECT_GT(result.cost.total_energy().value, 0);
      EXPECT_LE(result.utilisation(machine), 1);
    }
}

}  // namespace
}  // namespace cosearch::codesign
