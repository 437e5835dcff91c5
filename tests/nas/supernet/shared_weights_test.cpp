#include "nas/supernet/torch/shared_weights.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "nas/space.h"
#include "nas/supernet/torch/subnet_evaluation.h"
#include "nas/training/torch/learning.h"

namespace cosearch::nas {
namespace {

/// How many numbers each weight has.
using Weights = std::map<const void*, std::int64_t>;

Weights weights_of(const std::vector<StepModules>& modules) {
  Weights weights;
  for (const StepModules& step : modules)
    for (const torch::Tensor& parameter : step.parameters())
      weights[parameter.data_ptr()] = parameter.numel();
  return weights;
}

TEST(SharedWeights, AreThoseOfStepsAtOnePlaceWithOneShapeAndNoOthers) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  SharedWeights shared(TrainingRecipe{}, 1, {});
  const auto a = weights_of(shared.modules_of(space->blueprint("1210"))),
             b = weights_of(shared.modules_of(space->blueprint("1220")));
  std::size_t common = 0;
  for (const auto& [weight, numbers] : a) common += b.count(weight);
  // All but those of the third position: three convolutions, each with scales and shifts.
  EXPECT_EQ(common, a.size() - 9);
  EXPECT_EQ(common, b.size() - 9);

  // The whole supernet holds each layer of each place once.
  Weights held;
  std::map<std::pair<std::string, std::string>, std::int64_t> layers;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space->size()); ++i) {
    held.merge(weights_of(shared.modules_of(space->blueprint(space->genotype(i)))));
    const Network network = space->lower(space->genotype(i));
    for (const NetworkNode& node : network.nodes())
      layers[{node.name, describe(node.layer)}] = node.layer.parameters() + node.affine_parameters;
  }
  std::int64_t expected = 0, found = 0;
  for (const auto& [place, parameters] : layers) expected += parameters;
  for (const auto& [weight, numbers] : held) found += numbers;
  EXPECT_EQ(found, expected);
}

TEST(SharedWeights, AreDrawnAlikeInWhicheverOrderNetworksAskForThem) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  SharedWeights forward(TrainingRecipe{}, 7, {}), backward(TrainingRecipe{}, 7, {});
  for (const std::string genotype : {"0120", "2101"})
    (void)forward.modules_of(space->blueprint(genotype));
  for (const std::string genotype : {"2101", "0120"})
    (void)backward.modules_of(space->blueprint(genotype));
  EXPECT_EQ(bytes_of(forward.state()), bytes_of(backward.state()));
}

TEST(SharedWeights, AreTrainedAsThoseOfANetworkAloneWhenThatIsTheOnlyPath) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  TrainingRecipe recipe;
  recipe.weight_decay = 0.01;
  SharedWeights shared(recipe, 5, {});
  BlueprintNetwork path(space->blueprint("0121"), shared.modules_of(space->blueprint("0121")));
  BlueprintNetwork alone(space->blueprint("0121"));
  {
    const torch::NoGradGuard no_gradient;
    const auto from = path.parameters(), to = alone.parameters();
    for (std::size_t i = 0; i < to.size(); ++i) to[i].detach().copy_(from[i]);
  }
  const auto optimiser = make_optimiser(recipe, alone.parameters());
  const torch::Tensor images = torch::ones({4, 1, 28, 28}) * torch::arange(4).view({4, 1, 1, 1}),
                      labels = torch::arange(4);
  for (int step = 0; step < 3; ++step) {
    (void)shared.modules_of(space->blueprint("0121"));
    loss_of(path.forward(images), labels, recipe).backward();
    shared.step(0.1);
    optimiser->zero_grad();
    set_learning_rate(*optimiser, 0.1);
    loss_of(alone.forward(images), labels, recipe).backward();
    optimiser->step();
  }
  const auto shared_numbers = path.parameters(), numbers = alone.parameters();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    EXPECT_TRUE(torch::equal(shared_numbers[i], numbers[i]));
}

TEST(SharedWeights, StayAsTheyAreWhileOtherPathsAreTrained) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  SharedWeights shared(TrainingRecipe{}, 5, {});
  const auto idle = shared.modules_of(space->blueprint("2000"));
  shared.step(0.1);  // of no gradient
  const TensorMap before = shared.state();
  std::map<std::string, torch::Tensor> kept;
  for (const auto& [name, tensor] : before) kept[name] = tensor.clone();
  BlueprintNetwork path(space->blueprint("1000"), shared.modules_of(space->blueprint("1000")));
  path.forward(torch::ones({2, 1, 28, 28})).square().sum().backward();
  shared.step(0.1);
  int moved = 0;
  for (const auto& [name, tensor] : kept) {
    const bool is_only_idle = name.starts_with("block0");
    const bool is_same = torch::equal(tensor, shared.state().at(name));
    if (is_only_idle) {
      EXPECT_TRUE(is_same) << name;
    }
    moved += is_same ? 0 : 1;
  }
  EXPECT_GT(moved, 0);
}

TEST(Recalibration, FindsTheMeanOverBatchesOfEveryNormalisationsInput) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  BlueprintNetwork network(space->blueprint("0000"));
  const torch::Tensor pixels =
      torch::arange(6 * 28 * 28, torch::kFloat32).view({6, 1, 28, 28}) / 1e3;
  auto first = network.normalisations().front();
  {
    const torch::NoGradGuard no_gradient;
    first->running_mean.fill_(1e6);  // whatever was there is forgotten
  }
  recalibrate(network, {pixels, torch::zeros({6}, torch::kInt64)}, /*batch=*/2);
  const torch::NoGradGuard no_gradient;
  torch::nn::Conv2d stem = network.modules()[1].convolution;
  const torch::Tensor convolved = stem->forward(pixels).transpose(0, 1).flatten(1);
  EXPECT_TRUE(torch::allclose(first->running_mean, convolved.mean(1), 1e-4, 1e-5));
  torch::Tensor variance = torch::zeros({convolved.size(0)});
  for (int batch = 0; batch < 3; ++batch)
    variance += convolved.chunk(3, 1)[static_cast<std::size_t>(batch)].var(1) / 3;
  EXPECT_TRUE(torch::allclose(first->running_var, variance, 1e-4, 1e-5));
}

}  // namespace
}  // namespace cosearch::nas
