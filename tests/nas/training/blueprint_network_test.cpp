#include "nas/training/torch/blueprint_network.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/space.h"
#include "nas/training/torch/image_tensors.h"
#include "nas/transformer_blocks.h"

namespace cosearch::nas {
namespace {

struct Counted {
  std::int64_t parameters = 0, macs = 0;
};

bool has_weight_matrix(const Step& step) {
  return step.operation == Operation::convolution || step.operation == Operation::up_convolution ||
         step.operation == Operation::linear || step.operation == Operation::token_linear;
}

/// Counted from what the module holds and from the shapes of a forward pass, never from layers; on
/// the way every step must deliver the shape that the blueprint says.
Counted counted(BlueprintNetwork& network) {
  Counted counted;
  for (const torch::Tensor& parameter : network.parameters())
    counted.parameters += parameter.numel();
  const auto weights = network.weights();
  auto weight = weights.begin();
  const std::vector<Step>& steps = network.blueprint().steps;
  std::vector<torch::Tensor> outputs(steps.size());
  const auto visit = [&](const Step& step, const torch::Tensor& output) {
    outputs[static_cast<std::size_t>(&step - steps.data())] = output;
    EXPECT_EQ(
        output.sizes().vec(),
        (std::vector<std::int64_t>{1, step.shape.channels, step.shape.height, step.shape.width}))
        << step.name;
    if (has_weight_matrix(step)) {
      // Windows that lie side by side: each output is one position of one window.
      const bool is_transposed = step.operation == Operation::up_convolution;
      counted.macs +=
          output.numel() * (is_transposed ? weight->size(0) : weight->numel() / weight->size(0));
      ++weight;
    }
    // Each number of a query meets one of every key; each number mixed is a sum over all keys.
    const auto read = [&](std::size_t i) { return outputs[step.inputs[i]]; };
    if (step.operation == Operation::attention_scores)
      counted.macs += read(0).numel() * read(1).size(2);
    if (step.operation == Operation::attention_values)
      counted.macs += output.numel() * read(0).size(2);
  };
  const FeatureShape input = steps.front().shape;
  const torch::NoGradGuard no_gradient;
  network.eval();
  network.forward(torch::zeros({1, input.channels, input.height, input.width}), visit);
  return counted;
}

void expect_counts_of_lowered(const Blueprint& blueprint) {
  SCOPED_TRACE(blueprint.name);
  BlueprintNetwork network(blueprint);
  const Counted module = counted(network);
  const Network lowered = lower(blueprint);
  EXPECT_EQ(module.parameters, lowered.parameters());
  EXPECT_EQ(module.macs, lowered.macs());
}

TEST(BlueprintNetwork, HasTheParametersAndMacsOfTheLoweredNetworkForEveryStep) {
  NetworkBuilder builder("every step", 3, 17, 13);
  Feature feature = builder.convolution("stem", builder.input(),
                                        {.out_channels = 8,
                                         .kernel = 5,
                                         .stride = 2,
                                         .affine = Affine::bias,
                                         .activation = Activation::relu6});
  feature = builder.convolution("grouped", feature,
                                {.out_channels = 12,
                                 .kernel = 3,
                                 .dilation = 2,
                                 .groups = 4,
                                 .preactivation = Activation::relu,
                                 .affine = Affine::none});
  feature = builder.pool("max", feature, Pooling::maximum, 3, 1, 1);
  feature = builder.mbconv("block", feature,
                           {.out_channels = 12,
                            .expanded_channels = 24,
                            .kernel = 5,
                            .activation = Activation::swish,
                            .squeezed_channels = 5,
                            .shortcut = feature});
  const Feature cropped = builder.crop(feature, 1, 2);
  const Feature valid = builder.convolution(
      "valid", feature, {.out_channels = 3, .kernel = 2, .padding = std::int64_t{0}});
  const Feature narrow = builder.crop(valid, 0, 1);
  feature = builder.concatenate({cropped, narrow});
  feature = builder.truncate(builder.up_convolution("up", feature, 6), 5);
  feature =
      builder.activate(builder.activate(feature, Activation::hard_swish), Activation::sigmoid);
  feature = builder.pool_rounding_up("rounded up", feature, Pooling::average, 3, 2);
  feature = builder.batch_norm("norm", feature, Activation::relu);
  feature = builder.add("sum", {feature, builder.zero(feature), feature}, /*idle_parameters=*/7);
  feature = builder.pool("average", feature, Pooling::average, 2, 2);
  feature = builder.fully_connected("hidden", feature, 10, Affine::batch_norm, Activation::relu);
  builder.fully_connected("classifier", feature, 4);
  expect_counts_of_lowered(std::move(builder).blueprint());
}

TEST(BlueprintNetwork, HasTheParametersAndMacsOfTheLoweredNetworkForEveryStepOnTokens) {
  NetworkBuilder builder("every step on tokens", 3, 6, 4);
  Feature feature = builder.convolution("stem", builder.input(), {.out_channels = 12});
  feature = embed_positions(builder, "positions", tokens(builder, feature));
  feature = embed_positions(builder, "more", feature, /*learnt=*/2);
  feature = transformer_block(
      builder, "block", feature,
      {.heads = 6, .kv_heads = 2, .head_depth = 4, .context = feature.height, .is_causal = true},
      7);
  feature = attention(builder, "attention", feature,
                      {.heads = 3, .kv_heads = 3, .head_depth = 5, .context = feature.height});
  feature = token_linear(builder, "linear", feature, 9, Affine::none);
  feature = builder.global_pool("mean", layer_norm(builder, "norm", feature));
  builder.fully_connected("classifier", feature, 4);
  expect_counts_of_lowered(std::move(builder).blueprint());
}

TEST(BlueprintNetwork, HasTheParametersAndMacsOfTheLoweredNetworkInEverySpace) {
  const std::vector<std::pair<std::string, SpaceOptions>> spaces{
      {"nas-bench-201", {}},
      {"nas-bench-201", {{"prune", 0}, {"channels", 3}, {"cells", 2}, {"image", 8}}},
      {"nas-bench-macro", {}},
      {"darts", {{"layers", 5}, {"channels", 8}, {"auxiliary_head", 1}}},
      {"alphanet", {{"classes", 10}}},
      {"alphanet", {{"idle_weights", 1}}},
      {"fashion-macro", {{"positions", 4}}},
      {"nas-bench-101", {{"channels", 16}, {"modules", 1}}},
      {"resnet-9", {}},
      {"ofa-mobilenet-v3", {{"classes", 10}}},
      {"ofa-resnet-50", {{"classes", 10}}},
      {"regnet", {{"image", 32}, {"classes", 10}}},
      {"unet", {{"image", 16}}},
      {"gpt", {{"tokens", 9}, {"vocabulary", 12}}},
      {"vit", {{"image", 16}, {"patch", 4}, {"classes", 10}}}};
  for (const auto& [name, options] : spaces) {
    const auto space = make_space(name, options);
    Random random(5, "counts");
    for (int i = 0; i < 2; ++i) expect_counts_of_lowered(space->blueprint(space->sample(random)));
  }
}

/// What a network of one channel makes of a 3x3 image.
template <class Build>
std::vector<float> outputs_of(const Build& build, std::vector<float> image) {
  NetworkBuilder builder("net", 1, 3, 3);
  build(builder, builder.input());
  BlueprintNetwork network(std::move(builder).blueprint());
  network.eval();
  const torch::Tensor output =
      network.forward(torch::tensor(image).view({1, 1, 3, 3})).contiguous();
  return {output.data_ptr<float>(), output.data_ptr<float>() + output.numel()};
}

TEST(BlueprintNetwork, ComputesWhatTheStepsWithoutWeightsSay) {
  const std::vector<float> image{-4, -2, 0, 1, 2, 3, 7, 8, 9};
  using Floats = std::vector<float>;
  // Corners see four numbers, edges six: padding does not count.
  EXPECT_EQ(outputs_of([](auto& b, auto x) { b.pool("p", x, Pooling::average, 3, 2, 1); }, image),
            (Floats{-3.0F / 4, 3.0F / 4, 18.0F / 4, 22.0F / 4}));
  EXPECT_EQ(outputs_of([](auto& b, auto x) { b.pool("p", x, Pooling::maximum, 3, 2, 1); }, image),
            (Floats{2, 3, 8, 9}));
  EXPECT_EQ(outputs_of([](auto& b, auto x) { b.crop(x, 1, 2); }, image), (Floats{3, 9}));
  EXPECT_EQ(outputs_of([](auto& b, auto x) { b.activate(x, Activation::relu); }, image),
            (Floats{0, 0, 0, 1, 2, 3, 7, 8, 9}));
  EXPECT_EQ(outputs_of([](auto& b, auto x) { b.activate(x, Activation::relu6); }, image),
            (Floats{0, 0, 0, 1, 2, 3, 6, 6, 6}));
  EXPECT_EQ(outputs_of([](auto& b, auto x) { b.zero(x); }, image), Floats(9, 0));
  EXPECT_EQ(outputs_of([](auto& b, auto x) { b.global_pool("p", x); }, image), (Floats{24.0F / 9}));
  EXPECT_EQ(outputs_of(
                [](auto& b, auto x) {
                  b.add("sum", {x, x, x});
                },
                {1, 2, 3, 4, 5, 6, 7, 8, 9}),
            (Floats{3, 6, 9, 12, 15, 18, 21, 24, 27}));
  const Floats gate =
      outputs_of([](auto& b, auto x) { b.activate(x, Activation::hard_sigmoid); }, image);
  EXPECT_EQ((Floats{gate[0], gate[2], gate[5]}), (Floats{0, 0.5, 1}));
  const Floats swish = outputs_of([](auto& b, auto x) { b.activate(x, Activation::swish); }, image);
  EXPECT_FLOAT_EQ(swish[3], 1 / (1 + std::exp(-1.0F)));
  const Floats gelu = outputs_of([](auto& b, auto x) { b.activate(x, Activation::gelu); }, image);
  EXPECT_FLOAT_EQ(gelu[3], 0.5F * (1 + std::erf(std::sqrt(0.5F))));
}

TEST(BlueprintNetwork, HandsOnItsInputUnchangedWithNormalisationOff) {
  NetworkBuilder builder("net", 2, 2, 2);
  builder.batch_norm("norm", builder.input());
  BlueprintNetwork network(std::move(builder).blueprint());
  network.train();
  const torch::Tensor images = torch::arange(16, torch::kFloat32).view({2, 2, 2, 2});
  EXPECT_FALSE(network.forward(images).equal(images.flatten(1)));
  network.switch_normalisation_off(true);
  EXPECT_TRUE(network.forward(images).equal(images.flatten(1)));
}

TEST(BlueprintNetwork, RefusesALayerOfWhichOnlyTheCostIsKnown) {
  NetworkBuilder builder("net", 4, 2, 1);
  builder.append("attention", gemm(2, 4, 4), {builder.input()});
  try {
    BlueprintNetwork network(std::move(builder).blueprint());
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("net: layer 'attention'"), std::string::npos);
  }
}

TEST(Fitted, KeepsRampsAndHandsOnWhatIsFitAlready) {
  const auto ramp = [](std::int64_t width) {
    return (torch::arange(width).to(torch::kFloat32) + 0.5)
        .div(static_cast<double>(width))
        .expand({2, 3, 5, width})
        .contiguous();
  };
  const torch::Tensor wide = ramp(16);
  EXPECT_TRUE(fitted(wide, {3, 5, 16}).is_same(wide));
  for (const std::int64_t width : {8, 32}) {
    const torch::Tensor other = fitted(wide, {3, 5, width});
    ASSERT_EQ(other.sizes(), (std::vector<std::int64_t>{2, 3, 5, width}));
    // Not at the edges, beyond which nothing is known.
    const std::int64_t edge = width / 8;
    EXPECT_TRUE(torch::allclose(other.narrow(3, edge, width - 2 * edge),
                                ramp(width).narrow(3, edge, width - 2 * edge), 1e-5, 1e-6));
  }
  const torch::Tensor grey = wide.narrow(1, 0, 1);
  EXPECT_TRUE(torch::equal(fitted(grey, {3, 5, 16}), wide)) << "one channel, repeated";
}

}  // namespace
}  // namespace cosearch::nas
