#include "accel/nest_latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>
#include <vector>

#include "tests/support/cycle_simulator.h"
#include "tests/support/random_nest.h"

namespace cosearch::accel::test {
namespace {

// ---------------------------------------------------------------------------- a machine, simulated

/// Tiles of a layer without windows on a machine of two levels or more, with ports of any kind.
NestCase simulated_case(std::uint64_t seed, std::int64_t fewest_buffers,
                        std::int64_t most_buffers) {
  Choices choices{Random(seed, "cycle simulator")};
  NestCase test;
  for (;;) {
    test.layer = gemm(choices.between(1, 6), choices.between(1, 6), choices.between(1, 6));
    test.layer.Q = test.layer.input_w = choices.between(1, 4);
    test.layer.partial_sum_bits = 8;
    test.machine = random_machine(choices);
    if (test.machine.levels.size() < 2) continue;
    for (StorageLevel& level : test.machine.levels) {
      for (Fanout& axis : level.fanout) axis.multicast = axis.reduction = true;
      level.buffers = choices.between(fewest_buffers, most_buffers);
      for (double* bandwidth : {&level.read_bandwidth, &level.write_bandwidth,
                                &level.shared_bandwidth, &level.network_bandwidth})
        if (choices.one_in(4)) *bandwidth = static_cast<double>(choices.between(1, 12)) / 4;
    }
    RandomNest nest(test.layer, test.machine, choices);
    test.nest = nest.build();
    if (nest.iterations() <= 1500) return test;
  }
}

double unrounded(const NestLatency& latency) {
  return latency.fill + latency.steady + latency.drain;
}

NestLatency latency_of(const NestCase& test) {
  const AccessCounts counts =
      count_accesses(test.layer, test.machine, test.nest, Accounting::exact);
  return latency_of(counts, test.layer, test.machine, test.nest, Accounting::exact);
}

/// The simulator moves what count_accesses counts.
void expect_same_words(const NestCase& test, const CycleSimulator& simulator) {
  const AccessCounts counts =
      count_accesses(test.layer, test.machine, test.nest, Accounting::exact);
  for (std::size_t level = 0; level < test.machine.levels.size(); ++level) {
    LevelAccesses sum;
    for (const LevelAccesses& one : counts.busiest[level])
      sum = {.reads = sum.reads + one.reads,
             .fills = sum.fills + one.fills,
             .updates = sum.updates + one.updates};
    EXPECT_NEAR(simulator.words(level, CycleSimulator::read), static_cast<double>(sum.reads), 0.5);
    EXPECT_NEAR(simulator.words(level, CycleSimulator::write),
                static_cast<double>(sum.fills + sum.updates), 0.5);
  }
}

/// Ratios of the closed form to the simulator, ascending.
std::vector<double> ratios_to_simulator(std::int64_t fewest_buffers, std::int64_t most_buffers) {
  std::vector<double> ratios;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const NestCase test = simulated_case(seed, fewest_buffers, most_buffers);
    CycleSimulator simulator(test.layer, test.machine, test.nest);
    expect_same_words(test, simulator);
    ratios.push_back(unrounded(latency_of(test)) / simulator.run());
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed << '\n' << test;
      break;
    }
  }
  std::sort(ratios.begin(), ratios.end());
  std::cout << "closed form / simulator: least " << ratios.front() << ", 5 % below "
            << ratios[ratios.size() / 20] << ", median " << ratios[ratios.size() / 2]
            << ", 1 % above " << ratios[ratios.size() * 99 / 100] << ", most " << ratios.back()
            << '\n';
  return ratios;
}

// The closed form spreads every transfer evenly over the run, so tiles that come in bursts, ports
// whose users block each other, and the work on the last tile take longer in the simulator; first
// tiles that come down side by side, for tensors that pass levels by, take less. The bounds are
// what was measured, rounded outwards.
void expect_within(const std::vector<double>& ratios, double least, double five_percent) {
  EXPECT_GE(ratios.front(), least);
  EXPECT_GE(ratios[ratios.size() / 20], five_percent);
  EXPECT_GE(ratios[ratios.size() / 2], 0.985);
  EXPECT_LE(ratios[ratios.size() / 2], 1.0001);
  EXPECT_LE(ratios[ratios.size() * 99 / 100], 1.12);
  EXPECT_LE(ratios.back(), 1.2);
}

TEST(NestLatency, OfDoubleBufferedLevelsIsNearTheSimulator) {
  expect_within(ratios_to_simulator(2, 2), 0.6, 0.78);
}
TEST(NestLatency, OfSingleBufferedLevelsIsNearTheSimulator) {
  expect_within(ratios_to_simulator(1, 1), 0.8, 0.9);
}
TEST(NestLatency, OfLevelsWithOneOrTwoBuffersIsNearTheSimulator) {
  expect_within(ratios_to_simulator(1, 2), 0.6, 0.8);
}

// ---------------------------------------------------------------------------------------- by hand

/// Four tiles of 8 weights, of each of which every multiplication needs one; inputs and outputs
/// pass the buffer by, through ports without limit.
NestCase four_tiles_of_weights(std::int64_t buffers, double write_bandwidth) {
  NestCase test;
  test.layer = gemm(1, 4, 8);
  StorageLevel dram, buffer;
  dram.name = "DRAM", buffer.name = "buffer";
  buffer.buffers = buffers, buffer.write_bandwidth = write_bandwidth;
  test.machine.levels = {dram, buffer};
  test.nest.levels.resize(2);
  test.nest.levels[0] = {.loops = {{Dimension::K, 1}}};
  test.nest.levels[1] = {.keep = {Tensor::weights}, .loops = {{Dimension::C, 1}}};
  return test;
}

double simulated(const NestCase& test) {
  return CycleSimulator(test.layer, test.machine, test.nest).run();
}

TEST(NestLatency, HidesAllButTheFirstTileBehindTheMultipliers) {
  const NestCase test = four_tiles_of_weights(2, 4);  // 2 cycles a tile, 8 of work on it
  EXPECT_EQ(unrounded(latency_of(test)), 2 + 32);
  EXPECT_EQ(simulated(test), 2 + 32);
}

TEST(NestLatency, WaitsForEveryTileWithOneBuffer) {
  const NestCase test = four_tiles_of_weights(1, 4);
  EXPECT_EQ(unrounded(latency_of(test)), 4 * (2 + 8));
  EXPECT_EQ(latency_of(test).waits, 3 * 2);
  EXPECT_NEAR(simulated(test), 4 * (2 + 8), 0.5);
}

TEST(NestLatency, LeavesOutTheWorkOnTheLastTileWhenTransfersDecide) {
  const NestCase test = four_tiles_of_weights(2, 0.5);  // 16 cycles a tile
  EXPECT_EQ(unrounded(latency_of(test)), 4 * 16);
  EXPECT_EQ(simulated(test), 4 * 16 + 8);
}

TEST(NestLatency, FillsAnewBelowASingleBuffer) {
  // DRAM, a buffer with one tile of 8 weights, registers with two tiles of 1: for each of 4 tiles
  // 8 cycles of exchange, then 1 cycle until the first register is there, then 8 of work.
  NestCase test = four_tiles_of_weights(1, 1);
  StorageLevel registers;
  registers.name = "registers", registers.write_bandwidth = 1;
  test.machine.levels.push_back(registers);
  test.nest.levels.push_back({.keep = {Tensor::weights}, .loops = {}});
  EXPECT_EQ(unrounded(latency_of(test)), 4 * (8 + 1 + 8));
  EXPECT_NEAR(simulated(test), 4 * (8 + 1 + 8), 0.5 * 4);
}

TEST(NestLatency, CountsOutputsOnTheirWayUp) {
  // 4 outputs, each summed over 8 cycles in the buffer, then 2 cycles on their way up; only the
  // last one's are not hidden.
  NestCase test = four_tiles_of_weights(2, kUnlimited);
  test.machine.levels[1].read_bandwidth = kUnlimited;
  test.machine.levels[0].write_bandwidth = 0.5;
  test.nest.levels[1].keep = {Tensor::output};
  EXPECT_EQ(unrounded(latency_of(test)), 32 + 2);
  EXPECT_EQ(simulated(test), 32 + 2);
}

// -------------------------------------------------------------------------------------- directions

TEST(NestLatency, MoreBandwidthNeverCostsCycles) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    NestCase test = simulated_case(seed, 1, 2);
    const double before = unrounded(latency_of(test));
    for (StorageLevel& level : test.machine.levels)
      for (double* bandwidth : {&level.read_bandwidth, &level.write_bandwidth,
                                &level.shared_bandwidth, &level.network_bandwidth}) {
        const double old = std::exchange(*bandwidth, 1.7 * *bandwidth);
        EXPECT_LE(unrounded(latency_of(test)), before * (1 + 1e-12));
        *bandwidth = old;
      }
  }
}

TEST(NestLatency, ASecondBufferNeverCostsCycles) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    NestCase test = simulated_case(seed, 1, 2);
    const double before = unrounded(latency_of(test));
    for (StorageLevel& level : test.machine.levels) {
      const std::int64_t old = std::exchange(level.buffers, 2);
      EXPECT_LE(unrounded(latency_of(test)), before * (1 + 1e-12));
      level.buffers = old;
    }
  }
}

TEST(NestLatency, PartsMakeUpTheWhole) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    const NestCase test = simulated_case(seed, 1, 2);
    const NestLatency latency = latency_of(test);
    EXPECT_EQ(latency.total().value, static_cast<std::int64_t>(std::ceil(unrounded(latency))));
    EXPECT_GE(latency.steady, latency.compute);
    EXPECT_GE(latency.waits, 0);
    EXPECT_LE(latency.waits, latency.steady);
    for (const PortTimes& ports : latency.ports)
      EXPECT_LE(ports.longest(), unrounded(latency) * (1 + 1e-12));
  }
}

}  // namespace
}  // namespace cosearch::accel::test
