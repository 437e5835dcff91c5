#include "accel/roofline.h"

#include <gtest/gtest.h>

namespace cosearch::accel {
namespace {

/// DRAM and registers, 4 multipliers over output channels.
Machine flat_machine(double bytes_per_cycle) {
  Machine machine;
  machine.levels.resize(2);
  machine.levels[0].name = "DRAM";
  machine.levels[0].shared_bandwidth = bytes_per_cycle;
  machine.levels[0].fanout = {{.axis = "X", .size = 4}};
  machine.levels[1].name = "registers";
  machine.levels[1].capacity_bits = 1 << 20;
  return machine;
}

Roofline roofline_on(const Machine& machine) {
  const Layer layer = gemm(8, 4, 6);  // 192 multiplications: 48 cycles
  LoopNest nest;
  nest.levels.resize(2);
  nest.levels[0].loops = {{Dimension::K, 1, 0}};
  nest.levels[1].loops = {{Dimension::P, 1, Loop::kTemporal}, {Dimension::C, 1, Loop::kTemporal}};
  EXPECT_TRUE(problems_in(nest, layer, machine).empty());
  return roofline_of(layer, machine, nest, evaluate(layer, machine, nest), layer.macs(),
                     Accounting::exact);
}

// Everything moves once: 48 inputs, 24 weights and 32 outputs are 104 bytes.
TEST(Roofline, CountsWorkPerByteAtTheOutermostLevel) {
  const Roofline roofline = roofline_on(flat_machine(kUnlimited));
  EXPECT_EQ(roofline.outermost_bits, 104 * 8);
  EXPECT_DOUBLE_EQ(roofline.intensity, 192.0 / 104);
  EXPECT_EQ(roofline.peak, 4);
  EXPECT_EQ(roofline.roof, 4);
  EXPECT_EQ(roofline.attained, 4);
  EXPECT_EQ(roofline.bound.name, "compute");
  EXPECT_EQ(roofline.bound.cycles, 48);
}

// At 1 byte a cycle 104 cycles for 192 multiplications.
TEST(Roofline, NamesThePortThatTakesLongest) {
  const Roofline roofline = roofline_on(flat_machine(1));
  EXPECT_DOUBLE_EQ(roofline.roof, 192.0 / 104);
  EXPECT_EQ(roofline.bound.kind, Bound::Kind::port);
  EXPECT_EQ(roofline.bound.name, "DRAM port");
  EXPECT_EQ(roofline.bound.cycles, 104);
  EXPECT_LE(roofline.attained, roofline.roof);
}

// All of it is first and last tile: at 2 bytes a cycle 36 cycles of fill and 16 of drain outlast 48
// of compute, and the port's 52 are the same cycles.
TEST(Roofline, NamesThePortBeforeTheEdgesThatAreTheSameCycles) {
  const Roofline roofline = roofline_on(flat_machine(2));
  EXPECT_EQ(roofline.bound.kind, Bound::Kind::port);
  EXPECT_EQ(roofline.bound.cycles, 52);
  EXPECT_LT(roofline.attained, roofline.roof);
}

}  // namespace
}  // namespace cosearch::accel
