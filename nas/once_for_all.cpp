#include "nas/once_for_all.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "nas/blocks.h"
#include "nas/value_space.h"

namespace cosearch::nas {
namespace {

std::vector<std::int64_t> resolutions(std::int64_t first, std::int64_t last, std::int64_t step) {
  std::vector<std::int64_t> list;
  for (std::int64_t value = first; value <= last; value += step) list.push_back(value);
  return list;
}

void append_positions(std::vector<ValuePosition>& list, const std::string& what,
                      const std::string& of, std::size_t count,
                      const std::vector<std::int64_t>& values) {
  for (std::size_t i = 1; i <= count; ++i)
    list.push_back({"the " + what + " of " + of + " " + std::to_string(i), values});
}

std::string block_name(std::size_t stage, std::int64_t block) {
  return "stage" + std::to_string(stage + 1) + ".block" + std::to_string(block + 1);
}

// ---------------------------------------------------------------------------------- MobileNetV3

constexpr std::size_t kMobileStages = 5, kMobileBlocks = 4;  // the most of each stage
constexpr std::int64_t kMobileStem = 16, kMobileHead = 960, kMobileFeatures = 1280;

struct MobileStage {
  std::int64_t channels, stride;
  Activation activation;
  bool squeeze_excite;
};
constexpr std::array<MobileStage, kMobileStages> kMobileStageTable{
    {{24, 2, Activation::relu, false},
     {40, 2, Activation::relu, true},
     {80, 2, Activation::hard_swish, false},
     {112, 1, Activation::hard_swish, true},
     {160, 2, Activation::hard_swish, true}}};

constexpr std::size_t kMobileDepth = 1, kMobileKernel = kMobileDepth + kMobileStages,
                      kMobileExpansion = kMobileKernel + kMobileStages * kMobileBlocks;

std::vector<ValuePosition> mobile_positions() {
  std::vector<ValuePosition> list{{"the resolution", resolutions(128, 224, 4)}};
  append_positions(list, "depth", "stage", kMobileStages, {2, 3, 4});
  append_positions(list, "kernel", "block", kMobileStages * kMobileBlocks, {3, 5, 7});
  append_positions(list, "expansion", "block", kMobileStages * kMobileBlocks, {3, 4, 6});
  return list;
}

class OfaMobileNetV3 : public ValueSpace {
 public:
  OfaMobileNetV3(std::int64_t width, std::int64_t classes)
      : ValueSpace("ofa-mobilenet-v3", mobile_positions()), width_(width), classes_(classes) {}

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const std::vector<std::int64_t> values = values_of(genotype);
    NetworkBuilder builder(name() + " " + genotype, 3, values[0], values[0]);
    const std::int64_t stem = wide(kMobileStem);
    Feature feature = builder.convolution(
        "stem", builder.input(),
        {.out_channels = stem, .kernel = 3, .stride = 2, .activation = Activation::hard_swish});
    feature = builder.mbconv("first", feature,
                             {.out_channels = stem,
                              .expanded_channels = stem,
                              .activation = Activation::relu,
                              .shortcut = feature});
    for (std::size_t stage = 0; stage < kMobileStages; ++stage)
      feature = append_stage(builder, feature, stage, values);
    feature = builder.convolution(
        "head.expand", feature,
        {.out_channels = wide(kMobileHead), .activation = Activation::hard_swish});
    feature = builder.global_pool("head.pool", feature);
    feature = builder.convolution("head.mix", feature,
                                  {.out_channels = wide(kMobileFeatures),
                                   .affine = Affine::none,
                                   .activation = Activation::hard_swish});
    builder.fully_connected("classifier", feature, classes_);
    return std::move(builder).blueprint();
  }

 protected:
  [[nodiscard]] std::vector<std::size_t> idle_positions(
      const std::vector<std::int64_t>& values) const override {
    std::vector<std::size_t> idle;
    for (std::size_t stage = 0; stage < kMobileStages; ++stage)
      for (auto block = static_cast<std::size_t>(values[kMobileDepth + stage]);
           block < kMobileBlocks; ++block) {
        idle.push_back(kMobileKernel + stage * kMobileBlocks + block);
        idle.push_back(kMobileExpansion + stage * kMobileBlocks + block);
      }
    return idle;
  }

 private:
  [[nodiscard]] std::int64_t wide(std::int64_t channels) const {
    return rounded_channels(channels, width_);
  }

  [[nodiscard]] Feature append_stage(NetworkBuilder& builder, Feature feature, std::size_t number,
                                     const std::vector<std::int64_t>& values) const {
    const MobileStage& stage = kMobileStageTable[number];
    for (std::int64_t block = 0; block < values[kMobileDepth + number]; ++block) {
      const std::size_t offset = number * kMobileBlocks + static_cast<std::size_t>(block);
      const std::int64_t expanded =
          rounded_channels(feature.channels * values[kMobileExpansion + offset]);
      MbConvOptions options{
          .out_channels = wide(stage.channels),
          .expanded_channels = expanded,
          .kernel = values[kMobileKernel + offset],
          .stride = block == 0 ? stage.stride : 1,
          .activation = stage.activation,
          .squeezed_channels = stage.squeeze_excite ? rounded_channels(expanded / 4) : 0};
      if (options.stride == 1 && feature.channels == options.out_channels)
        options.shortcut = feature;
      feature = builder.mbconv(block_name(number, block), feature, options);
    }
    return feature;
  }

  std::int64_t width_, classes_;
};

// ------------------------------------------------------------------------------------ ResNet-50

constexpr std::int64_t kResidualStem = 64;
constexpr std::size_t kResidualStages = 4;
constexpr std::array<std::int64_t, kResidualStages> kResidualWidths{256, 512, 1024, 2048};
constexpr std::array<std::int64_t, kResidualStages> kLeastBlocks{2, 2, 4, 2};
constexpr std::int64_t kMoreBlocks = 2;  // at most, in each stage
constexpr std::size_t kResidualBlocks = 18;

constexpr std::size_t kResidualDepth = 1, kResidualWidth = kResidualDepth + 1 + kResidualStages,
                      kResidualRatio = kResidualWidth + 2 + kResidualStages;

std::vector<ValuePosition> residual_positions() {
  std::vector<ValuePosition> list{{"the resolution", resolutions(128, 256, 16)}};
  list.push_back({"the depth of the stem", {0, 2}});
  append_positions(list, "depth", "stage", kResidualStages, {0, 1, 2});
  list.push_back({"the inner width of the stem", {65, 80, 100}});
  list.push_back({"the outer width of the stem", {65, 80, 100}});
  append_positions(list, "width", "stage", kResidualStages, {65, 80, 100});
  append_positions(list, "ratio", "block", kResidualBlocks, {20, 25, 35});
  return list;
}

class OfaResNet50 : public ValueSpace {
 public:
  explicit OfaResNet50(std::int64_t classes)
      : ValueSpace("ofa-resnet-50", residual_positions()), classes_(classes) {}

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const std::vector<std::int64_t> values = values_of(genotype);
    NetworkBuilder builder(name() + " " + genotype, 3, values[0], values[0]);
    Feature feature = append_stem(builder, values);
    std::size_t first = 0;  // block of the stage
    for (std::size_t stage = 0; stage < kResidualStages; ++stage) {
      const std::int64_t blocks = kLeastBlocks[stage] + values[kResidualDepth + 1 + stage];
      const std::int64_t channels =
          rounded_channels(kResidualWidths[stage], values[kResidualWidth + 2 + stage]);
      for (std::int64_t block = 0; block < blocks; ++block)
        feature =
            append_block(builder, block_name(stage, block), feature,
                         {.channels = channels,
                          .ratio = values[kResidualRatio + first + static_cast<std::size_t>(block)],
                          .stride = stage > 0 && block == 0 ? 2 : 1,
                          .is_first = block == 0});
      first += static_cast<std::size_t>(kLeastBlocks[stage] + kMoreBlocks);
    }
    builder.fully_connected("classifier", builder.global_pool("pool", feature), classes_);
    return std::move(builder).blueprint();
  }

 protected:
  [[nodiscard]] std::vector<std::size_t> idle_positions(
      const std::vector<std::int64_t>& values) const override {
    std::vector<std::size_t> idle;
    std::int64_t end = 0;  // block after the stage
    for (std::size_t stage = 0; stage < kResidualStages; ++stage) {
      end += kLeastBlocks[stage] + kMoreBlocks;
      const std::int64_t dropped = kMoreBlocks - values[kResidualDepth + 1 + stage];
      for (std::int64_t block = end - dropped; block < end; ++block)
        idle.push_back(kResidualRatio + static_cast<std::size_t>(block));
    }
    return idle;
  }

 private:
  struct Bottleneck {
    std::int64_t channels, ratio, stride;
    bool is_first;  ///< of its stage: these project their shortcut even where the shape stays
  };

  static Feature append_stem(NetworkBuilder& builder, const std::vector<std::int64_t>& values) {
    const std::int64_t outer = rounded_channels(kResidualStem, values[kResidualWidth + 1]);
    const std::int64_t inner =
        rounded_channels(rounded_channels(kResidualStem, values[kResidualWidth]) / 2);
    const auto convolution = [&](const std::string& name, const Feature& from,
                                 std::int64_t channels, std::int64_t stride) {
      return builder.convolution(name, from,
                                 {.out_channels = channels,
                                  .kernel = 3,
                                  .stride = stride,
                                  .activation = Activation::relu});
    };
    Feature feature = convolution("stem", builder.input(), inner, 2);
    if (values[kResidualDepth] != 0)
      feature = builder.add("stem.add", {convolution("stem.residual", feature, inner, 1), feature});
    return builder.pool("stem.pool", convolution("stem.widen", feature, outer, 1), Pooling::maximum,
                        3, 2, 1);
  }

  static Feature append_block(NetworkBuilder& builder, const std::string& name, const Feature& from,
                              const Bottleneck& block) {
    const std::int64_t inner = rounded_channels((block.channels * block.ratio + 50) / 100);
    const Feature reduced = builder.convolution(
        name + ".reduce", from, {.out_channels = inner, .activation = Activation::relu});
    const Feature filtered = builder.convolution(name + ".filter", reduced,
                                                 {.out_channels = inner,
                                                  .kernel = 3,
                                                  .stride = block.stride,
                                                  .activation = Activation::relu});
    const Feature body =
        builder.convolution(name + ".widen", filtered, {.out_channels = block.channels});
    Feature shortcut = from;
    if (block.stride > 1)
      shortcut = builder.pool_rounding_up(name + ".shortcut.pool", from, Pooling::average,
                                          block.stride, block.stride);
    if (block.is_first)
      shortcut =
          builder.convolution(name + ".shortcut.conv", shortcut, {.out_channels = block.channels});
    return builder.activate(builder.add(name + ".add", {body, shortcut}), Activation::relu);
  }

  std::int64_t classes_;
};

SpaceOption classes_option() { return {"classes", 1000, 1, 100000, "outputs of the classifier"}; }

}  // namespace

std::vector<SpaceOption> ofa_mobilenet_v3_options() {
  return {classes_option(),
          {"width", 100, 50, 200, "all widths in per cent; the published supernets have 100, 120"}};
}

std::unique_ptr<NetworkSpace> make_ofa_mobilenet_v3(const SpaceOptions& options) {
  return std::make_unique<OfaMobileNetV3>(options.at("width"), options.at("classes"));
}

std::vector<SpaceOption> ofa_resnet_50_options() { return {classes_option()}; }

std::unique_ptr<NetworkSpace> make_ofa_resnet_50(const SpaceOptions& options) {
  return std::make_unique<OfaResNet50>(options.at("classes"));
}

}  // namespace cosearch::nas
