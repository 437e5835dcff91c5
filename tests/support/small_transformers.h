// A space of vision transformers small enough for a unit test, whose weights can be slices.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nas/transformer_blocks.h"
#include "nas/value_space.h"

namespace cosearch::test {

/// "width;ratio;patch" of one block with heads of depth 4, on 3 x 8 x 8 images of 10 classes.
class SmallTransformers : public nas::ValueSpace {
 public:
  SmallTransformers()
      : ValueSpace("small",
                   {{"the width", {8, 16}}, {"the ratio", {1, 2}}, {"the patch", {2, 4}}}) {}

  [[nodiscard]] nas::Blueprint blueprint(const std::string& genotype) const override {
    using namespace nas;
    const std::vector<std::int64_t> values = values_of(genotype);
    const std::int64_t width = values[0];
    NetworkBuilder builder("small " + genotype, 3, 8, 8);
    Feature feature = builder.convolution("stem", builder.input(),
                                          {.out_channels = width,
                                           .kernel = values[2],
                                           .stride = values[2],
                                           .padding = 0,
                                           .affine = Affine::bias});
    feature = embed_positions(builder, "positions", tokens(builder, feature), /*learnt=*/1);
    const AttentionOptions options{
        .heads = width / 4, .kv_heads = width / 4, .head_depth = 4, .context = feature.height};
    feature = transformer_block(builder, "block", feature, options, values[1] * width);
    feature = builder.crop(layer_norm(builder, "norm", feature), feature.height - 1, 0);
    token_linear(builder, "classifier", feature, 10);
    return std::move(builder).blueprint();
  }
};

}  // namespace cosearch::test
