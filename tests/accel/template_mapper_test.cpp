// The templates' own tilings: they fit, are what their rule says, and cost moves the right way.
#include "accel/template_mapper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>

#include "accel/nest_vector_layer.h"
#include "accel/word_counts.h"
#include "tests/accel/random_design.h"
#include "tests/accel/support.h"
#include "tests/support/nest_case.h"
#include "tests/support/nest_walk.h"

namespace cosearch::accel::test {
namespace {

struct Design {
  Layer layer;
  TemplateSizes sizes;
};

/// Small ones, odd enough to hit every edge, from the stream called `purpose`.
std::function<Design(std::uint64_t seed)> small_designs(const char* purpose) {
  return [purpose](std::uint64_t seed) {
    Random random(seed, purpose);
    const Layer layer = random_layer(random);
    return Design{layer, random_sizes(random)};
  };
}

/// Layers of real size on machines of real size.
Design realistic_design(std::uint64_t seed) {
  Random random(seed, "realistic design");
  TemplateSizes p = random_sizes(random);
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

std::optional<CostedNest> run_of(const Design& design) {
  auto found = template_mapping(design.layer, machine(design.sizes), design.sizes.dataflow);
  if (std::holds_alternative<Infeasible>(found)) return std::nullopt;
  return std::get<CostedNest>(std::move(found));
}

std::string text_of(const Design& design) {
  return std::string(name_of(design.sizes.dataflow)) + " " + describe(design.layer);
}

/// Calls check(design, run) for feasible ones among those of `seeds`; returns how many there were.
int for_each_feasible(
    std::uint64_t seeds, const std::function<void(const Design&, const CostedNest&)>& check,
    const std::function<Design(std::uint64_t seed)>& design_of = realistic_design) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const Design design = design_of(seed);
    const auto run = run_of(design);
    if (!run) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + text_of(design));
    check(design, *run);
    ++feasible;
  }
  return feasible;
}

std::int64_t dram_bits(const Layer& layer, const Machine& machine, const LoopNest& nest,
                       const AccessCounts& counts) {
  const ValueWidths widths(layer, machine, nest, counts, Accounting::exact);
  std::int64_t words = 0;
  for (const Tensor tensor : kTensors) {
    const WordCounts moved = widths.words(0, tensor, counts.levels[0][index_of(tensor)]);
    words += moved.reads + moved.writes;
  }
  return words * machine.levels[0].word_bits;
}

std::int64_t dram_bits(const Design& design, const CostedNest& run) {
  return dram_bits(design.layer, machine(design.sizes), run.nest, run.cost.counts);
}

TEST(TemplateMapper, ChoosesWhatTheMachineCanRun) {
  EXPECT_GT(for_each_feasible(300,
                              [](const Design& design, const CostedNest& run) {
                                const auto problems =
                                    problems_in(run.nest, design.layer, machine(design.sizes));
                                EXPECT_TRUE(problems.empty()) << problems.front();
                              }),
            100);
}

TEST(TemplateMapper, ItsNestsAreCountedAsAWalkCountsThem) {
  int walked = 0;
  for_each_feasible(
      400,
      [&](const Design& design, const CostedNest& run) {
        if (design.layer.macs() > 4000) return;
        const NestCase test{design.layer, machine(design.sizes), run.nest};
        const auto lines = differences(walk(design.layer, test.machine, run.nest), run.cost.counts);
        ASSERT_TRUE(lines.empty()) << test << test::text_of(lines);
        ++walked;
      },
      small_designs("template mapping"));
  EXPECT_GT(walked, 100);
}

// ------------------------------------------------------------------ shared tiles, by enumeration

/// DRAM traffic, as the general counts have it, of every shared tile that the mapper may choose.
class SharedTiles {
 public:
  explicit SharedTiles(const Design& design)
      : layer_(design.layer), machine_(machine(design.sizes)), extents_(extents_of(design.layer)) {
    const Unrolling unrolling = unrolling_of(layer_, design.sizes.dataflow, machine_);
    for (std::size_t d = 0; d < kDimensions; ++d)
      unit_[d] = unrolling.rows[d] * unrolling.columns[d];
  }

  /// Of those that fit; none when none does.
  [[nodiscard]] std::optional<std::int64_t> least_dram_bits() {
    using enum Dimension;
    try_from({K, C, P, Q}, {1, unit(G), 1, 1, 1, 1, 1, extent(T), extent(R), extent(S)});
    return least_;
  }

 private:
  [[nodiscard]] std::int64_t unit(Dimension d) const { return unit_[index_of(d)]; }
  [[nodiscard]] std::int64_t extent(Dimension d) const { return extents_[index_of(d)]; }

  void try_from(std::vector<Dimension> open, Extents tile) {
    if (open.empty()) return try_orders(tile);
    const Dimension d = open.back();
    open.pop_back();
    for (std::int64_t size = unit(d);; size *= 2) {
      tile[index_of(d)] = std::min(size, extent(d));
      try_from(open, tile);
      if (size >= extent(d)) return;
    }
  }

  void try_orders(const Extents& tile) {
    using enum Dimension;
    for (const LoopOrder& order :
         {LoopOrder{G, K, C, T, R, S, N, D, P, Q}, LoopOrder{G, K, N, D, P, Q, C, T, R, S},
          LoopOrder{G, N, D, P, Q, K, C, T, R, S}}) {
      LoopNest nest;
      nest.levels.resize(3);
      for (const Dimension d : order)
        nest.levels[0].loops.push_back({d, std::min(tile[index_of(d)], extent(d))});
      for (const Dimension d : kAllDimensions) nest.levels[2].loops.push_back({d, 1});
      if (!fits(nest)) return;
      const AccessCounts counts = count_accesses(layer_, machine_, nest, Accounting::exact);
      const std::int64_t bits = dram_bits(layer_, machine_, nest, counts);
      least_ = std::min(least_.value_or(bits), bits);
    }
  }

  [[nodiscard]] bool fits(const LoopNest& nest) const {
    const StorageLevel& shared = machine_.levels[1];
    std::int64_t words = 0;
    for (const std::int64_t of_tensor : tile_words(nest, layer_, machine_, 1)) words += of_tensor;
    return shared.buffers * words * shared.word_bits <= *shared.capacity_bits;
  }

  Layer layer_;
  Machine machine_;
  Extents extents_, unit_{};
  std::optional<std::int64_t> least_;
};

// The mapper's own formula for DRAM traffic and the general counts agree where it matters.
TEST(TemplateMapper, TakesASharedTileOfLeastDramTraffic) {
  EXPECT_GT(for_each_feasible(
                400,
                [](const Design& design, const CostedNest& run) {
                  ASSERT_EQ(dram_bits(design, run), SharedTiles(design).least_dram_bits());
                },
                small_designs("shared tiles")),
            150);
}

// --------------------------------------------------------------------------- what costs depend on

/// At most the words of the input that some window touches; a gap between windows counts.
std::int64_t needed_inputs(const Layer& layer) {
  return std::min(tile_values(layer, Tensor::input, extents_of(layer)),
                  layer.elements(Tensor::input));
}

TEST(TemplateMapper, NothingBeatsTheRoofline) {
  EXPECT_GT(
      for_each_feasible(
          300,
          [](const Design& design, const CostedNest& run) {
            const Layer& layer = design.layer;
            const std::int64_t least = design.sizes.precision_bits *
                                       (needed_inputs(layer) + layer.elements(Tensor::weights) +
                                        layer.elements(Tensor::output));
            EXPECT_GE(dram_bits(design, run), least);
            const std::int64_t pes = design.sizes.pe_rows * design.sizes.pe_columns;
            const auto cycles = static_cast<double>(run.cost.cycles().value);
            EXPECT_GE(cycles, static_cast<double>(ceil_div(layer.macs(), pes)));
            EXPECT_GE(cycles + 1e-6, static_cast<double>(least) / 8 / design.sizes.dram_bandwidth);
          }),
      100);
}

TEST(TemplateMapper, MoreBandwidthNeverCostsCycles) {
  for (const double leakage_mw : {0., 0.01, 0.1}) {  // energy that grows with time
    SCOPED_TRACE(leakage_mw);
    const auto cycles_of = [&](const Layer& layer, const TemplateSizes& sizes) {
      Machine leaking = machine(sizes);
      leaking.compute.leakage_mw = leakage_mw;
      const auto found = template_mapping(layer, leaking, sizes.dataflow);
      return std::get<CostedNest>(found).cost.cycles();
    };
    EXPECT_GT(for_each_feasible(200,
                                [&](const Design& design, const CostedNest&) {
                                  const Cycles before = cycles_of(design.layer, design.sizes);
                                  for (const bool dram : {false, true}) {
                                    TemplateSizes wider = design.sizes;
                                    (dram ? wider.dram_bandwidth : wider.noc_bandwidth) *= 1.5;
                                    EXPECT_LE(cycles_of(design.layer, wider), before);
                                  }
                                }),
              100);
  }
}

TEST(TemplateMapper, ALargerBufferNeverCostsDramTraffic) {
  EXPECT_GT(for_each_feasible(200,
                              [](const Design& design, const CostedNest& run) {
                                for (const bool shared : {false, true}) {
                                  Design larger = design;
                                  Bytes& buffer =
                                      shared ? larger.sizes.shared_buffer : larger.sizes.pe_buffer;
                                  buffer = {buffer.value * 3 / 2};
                                  EXPECT_LE(dram_bits(larger, mapped(larger.layer, larger.sizes)),
                                            dram_bits(design, run));
                                }
                              }),
            100);
}

TEST(TemplateMapper, TheWholeLayerInTheBufferMovesEachTensorOnce) {
  for (const Dataflow dataflow : kDataflows) {
    SCOPED_TRACE(name_of(dataflow));
    const Layer layer = same_convolution(32, 48, 14, 14, 3);
    const auto dram =
        mapped(layer, {.dataflow = dataflow, .shared_buffer = {1 << 26}}).cost.counts.levels[0];
    EXPECT_EQ(dram[index_of(Tensor::input)].reads, layer.elements(Tensor::input));
    EXPECT_EQ(dram[index_of(Tensor::weights)].reads, layer.elements(Tensor::weights));
    EXPECT_EQ(dram[index_of(Tensor::output)],
              (LevelAccesses{.updates = layer.elements(Tensor::output)}));
  }
}

TEST(TemplateMapper, ABiggerLayerCostsNoLess) {
  for (const Dataflow dataflow : kDataflows) {
    const auto cost = [&](std::int64_t in, std::int64_t out, std::int64_t size) {
      return mapped(same_convolution(in, out, size, size, 3), {.dataflow = dataflow}).cost;
    };
    for (std::int64_t in = 8; in <= 128; in *= 2)
      for (std::int64_t out = 8; out <= 128; out *= 2)
        for (std::int64_t size = 4; size <= 64; size *= 2) {
          SCOPED_TRACE(std::string(name_of(dataflow)) + " " + std::to_string(in) + " " +
                       std::to_string(out) + " " + std::to_string(size));
          const NestCost base = cost(in, out, size);
          for (const NestCost& bigger :
               {cost(2 * in, out, size), cost(in, 2 * out, size), cost(in, out, 2 * size)}) {
            // The mapper may fill the buffer with a smaller first tile for the bigger layer.
            const double first_tile = base.latency.fill + base.latency.drain;
            EXPECT_GE(static_cast<double>(bigger.cycles().value) + first_tile,
                      static_cast<double>(base.cycles().value));
            EXPECT_GE(bigger.counts.compute_cycles, base.counts.compute_cycles);
            EXPECT_GE(bigger.latency.ports[0].shared, base.latency.ports[0].shared);
            EXPECT_GE(bigger.total_energy(), base.total_energy());
          }
        }
  }
}

TEST(TemplateMapper, EveryKindOfLayerRunsOnEveryTemplate) {
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
  };
  for (const Dataflow dataflow : kDataflows)
    for (const Layer& layer : layers) {
      SCOPED_TRACE(std::string(name_of(dataflow)) + " " + describe(layer));
      const TemplateSizes sizes{.dataflow = dataflow, .pe_rows = 12, .pe_columns = 14};
      const NestCost cost = mapped(layer, sizes).cost;
      EXPECT_TRUE(std::isfinite(cost.total_energy().value));
      EXPECT_GT(cost.total_energy().value, 0);
      const double used = utilisation(layer, machine(sizes), cost.cycles());
      EXPECT_GT(used, 0);
      EXPECT_LE(used, 1);
    }
}

std::string reason_of(const Layer& layer, const TemplateSizes& sizes) {
  const auto found = template_mapping(layer, machine(sizes), sizes.dataflow);
  const auto* infeasible = std::get_if<Infeasible>(&found);
  return infeasible == nullptr ? "it runs" : infeasible->reason;
}

TEST(TemplateMapper, WhatDoesNotFitSaysWhichLevelAndHowMuch) {
  const Layer layer = same_convolution(64, 64, 14, 14, 3);
  // The least a PE holds is one word of each tensor, twice: 2*1 + 2*1 + 2*4 = 12 bytes.
  EXPECT_EQ(
      reason_of(layer, {.pe_buffer = {8}}),
      "level PE buffer is 32 bits (4 bytes, 4 words) too small for convolution 64x64x3x3 -> "
      "14x14: its smallest tile takes 2 words of input, 2 words of weights, 8 words of output "
      "(all buffers together)");
  // 16 K x 16 C x 9 weights, 16 x 9 inputs, 16 outputs of 4 bytes: 2 * (2304 + 144 + 64) = 5024.
  EXPECT_EQ(
      reason_of(layer, {.shared_buffer = {5000}}),
      "level shared buffer is 192 bits (24 bytes, 24 words) too small for convolution "
      "64x64x3x3 -> 14x14: its smallest tile takes 288 words of input, 4608 words of weights, "
      "128 words of output (all buffers together)");
  EXPECT_EQ(reason_of(layer, {.shared_buffer = {5024}}), "it runs");
}

TEST(TemplateMapper, SaysWhatTemplatesDoNotRun) {
  Layer wide = same_convolution(8, 8, 8, 8, 3);
  wide.weight_bits = 16;
  EXPECT_NE(reason_of(wide, {}).find("weights of 16 bits"), std::string::npos);
  EXPECT_EQ(reason_of(wide, {.precision_bits = 16}), "it runs");
  Layer transposed = same_convolution(8, 8, 8, 8, 3);
  transposed.transposed = true;
  EXPECT_NE(reason_of(transposed, {}).find("transposed convolutions"), std::string::npos);
}

/// One MAC on one PE with 8-bit words: every number of the breakdown follows from the table.
TEST(TemplateMapper, OneMultiplicationCostsWhatTheTableSays) {
  const TemplateSizes sizes{.pe_rows = 1, .pe_columns = 1, .shared_buffer = {8192}};
  const TechnologyTable& t = technology_45nm();
  const NestCost cost = mapped(fully_connected(1, 1), sizes).cost;
  const NestEnergy& e = cost.energy;
  EXPECT_DOUBLE_EQ(e.mac_pj, t.mac_energy_8bit);
  // Each tensor is one byte and crosses DRAM once.
  for (const Tensor tensor : kTensors)
    EXPECT_DOUBLE_EQ(e.access_pj[0][index_of(tensor)], t.dram_energy);
  // One byte in and one out of an 8 KiB buffer, which is the SRAM law's reference.
  for (const Tensor tensor : kTensors)
    EXPECT_DOUBLE_EQ(e.access_pj[1][index_of(tensor)], 2 * t.sram_energy_8kib);
  // A PE fills and reads each operand; its 4-byte sum starts from zero, is written and drained.
  const double pe_byte = t.access_energy_per_byte({512}).value;
  EXPECT_DOUBLE_EQ(e.access_pj[2][index_of(Tensor::input)], 2 * pe_byte);
  EXPECT_DOUBLE_EQ(e.access_pj[2][index_of(Tensor::output)], 8 * pe_byte);
  EXPECT_EQ(e.leakage_pj, 0);
  // 2 bytes from DRAM at 16 per cycle, 2 over the network at 64, 1 MAC, 1 byte back over each.
  EXPECT_DOUBLE_EQ(cost.latency.fill, 2.0 / 16 + 2.0 / 64);
  EXPECT_DOUBLE_EQ(cost.latency.drain, 1.0 / 16 + 1.0 / 64);
  EXPECT_EQ(cost.cycles(), Cycles{2});  // 1.234375 rounded up
}

TEST(ProblemsOfTemplate, NamesTheLevelThatIsNoTemplates) {
  EXPECT_TRUE(problems_of_template(machine(TemplateSizes{})).empty());
  Machine other = machine(TemplateSizes{});
  other.levels[2].must_keep = {Tensor::weights};
  other.levels[1].fanout.pop_back();
  EXPECT_EQ(problems_of_template(other),
            (std::vector<std::string>{
                "level 'shared buffer': with a dataflow its fan-out is rows and columns",
                "level 'PE buffer': with a dataflow it keeps all tensors"}));
  other.levels.pop_back();
  EXPECT_EQ(problems_of_template(other),
            std::vector<std::string>{"a dataflow needs three levels, not 2"});
}

TEST(ProblemsOfTemplate, RefusesWhatTheRuleWouldNotHeed) {
  Machine small = machine(TemplateSizes{});
  small.levels[0].capacity_bits = 8 * 1024;
  EXPECT_EQ(problems_of_template(small),
            std::vector<std::string>{"level 'DRAM': with a dataflow its capacity is not limited"});
  Machine turned = machine(TemplateSizes{});
  std::swap(turned.levels[1].fanout[0], turned.levels[1].fanout[1]);
  const std::vector<std::string> no_array{
      "level 'shared buffer': with a dataflow its fan-out is rows and columns"};
  EXPECT_EQ(problems_of_template(turned), no_array);
  turned.levels[1].fanout = {{.axis = "x", .size = 4}, {.axis = "y", .size = 4}};
  EXPECT_EQ(problems_of_template(turned), no_array);
}

}  // namespace
}  // namespace cosearch::accel::test
