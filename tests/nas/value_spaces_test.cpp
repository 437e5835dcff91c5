// Members of the spaces of whole numbers, against published figures and sums made by hand.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/space.h"

namespace cosearch::nas {
namespace {

std::int64_t parameters_of_member(const std::string& space, const std::string& genotype,
                                  const SpaceOptions& options = {}) {
  return make_space(space, options)->lower(genotype).parameters();
}

TEST(RoundedChannels, AreMultiplesOfEightAndNeverATenthLess) {
  for (std::int64_t channels = 1; channels <= 300; ++channels)
    for (const std::int64_t percent : {20, 65, 100, 120}) {
      const double exact = static_cast<double>(channels * percent) / 100;
      const auto rounded = static_cast<double>(rounded_channels(channels, percent));
      EXPECT_EQ(rounded_channels(channels, percent) % 8, 0);
      EXPECT_GE(rounded, 0.9 * exact - 1e-9) << channels << " " << percent;
      EXPECT_LE(rounded, exact < 8 ? 8 : exact + 8) << channels << " " << percent;
    }
}

// Weights of the convolutions in the order of the network, scales and shifts of the batch
// normalisations, then the classifier. Implementations with biases in their eight convolutions
// (2,240 channels) report 6,575,370.
TEST(ResNet9, HasTheParametersOfTheDawnBenchEntry) {
  constexpr std::int64_t kWeights =
      9 * (3 * 64 + 64 * 128 + 2 * 128 * 128 + 128 * 256 + 256 * 512 + 2 * 512 * 512);
  constexpr std::int64_t kNormalised = 64 + 3 * 128 + 256 + 3 * 512;
  static_assert(kWeights + 2 * kNormalised + 512 * 10 + 10 == 6'575'370 - kNormalised);
  EXPECT_EQ(parameters_of_member("resnet-9", "64;128;2;256;0;512;2"),
            kWeights + 2 * kNormalised + 512 * 10 + 10);
}

TEST(ResNet9, CostsByHandWithoutSkipConnections) {
  const Network network = make_space("resnet-9")->lower("8;32;0;32;0;64;0");
  EXPECT_EQ(network.macs(),
            9 * (3 * 8 * 1024 + 8 * 32 * 1024 + 32 * 32 * 256 + 32 * 64 * 64) + 64 * 10);
}

TEST(ResNet9, RefusesImagesThatItsBlocksUseUp) {
  EXPECT_NO_THROW((void)make_space("resnet-9", {{"blocks", 5}, {"image", 32}}));
  EXPECT_THROW((void)make_space("resnet-9", {{"blocks", 5}, {"image", 31}}), UserError);
}

// Level by level from the figure of the paper, with batch normalisation instead of biases in the
// 3x3 convolutions.
TEST(UNet, HasTheParametersOfThePaperSFilters) {
  const std::vector<std::int64_t> filters{64, 128, 256, 512, 1024};
  std::int64_t sum = 64 + 1, above = 3;
  for (const std::int64_t f : filters) {
    sum += 9 * (above * f + f * f) + 4 * f;
    if (f < 1024) sum += 4 * (2 * f) * f + f + 9 * (2 * f * f + f * f) + 4 * f;
    above = f;
  }
  EXPECT_EQ(sum, 31'037'633);
  EXPECT_EQ(parameters_of_member("unet", "64;128;256;512;1024;5"), sum);
}

TEST(UNet, IsNotShapedByFiltersBelowItsHeight) {
  const auto space = make_space("unet");
  EXPECT_EQ(space->canonical("64;128;256;512;1024;2"), "64;128;16;32;64;2");
  EXPECT_EQ(space->canonical("64;128;256;512;1024;5"), "64;128;256;512;1024;5");
}

TEST(UNet, CostsByHandOnOneLevel) {
  const Network network =
      make_space("unet", {{"image", 16}, {"classes", 2}})->lower("4;8;16;32;64;1");
  EXPECT_EQ(network.macs(), 256 * (9 * (3 * 4 + 4 * 4) + 4 * 2));
}

}  // namespace
}  // namespace cosearch::nas
