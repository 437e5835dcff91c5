#include "nas/blocks.h"

#include <gtest/gtest.h>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

TEST(NetworkBuilder, ExpandsSqueezesProjectsAndAddsInAnInvertedResidual) {
  NetworkBuilder builder("net", 8, 6, 6);
  builder.mbconv("block", builder.input(),
                 {.out_channels = 8,
                  .expanded_channels = 24,
                  .kernel = 5,
                  .squeezed_channels = 4,
                  .shortcut = builder.input()});
  const Network network = std::move(builder).finish();
  EXPECT_EQ(network.macs(), 36 * (8 * 24 + 25 * 24 + 24 * 8) + 24 * 4 + 4 * 24);
  EXPECT_EQ(network.parameters(),
            8 * 24 + 2 * 24 + 25 * 24 + 2 * 24 + 24 * 4 + 4 + 4 * 24 + 24 + 24 * 8 + 2 * 8);
  // expand, depthwise, squeeze, reduce, expand, scale, project, add
  ASSERT_EQ(network.nodes().size(), 8U);
  EXPECT_EQ(network.nodes()[2].layer.kind, LayerKind::pooling);
  EXPECT_EQ(network.nodes()[5].inputs, (std::vector<std::size_t>{1, 4}));
  EXPECT_EQ(network.nodes()[7].layer, elementwise(8, 6, 6, 2));
}

TEST(NetworkBuilder, LeavesOutAnExpansionThatWouldNotWiden) {
  NetworkBuilder builder("net", 8, 6, 6);
  builder.mbconv("block", builder.input(), {.out_channels = 4, .expanded_channels = 8});
  EXPECT_EQ(std::move(builder).finish().nodes().size(), 2U);
}

TEST(NetworkBuilder, KeepsTheExtentUnderDilation) {
  NetworkBuilder builder("net", 4, 9, 9);
  const Feature same = builder.convolution(
      "dilated", builder.input(), {.out_channels = 4, .kernel = 5, .dilation = 2, .groups = 4});
  EXPECT_EQ(same.height, 9);
  EXPECT_EQ(same.width, 9);
}

TEST(NetworkBuilder, JoinsTheSourcesOfAConcatenation) {
  NetworkBuilder builder("net", 4, 9, 9);
  const Feature left = builder.convolution("left", builder.input(), {.out_channels = 3});
  const Feature right = builder.convolution("right", builder.input(), {.out_channels = 5});
  const Feature both = builder.concatenate({left, right});
  EXPECT_EQ(both.channels, 8);
  builder.global_pool("pool", both);
  const Network network = std::move(builder).finish();
  EXPECT_EQ(network.nodes().back().inputs, (std::vector<std::size_t>{0, 1}));
}

TEST(NetworkBuilder, PoolsMapsThatAreNotSquare) {
  NetworkBuilder builder("net", 4, 3, 7);
  const Feature pooled = builder.global_pool("pool", builder.input());
  EXPECT_EQ(pooled.height * pooled.width, 1);
}

TEST(NetworkBuilder, RefusesToAddOrConcatenateWhatDoesNotFit) {
  NetworkBuilder builder("net", 4, 9, 9);
  const Feature narrow = builder.convolution("narrow", builder.input(), {.out_channels = 3});
  const Feature small =
      builder.convolution("small", builder.input(), {.out_channels = 4, .stride = 2});
  EXPECT_THROW(builder.add("sum", {builder.input(), narrow}), UserError);
  EXPECT_THROW(builder.add("sum", {builder.input(), small}), UserError);
  EXPECT_THROW((void)builder.concatenate({builder.input(), small}), UserError);
}

}  // namespace
}  // namespace cosearch::nas
