// The networks that the spaces lower to hang together, whichever genotype and options are chosen.
#include "tests/support/shape_flow.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/random.h"
#include "nas/space.h"

namespace cosearch::nas {
namespace {

using test::FlowMismatch;

/// The second half of a factorised reduction reads the map without its first row and column.
bool is_cropped(const FlowMismatch& mismatch) {
  return mismatch.layer.ends_with(".odd") && mismatch.reads < mismatch.delivered;
}

/// Vertices of NAS-Bench-101 read one channel less than others deliver, where division left a rest.
bool is_truncated(const FlowMismatch& mismatch) {
  return mismatch.layer.find(".vertex") != std::string::npos && mismatch.reads < mismatch.delivered;
}

/// A vision transformer adds a learnt token to those of the image and classifies that one alone.
bool is_learnt_token(const FlowMismatch& mismatch) {
  return mismatch.layer == "positions" || mismatch.layer == "classifier";
}

/// A DARTS cell brings both its inputs into shape even if none of its edges reads one of them.
bool is_preparation(const std::string& layer) { return layer.find(".input") != std::string::npos; }

void expect_sound(const NetworkSpace& space) {
  constexpr std::uint64_t kSeed = 7;
  constexpr int kSamples = 60;
  Random random(kSeed, "shape flow");
  for (int i = 0; i < kSamples; ++i) {
    const std::string genotype = space.sample(random);
    SCOPED_TRACE(space.name() + " " + genotype);
    const Network network = space.lower(genotype);
    EXPECT_EQ(network.nodes().back().name, "classifier");
    for (const std::string& output : test::outputs_of(network))
      EXPECT_TRUE(output == "classifier" || is_preparation(output)) << output;
    for (const FlowMismatch& mismatch : test::flow_mismatches(network))
      EXPECT_TRUE(is_cropped(mismatch) || (space.name() == "vit" && is_learnt_token(mismatch)) ||
                  (space.name() == "nas-bench-101" && is_truncated(mismatch)))
          << mismatch;
  }
}

TEST(Spaces, DeliverToEveryLayerWhatItReadsAndEndInTheClassifier) {
  for (const std::string& name : space_names()) expect_sound(*make_space(name));
}

TEST(Spaces, DeliverToEveryLayerWhatItReadsOnOtherImages) {
  expect_sound(*make_space("nas-bench-201", {{"image", 16}, {"classes", 120}}));
  expect_sound(*make_space("nas-bench-macro", {{"image", 64}}));
  expect_sound(*make_space("darts", {{"image", 16}, {"layers", 8}, {"channels", 16}}));
  expect_sound(*make_space("fashion-macro"));
}

}  // namespace
}  // namespace cosearch::nas
