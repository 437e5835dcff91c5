// The general counts against those of the three-level model, for any mapping of a template.
#include <gtest/gtest.h>

#include "accel/access_counts.h"
#include "accel/traffic.h"
#include "tests/accel/random_design.h"
#include "tests/accel/three_level_nest.h"

namespace cosearch::accel::test {
namespace {

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
