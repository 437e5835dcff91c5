#include "codesign/nest_text.h"

#include <gtest/gtest.h>

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::Loop;

TEST(NestText, ShowsWhatLevelsHoldAndTheLoopsBetween) {
  accel::Machine machine;
  machine.levels.resize(3);
  machine.levels[0].name = "DRAM";
  machine.levels[1].name = "buffer";
  machine.levels[1].capacity_bits = 2048 * 8;
  machine.levels[1].fanout = {{.axis = "rows", .size = 4}};
  machine.levels[2].name = "register";
  machine.levels[2].capacity_bits = 8;
  machine.levels[2].buffers = 1;
  accel::LoopNest nest;
  nest.levels.resize(3);
  nest.levels[0].loops = {{Dimension::P, 10, Loop::kTemporal}, {Dimension::N, 1, Loop::kTemporal}};
  nest.levels[1].loops = {
      {Dimension::C, 1, Loop::kTemporal}, {Dimension::P, 1, Loop::kTemporal}, {Dimension::K, 1, 0}};
  nest.levels[2].keep = {Tensor::weights};
  // Tiles of 10 x 8 inputs, 4 x 8 weights and 10 x 4 sums of 32 bits; 2 * 272 of 2048 bytes.
  EXPECT_EQ(
      nest_text(nest, gemm(1200, 4, 8), machine),
      "DRAM holds input 9,600 words, weights 32 words, output 19,200 words\n"
      "  for P in 0..1200 by 10\n"
      "    buffer holds input 80 words, weights 32 words, output 160 words (2 buffers, 26.6 % "
      "of 2 KiB)\n"
      "      for C in 0..8 by 1\n"
      "        for P in 0..10 by 1\n"
      "          in parallel on rows: for K in 0..4 by 1\n"
      "            register holds weights 1 word (100.0 % of 1 B)\n"
      "              multiply and add\n");
}

}  // namespace
}  // namespace cosearch::codesign
