// Costs: sums of their parts, never below the roofline, and moving the right way.
#include "accel/cost.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "accel/capacity.h"
#include "accel/word_width.h"
#include "tests/accel/random_design.h"
#include "tests/accel/support.h"

namespace cosearch::accel::test {
namespace {

struct Design {
  Layer layer;
  AcceleratorParameters parameters;
};

/// Layers of real size on machines of real size.
Design realistic_design(std::uint64_t seed) {
  Random random(seed, "realistic design");
  AcceleratorParameters p = random_parameters(random);
  p.pe_rows = between(random, 1, 24);
  p.pe_columns = between(random, 1, 24);
  p.pe_buffer = {between(random, 64, 1024)};
  p.shared_buffer = {between(random, 16, 512) * 1024};
  p.noc_bandwidth = static_cast<double>(between(random, 4, 128));
  p.dram_bandwidth = static_cast<double>(between(random, 1, 64));
  const std::int64_t in = between(random, 1, 96), out = between(random, 1, 96);
  const std::int64_t size = between(random, 1, 40);
  const std::int64_t stride = between(random, 1, 2);
  switch (random.below(5)) {
    case 0:
      return {same_convolution(in, in, size, size, 3, stride, in), p};  // depthwise
    case 1:
      return {same_convolution(in, out, size, size, 1, stride), p};
    case 2:
      return {fully_connected(8 * in, 8 * out, between(random, 1, 3)), p};
    case 3:
      return {gemm(size, out, in, between(random, 1, 4)), p};
    default:
      return {same_convolution(in, out, size, size, 3 + 2 * (size % 2), stride), p};
  }
}

/// Calls check(design, cost) for feasible designs; returns how many there were.
int for_each_feasible(std::uint64_t seeds,
                      const std::function<void(const Design&, const LayerCost&)>& check) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const Design design = realistic_design(seed);
    const auto cost = layer_cost(design.layer, machine(design.parameters));
    if (!std::holds_alternative<LayerCost>(cost)) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + design.parameters.template_name + " " +
                 describe(design.layer));
    check(design, std::get<LayerCost>(cost));
    ++feasible;
  }
  return feasible;
}

/// Words of the input that some window touches: a 1x1 stride-2 layer never needs odd rows.
std::int64_t needed_inputs(const Layer& layer) {
  return tile_words(layer, {layer.N, layer.G, layer.K, layer.C, layer.P, layer.Q, layer.R,
                            layer.S})[0] >= layer.elements(Tensor::input)
             ? layer.elements(Tensor::input)
             : 0;
}

TEST(LayerCost, EnergyIsTheSumOfItsPartsAndLatencyIsMadeOfItsParts) {
  EXPECT_GT(for_each_feasible(200,
                              [](const Design&, const LayerCost& cost) {
                                double sum = cost.energy_parts.mac.value +
                                             cost.energy_parts.noc.value +
                                             cost.energy_parts.vector.value;
                                for (const Level level : kLevels)
                                  for (const Tensor tensor : kTensors) {
                                    EXPECT_GT(cost.energy_parts.at(level, tensor).value, 0);
                                    sum += cost.energy_parts.at(level, tensor).value;
                                  }
                                EXPECT_NEAR(cost.energy().value, sum, 1e-9 * sum);
                                const LatencyBreakdown& parts = cost.latency_parts;
                                EXPECT_EQ(cost.latency, parts.total());
                                EXPECT_GE(static_cast<double>(cost.latency.value),
                                          parts.compute + parts.fill + parts.drain - 1e-6);
                              }),
            100);
}

TEST(LayerCost, NothingBeatsTheRoofline) {
  EXPECT_GT(for_each_feasible(
                300,
                [](const Design& design, const LayerCost& cost) {
                  const Accelerator accelerator = machine(design.parameters);
                  const Layer& layer = design.layer;
                  const Bytes least{accelerator.word_bytes() *
                                    (needed_inputs(layer) + layer.elements(Tensor::weights) +
                                     layer.elements(Tensor::output))};
                  EXPECT_GE(dram_traffic(cost.counts, layer, accelerator), least);
                  EXPECT_GE(cost.latency.value, ceil_div(layer.macs(), accelerator.pe_count()));
                  EXPECT_GE(static_cast<double>(cost.latency.value) + 1e-6,
                            static_cast<double>(least.value) / design.parameters.dram_bandwidth);
                  EXPECT_GT(cost.utilisation, 0);
                  EXPECT_LE(cost.utilisation, 1);
                }),
            100);
}

TEST(LayerCost, MoreBandwidthNeverCostsCycles) {
  for_each_feasible(200, [](const Design& design, const LayerCost& cost) {
    for (const bool dram : {false, true}) {
      AcceleratorParameters wider = design.parameters;
      (dram ? wider.dram_bandwidth : wider.noc_bandwidth) *= 1.5;
      EXPECT_LE(cost_of(design.layer, machine(wider)).latency, cost.latency);
    }
  });
}

TEST(LayerCost, ALargerBufferNeverCostsDramTraffic) {
  for_each_feasible(200, [](const Design& design, const LayerCost& cost) {
    const Bytes before = dram_traffic(cost.counts, design.layer, machine(design.parameters));
    for (const bool shared : {false, true}) {
      AcceleratorParameters larger = design.parameters;
      Bytes& buffer = shared ? larger.shared_buffer : larger.pe_buffer;
      buffer = {buffer.value * 3 / 2};
      const Accelerator accelerator = machine(larger);
      EXPECT_LE(dram_traffic(cost_of(design.layer, accelerator).counts, design.layer, accelerator),
                before);
    }
  });
}

TEST(LayerCost, TheWholeLayerInTheBufferMovesEachTensorOnce) {
  AcceleratorParameters p;
  p.shared_buffer = {1 << 26};
  for (const std::string& name : template_names()) {
    p.template_name = name;
    const Layer layer = same_convolution(32, 48, 14, 14, 3);
    const Counts counts = cost_of(layer, machine(p)).counts;
    EXPECT_EQ(counts.at(Level::dram, Tensor::input).reads, layer.elements(Tensor::input)) << name;
    EXPECT_EQ(counts.at(Level::dram, Tensor::weights).reads, layer.elements(Tensor::weights))
        << name;
    EXPECT_EQ(counts.at(Level::dram, Tensor::output),
              (Accesses{.updates = layer.elements(Tensor::output)}))
        << name;
  }
}

TEST(LayerCost, ABiggerLayerCostsNoLess) {
  for (const std::string& name : template_names()) {
    AcceleratorParameters p;
    p.template_name = name;
    const Accelerator accelerator = machine(p);
    const auto cost = [&](std::int64_t in, std::int64_t out, std::int64_t size) {
      return cost_of(same_convolution(in, out, size, size, 3), accelerator);
    };
    for (std::int64_t in = 8; in <= 128; in *= 2)
      for (std::int64_t out = 8; out <= 128; out *= 2)
        for (std::int64_t size = 4; size <= 64; size *= 2) {
          SCOPED_TRACE(name + " " + std::to_string(in) + " " + std::to_string(out) + " " +
                       std::to_string(size));
          const LayerCost base = cost(in, out, size);
          for (const LayerCost& bigger :
               {cost(2 * in, out, size), cost(in, 2 * out, size), cost(in, out, 2 * size)}) {
            // The mapper may fill the buffer with a smaller first tile for the bigger layer.
            const double first_tile = base.latency_parts.fill + base.latency_parts.drain;
            EXPECT_GE(static_cast<double>(bigger.latency.value) + first_tile,
                      static_cast<double>(base.latency.value));
            EXPECT_GE(bigger.counts.compute_cycles, base.counts.compute_cycles);
            EXPECT_GE(bigger.latency_parts.dram, base.latency_parts.dram);
            EXPECT_GE(bigger.energy(), base.energy());
          }
        }
  }
}

TEST(LayerCost, EveryKindOfLayerCostsSomethingOnEveryNamedAccelerator) {
  const std::vector<Layer> layers{
      same_convolution(16, 32, 28, 28, 3),
      same_convolution(16, 32, 28, 28, 1),
      same_convolution(3, 32, 112, 112, 7, 2),
      same_convolution(32, 32, 28, 28, 5, 2, 32),
      same_convolution(32, 64, 28, 28, 3, 1, 4),
      convolution({.in_channels = 8,
                   .out_channels = 8,
                   .height = 16,
                   .width = 16,
                   .kernel_h = 3,
                   .kernel_w = 3,
                   .pad_h = 2,
                   .pad_w = 2,
                   .dilation = 2}),
      fully_connected(512, 1000),
      gemm(128, 768, 768),
      gemm(128, 128, 64, 12, true),
      pooling(64, 56, 56, 3, 2, 1),
      pooling(64, 7, 7, 7, 1),
      elementwise(64, 56, 56, 1),
      elementwise(64, 56, 56, 2),
      softmax(12 * 128, 128),
      normalisation(128, 768),
  };
  for (const NamedAccelerator& named : named_accelerators())
    for (const Layer& layer : layers) {
      SCOPED_TRACE(named.name + " " + describe(layer));
      const LayerCost cost = cost_of(layer, machine(named.parameters));
      EXPECT_GT(cost.latency.value, 0);
      EXPECT_TRUE(std::isfinite(cost.energy().value));
      EXPECT_GT(cost.energy().value, 0);
      EXPECT_GT(cost.utilisation, 0);
      EXPECT_LE(cost.utilisation, 1);
    }
}

TEST(LayerCost, AVectorLayerMovesItsTensorsOnceAndCountsItsOperations) {
  const Accelerator accelerator = machine({});
  // 8 channels of 4x4 plus another: 2*128 words in, 128 out, 2 operations each.
  const Counts addition = cost_of(elementwise(8, 4, 4, 2), accelerator).counts;
  EXPECT_EQ(addition.at(Level::dram, Tensor::input).reads, 256);
  EXPECT_EQ(addition.at(Level::dram, Tensor::output).updates, 128);
  EXPECT_EQ(addition.vector_ops, 256);
  // 3 passes over 10 rows of 20 that fit the buffer: DRAM is read once, the shared buffer 3 times.
  const Counts soft = cost_of(softmax(10, 20), accelerator).counts;
  EXPECT_EQ(soft.at(Level::dram, Tensor::input).reads, 200);
  EXPECT_EQ(soft.at(Level::shared_buffer, Tensor::input).reads, 600);
  // A row of a million words does not fit 128 KiB: every pass reads DRAM.
  EXPECT_EQ(cost_of(softmax(1, 1000000), accelerator).counts.at(Level::dram, Tensor::input).reads,
            3000000);
}

TEST(LayerCost, WhatDoesNotFitSaysWhichLevelAndHowManyBytes) {
  AcceleratorParameters p;
  p.pe_buffer = {8};
  const Layer layer = same_convolution(64, 64, 14, 14, 3);
  // The least a PE holds is one word of each tensor, twice: 2*1 + 2*1 + 2*4 = 12 bytes.
  const auto small_pe = layer_cost(layer, machine(p));
  ASSERT_TRUE(std::holds_alternative<Infeasible>(small_pe));
  EXPECT_NE(
      std::get<Infeasible>(small_pe).reason.find("per-PE buffer of 8 bytes is 4 bytes too small"),
      std::string::npos)
      << std::get<Infeasible>(small_pe).reason;

  // 16 K x 16 C x 9 weights, 16 x 9 inputs, 16 outputs of 4 bytes: 2 * (2304 + 144 + 64) = 5024.
  p = {};
  p.shared_buffer = {5000};
  const auto small_shared = layer_cost(layer, machine(p));
  ASSERT_TRUE(std::holds_alternative<Infeasible>(small_shared));
  EXPECT_EQ(std::get<Infeasible>(small_shared).reason,
            "shared buffer of 5000 bytes is 24 bytes too small for convolution 64x64x3x3 -> 14x14: "
            "the smallest tiles, double-buffered, take 5024 bytes (input 288, weights 4608, output "
            "128)");
  p.shared_buffer = {5024};
  EXPECT_TRUE(std::holds_alternative<LayerCost>(layer_cost(layer, machine(p))));
}

TEST(LayerCost, ALayerWiderThanTheMachineIsInfeasible) {
  Layer layer = same_convolution(8, 8, 8, 8, 3);
  layer.weight_bits = 16;
  const auto cost = layer_cost(layer, machine({}));
  ASSERT_TRUE(std::holds_alternative<Infeasible>(cost));
  EXPECT_NE(std::get<Infeasible>(cost).reason.find("weights of 16 bits"), std::string::npos);
}

/// One multiplication after the other: PE (0, 0) only, everything in the shared buffer.
class OneByOneMapper final : public Mapper {
 public:
  [[nodiscard]] std::variant<Infeasible, Mapping> map(const Layer& layer,
                                                      const Accelerator&) const override {
    using enum Dimension;
    Mapping mapping;
    mapping.pe_tile = mapping.rows = mapping.columns = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    mapping.shared_tile = extents_of(layer);
    mapping.array_order = mapping.dram_order = {N, G, K, C, P, Q, R, S};
    return mapping;
  }
};

TEST(LayerCost, AnyMapperMayStandBehindTheSeam) {
  const Layer layer = same_convolution(4, 8, 6, 6, 3);
  const auto cost = layer_cost(layer, machine({}), OneByOneMapper{});
  ASSERT_TRUE(std::holds_alternative<LayerCost>(cost));
  EXPECT_EQ(std::get<LayerCost>(cost).counts.compute_cycles, layer.macs());
  // What needs no mapping does not ask for one.
  EXPECT_TRUE(
      std::holds_alternative<LayerCost>(layer_cost(softmax(4, 4), machine({}), OneByOneMapper{})));
}

TEST(LayerCost, EveryTileFitsItsBuffer) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Design design = realistic_design(seed);
    const Accelerator accelerator = machine(design.parameters);
    const auto mapping = TemplateMapper{}.map(design.layer, accelerator);
    if (const auto* m = std::get_if<Mapping>(&mapping)) {
      EXPECT_FALSE(misfit(design.layer, accelerator, Level::pe_buffer, m->pe_tile));
      EXPECT_FALSE(misfit(design.layer, accelerator, Level::shared_buffer, m->shared_tile));
      std::int64_t rows = 1, columns = 1;
      for (std::size_t d = 0; d < kDimensions; ++d) {
        rows *= m->rows[d];
        columns *= m->columns[d];
      }
      EXPECT_LE(rows, design.parameters.pe_rows);
      EXPECT_LE(columns, design.parameters.pe_columns);
    }
  }
}

/// One MAC on one PE with 8-bit words: every number of the breakdown follows from the table.
TEST(LayerCost, OneMultiplicationCostsWhatTheTableSays) {
  AcceleratorParameters p;
  p.pe_rows = p.pe_columns = 1;
  p.pe_buffer = {512};
  p.shared_buffer = {8192};
  const Accelerator accelerator = machine(p);
  const TechnologyTable& t = accelerator.technology;
  const LayerCost cost = cost_of(fully_connected(1, 1), accelerator);
  const EnergyBreakdown& e = cost.energy_parts;
  EXPECT_DOUBLE_EQ(e.mac.value, t.mac_energy_8bit);
  // Each tensor is one byte and crosses DRAM once.
  for (const Tensor tensor : kTensors)
    EXPECT_DOUBLE_EQ(e.at(Level::dram, tensor).value, t.dram_energy);
  // One byte in and one out of an 8 KiB buffer, which is the SRAM law's reference.
  for (const Tensor tensor : kTensors)
    EXPECT_DOUBLE_EQ(e.at(Level::shared_buffer, tensor).value, 2 * t.sram_energy_8kib);
  // A PE fills and reads each operand; its 4-byte sum starts from zero, is written and drained.
  const double pe_byte = t.access_energy_per_byte({512}).value;
  EXPECT_DOUBLE_EQ(e.at(Level::pe_buffer, Tensor::input).value, 2 * pe_byte);
  EXPECT_DOUBLE_EQ(e.at(Level::pe_buffer, Tensor::output).value, 8 * pe_byte);
  // Three bytes travel (1 + 1) / 2 = 1 PE pitch.
  EXPECT_DOUBLE_EQ(e.noc.value, 3 * t.wire_energy * pe_pitch_mm(accelerator));
  // 2 bytes from DRAM at 16 per cycle, 2 over the network at 64, 1 MAC, 1 byte back over each.
  EXPECT_DOUBLE_EQ(cost.latency_parts.fill, 2.0 / 16 + 2.0 / 64);
  EXPECT_DOUBLE_EQ(cost.latency_parts.drain, 1.0 / 16 + 1.0 / 64);
  EXPECT_EQ(cost.latency, Cycles{2});  // 1.234375 rounded up
}

}  // namespace
}  // namespace cosearch::accel::test
