#include "nas/training/torch/function_preserving.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/space.h"
#include "nas/training/torch/learning.h"
#include "nas/training/torch/training_run.h"
#include "tests/support/bar_images.h"
#include "tests/support/message_of.h"

namespace cosearch::nas {
namespace {

using test::message_of;

constexpr double kTolerance = 1e-5;

torch::Tensor noise(const Blueprint& blueprint, std::int64_t count, std::uint64_t seed) {
  const auto& [channels, height, width] = blueprint.steps.front().shape;
  Random random(seed, "noise");
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < count * channels * height * width; ++i)
    numbers.push_back(static_cast<float>(2 * random.uniform() - 1));
  return torch::tensor(numbers).view({count, channels, height, width});
}

/// With statistics, scales and shifts as after a training: none is one or zero.
std::unique_ptr<BlueprintNetwork> some_network(const Blueprint& blueprint) {
  auto network = std::make_unique<BlueprintNetwork>(blueprint);
  const torch::NoGradGuard no_gradient;
  Random random(3, "some network");
  for (const StepModules& modules : network->modules()) draw_weights(modules, random);
  const auto fill = [&](torch::Tensor numbers, double low, double high) {
    for (std::int64_t i = 0; i < numbers.numel(); ++i)
      numbers.view(-1)[i] = low + (high - low) * random.uniform();
  };
  for (const StepModules& modules : network->modules()) {
    if (modules.layer_norm) {
      fill(modules.layer_norm->weight, 0.5, 1.5);
      fill(modules.layer_norm->bias, -0.5, 0.5);
    }
    if (modules.embedding)
      for (const torch::Tensor& numbers : modules.embedding->parameters()) fill(numbers, -1, 1);
  }
  for (auto& normalisation : network->normalisations()) {
    fill(normalisation->weight, 0.5, 1.5);
    fill(normalisation->bias, -0.5, 0.5);
    fill(normalisation->running_mean, -0.2, 0.2);
    fill(normalisation->running_var, 0.5, 2);
  }
  return network;
}

/// Largest difference over outputs of the order of one.
double difference(BlueprintNetwork& a, BlueprintNetwork& b, bool training) {
  const torch::NoGradGuard no_gradient;
  a.train(training);
  b.train(training);
  const torch::Tensor images = noise(a.blueprint(), 8, 11);
  const torch::Tensor output = a.forward(images);
  return ((b.forward(images) - output).abs().max() / output.abs().max().clamp_min(1))
      .item<double>();
}

/// Every operation that a blueprint can hold and widening can pass through.
Blueprint every_step() {
  NetworkBuilder builder("every step", 3, 16, 12);
  Feature feature = builder.convolution(
      "stem", builder.input(),
      {.out_channels = 8, .kernel = 3, .affine = Affine::bias, .activation = Activation::relu6});
  const Feature trunk = feature;
  feature = builder.mbconv("block", feature,
                           {.out_channels = 8,
                            .expanded_channels = 16,
                            .kernel = 5,
                            .activation = Activation::swish,
                            .squeezed_channels = 4,
                            .shortcut = trunk});
  feature = builder.pool("max", feature, Pooling::maximum, 3, 2, 1);
  feature = builder.pool("average", feature, Pooling::average, 3, 1, 1);
  feature = builder.batch_norm("norm", feature, Activation::relu);
  feature = builder.add("sum", {feature, builder.zero(feature), feature});
  feature = builder.up_convolution("up", feature, 6);
  feature = builder.crop(feature, 1, 2);
  feature = builder.convolution("narrow", feature, {.out_channels = 5, .kernel = 3, .stride = 2});
  feature =
      builder.fully_connected("hidden", feature, 10, Affine::batch_norm, Activation::hard_swish);
  builder.fully_connected("classifier", feature, 4);
  return std::move(builder).blueprint();
}

TEST(Widening, KeepsTheOutputsForEveryLayerThatCanBeWidened) {
  const auto network = some_network(every_step());
  for (const std::string layer : {"stem", "block.expand", "block.depthwise", "block.se.reduce",
                                  "block.se.expand", "block.project", "up", "narrow", "hidden"}) {
    SCOPED_TRACE(layer);
    const auto wider = widen(*network, layer, 19, 5);
    const Network before = lower(network->blueprint()), after = lower(wider->blueprint());
    EXPECT_GT(after.parameters(), before.parameters());
    std::int64_t held = 0;
    for (const torch::Tensor& parameter : wider->parameters()) held += parameter.numel();
    EXPECT_EQ(held, after.parameters()) << "the blueprint says what the module holds";
    EXPECT_LT(difference(*network, *wider, /*training=*/false), kTolerance);
    EXPECT_LT(difference(*network, *wider, /*training=*/true), kTolerance)
        << "statistics of a batch are those of the copied channels too";
  }
}

TEST(Widening, KeepsTheOutputsOfNetworksOfSpaces) {
  const std::vector<std::pair<std::string, SpaceOptions>> spaces{
      {"fashion-macro", {{"positions", 4}}},
      {"nas-bench-macro", {{"image", 8}}},
      {"nas-bench-201", {{"channels", 4}, {"cells", 1}, {"image", 8}}}};
  int widened = 0;
  for (const auto& [name, options] : spaces) {
    const auto space = make_space(name, options);
    Random random(2, "widening");
    const auto network = some_network(space->blueprint(space->sample(random)));
    SCOPED_TRACE(network->blueprint().name);
    int tried = 0;
    for (const Step& step : network->blueprint().steps) {
      if (step.operation != Operation::convolution || tried == 3) continue;
      try {
        const auto wider = widen(*network, step.name, step.shape.channels + 5, 1);
        ++tried;
        ++widened;
        EXPECT_LT(difference(*network, *wider, false), kTolerance) << step.name;
      } catch (const UserError&) {
      }
    }
  }
  EXPECT_EQ(widened, 9);
}

TEST(Widening, KeepsTheOutputsOfATransformerWhereNoTokenIsWidened) {
  const auto space = make_space("vit", {{"image", 16}, {"patch", 8}, {"classes", 5}});
  const auto network = some_network(space->blueprint("1;6;192;64;2"));
  for (const std::string layer : {"stem", "block1.feed_forward.expand"}) {
    const auto wider = widen(*network, layer, 500, 3);
    EXPECT_GT(lower(wider->blueprint()).parameters(), lower(network->blueprint()).parameters());
    EXPECT_LT(difference(*network, *wider, false), kTolerance) << layer;
  }
  for (const auto& [layer, reader] : std::vector<std::pair<std::string, std::string>>{
           {"stem.mix", "positions"},
           {"block1.attention.query", "block1.attention.scores"},
           {"block1.attention.value", "block1.attention.mix"},
           {"block1.feed_forward.project", "positions"}})
    EXPECT_EQ(message_of([&] { (void)widen(*network, layer, 2000, 3); }),
              "vit 1;6;192;64;2: layer '" + layer + "' cannot be widened: layer '" + reader +
                  "' computes with all its channels together");
}

TEST(Deepening, KeepsTheOutputsOfATransformer) {
  const auto space = make_space("vit", {{"image", 16}, {"patch", 8}, {"classes", 5}});
  const auto network = some_network(space->blueprint("0;6;192;64;2"));
  const auto deeper = deepen(*network, "block2.feed_forward.project", {.kernel = 1},
                             noise(network->blueprint(), 8, 2));
  EXPECT_LT(difference(*network, *deeper, false), kTolerance);
  EXPECT_NE(message_of([&] {
              (void)deepen(*network, "block2.feed_forward.gelu", {.kernel = 1},
                           noise(network->blueprint(), 8, 2));
            }).find("applied twice"),
            std::string::npos);
  const auto decoders = make_space("gpt", {{"tokens", 4}, {"vocabulary", 9}});
  BlueprintNetwork decoder(decoders->blueprint(decoders->genotype(0)));
  EXPECT_NE(message_of([&] {
              (void)deepen(decoder, "classifier", {.kernel = 1}, torch::zeros({1, 1, 4, 1}));
            }).find("its weights are those of the tokens"),
            std::string::npos);
}

TEST(Widening, GivesCopiesThatLearnDifferently) {
  const auto network = some_network(every_step());
  const auto wider = widen(*network, "narrow", 6, 5);  // one copy of one channel
  wider->train();
  wider->forward(noise(network->blueprint(), 8, 1)).square().sum().backward();
  const auto& steps = wider->blueprint().steps;
  const auto narrow = std::ranges::find(steps, "narrow", &Step::name);
  ASSERT_NE(narrow, steps.end());
  const auto& convolution =
      wider->modules()[static_cast<std::size_t>(narrow - steps.begin())].convolution;
  const torch::Tensor weight = convolution->weight.detach(), gradient = convolution->weight.grad();
  int originals = 0;
  for (std::int64_t old = 0; old < 5; ++old) {
    if (!torch::equal(weight[old], weight[5])) continue;
    ++originals;
    EXPECT_FALSE(torch::allclose(gradient[old], gradient[5]));
  }
  EXPECT_EQ(originals, 1);
}

TEST(Deepening, KeepsTheOutputsBehindEveryLayerThatAllowsIt) {
  const auto network = some_network(every_step());
  const torch::Tensor images = noise(network->blueprint(), 8, 2);
  for (const std::string layer : {"stem", "block.project", "block.add", "max", "norm", "narrow"})
    for (const NewLayer& added : {NewLayer{1, false}, NewLayer{3, false}, NewLayer{5, true}}) {
      SCOPED_TRACE(layer + " " + std::to_string(added.kernel));
      const auto deeper = deepen(*network, layer, added, images);
      EXPECT_EQ(lower(deeper->blueprint()).nodes().size(),
                lower(network->blueprint()).nodes().size() + 1);
      EXPECT_LT(difference(*network, *deeper, false), kTolerance);
    }
}

TEST(Deepening, KeepsWhatTheBatchItWasMadeForGivesWhileTraining) {
  NetworkBuilder builder("plain", 2, 8, 8);
  const Feature feature = builder.convolution(
      "first", builder.input(), {.out_channels = 6, .kernel = 3, .activation = Activation::relu});
  builder.fully_connected("classifier", feature, 4);
  const auto network = some_network(std::move(builder).blueprint());
  const torch::Tensor images = noise(network->blueprint(), 8, 11);  // those of `difference`
  {
    // As if its own statistics were those of these images.
    const torch::NoGradGuard no_gradient;
    auto normalisation = network->normalisations().front();
    torch::nn::Conv2d first = network->modules()[1].convolution;
    const torch::Tensor numbers = first->forward(images).transpose(0, 1).flatten(1);
    normalisation->running_mean.copy_(numbers.mean(1));
    normalisation->running_var.copy_(numbers.var(1, /*unbiased=*/false));
  }
  const auto deeper = deepen(*network, "first", {}, images);
  EXPECT_LT(difference(*network, *deeper, true), kTolerance);
}

TEST(FunctionPreserving, SaysWhatCannotBeTransformedAndWhy) {
  NetworkBuilder builder("stubborn", 3, 8, 8);
  Feature feature = builder.convolution("first", builder.input(), {.out_channels = 3});
  feature = builder.add("sum", {feature, builder.input()});
  const Feature left = builder.convolution(
      "left", feature, {.out_channels = 4, .activation = Activation::hard_swish});
  const Feature right = builder.convolution("right", feature, {.out_channels = 4});
  feature = builder.convolution("grouped", builder.concatenate({left, right}),
                                {.out_channels = 8, .kernel = 3, .groups = 2});
  feature = builder.truncate(builder.convolution("cut", feature, {.out_channels = 8}), 5);
  builder.fully_connected("classifier", feature, 4);
  const auto network = some_network(std::move(builder).blueprint());
  const auto widening = [&](const std::string& layer, std::int64_t channels) {
    return message_of([&] { return widen(*network, layer, channels, 1); });
  };
  const std::string start = "stubborn: layer '";
  EXPECT_EQ(widening("first", 9), start +
                                      "first' cannot be widened: it has as many outputs as the "
                                      "network's input");
  EXPECT_EQ(widening("left", 9),
            start + "left' cannot be widened: its outputs are concatenated with others");
  EXPECT_EQ(widening("grouped", 16),
            start + "grouped' cannot be widened: layer 'grouped' groups its channels");
  EXPECT_EQ(widening("cut", 9), start + "cut' cannot be widened: only its first outputs are read");
  EXPECT_EQ(widening("classifier", 9),
            start + "classifier' cannot be widened: its outputs are the network's");
  EXPECT_EQ(widening("sum", 9), start + "sum' cannot be widened: it has no weights of its own");
  EXPECT_EQ(widening("right", 3),
            start + "right' cannot be widened: it has 4 outputs, not fewer than 3");
  EXPECT_EQ(widening("groupd", 9),
            "stubborn: no layer is called 'groupd' (did you mean 'grouped'?)");

  const torch::Tensor images = noise(network->blueprint(), 2, 1);
  EXPECT_EQ(message_of([&] { return deepen(*network, "left", {}, images); }),
            "stubborn: no identity can stand behind layer 'left': its activation, applied twice, "
            "is not the same as once (ReLU and ReLU6 are)");
  EXPECT_EQ(message_of([&] { return deepen(*network, "right", {.kernel = 2}, images); }),
            "stubborn: no identity can stand behind layer 'right': a window of 2 has no middle");
}

TEST(FunctionPreserving, TrainingGoesOnFromTheParentsAccuracy) {
  const OwnedImages training = bars(400, 1), test = bars(200, 2);
  TrainingTask task;
  task.blueprint = make_space("fashion-macro", {{"positions", 4}})->blueprint("1010");
  task.identity = "1010";
  task.recipe.training_images = 400;
  task.recipe.epochs = 4;
  task.recipe.batches = {20};
  const auto parent = some_network(task.blueprint);
  const auto trained = TrainingRun(task, training.view(), test.view(), parent->modules()).finish();

  const PixelScale scale = pixel_scale(training.view(), 400);
  const ScaledImages tested = scaled(test.view(), 0, 200, scale, torch::kCPU);
  const ScaledImages sample = scaled(training.view(), 0, 100, scale, torch::kCPU);
  const auto wider = widen(*parent, "block0.expand", 96, 1);
  const auto child = deepen(*wider, "head", {.kernel = 3}, sample.pixels);
  const double accuracy = accuracy_percent(*parent, tested);
  EXPECT_EQ(accuracy, trained->test_accuracy_percent);
  EXPECT_GT(accuracy, 60) << "where chance gives 10";
  EXPECT_NEAR(accuracy_percent(*child, tested), accuracy, 0.5 + 1e-9) << "one image of 200";

  TrainingTask further = task;
  further.blueprint = child->blueprint();
  further.recipe.epochs = 1;
  further.recipe.learning_rate = 0.02;
  const auto from_parent =
      TrainingRun(further, training.view(), test.view(), child->modules()).finish();
  const auto from_nothing = TrainingRun(further, training.view(), test.view()).finish();
  EXPECT_LT(from_parent->epoch_loss.front(), trained->epoch_loss.front());
  EXPECT_LT(from_parent->epoch_loss.front(), from_nothing->epoch_loss.front());
  EXPECT_GE(from_parent->test_accuracy_percent, accuracy - 5);
}

}  // namespace
}  // namespace cosearch::nas
