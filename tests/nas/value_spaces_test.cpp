// Members of the spaces of whole numbers, against published figures and sums made by hand.
#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/named_networks.h"
#include "nas/space.h"

namespace cosearch::nas {
namespace {

std::int64_t parameters_of_member(const std::string& space, const std::string& genotype,
                                  const SpaceOptions& options = {}) {
  return make_space(space, options)->lower(genotype).parameters();
}

std::vector<std::int64_t> numbers_in(const std::string& genotype) {
  std::vector<std::int64_t> numbers;
  std::istringstream text(genotype);
  for (std::string number; std::getline(text, number, ';');) numbers.push_back(std::stoll(number));
  return numbers;
}

std::string joined(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers)
    text += (text.empty() ? "" : ";") + std::to_string(number);
  return text;
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

struct Totals {
  std::int64_t parameters = 0, macs = 0;

  friend bool operator==(const Totals&, const Totals&) = default;
};

Totals totals_of(const Network& network) { return {network.parameters(), network.macs()}; }

/// A convolution with batch normalisation on a square output.
void count(Totals& totals, std::int64_t weights, std::int64_t out_channels, std::int64_t extent) {
  totals.parameters += weights + 2 * out_channels;
  totals.macs += weights * extent * extent;
}

void count_squeeze_excite(Totals& totals, std::int64_t channels) {
  const std::int64_t squeezed = rounded_channels(channels / 4);
  totals.parameters += 2 * channels * squeezed + channels + squeezed;
  totals.macs += 2 * channels * squeezed;
}

/// The supernet's networks of width 100 %, from the paper's table, without any of our builders.
Totals mobile_totals(const std::vector<std::int64_t>& genotype) {
  Totals totals;
  std::int64_t extent = genotype[0] / 2, channels = 16;
  count(totals, 27 * 16, 16, extent);
  count(totals, 9 * 16, 16, extent);
  count(totals, 16 * 16, 16, extent);
  const std::int64_t widths[] = {24, 40, 80, 112, 160}, strides[] = {2, 2, 2, 1, 2};
  const bool squeezes[] = {false, true, false, true, true};
  for (std::size_t stage = 0; stage < 5; ++stage)
    for (std::size_t block = 0; block < static_cast<std::size_t>(genotype[1 + stage]); ++block) {
      const std::int64_t kernel = genotype[6 + 4 * stage + block];
      const std::int64_t expanded = channels * genotype[26 + 4 * stage + block];
      count(totals, channels * expanded, expanded, extent);
      if (block == 0) extent = (extent - 1) / strides[stage] + 1;
      count(totals, kernel * kernel * expanded, expanded, extent);
      if (squeezes[stage]) count_squeeze_excite(totals, expanded);
      count(totals, expanded * widths[stage], widths[stage], extent);
      channels = widths[stage];
    }
  count(totals, 160 * 960, 960, extent);
  totals.parameters += 960 * 1280 + 1280 * 1000 + 1000;
  totals.macs += 960 * 1280 + 1280 * 1000;
  return totals;
}

TEST(OfaMobileNetV3, CountsAsItsTableSays) {
  const auto space = make_space("ofa-mobilenet-v3");
  Random random(4, "sums");
  for (int i = 0; i < 50; ++i) {
    const std::string genotype = space->sample(random);
    EXPECT_EQ(totals_of(space->lower(genotype)), mobile_totals(numbers_in(genotype))) << genotype;
  }
}

// Parameters of the supernet's network "note8_lat@31ms_top1@72.8" as MMRazor lists them, to one
// digit (github.com/open-mmlab/mmrazor, configs/nas/mmcls/onceforall): 4.6 million.
TEST(OfaMobileNetV3, HasThePublishedParameters) {
  const std::string genotype =
      "152;2;2;3;3;4;5;3;3;3;5;5;3;3;3;3;5;3;3;5;7;3;3;3;5;5;3;3;3;3;4;3;3;3;4;4;4;4;4;3;4;3;6;3;3;"
      "3";
  EXPECT_NEAR(static_cast<double>(parameters_of_member("ofa-mobilenet-v3", genotype)) * 1e-6, 4.6,
              0.05);
}

TEST(OfaMobileNetV3, IsNotShapedByBlocksThatDoNotRun) {
  const auto space = make_space("ofa-mobilenet-v3");
  std::vector<std::int64_t> numbers{224, 2, 4, 4, 4, 3};
  numbers.insert(numbers.end(), 20, 7);
  numbers.insert(numbers.end(), 20, 6);
  std::vector<std::int64_t> least = numbers;
  for (const std::size_t block : {2, 3, 19}) {
    least[6 + block] = 3;
    least[26 + block] = 3;
  }
  EXPECT_EQ(space->canonical(joined(numbers)), joined(least));
}

std::vector<std::int64_t> residual_member(const std::vector<std::int64_t>& depths) {
  std::vector<std::int64_t> numbers{224};
  numbers.insert(numbers.end(), depths.begin(), depths.end());
  numbers.insert(numbers.end(), 6, 100);
  numbers.insert(numbers.end(), 18, 25);
  return numbers;
}

// timm resnet50d: 25,576,264 parameters. Its multiply-accumulates are those of ResNet-50 with three
// 3x3 convolutions (to 32, 32 and 64 channels) instead of the 7x7 on 112x112: pooling before the
// 1x1 of a shortcut reads four times as much but multiplies the same.
TEST(OfaResNet50, HoldsResNet50D) {
  const Network network =
      make_space("ofa-resnet-50")->lower(joined(residual_member({2, 1, 2, 2, 1})));
  EXPECT_EQ(network.parameters(), 25'576'264);
  const std::int64_t stem = 9 * (3 * 32 + 32 * 32 + 32 * 64), stem_of_resnet = 49 * 3 * 64;
  EXPECT_EQ(network.macs(), named_network("resnet50").macs() + 112 * 112 * (stem - stem_of_resnet));
}

TEST(OfaResNet50, IsNotShapedByBlocksThatDoNotRun) {
  const auto space = make_space("ofa-resnet-50");
  std::vector<std::int64_t> least = residual_member({2, 1, 2, 2, 1});
  least[12 + 3] = least[12 + 17] = 20;
  EXPECT_EQ(space->canonical(joined(residual_member({2, 1, 2, 2, 1}))), joined(least));
}

TEST(OfaResNet50, LowersOnOddMaps) {
  const auto space = make_space("ofa-resnet-50");
  std::vector<std::int64_t> numbers = residual_member({0, 0, 0, 0, 0});
  for (const std::int64_t image : {144, 176, 208, 240}) {
    numbers[0] = image;
    EXPECT_GT(space->lower(joined(numbers)).macs(), 0);
  }
}

struct PublishedRegNet {
  std::string name, genotype;
  std::int64_t parameters;
  double giga_macs;
};

// torchvision's metadata ("num_params", "_ops") of the weights in torchvision/models/regnet.py. Its
// slopes, between steps of the grid, give the same widths as the ones here.
TEST(RegNet, HasThePublishedFiguresOfTorchvision) {
  const std::vector<PublishedRegNet> published{
      {"regnet_x_1_6gf", "18;80;34;225;24;0", 9'190'136, 1.603},
      {"regnet_x_16gf", "22;216;56;210;128;0", 54'278'536, 15.941},
      {"regnet_x_32gf", "23;320;70;200;168;0", 107'811'560, 31.736},
      {"regnet_y_800mf", "14;56;39;240;16;1", 6'432'512, 0.834}};
  const auto space = make_space("regnet");
  for (const PublishedRegNet& regnet : published) {
    SCOPED_TRACE(regnet.name);
    const Network network = space->lower(regnet.genotype);
    EXPECT_EQ(network.parameters(), regnet.parameters);
    EXPECT_NEAR(static_cast<double>(network.macs()) * 1e-9, regnet.giga_macs, 0.0005);
  }
}

// Of neighbours along the line, some are the same network: those, and only those, share a spelling.
TEST(RegNet, HasOneSpellingForLinesThatQuantiseToTheSameWidths) {
  const auto space = make_space("regnet");
  EXPECT_EQ(space->canonical("18;80;35;225;24;0"), space->canonical("18;80;33;225;24;0"));
  Random random(2, "lines");
  int equal = 0, different = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string genotype = space->sample(random);
    for (const std::string& neighbour : space->neighbours(genotype)) {
      const bool same = space->lower(genotype).nodes() == space->lower(neighbour).nodes();
      EXPECT_EQ(space->canonical(genotype) == space->canonical(neighbour), same)
          << genotype << " " << neighbour;
      ++(same ? equal : different);
    }
  }
  EXPECT_GT(equal, 20);
  EXPECT_GT(different, 20);
}

// Hugging Face transformers, GPT2LMHeadModel of gpt2, gpt2-medium and gpt2-large.
TEST(Gpt, HoldsThePublishedDecoders) {
  EXPECT_EQ(parameters_of_member("gpt", "12;768;12;64;1;4"), 124'439'808);
  EXPECT_EQ(parameters_of_member("gpt", "24;1024;16;64;1;4"), 354'823'168);
  EXPECT_EQ(parameters_of_member("gpt", "36;1280;20;64;1;4"), 774'030'080);
}

TEST(Gpt, CostsWhatTheNamedNetworkCosts) {
  const Network member = make_space("gpt")->lower("12;768;12;64;1;4");
  EXPECT_EQ(totals_of(member), totals_of(named_network("gpt2-small")));
  EXPECT_EQ(member.nodes().size(), named_network("gpt2-small").nodes().size());
}

// Sharing shrinks the keys' and values' projections and leaves every product of attention.
TEST(Gpt, SavesKeysAndValuesByGroupedQueries) {
  const auto space = make_space("gpt", {{"tokens", 64}});
  const Network apart = space->lower("4;256;8;32;1;4"), shared = space->lower("4;256;8;32;4;4");
  const std::int64_t saved = 4 * 2 * (8 - 2) * 32 * 256;  // weights, over 4 layers
  EXPECT_EQ(apart.macs() - shared.macs(), saved * 64);
  EXPECT_EQ(apart.parameters() - shared.parameters(), saved + 4 * 2 * (8 - 2) * 32);
}

// torchvision vit_b_16 and vit_l_16; timm vit_small_patch16_224 and vit_tiny_patch16_224.
TEST(VisionTransformer, HoldsThePublishedPatchTransformers) {
  EXPECT_EQ(parameters_of_member("vit", "0;12;768;64;4"), 86'567'656);
  EXPECT_EQ(parameters_of_member("vit", "0;24;1024;64;4"), 304'326'632);
  EXPECT_EQ(parameters_of_member("vit", "0;12;384;64;4"), 22'050'664);
  EXPECT_EQ(parameters_of_member("vit", "0;12;192;64;4"), 5'717'416);
}

// T. Xiao et al., table 2: ViT_C-1GF has 4.6 million parameters, ViT_C-4GF 17.8.
TEST(VisionTransformer, HoldsThePublishedConvolutionalStems) {
  EXPECT_NEAR(static_cast<double>(parameters_of_member("vit", "1;11;192;64;3")) * 1e-6, 4.6, 0.05);
  EXPECT_NEAR(static_cast<double>(parameters_of_member("vit", "1;11;384;64;3")) * 1e-6, 17.8, 0.05);
}

TEST(VisionTransformer, CostsByHand) {
  const std::int64_t width = 192, hidden = 2 * width, rows = 5, layers = 6;  // 2x2 patches and one
  const Network network = make_space("vit", {{"image", 32}, {"classes", 7}})->lower("0;6;192;32;2");
  EXPECT_EQ(network.macs(),
            768 * width * 4 + width * 7 +
                layers * rows * (4 * width * width + 2 * width * hidden + 2 * rows * width));
  EXPECT_THROW((void)make_space("vit", {{"image", 40}}), UserError);
}

}  // namespace
}  // namespace cosearch::nas
