// Counts: by hand, and against a walk of the loop nest.
#include "accel/traffic.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "accel/mapper.h"
#include "tests/accel/loop_nest_walk.h"
#include "tests/accel/random_design.h"
#include "tests/accel/support.h"

namespace cosearch::accel {

std::ostream& operator<<(std::ostream& out, const Counts& counts) {
  for (const Level level : kLevels)
    for (const Tensor tensor : kTensors) {
      const Accesses& a = counts.at(level, tensor);
      out << "\n  level " << static_cast<int>(level) << " " << name_of(tensor) << ": reads "
          << a.reads << " fills " << a.fills << " updates " << a.updates;
    }
  out << "\n  macs " << counts.macs << " additions " << counts.spatial_additions << " cycles "
      << counts.compute_cycles << " deliveries";
  for (const auto words : counts.deliveries) out << " " << words;
  out << " edge shared";
  for (const auto words : counts.edge_shared_tile) out << " " << words;
  out << " edge array";
  for (const auto words : counts.edge_array_tile) out << " " << words;
  return out;
}

namespace test {
namespace {

std::string text_of(const Mapping& m) {
  std::string text;
  const auto list = [&](const char* name, const Extents& extents) {
    text += std::string(name) + " (N G K C P Q R S):";
    for (const auto extent : extents) text += " " + std::to_string(extent);
    text += "\n";
  };
  list("pe", m.pe_tile);
  list("rows", m.rows);
  list("columns", m.columns);
  list("shared", m.shared_tile);
  for (const LoopOrder& order : {m.array_order, m.dram_order}) {
    for (const Dimension d : order) text += "NGKCDPQTRS"[index_of(d)];
    text += " ";
  }
  return text;
}

/// 2x2 array, K over rows, C over columns, weights staying.
/// Layer: 4 input channels, 2 output channels, 1x1 filter, 3x3 input and output. 72 MACs.
/// Everything fits one shared tile; a PE holds one output of one channel pair at a time.
/// Array tiles: K 1 x C 2 x P 3 x Q 3 = 18, so 18 cycles of 4 PEs = 72 MACs.
TEST(Count, MatchesFingersOnATwoByTwoArray) {
  using enum Dimension;
  const Layer layer = convolution({.in_channels = 4, .out_channels = 2, .height = 3, .width = 3});
  Mapping mapping;
  mapping.pe_tile = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  mapping.rows = {1, 1, 2, 1, 1, 1, 1, 1, 1, 1};
  mapping.columns = {1, 1, 1, 2, 1, 1, 1, 1, 1, 1};
  mapping.shared_tile = {1, 1, 2, 4, 1, 3, 3, 1, 1, 1};
  mapping.array_order = {G, K, C, R, S, N, P, Q};
  mapping.dram_order = {G, K, C, R, S, N, P, Q};
  const Counts counts = count(layer, mapping);

  EXPECT_EQ(counts.macs, 72);
  EXPECT_EQ(counts.compute_cycles, 18);
  // DRAM: one shared tile, so each tensor crosses once: 4*9 inputs, 8 weights, 2*9 outputs.
  EXPECT_EQ(counts.at(Level::dram, Tensor::input), (Accesses{.reads = 36}));
  EXPECT_EQ(counts.at(Level::dram, Tensor::weights), (Accesses{.reads = 8}));
  EXPECT_EQ(counts.at(Level::dram, Tensor::output), (Accesses{.updates = 18}));
  // Input: each array tile wants 2 channels of one position; both rows (K) get the same word, so 18
  // tiles x 2 words are read and 18 x 4 arrive.
  EXPECT_EQ(counts.at(Level::shared_buffer, Tensor::input), (Accesses{.reads = 36, .fills = 36}));
  EXPECT_EQ(counts.at(Level::pe_buffer, Tensor::input), (Accesses{.reads = 72, .fills = 72}));
  EXPECT_EQ(counts.deliveries[0], 72);
  // Weights stay while P and Q step: 2 loads (C) of 4 different weights.
  EXPECT_EQ(counts.at(Level::shared_buffer, Tensor::weights), (Accesses{.reads = 8, .fills = 8}));
  EXPECT_EQ(counts.at(Level::pe_buffer, Tensor::weights), (Accesses{.reads = 72, .fills = 8}));
  EXPECT_EQ(counts.deliveries[1], 8);
  // Outputs: C is outside P and Q, so each of the 18 visits the buffer twice: 36 updates, each the
  // sum of 2 PEs (36 additions). 18 come back once; 18 reads back + 18 drained to DRAM.
  EXPECT_EQ(counts.at(Level::shared_buffer, Tensor::output),
            (Accesses{.reads = 36, .updates = 36}));
  EXPECT_EQ(counts.spatial_additions, 36);
  // 72 PE visits end in a drain read. Of 72 accumulations, 18 find a sum that came back and 54
  // start from zero: 18 reads to accumulate + 72 drains.
  EXPECT_EQ(counts.at(Level::pe_buffer, Tensor::output),
            (Accesses{.reads = 90, .fills = 18, .updates = 72}));
  EXPECT_EQ(counts.deliveries[2], 72 + 18);
}

/// One PE, 3-tap filter along a row of 5 inputs with no padding: 3 outputs, one after the other.
/// The window slides: 3 words for the first output, then 1 new word each.
TEST(Count, ASlidingWindowFetchesOnlyWhatIsNew) {
  using enum Dimension;
  const Layer layer = convolution({.height = 1, .width = 5, .kernel_w = 3});
  Mapping mapping;
  mapping.pe_tile = {1, 1, 1, 1, 1, 1, 1, 1, 1, 3};
  mapping.rows = mapping.columns = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  mapping.shared_tile = {1, 1, 1, 1, 1, 1, 3, 1, 1, 3};
  mapping.array_order = mapping.dram_order = {G, K, C, R, S, N, P, Q};
  EXPECT_EQ(count(layer, mapping).at(Level::pe_buffer, Tensor::input),
            (Accesses{.reads = 9, .fills = 5}));
  // Spread over 3 columns there is nothing to slide: each PE takes its window, 9 words arrive, but
  // the 5 different ones are read once each.
  mapping.columns[index_of(Q)] = 3;
  const Counts spread = count(layer, mapping);
  EXPECT_EQ(spread.at(Level::pe_buffer, Tensor::input), (Accesses{.reads = 9, .fills = 9}));
  EXPECT_EQ(spread.at(Level::shared_buffer, Tensor::input), (Accesses{.reads = 5, .fills = 5}));
}

TEST(Count, EqualsAWalkOfTheNestForAnyMapping) {
  int walked = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    Random random(seed, "any mapping");
    const Layer layer = random_layer(random);
    if (layer.macs() > 4000) continue;
    const Mapping mapping = random_mapping(layer, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + describe(layer) + "\n" + text_of(mapping));
    ASSERT_EQ(count(layer, mapping), LoopNestWalk(layer, mapping).run());
    ++walked;
  }
  EXPECT_GT(walked, 300);
}

TEST(Count, EqualsAWalkOfTheNestForTemplateMappings) {
  int walked = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed, "template mapping");
    const Layer layer = random_layer(random);
    const Accelerator accelerator = machine(random_parameters(random));
    const auto mapping = TemplateMapper{}.map(layer, accelerator);
    if (!std::holds_alternative<Mapping>(mapping) || layer.macs() > 4000) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + accelerator.parameters.template_name + " " +
                 describe(layer) + "\n" + text_of(std::get<Mapping>(mapping)));
    ASSERT_EQ(count(layer, std::get<Mapping>(mapping)),
              LoopNestWalk(layer, std::get<Mapping>(mapping)).run());
    ++walked;
  }
  EXPECT_GT(walked, 100);
}

}  // namespace
}  // namespace test
}  // namespace cosearch::accel
