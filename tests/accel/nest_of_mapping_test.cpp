// The general counts against those of the three-level model, for any mapping of a template.
#include <gtest/gtest.h>

#include "accel/access_counts.h"
#include "accel/traffic.h"
#include "tests/accel/random_design.h"

namespace cosearch::accel::test {
namespace {

Machine three_levels(const Mapping& mapping) {
  Machine machine;
  machine.name = "three levels";
  StorageLevel dram, shared, pe;
  dram.name = "dram", shared.name = "shared", pe.name = "pe";
  std::int64_t rows = 1, columns = 1;
  for (std::size_t d = 0; d < kDimensions; ++d)
    rows *= mapping.rows[d], columns *= mapping.columns[d];
  shared.fanout = {{.axis = "rows", .size = rows}, {.axis = "columns", .size = columns}};
  machine.levels = {dram, shared, pe};
  return machine;
}

LoopNest nest_of(const Mapping& mapping, const Layer& layer) {
  LoopNest nest;
  nest.levels.resize(3);
  Extents piece = extents_of(layer);
  const auto cut = [&](std::size_t level, Dimension d, std::int64_t tile, std::int8_t axis) {
    std::int64_t& whole = piece[index_of(d)];
    whole = std::min(whole, tile);
    nest.levels[level].loops.push_back({d, whole, axis});
  };
  for (const Dimension d : mapping.dram_order)
    cut(0, d, mapping.shared_tile[index_of(d)], Loop::kTemporal);
  for (const Dimension d : mapping.array_order)
    cut(1, d, mapping.array_tile(index_of(d)), Loop::kTemporal);
  for (const Dimension d : kAllDimensions)
    cut(1, d, mapping.pe_tile[index_of(d)] * mapping.columns[index_of(d)], 0);
  for (const Dimension d : kAllDimensions) cut(1, d, mapping.pe_tile[index_of(d)], 1);
  for (const Dimension d : kAllDimensions) cut(2, d, 1, Loop::kTemporal);
  return nest;
}

TEST(GeneralCounts, AgreeWithTheThreeLevelModel) {
  std::size_t differ_in_halo = 0, cases = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Layer layer = random_layer(random);
    if (layer.is_memory_bound()) continue;
    const Mapping mapping = random_mapping(layer, random);
    const Counts old = count(layer, mapping);
    const AccessCounts counts =
        count_accesses(layer, three_levels(mapping), nest_of(mapping, layer), Accounting::exact);
    ++cases;
    EXPECT_EQ(counts.compute_cycles, old.compute_cycles);
    for (const Tensor tensor : kTensors)
      for (std::size_t i = 0; i < 3; ++i) {
        SCOPED_TRACE(std::string(name_of(tensor)) + " at level " + std::to_string(i));
        const Accesses& expected = old.at(static_cast<Level>(2 - i), tensor);
        const LevelAccesses& is = counts.levels[i][index_of(tensor)];
        if (tensor == Tensor::input) {
          // Tiles slide along more loops here.
          EXPECT_LE(is.reads, expected.reads);
          EXPECT_LE(is.fills, expected.fills);
          if (is.reads != expected.reads) ++differ_in_halo;
          continue;
        }
        EXPECT_EQ(is.reads, expected.reads);
        EXPECT_EQ(is.fills, expected.fills);
        EXPECT_EQ(is.updates, expected.updates);
      }
    if (HasFailure()) break;
  }
  std::cout << cases << " cases, " << differ_in_halo << " input reads lower for a wider halo\n";
}

}  // namespace
}  // namespace cosearch::accel::test
