// Memory-bound layers on machines of any levels, against those of the templates and by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "accel/cost.h"
#include "accel/nest_vector_layer.h"
#include "codesign/accelerator_file.h"
#include "codesign/machine_file.h"
#include "core/random.h"
#include "tests/codesign/study/template_file.h"

namespace cosearch::codesign {
namespace {

using accel::Level;
using accel::VectorLayerCost;
using testing::HasSubstr;

std::int64_t up_to(Random& random, std::uint64_t most) {
  return static_cast<std::int64_t>(1 + random.below(most));
}

Layer random_vector_layer(Random& random) {
  const std::int64_t size = up_to(random, 40), channels = up_to(random, 300);
  switch (random.below(4)) {
    case 0:
      return pooling(channels, size + 2, size + 2, up_to(random, 3), up_to(random, 3), 0);
    case 1:
      return elementwise(channels, size, size, up_to(random, 3));
    case 2:
      return softmax(channels, size * size);
    default:
      return normalisation(channels, size * size);
  }
}

/// Template parameters whose two rules for the PE buffer agree: there is room.
accel::AcceleratorParameters random_parameters(Random& random, const std::string& name) {
  accel::AcceleratorParameters p;
  p.template_name = name;
  p.pe_rows = up_to(random, 20);
  p.pe_columns = up_to(random, 20);
  p.pe_buffer = {16 * up_to(random, 40)};
  p.shared_buffer = {1024 * up_to(random, 64)};
  p.noc_bandwidth = static_cast<double>(up_to(random, 64));
  p.dram_bandwidth = static_cast<double>(up_to(random, 32));
  return p;
}

void expect_equal(const VectorLayerCost& is, const accel::LayerCost& should,
                  const accel::Machine& machine) {
  const auto near = [](double a, double b) { EXPECT_NEAR(a, b, 1e-9 * (1 + b)); };
  constexpr std::array levels{Level::dram, Level::shared_buffer, Level::pe_buffer};
  for (std::size_t i = 0; i < levels.size(); ++i)
    for (const Tensor tensor : kTensors) {
      SCOPED_TRACE(machine.levels[i].name + " " + std::string(name_of(tensor)));
      const accel::LevelAccesses& counts = is.cost.counts.levels[i][accel::index_of(tensor)];
      const accel::Accesses& old = should.counts.at(levels[i], tensor);
      EXPECT_EQ(counts.reads, old.reads);
      EXPECT_EQ(counts.fills, old.fills);
      EXPECT_EQ(counts.updates, old.updates);
      near(is.cost.energy.access_pj[i][accel::index_of(tensor)],
           should.energy_parts.at(levels[i], tensor).value);
    }
  EXPECT_EQ(is.operations, should.counts.vector_ops);
  EXPECT_EQ(is.cost.cycles(), should.latency);
  near(is.cost.latency.fill, should.latency_parts.fill);
  near(is.cost.latency.drain, should.latency_parts.drain);
  near(is.cost.energy.vector_pj, should.energy_parts.vector.value);
  near(is.cost.energy.network_at(1), should.energy_parts.noc.value);
  near(is.cost.total_energy().value, should.energy().value);
  near(is.utilisation(machine), should.utilisation);
}

TEST(VectorLayer, CostsOnTheTemplateFilesWhatItCostsOnTheTemplates) {
  int fit = 0, misfit = 0;
  for (const std::string& name : accel::template_names())
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      SCOPED_TRACE(name + " " + std::to_string(seed));
      Random random(seed, "vector layers");
      const accel::AcceleratorParameters parameters = random_parameters(random, name);
      const Layer layer = random_vector_layer(random);
      SCOPED_TRACE(describe(layer));
      const accel::Machine machine = find_machine(test::template_file(parameters)).machine;
      const auto is = accel::vector_layer_cost(layer, machine);
      const auto should = accel::layer_cost(
          layer, accel::make_accelerator(name, parameters, find_technology("45nm")));
      ASSERT_EQ(std::holds_alternative<VectorLayerCost>(is),
                std::holds_alternative<accel::LayerCost>(should));
      if (!std::holds_alternative<VectorLayerCost>(is)) {
        ++misfit;
        continue;
      }
      ++fit;
      expect_equal(std::get<VectorLayerCost>(is), std::get<accel::LayerCost>(should), machine);
    }
  EXPECT_GT(fit, 200);
  EXPECT_EQ(misfit, 0);  // rows that do not fit come from DRAM in each pass
}

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
