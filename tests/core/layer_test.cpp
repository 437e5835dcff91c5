#include "core/layer.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>
#include <utility>

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

TEST(Layer, DescribesDepthTranspositionAndUnequalAxes) {
  ConvolutionShape shape{.in_channels = 3, .out_channels = 64, .height = 112, .width = 112};
  shape.kernel_h = shape.kernel_w = 7;
  shape.stride = 2, shape.pad_h = shape.pad_w = 3;
  shape.depth = 16, shape.kernel_d = 3, shape.pad_d = 1;
  EXPECT_EQ(describe(convolution(shape)), "convolution 64x3x3x7x7 /1x2x2 -> 16x56x56");
  EXPECT_EQ(describe(transposed_convolution({.in_channels = 8,
                                             .out_channels = 4,
                                             .height = 5,
                                             .width = 6,
                                             .kernel_h = 2,
                                             .kernel_w = 2,
                                             .stride = 2})),
            "transposed convolution 4x8x2x2 /2 -> 10x12");
  EXPECT_EQ(describe(convolution({.width = 9, .kernel_w = 3, .stride_w = 3})),
            "convolution 1x1x1x3 /1x3 -> 1x3");
}

// C3D's first layer: 64 filters of 3x3x3 over 3 channels of 16 frames of 112x112, padded by 1:
// 64*3*27 = 5,184 weights, times 16*112*112 positions = 1,040,449,536 multiplications.
TEST(Layer, CountsAThreeDimensionalConvolutionByHand) {
  ConvolutionShape shape{.in_channels = 3, .out_channels = 64, .height = 112, .width = 112};
  shape.kernel_d = shape.kernel_h = shape.kernel_w = 3;
  shape.pad_d = shape.pad_h = shape.pad_w = 1;
  shape.depth = 16;
  const Layer layer = convolution(shape);
  EXPECT_EQ(layer.D, 16);
  EXPECT_EQ(layer.parameters(), 5'184);
  EXPECT_EQ(layer.macs(), 1'040'449'536);
  EXPECT_EQ(layer.elements(Tensor::output), 64 * 16 * 112 * 112);
}

// DCGAN's second layer: 512 channels of 4x4 to 256 of 8x8, kernel 4, stride 2, padding 1:
// (4 - 1)*2 - 2 + 3 + 1 = 8; every input meets every tap: 512*256*16*4*4 multiplications.
TEST(Layer, CountsATransposedConvolutionByHand) {
  const Layer layer = transposed_convolution({.in_channels = 512,
                                              .out_channels = 256,
                                              .height = 4,
                                              .width = 4,
                                              .kernel_h = 4,
                                              .kernel_w = 4,
                                              .stride = 2,
                                              .pad_h = 1,
                                              .pad_w = 1});
  EXPECT_EQ(layer.P, 8);
  EXPECT_EQ(layer.Q, 8);
  EXPECT_EQ(layer.macs(), std::int64_t{512} * 256 * 16 * 4 * 4);
  EXPECT_EQ(layer.elements(Tensor::input), 512 * 16);
  EXPECT_EQ(layer.elements(Tensor::output), 256 * 64);
  EXPECT_EQ(layer.parameters(), 512 * 256 * 16);
}

ConvolutionShape random_volume(Random& random) {
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  ConvolutionShape shape;
  shape.groups = draw(1, 3);
  shape.in_channels = shape.groups * draw(1, 3);
  shape.out_channels = shape.groups * draw(1, 3);
  shape.depth = draw(5, 9), shape.height = draw(5, 9), shape.width = draw(5, 9);
  shape.kernel_d = draw(1, 3), shape.kernel_h = draw(1, 3), shape.kernel_w = draw(1, 3);
  shape.stride_d = draw(1, 3), shape.stride_h = draw(1, 3), shape.stride_w = draw(1, 3);
  shape.pad_d = draw(0, 1), shape.pad_h = draw(0, 1), shape.pad_w = draw(0, 1);
  shape.dilation_d = draw(1, 2), shape.dilation = draw(1, 2);
  return shape;
}

/// `shape` with everything along depth and height exchanged.
ConvolutionShape turned(ConvolutionShape shape) {
  std::swap(shape.depth, shape.height);
  std::swap(shape.kernel_d, shape.kernel_h);
  std::swap(shape.pad_d, shape.pad_h);
  const std::int64_t stride = shape.stride_h.value_or(shape.stride);
  const std::int64_t dilation = shape.dilation_h.value_or(shape.dilation);
  shape.stride_h = shape.stride_d, shape.stride_d = stride;
  shape.dilation_h = shape.dilation_d, shape.dilation_d = dilation;
  return shape;
}

TEST(Layer, DepthIsAnAxisLikeHeight) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "depth");
    const ConvolutionShape shape = random_volume(random);
    for (const auto& make :
         {convolution, +[](const ConvolutionShape& s) { return transposed_convolution(s); }}) {
      const Layer layer = make(shape), other = make(turned(shape));
      EXPECT_EQ(layer.macs(), other.macs());
      EXPECT_EQ(layer.D, other.P);
      EXPECT_EQ(layer.P, other.D);
      EXPECT_EQ(layer.Q, other.Q);
      for (const Tensor tensor : kTensors)
        EXPECT_EQ(layer.elements(tensor), other.elements(tensor));
    }
  }
}

// A transposed convolution with the most output padding that still maps back undoes the shape of
// a convolution and multiplies as often: every input meets every tap.
TEST(Layer, ATransposedConvolutionUndoesAConvolution) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "transposed");
    ConvolutionShape shape = random_volume(random);
    const Layer forward = convolution(shape);
    const auto lost = [](std::int64_t input, std::int64_t pad, std::int64_t window,
                         std::int64_t dilation, std::int64_t stride) {
      return (input + 2 * pad - dilation * (window - 1) - 1) % stride;
    };
    const OutputPadding padding{
        lost(shape.depth, shape.pad_d, shape.kernel_d, forward.dilation_d, forward.stride_d),
        lost(shape.height, shape.pad_h, shape.kernel_h, forward.dilation_h, forward.stride_h),
        lost(shape.width, shape.pad_w, shape.kernel_w, forward.dilation_w, forward.stride_w)};
    std::swap(shape.in_channels, shape.out_channels);
    shape.depth = forward.D, shape.height = forward.P, shape.width = forward.Q;
    const Layer back = transposed_convolution(shape, padding);
    EXPECT_EQ(back.D, forward.input_d);
    EXPECT_EQ(back.P, forward.input_h);
    EXPECT_EQ(back.Q, forward.input_w);
    EXPECT_EQ(back.macs(), forward.macs());
    EXPECT_EQ(back.parameters(), forward.parameters());
    EXPECT_EQ(back.elements(Tensor::input), forward.elements(Tensor::output));
    EXPECT_EQ(back.elements(Tensor::output), forward.elements(Tensor::input));
  }
}

TEST(Layer, AttentionCountsEveryHeadAndStoresKeysAndValuesOnce) {
  // Llama-2-70B: 64 heads of 128, 8 of keys and values.
  const AttentionShape shape{
      .rows = 5, .context = 2048, .head_depth = 128, .heads = 64, .kv_heads = 8, .batch = 3};
  const Layer scores = attention_scores(shape), values = attention_values(shape);
  const std::int64_t macs = std::int64_t{3} * 64 * 5 * 2048 * 128;
  EXPECT_EQ(scores.macs(), macs);
  EXPECT_EQ(values.macs(), macs);
  EXPECT_EQ(scores.elements(Tensor::input), 3 * 64 * 5 * 128);
  EXPECT_EQ(scores.elements(Tensor::weights), 3 * 8 * 2048 * 128);
  EXPECT_EQ(scores.elements(Tensor::output), values.elements(Tensor::input));
  EXPECT_EQ(values.elements(Tensor::weights), scores.elements(Tensor::weights));
  EXPECT_EQ(values.elements(Tensor::output), scores.elements(Tensor::input));
  EXPECT_EQ(scores.parameters(), 0);
  EXPECT_EQ(scores.G, 3 * 8);
  EXPECT_EQ(scores.P, 5 * 64 / 8);
  // Without sharing: the products that nas/named_networks_transformer.cpp writes out.
  EXPECT_EQ(attention_scores(
                {.rows = 128, .context = 128, .head_depth = 64, .heads = 12, .kv_heads = 12}),
            gemm(128, 128, 64, 12, true));
}

TEST(Layer, RefusesTransposedConvolutionsAndAttentionThatCannotBe) {
  EXPECT_THROW((void)transposed_convolution({.height = 4, .width = 4, .stride = 2}, {.h = 2}),
               UserError);
  EXPECT_THROW((void)transposed_convolution({.pad_h = 1}), UserError);
  EXPECT_THROW((void)transposed_convolution({.in_channels = 3, .out_channels = 4, .groups = 2}),
               UserError);
  EXPECT_THROW((void)transposed_convolution({.height = std::int64_t{1} << 40}), UserError);
  EXPECT_THROW((void)attention_scores({.heads = 12, .kv_heads = 5}), UserError);
  EXPECT_THROW((void)attention_values({.heads = 12, .kv_heads = 0}), UserError);
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
