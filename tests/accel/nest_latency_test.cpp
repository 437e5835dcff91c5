#include "accel/nest_latency.h"

#include <gtest/gtest.h>

#include "accel/accelerator.h"
#include "accel/latency.h"
#include "accel/traffic.h"
#include "tests/accel/random_design.h"
#include "tests/accel/support.h"
#include "tests/accel/three_level_nest.h"

namespace cosearch::accel::test {
namespace {

bool same_input_counts(const AccessCounts& counts, const Counts& old) {
  const std::size_t input = index_of(Tensor::input);
  return counts.levels[0][input].reads == old.at(Level::dram, Tensor::input).reads &&
         counts.levels[1][input].reads == old.at(Level::shared_buffer, Tensor::input).reads;
}

TEST(NestLatency, OfTheThreeLevelMachineIsTheTemplates) {
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Layer layer = random_layer(random);
    const Mapping mapping = random_mapping(layer, random);
    const Accelerator accelerator = test::machine(random_parameters(random));
    const Counts old_counts = count(layer, mapping);
    const LatencyBreakdown old = latency_of(old_counts, layer, accelerator);

    Machine machine = three_levels(mapping);
    const auto word_bytes = static_cast<double>(accelerator.word_bytes());
    for (StorageLevel& level : machine.levels) level.word_bits = 8 * accelerator.word_bytes();
    machine.levels[0].shared_bandwidth = accelerator.parameters.dram_bandwidth / word_bytes;
    machine.levels[1].network_bandwidth = accelerator.parameters.noc_bandwidth / word_bytes;
    const LoopNest nest = nest_of(mapping, layer);
    const AccessCounts counts = count_accesses(layer, machine, nest, Accounting::exact);
    const NestLatency is = latency_of(counts, layer, machine, nest, Accounting::exact);

    EXPECT_EQ(is.compute, old.compute);
    EXPECT_DOUBLE_EQ(is.fill, old.fill);
    EXPECT_DOUBLE_EQ(is.drain, old.drain);
    EXPECT_EQ(is.waits, 0);
    if (!same_input_counts(counts, old_counts)) {  // tiles slide along more loops here
      EXPECT_LE(is.total(), old.total());
      continue;
    }
    ++compared;
    EXPECT_DOUBLE_EQ(is.ports[0].shared, old.dram);
    EXPECT_DOUBLE_EQ(is.ports[1].network, old.noc);
    EXPECT_NEAR(static_cast<double>(is.total().value), static_cast<double>(old.total().value), 1);
    if (HasFailure()) break;
  }
  std::cout << compared << " cases with the same counts\n";
  EXPECT_GT(compared, 2000U);
}

}  // namespace
}  // namespace cosearch::accel::test
