#include "core/network.h"

#include <gtest/gtest.h>

#include "core/user_error.h"

namespace cosearch {
namespace {

TEST(Network, SumsOverLayersAndMultiplicities) {
  Network network("two layers");
  const auto first = network.add({.name = "stem",
                                  .layer = same_convolution(3, 8, 4, 4, 3),
                                  .affine_parameters = 16,
                                  .inputs = {}});
  network.add({.name = "body",
               .layer = same_convolution(8, 8, 4, 4, 3),
               .multiplicity = 2,
               .affine_parameters = 16,
               .inputs = {first}});
  EXPECT_EQ(network.macs(), 16 * 9 * 24 + 2 * 16 * 9 * 64);
  EXPECT_EQ(network.parameters(), 9 * 24 + 16 + 2 * (9 * 64 + 16));
  EXPECT_EQ(network.footprint(Tensor::output), Bytes{3 * 8 * 16});
}

TEST(Network, DistinctLayersMergeEqualShapes) {
  Network network;
  for (int i = 0; i < 3; ++i)
    network.add({.name = "same", .layer = fully_connected(4, 4), .inputs = {}});
  network.add({.name = "other", .layer = fully_connected(4, 5), .multiplicity = 2, .inputs = {}});
  const auto distinct = network.distinct_layers();
  ASSERT_EQ(distinct.size(), 2U);
  EXPECT_EQ(distinct[0].second, 3);
  EXPECT_EQ(distinct[1].second, 2);
}

TEST(Network, RefusesAnEdgeFromTheFuture) {
  Network network("bad");
  EXPECT_THROW(network.add({.name = "a", .layer = fully_connected(1, 1), .inputs = {0}}),
               UserError);
}

}  // namespace
}  // namespace cosearch
