// Machines and constraints on their loop nests: what is refused, and in which words.
#include "accel/machine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "accel/loop_nest.h"
#include "accel/map_constraints.h"

namespace cosearch::accel::test {
namespace {

using enum Dimension;

/// DRAM, a buffer that feeds 2 x 3 children, registers that feed 4 multipliers each.
Machine small_machine() {
  StorageLevel dram, buffer, registers;
  dram.name = "DRAM";
  buffer.name = "buffer";
  buffer.capacity_bits = 8192;
  buffer.fanout = {{.axis = "X", .size = 2}, {.axis = "Y", .size = 3}};
  registers.name = "registers";
  registers.capacity_bits = 512;
  registers.fanout = {{.axis = "X", .size = 4}};
  Machine machine;
  machine.levels = {dram, buffer, registers};
  return machine;
}

TEST(Machine, CountsItsInstances) {
  const Machine machine = small_machine();
  EXPECT_EQ(machine.instances(0), 1);
  EXPECT_EQ(machine.instances(1), 1);
  EXPECT_EQ(machine.instances(2), 6);
  EXPECT_EQ(machine.multipliers(), 24);
  EXPECT_TRUE(problems_in(machine).empty());
}

struct Flaw {
  std::function<void(Machine&)> make;
  std::string message;
};

TEST(Machine, NamesTheLevelAndTheNumberOfEachProblem) {
  const std::vector<Flaw> flaws{
      {[](Machine& m) { m.levels.clear(); }, "no level: at least one is needed"},
      {[](Machine& m) { m.levels.resize(9, m.levels[1]); }, "9 levels: at most 8"},
      {[](Machine& m) { m.clock = {0}; }, "clock (Hz) = 0: must be a finite number above 0"},
      {[](Machine& m) { m.levels[2].name = "buffer"; },
       "level 'buffer': levels 1 and 2 have this name"},
      {[](Machine& m) { m.levels[1].name = ""; }, "level 1 has no name"},
      {[](Machine& m) { m.levels[1].capacity_bits.reset(); },
       "level 'buffer': has neither a capacity nor a partition for input"},
      {[](Machine& m) { m.levels[1].capacity_bits = 0; },
       "level 'buffer': capacity (bits) = 0: must be in [1, "},
      {[](Machine& m) { m.levels[1].partition_bits[1] = -8; },
       "level 'buffer': partition of weights (bits) = -8: must be in [1, "},
      {[](Machine& m) { m.levels[1].fanout[1].size = -3; },
       "level 'buffer': fan-out along Y = -3: must be in [1, "},
      {[](Machine& m) { m.levels[1].fanout[1].axis = "X"; },
       "level 'buffer': axis 'X' is given twice"},
      {[](Machine& m) { m.levels[1].fanout[0].size = m.levels[1].fanout[1].size = 1 << 20; },
       "level 'buffer': fan-out along Y = 1048576: more than 1073741824 instances in all"},
      {[](Machine& m) { m.levels[2].cluster = 4; },
       "level 'registers': cluster = 4: must divide its 6 instances"},
      {[](Machine& m) {
         m.levels[1].may_keep.remove(Tensor::input), m.levels[1].must_keep.add(Tensor::input);
       },
       "level 'buffer': input must be kept and may not be kept"},
      {[](Machine& m) { m.levels[0].may_keep.remove(Tensor::output); },
       "level 'DRAM': the outermost level holds the layer, but may not keep output"},
      {[](Machine& m) { m.levels[1].word_bits = 0; },
       "level 'buffer': word (bits) = 0: must be in [1, 4096]"},
      {[](Machine& m) { m.levels[1].buffers = 17; },
       "level 'buffer': buffers = 17: must be in [1, 16]"},
      {[](Machine& m) { m.levels[0].read_bandwidth = 0; },
       "level 'DRAM': read bandwidth = 0 words per cycle: must be in [0.001, 1e+09]"},
      {[](Machine& m) { m.levels[0].read_energy_pj = std::nan(""); },
       "level 'DRAM': read energy (pJ) = nan: must be a finite number of at least 0"},
      {[](Machine& m) { m.compute.area_mm2 = -1; },
       "compute 'mac': area (mm2) = -1: must be a finite number of at least 0"},
  };
  for (const Flaw& flaw : flaws) {
    Machine machine = small_machine();
    flaw.make(machine);
    std::string all;
    for (const std::string& problem : problems_in(machine)) all += problem + "\n";
    EXPECT_NE(all.find(flaw.message), std::string::npos) << flaw.message << "\nin " << all;
  }
}

TEST(Machine, ALevelThatKeepsNothingNeedsNoCapacity) {
  Machine machine = small_machine();
  machine.levels[1].capacity_bits.reset();
  machine.levels[1].may_keep = {};
  EXPECT_TRUE(problems_in(machine).empty());
}

/// K = 8 and C = 6 on small_machine(): C 2 in time and K 2 over X below DRAM's K 1; the rest below.
Layer small_layer() {
  Layer layer;
  layer.kind = LayerKind::gemm;
  layer.K = 8;
  layer.C = 6;
  return layer;
}

LoopNest small_nest() {
  LoopNest nest;
  nest.levels.resize(3);
  nest.levels[0].loops = {{K, 4, Loop::kTemporal}, {C, 3, Loop::kTemporal}};
  nest.levels[1].loops = {{K, 2, 0}, {C, 1, 1}};
  nest.levels[2].loops = {{K, 1, Loop::kTemporal}};
  return nest;
}

std::vector<std::string> violations(const std::function<void(MapConstraints&)>& ask) {
  MapConstraints constraints;
  constraints.levels.resize(3);
  ask(constraints);
  EXPECT_TRUE(problems_in(constraints, small_machine()).empty());
  return violations_of(constraints, small_nest(), small_layer(), small_machine());
}

using Texts = std::vector<std::string>;

TEST(MapConstraints, WithoutAnyEveryNestObeys) {
  EXPECT_EQ(violations([](MapConstraints&) {}), Texts{});
}

TEST(MapConstraints, LimitTheDimensionsOfAPlace) {
  EXPECT_EQ(violations([](MapConstraints& c) {
              c.levels[0].temporal.dimensions = {K, C};
              c.levels[1].axes[0].dimensions = {K};
              c.levels[1].axes[1].dimensions = {K};
            }),
            Texts{"level 'buffer', axis Y: a loop over C of 3 pieces, where only K may have one"});
}

TEST(MapConstraints, FixAndLimitFactors) {
  EXPECT_EQ(violations([](MapConstraints& c) { c.levels[1].axes[1].factors[index_of(C)] = 2; }),
            Texts{"level 'buffer', axis Y: a loop over C of 3 pieces, where exactly 2 are asked"});
  // Exactly 100, or as many as there are.
  EXPECT_EQ(violations([](MapConstraints& c) { c.levels[2].temporal.factors[index_of(P)] = 100; }),
            Texts{});
  EXPECT_EQ(
      violations([](MapConstraints& c) { c.levels[0].temporal.most[index_of(K)] = 1; }),
      Texts{
          "level 'DRAM', temporal loops: a loop over K of 2 pieces, where at most 1 are allowed"});
}

TEST(MapConstraints, AllThatIsLeftLeavesNothingElsewhere) {
  EXPECT_EQ(violations([](MapConstraints& c) {
              c.levels[1].axes[1].factors[index_of(C)] = kAllThatIsLeft;
              c.levels[0].temporal.factors[index_of(C)] = 2;
            }),
            Texts{});
  EXPECT_EQ(violations([](MapConstraints& c) {
              c.levels[1].axes[1].factors[index_of(C)] = kAllThatIsLeft;
            }),
            Texts{"level 'DRAM', temporal loops: a loop over C of 2 pieces, where level 'buffer', "
                  "axis Y take all that is left"});
}

TEST(MapConstraints, FixTheInnermostLoops) {
  EXPECT_EQ(violations([](MapConstraints& c) { c.levels[0].innermost = {P, C}; }), Texts{});
  EXPECT_EQ(
      violations([](MapConstraints& c) { c.levels[0].innermost = {K}; }),
      Texts{"level 'DRAM', temporal loops: from inside they run over CK, where K are asked to "
            "come first"});
}

TEST(MapConstraints, ThatNoLayerCanSatisfyAreRefused) {
  MapConstraints constraints;
  constraints.levels.resize(2);
  EXPECT_EQ(problems_in(constraints, small_machine()),
            Texts{"constraints for 2 levels, where the machine has 3"});
  constraints.levels.resize(3);
  constraints.levels[0].temporal.dimensions = {K};
  constraints.levels[0].temporal.factors[index_of(C)] = 4;
  constraints.levels[1].axes[0].factors[index_of(K)] = 3;
  constraints.levels[1].innermost = {C, C};
  constraints.levels[2].temporal.factors[index_of(Q)] = -1;
  constraints.levels[2].temporal.most[index_of(R)] = 0;
  constraints.levels[0].temporal.factors[index_of(K)] = kAllThatIsLeft;
  constraints.levels[2].temporal.factors[index_of(K)] = kAllThatIsLeft;
  const Texts expected{
      "level 'DRAM', temporal loops: factor of C = 4, but only loops over K are allowed",
      "level 'buffer', temporal loops: C is twice in innermost",
      "level 'buffer', axis X: its fixed factors need more than its 2 children",
      "level 'registers', temporal loops: factor of Q = -1: must be at least 1, or 0 for all that "
      "is left",
      "level 'registers', temporal loops: at most 0 pieces of R: must be at least 1",
      "level 'registers', temporal loops: factor of K = 0 (all that is left), as already at level "
      "'DRAM', temporal loops"};
  EXPECT_EQ(problems_in(constraints, small_machine()), expected);
}

}  // namespace
}  // namespace cosearch::accel::test
