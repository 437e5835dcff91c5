#include "accel/calibration.h"

#include <gtest/gtest.h>

namespace cosearch::accel::test {
namespace {

using enum Dimension;

/// 18 kernels of 3 x 3 over 20 channels of 5 x 5.
Layer small_convolution() { return same_convolution(20, 18, 5, 5, 3); }

Extents whole(const Layer& layer) { return extents_of(layer); }

TEST(ArrayWork, OfOneCallCountedByHand) {
  const ArrayWork work = array_work(small_convolution(), whole(small_convolution()), 16);
  // 2 x 2 blocks of 16 x 16 weights for each of 9 taps. A block takes 5 rows of 5 outputs; the
  // first row shares the array with 16 rows of weights: 16 + 4 * 5 cycles.
  EXPECT_EQ(work.array_cycles, 36 * 36);
  EXPECT_EQ(work.instruction_sides, 36 * 5 * 16);
  EXPECT_EQ(work.calls, 2);  // one, of a convolution
  // 25 pixels of 20 bytes, 9 x 20 rows of 18 weights, 25 pixels in two blocks of kernels.
  EXPECT_EQ(work.requests, 25 + 180 + 50);
  EXPECT_EQ(work.bytes, 25 * 20 + 180 * 18 + 25 * 18);
}

TEST(ArrayWork, OutputsAreStoredOnceTheirSumsAreComplete) {
  Extents tile = whole(small_convolution());
  tile[index_of(C)] = 10;
  tile[index_of(R)] = 2;  // taps 0 and 1, then tap 2 alone
  const ArrayWork work = array_work(small_convolution(), tile, 16);
  EXPECT_EQ(work.calls, 2 * 4);
  // Without padding, taps 0 and 1 reach all 5 stored positions, tap 2 positions 1 to 4.
  const double pixels = 2 * 25 + 2 * 20;
  EXPECT_EQ(work.requests, pixels + 180 + 50);
  EXPECT_EQ(work.bytes, pixels * 10 + 180 * 18 + 25 * 18);
}

TEST(ArrayWork, NarrowPiecesLeaveLeastDistanceBetweenWrites) {
  // One kernel, one channel, one tap: rows of 2 outputs take 4 cycles each, the first 8 for the
  // weights.
  Extents tile = whole(gemm(2, 1, 1));
  EXPECT_EQ(array_work(gemm(2, 1, 1), tile, 8).array_cycles, 8);
  const Layer pixels = convolution({.in_channels = 1, .out_channels = 1, .height = 2, .width = 2});
  EXPECT_EQ(array_work(pixels, whole(pixels), 8).array_cycles, 8 + 4);
}

TEST(ArrayWork, IsThatOfAllTilesTogether) {
  // Outputs of a tile that divides the layer: four calls, each loading all weights.
  const Layer layer = gemm(8, 16, 32);
  Extents tile = whole(layer);
  tile[index_of(P)] = 2;
  const ArrayWork work = array_work(layer, tile, 16);
  EXPECT_EQ(work.calls, 4);
  EXPECT_EQ(work.requests, 8 + 4 * 32 + 8);
  EXPECT_EQ(work.bytes, 8 * 32 + 4 * 32 * 16 + 8 * 16);
}

TEST(CalibratedCycles, AddWhatTheLongerDoesNotHide) {
  const ArrayWork work{
      .array_cycles = 1000, .instruction_sides = 1600, .calls = 3, .requests = 100, .bytes = 2000};
  ArrayConstants constants{.instruction_spacing = 0.5,
                           .call_cycles = 100,
                           .request_cycles = 1,
                           .byte_cycles = 0.1,
                           .start_cycles = 50,
                           .unhidden = 0.25};
  EXPECT_DOUBLE_EQ(calibrated_cycles(work, constants), 50 + 1000 + 0.25 * 300);
  EXPECT_EQ(limit_of(work, constants), Limit::array);
  constants.instruction_spacing = 1;  // the array waits for instructions
  EXPECT_DOUBLE_EQ(calibrated_cycles(work, constants), 50 + 1600 + 0.25 * 300);
  constants.call_cycles = 1000;  // and these for the host
  EXPECT_DOUBLE_EQ(calibrated_cycles(work, constants), 50 + 3000 + 0.25 * 300);
  constants.byte_cycles = 2;  // and all for the memory
  EXPECT_DOUBLE_EQ(calibrated_cycles(work, constants), 50 + 4100 + 0.25 * 3000);
  EXPECT_EQ(limit_of(work, constants), Limit::transfers);
}

}  // namespace
}  // namespace cosearch::accel::test
