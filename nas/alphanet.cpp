#include "nas/alphanet.h"

#include <algorithm>
#include <array>
#include <utility>

#include "nas/blocks.h"
#include "nas/value_space.h"

namespace cosearch::nas {
namespace {

constexpr std::size_t kStages = 7;
constexpr std::int64_t kStemChannels = 16, kHeadExpansion = 6, kHeadFeatures = 1792;

struct Stage {
  std::int64_t channels, stride;
  bool squeeze_excite;
  std::int64_t most_blocks;  ///< deeper genotypes are cut, as the supernet does
};
constexpr std::array<Stage, kStages> kStageTable{{{16, 1, false, 2},
                                                  {24, 2, false, 5},
                                                  {32, 2, true, 6},
                                                  {64, 2, false, 6},
                                                  {112, 1, true, 8},
                                                  {192, 2, true, 8},
                                                  {216, 1, true, 2}}};

/// Resolution, then the seven kernels, expansions and depths: the first and last stage are fixed.
std::vector<ValuePosition> positions() {
  std::vector<ValuePosition> list{{"the resolution", {192, 224, 256, 288}}};
  const auto per_stage = [&](const std::string& what, std::int64_t first,
                             const std::vector<std::int64_t>& inner, std::int64_t last) {
    for (std::size_t stage = 1; stage <= kStages; ++stage)
      list.push_back({what + " of stage " + std::to_string(stage),
                      stage == 1         ? std::vector<std::int64_t>{first}
                      : stage == kStages ? std::vector<std::int64_t>{last}
                                         : inner});
  };
  per_stage("the kernel", 3, {3, 5, 7}, 3);
  per_stage("the expansion", 1, {4, 5, 6}, 6);
  per_stage("the depth", 1, {3, 4, 6}, 1);
  return list;
}

/// What a block adds to its output: its input, pooled and projected where the shape changes.
Feature append_shortcut(NetworkBuilder& builder, const std::string& name, const Feature& from,
                        std::int64_t channels, std::int64_t stride) {
  if (from.channels == channels) return from;
  const Feature pooled =
      stride == 1 ? from : builder.pool(name + ".pool", from, Pooling::average, 2, stride);
  return builder.convolution(name + ".conv", pooled,
                             {.out_channels = channels, .affine = Affine::none});
}

class AlphaNet : public ValueSpace {
 public:
  AlphaNet(std::int64_t classes, bool idle_weights)
      : ValueSpace("alphanet", positions()), classes_(classes), idle_weights_(idle_weights) {}

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const std::vector<std::int64_t> values = values_of(genotype);
    NetworkBuilder builder(name() + " " + genotype, 3, values[0], values[0]);
    Feature feature = builder.convolution(
        "stem", builder.input(),
        {.out_channels = kStemChannels, .kernel = 3, .stride = 2, .activation = Activation::swish});
    for (std::size_t stage = 0; stage < kStages; ++stage)
      feature = append_stage(builder, feature, stage,
                             {.kernel = values[1 + stage],
                              .expansion = values[1 + kStages + stage],
                              .depth = values[1 + 2 * kStages + stage]});
    feature = builder.convolution(
        "head.expand", feature,
        {.out_channels = kHeadExpansion * feature.channels, .activation = Activation::swish});
    feature = builder.global_pool("head.pool", feature);
    feature = builder.convolution(
        "head.mix", feature,
        {.out_channels = kHeadFeatures, .affine = Affine::none, .activation = Activation::swish});
    builder.fully_connected("classifier", feature, classes_);
    return std::move(builder).blueprint();
  }

 private:
  struct StageChoice {
    std::int64_t kernel, expansion, depth;
  };

  [[nodiscard]] Feature append_stage(NetworkBuilder& builder, Feature feature, std::size_t number,
                                     const StageChoice& choice) const {
    const Stage& stage = kStageTable[number];
    const std::int64_t blocks = std::min(choice.depth, stage.most_blocks);
    for (std::int64_t block = 0; block < blocks; ++block)
      feature = append_block(
          builder, "stage" + std::to_string(number + 1) + ".block" + std::to_string(block), feature,
          stage, block == 0 ? stage.stride : 1, choice);
    return feature;
  }

  [[nodiscard]] Feature append_block(NetworkBuilder& builder, const std::string& name,
                                     const Feature& from, const Stage& stage, std::int64_t stride,
                                     const StageChoice& choice) const {
    const std::int64_t expanded = rounded_channels(from.channels * choice.expansion);
    const Feature shortcut =
        append_shortcut(builder, name + ".shortcut", from, stage.channels, stride);
    const Feature body = builder.mbconv(
        name, from,
        {.out_channels = stage.channels,
         .expanded_channels = expanded,
         .kernel = choice.kernel,
         .stride = stride,
         .activation = Activation::swish,
         .squeezed_channels = stage.squeeze_excite ? rounded_channels(expanded / 4) : 0});
    const bool identity = from.channels == stage.channels;
    return builder.add(name + ".add", {body, shortcut},
                       identity && idle_weights_ ? body.channels * body.channels : 0);
  }

  std::int64_t classes_;
  bool idle_weights_;
};

}  // namespace

std::vector<SpaceOption> alphanet_options() {
  return {{"classes", 1000, 1, 100000, "outputs of the classifier"},
          {"idle_weights", 0, 0, 1,
           "1: count the 1x1 weights that identity shortcuts hold but never use, as the published "
           "parameter counts do"}};
}

std::unique_ptr<NetworkSpace> make_alphanet(const SpaceOptions& options) {
  return std::make_unique<AlphaNet>(options.at("classes"), options.at("idle_weights") != 0);
}

}  // namespace cosearch::nas
