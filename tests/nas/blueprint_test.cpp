#include "nas/blueprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/random.h"
#include "nas/blocks.h"
#include "nas/space.h"

namespace cosearch::nas {
namespace {

std::int64_t count(const Blueprint& blueprint, Operation operation) {
  return std::ranges::count(blueprint.steps, operation, &Step::operation);
}

/// The shape that `step` must have by what it reads; its own where its layer decides.
FeatureShape expected_shape(const Blueprint& blueprint, const Step& step) {
  const auto [channels, height, width] =
      step.inputs.empty() ? step.shape : blueprint.steps[step.inputs.front()].shape;
  switch (step.operation) {
    case Operation::token_linear:
      return {step.layer->K, height, 1};
    case Operation::normalise:  // of maps and of tokens
      return {channels, height, width};
    case Operation::attention_scores:
      return {step.layer->G * step.layer->P, step.layer->K, 1};
    case Operation::attention_values: {
      const std::int64_t tokens = blueprint.steps[step.inputs[1]].shape.height;
      return {channels / tokens * step.layer->K, tokens, 1};
    }
    case Operation::tokens:
      return {channels, height * width, 1};
    default:
      break;
  }
  if (step.operation == Operation::up_convolution)
    return {step.layer->K / 4, 2 * step.layer->P, 2 * step.layer->Q};
  if (step.layer) return {step.layer->G * step.layer->K, step.layer->P, step.layer->Q};
  if (step.operation == Operation::input) return step.shape;
  FeatureShape shape = blueprint.steps[step.inputs.front()].shape;
  if (step.operation == Operation::crop)
    return {shape.channels, std::min(shape.height, step.shape.height),
            std::min(shape.width, step.shape.width)};
  if (step.operation == Operation::truncate)
    return {std::min(shape.channels - 1, step.shape.channels), shape.height, shape.width};
  for (std::size_t i = 1; i < step.inputs.size(); ++i)
    shape.channels += blueprint.steps[step.inputs[i]].shape.channels;
  return shape;
}

void expect_sound(const Blueprint& blueprint) {
  for (std::size_t i = 0; i < blueprint.steps.size(); ++i) {
    const Step& step = blueprint.steps[i];
    EXPECT_EQ(step.operation == Operation::input, i == 0);
    EXPECT_NE(step.operation, Operation::opaque) << step.name;
    EXPECT_EQ(step.name.empty(), !step.layer) << i;
    for (const std::size_t input : step.inputs) ASSERT_LT(input, i) << step.name;
    EXPECT_EQ(step.shape, expected_shape(blueprint, step)) << i << " " << step.name;
    EXPECT_EQ(step.activation == Activation::none, step.operation != Operation::activate) << i;
  }
}

TEST(Blueprint, OfEverySpaceCanRun) {
  Random random(3, "blueprints");
  for (const std::string& name : space_names()) {
    const auto space = make_space(name);
    for (int i = 0; i < 20; ++i) {
      const std::string genotype = space->sample(random);
      SCOPED_TRACE(name + " " + genotype);
      expect_sound(space->blueprint(genotype));
    }
  }
}

TEST(Blueprint, HoldsTheActivationsOfNasBench201) {
  const auto space = make_space("nas-bench-201", {{"cells", 1}});
  const Blueprint blueprint = space->blueprint(
      "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|");
  // Two per cell, two per residual block, one in the head.
  EXPECT_EQ(count(blueprint, Operation::activate), 3 * 2 + 2 * 2 + 1);
  EXPECT_EQ(count(blueprint, Operation::average_pool), 3 + 2);
  EXPECT_EQ(count(blueprint, Operation::zero), 0);
}

TEST(Blueprint, HandsOnZerosWhereNothingReachesTheOutput) {
  const std::string nothing = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|";
  for (const std::int64_t prune : {0, 1}) {
    const auto space = make_space("nas-bench-201", {{"cells", 1}, {"prune", prune}});
    EXPECT_EQ(count(space->blueprint(nothing), Operation::zero), 3) << "prune = " << prune;
  }
}

TEST(Blueprint, LowersToWhatCostsSomething) {
  NetworkBuilder builder("net", 4, 8, 8);
  const Feature first = builder.convolution("first", builder.input(),
                                            {.out_channels = 4, .activation = Activation::relu});
  const Feature cropped = builder.crop(builder.activate(first, Activation::relu), 1, 1);
  const Feature second = builder.convolution("second", builder.input(), {.out_channels = 2});
  builder.global_pool("pool", builder.concatenate({cropped, builder.crop(second, 1, 1)}));
  const Network network = std::move(builder).finish();
  ASSERT_EQ(network.nodes().size(), 3U);
  EXPECT_EQ(network.nodes()[2].inputs, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(network.parameters(), 4 * 4 + 8 + 4 * 2 + 4);
}

}  // namespace
}  // namespace cosearch::nas
