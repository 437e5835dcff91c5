#include "core/layer.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "core/network.h"
#include "core/random.h"
#include "core/user_error.h"

namespace cosearch {
namespace {

// ResNet-50's first layer: 224 -> (224 + 6 - 7)/2 + 1 = 112; 64*3*49 = 9,408 weights;
// 9,408 * 112 * 112 = 118,013,952 multiplications.
TEST(Layer, CountsAStridedPaddedConvolutionByHand) {
  const Layer layer = same_convolution(3, 64, 224, 224, 7, 2);
  EXPECT_EQ(layer.P, 112);
  EXPECT_EQ(layer.macs(), 118'013'952);
  EXPECT_EQ(layer.parameters(), 9'408);
  EXPECT_EQ(layer.elements(Tensor::input), 3 * 224 * 224);
  EXPECT_EQ(layer.elements(Tensor::output), 64 * 112 * 112);
  EXPECT_EQ(describe(layer), "convolution 64x3x7x7 /2 -> 112x112");
}

TEST(Layer, DepthwiseHasOneFilterPerChannel) {
  const Layer layer = same_convolution(32, 32, 16, 16, 3, 1, 32);
  EXPECT_TRUE(layer.is_depthwise());
  EXPECT_EQ(layer.macs(), 32 * 16 * 16 * 9);
  EXPECT_EQ(layer.parameters(), 32 * 9);
}

TEST(Layer, GemmCountsItsThreeExtents) {
  const Layer layer = gemm(128, 768, 64, 12, /*weights_are_activations=*/true);
  EXPECT_EQ(layer.macs(), std::int64_t{12} * 128 * 768 * 64);
  EXPECT_EQ(layer.parameters(), 0);
  EXPECT_EQ(layer.elements(Tensor::input), 12 * 128 * 64);
  EXPECT_EQ(layer.elements(Tensor::weights), 12 * 768 * 64);
}

TEST(Layer, MemoryBoundLayersMultiplyNothingButTouchTheirTensors) {
  const Layer add = elementwise(16, 8, 8, 2);
  EXPECT_EQ(add.macs(), 0);
  EXPECT_EQ(add.elements(Tensor::input), 2 * 16 * 64);
  EXPECT_EQ(add.elements(Tensor::output), 16 * 64);
  const Layer pool = pooling(16, 8, 8, 3, 2, 1);
  EXPECT_EQ(pool.P, 4);
  EXPECT_EQ(pool.parameters(), 0);
  EXPECT_EQ(pool.operations(), 16 * 4 * 4 * 9);
}

TEST(Layer, FootprintRoundsUpToWholeBytes) {
  Layer layer = fully_connected(3, 3);
  layer.weight_bits = 4;
  EXPECT_EQ(layer.footprint(Tensor::weights), Bytes{5});  // 9 weights of 4 bits = 36 bits
}

// The obvious oracle: walk every loop and look where each iteration reads.
struct Walk {
  std::int64_t iterations = 0;
  std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>>
      weights;  // (g, k, c*R*S + r*S + s)
  std::int64_t lowest_row = 1 << 30, highest_row = -1;
};
Walk walk(const Layer& layer) {
  Walk walk;
  for (std::int64_t g = 0; g < layer.G; ++g)
    for (std::int64_t k = 0; k < layer.K; ++k)
      for (std::int64_t c = 0; c < layer.C; ++c)
        for (std::int64_t p = 0; p < layer.P; ++p)
          for (std::int64_t q = 0; q < layer.Q; ++q)
            for (std::int64_t r = 0; r < layer.R; ++r)
              for (std::int64_t s = 0; s < layer.S; ++s) {
                ++walk.iterations;
                walk.weights.insert({g, k, (c * layer.R + r) * layer.S + s});
                const std::int64_t row = p * layer.stride_h + r * layer.dilation_h - layer.pad_top;
                walk.lowest_row = std::min(walk.lowest_row, row);
                walk.highest_row = std::max(walk.highest_row, row);
              }
  return walk;
}

TEST(Layer, CountsEqualAWalkOfTheLoopNest) {
  int checked = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "layer");
    const auto draw = [&](std::int64_t low, std::int64_t high) {
      return low +
             static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
    };
    const std::int64_t groups = draw(1, 3);
    const ConvolutionShape shape{.in_channels = groups * draw(1, 3),
                                 .out_channels = groups * draw(1, 3),
                                 .height = draw(3, 9),
                                 .width = draw(3, 9),
                                 .kernel_h = draw(1, 3),
                                 .kernel_w = draw(1, 3),
                                 .stride = draw(1, 3),
                                 .pad_h = draw(0, 2),
                                 .pad_w = draw(0, 2),
                                 .dilation = draw(1, 2),
                                 .groups = groups};
    if (shape.height + 2 * shape.pad_h < shape.dilation * (shape.kernel_h - 1) + 1 ||
        shape.width + 2 * shape.pad_w < shape.dilation * (shape.kernel_w - 1) + 1)
      continue;
    ++checked;
    const Layer layer = convolution(shape);
    const Walk truth = walk(layer);
    EXPECT_EQ(layer.macs(), truth.iterations);
    EXPECT_EQ(layer.parameters(), static_cast<std::int64_t>(truth.weights.size()));
    EXPECT_EQ(truth.lowest_row, -shape.pad_h);
    // The last window fits, and one more stride would not.
    EXPECT_LE(truth.highest_row, shape.height + shape.pad_h - 1);
    EXPECT_GT(truth.highest_row + shape.stride, shape.height + shape.pad_h - 1);
  }
  EXPECT_GT(checked, 300);
}

TEST(Layer, RefusesWhatCannotBe) {
  EXPECT_THROW((void)same_convolution(3, 64, 8, 8, 3, 1, 2), UserError);
  EXPECT_THROW((void)convolution({.height = 2, .width = 2, .kernel_h = 5, .kernel_w = 5}),
               UserError);
  Layer layer = same_convolution(3, 64, 8, 8, 3);
  layer.P = 9;
  ASSERT_EQ(problems_in(layer).size(), 1U);
  EXPECT_NE(problems_in(layer).front().find("P = 9"), std::string::npos);
}

TEST(Layer, HashTellsShapesApart) {
  std::set<std::uint64_t> hashes;
  for (std::int64_t k = 1; k <= 64; ++k)
    for (std::int64_t c = 1; c <= 64; ++c) hashes.insert(hash_of(fully_connected(c, k)));
  EXPECT_EQ(hashes.size(), 64U * 64U);
}

TEST(Layer, IsRefusedWhereItsCountsWouldOverflow) {
  Layer layer;
  layer.C = layer.K = std::int64_t{1} << 31;
  ASSERT_EQ(problems_in(layer).size(), 1U);
  EXPECT_NE(problems_in(layer).front().find("10^15"), std::string::npos);
  layer.C = layer.K = 1 << 20;
  EXPECT_TRUE(problems_in(layer).empty());

  Network network("huge");
  EXPECT_NO_THROW(network.add({.name = "a", .layer = layer}));
  EXPECT_THROW(network.add({.name = "b", .layer = layer, .multiplicity = 1 << 20}), UserError);
}

}  // namespace
}  // namespace cosearch
