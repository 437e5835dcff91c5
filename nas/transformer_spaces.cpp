#include "nas/transformer_spaces.h"

#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "core/user_error.h"
#include "nas/transformer_blocks.h"
#include "nas/value_space.h"

namespace cosearch::nas {
namespace {

std::string block_name(std::int64_t number) { return "block" + std::to_string(number + 1); }

class Gpt : public ValueSpace {
 public:
  Gpt(std::int64_t tokens, std::int64_t vocabulary)
      : ValueSpace("gpt", {{"the layers", {4, 6, 8, 10, 12, 16, 20, 24, 30, 36}},
                           {"the width", {256, 384, 512, 640, 768, 1024, 1280}},
                           {"the heads", {4, 8, 12, 16, 20}},
                           {"the depth of a head", {32, 64, 128}},
                           {"the queries that share keys and values", {1, 2, 4}},
                           {"the ratio of the hidden width", {2, 3, 4}}}),
        tokens_(tokens),
        vocabulary_(vocabulary) {}

  /// Of a prefill of all tokens, with a prediction for each.
  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const std::vector<std::int64_t> values = values_of(genotype);
    const std::int64_t layers = values[0], width = values[1], heads = values[2];
    const AttentionOptions options{.heads = heads,
                                   .kv_heads = heads / values[4],
                                   .head_depth = values[3],
                                   .context = tokens_,
                                   .is_causal = true};
    NetworkBuilder builder(name() + " " + genotype, 1, tokens_, 1);
    Feature feature = embed_tokens(builder, "stem", width);
    for (std::int64_t i = 0; i < layers; ++i)
      feature = transformer_block(builder, block_name(i), feature, options, values[5] * width);
    token_linear(builder, "classifier", layer_norm(builder, "norm", feature), vocabulary_,
                 Affine::none);
    return std::move(builder).blueprint();
  }

 private:
  std::int64_t tokens_, vocabulary_;
};

class VisionTransformer : public ValueSpace {
 public:
  VisionTransformer(std::int64_t image, std::int64_t classes, std::int64_t patch)
      : ValueSpace("vit", {{"the stem", {0, 1}},
                           {"the layers", {6, 8, 10, 11, 12, 14, 16, 18, 20, 24}},
                           {"the width", {192, 256, 384, 512, 576, 768, 1024}},
                           {"the depth of a head", {32, 64}},
                           {"the ratio of the hidden width", {2, 3, 4}}}),
        image_(image),
        classes_(classes),
        patch_(patch) {}

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const std::vector<std::int64_t> values = values_of(genotype);
    const std::int64_t layers = values[1], width = values[2], head_depth = values[3];
    NetworkBuilder builder(name() + " " + genotype, 3, image_, image_);
    const Feature patches =
        values[0] == 0 ? append_patches(builder, width) : append_convolutions(builder, width);
    // The one learnt token is classified in the end. To attention it is all one where it stands.
    Feature feature = embed_positions(builder, "positions", tokens(builder, patches), /*learnt=*/1);
    const std::int64_t heads = width / head_depth, rows = feature.height;
    const AttentionOptions options{
        .heads = heads, .kv_heads = heads, .head_depth = head_depth, .context = rows};
    for (std::int64_t i = 0; i < layers; ++i)
      feature = transformer_block(builder, block_name(i), feature, options, values[4] * width);
    token_linear(builder, "classifier",
                 builder.crop(layer_norm(builder, "norm", feature), rows - 1, 0), classes_);
    return std::move(builder).blueprint();
  }

 private:
  [[nodiscard]] Feature append_patches(NetworkBuilder& builder, std::int64_t width) const {
    return builder.convolution("stem", builder.input(),
                               {.out_channels = width,
                                .kernel = patch_,
                                .stride = patch_,
                                .padding = 0,
                                .affine = Affine::bias});
  }

  /// Each halves the map, and the width doubles up to that of the tokens.
  [[nodiscard]] Feature append_convolutions(NetworkBuilder& builder, std::int64_t width) const {
    Feature feature = builder.input();
    for (std::int64_t divisor = patch_ / 2; divisor >= 1; divisor /= 2)
      feature = builder.convolution(
          divisor == patch_ / 2 ? "stem" : "stem" + std::to_string(divisor), feature,
          {.out_channels = width / divisor,
           .kernel = 3,
           .stride = 2,
           .activation = Activation::relu});
    return builder.convolution("stem.mix", feature,
                               {.out_channels = width, .affine = Affine::bias});
  }

  std::int64_t image_, classes_, patch_;
};

}  // namespace

std::vector<SpaceOption> gpt_options() {
  return {{"tokens", 1024, 1, 65536, "tokens read, each of which attends to all"},
          {"vocabulary", 50257, 2, 1000000, "tokens there are"}};
}

std::unique_ptr<NetworkSpace> make_gpt(const SpaceOptions& options) {
  return std::make_unique<Gpt>(options.at("tokens"), options.at("vocabulary"));
}

std::vector<SpaceOption> vit_options() {
  return {{"image", 224, 16, 1024, "height and width of the input, a multiple of the patch"},
          {"classes", 1000, 1, 100000, "outputs of the classifier"},
          {"patch", 16, 2, 32, "height and width of a patch, a power of two"}};
}

std::unique_ptr<NetworkSpace> make_vit(const SpaceOptions& options) {
  const std::int64_t image = options.at("image"), patch = options.at("patch");
  if (!std::has_single_bit(static_cast<std::uint64_t>(patch)))
    throw UserError("vit: option patch = " + std::to_string(patch) + ": must be a power of two");
  if (image % patch != 0)
    throw UserError("vit: option image = " + std::to_string(image) +
                    ": must be a multiple of option patch = " + std::to_string(patch));
  return std::make_unique<VisionTransformer>(image, options.at("classes"), patch);
}

}  // namespace cosearch::nas
