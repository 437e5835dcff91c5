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
#include "tests/support/small_transformers.h"

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

WholeSteps sliced(const NetworkSpace& space) { return {space, WeightSharing::slices}; }

TEST(SlicedWeights, AreThoseOfTheLargestNetworkAndOfStepsItDoesNotHave) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  SharedWeights shared(TrainingRecipe{}, 1, {}, sliced(*space));
  std::map<std::string, std::int64_t> parameters;
  const auto add = [&](const Network& network) {
    for (const NetworkNode& node : network.nodes())
      parameters.emplace(node.name, node.layer.parameters() + node.affine_parameters);
  };
  add(space->lower("2222"));
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space->size()); ++i) {
    (void)shared.modules_of(space->blueprint(space->genotype(i)));
    add(space->lower(space->genotype(i)));
  }
  std::int64_t expected = 0, held = 0;
  for (const auto& [name, numbers] : parameters) expected += numbers;
  for (const auto& [name, tensor] : shared.state()) held += tensor.numel();
  EXPECT_EQ(held, expected);
}

TEST(SlicedWeights, AreTheFirstChannelsAndTheMiddleOfWindowsAndAreTrainedThere) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  TrainingRecipe recipe;
  recipe.weight_decay = 0;
  SharedWeights shared(recipe, 5, {}, sliced(*space));
  const Blueprint largest = space->blueprint("2222"), small = space->blueprint("1111");
  const std::vector<StepModules> whole = shared.modules_of(largest),
                                 part = shared.modules_of(small);
  const auto copied = [](const std::vector<StepModules>& modules) {
    std::vector<torch::Tensor> copies;
    for (const StepModules& step : modules)
      copies.push_back(step.weight().defined() ? step.weight().detach().clone() : torch::Tensor());
    return copies;
  };
  const std::vector<torch::Tensor> before = copied(whole), parts = copied(part);
  BlueprintNetwork path(small, part);
  path.forward(torch::rand({2, 1, 28, 28})).square().sum().backward();
  shared.step(0.1);
  int compared = 0;
  for (std::size_t i = 0; i < small.steps.size(); ++i) {
    if (!part[i].convolution || !small.steps[i].name.starts_with("block")) continue;
    ASSERT_EQ(small.steps[i].name, largest.steps[i].name);
    const torch::Tensor& weight = parts[i];
    // Half the channels of each expansion: 3 of 6; 3x3 of 5x5.
    torch::Tensor mask = torch::zeros_like(before[i], torch::kBool);
    const std::int64_t edge = (before[i].size(2) - weight.size(2)) / 2;
    mask.narrow(0, 0, weight.size(0))
        .narrow(1, 0, weight.size(1))
        .narrow(2, edge, weight.size(2))
        .narrow(3, edge, weight.size(3))
        .fill_(true);
    EXPECT_LT(weight.numel(), before[i].numel()) << small.steps[i].name;
    EXPECT_TRUE(torch::equal(weight.flatten(), before[i].masked_select(mask)));
    const torch::Tensor moved = whole[i].weight().ne(before[i]);
    EXPECT_FALSE(moved.masked_select(mask.logical_not()).any().item<bool>());
    EXPECT_TRUE(moved.masked_select(mask).any().item<bool>());
    ++compared;
  }
  EXPECT_EQ(compared, 12) << "three convolutions at each position";
}

TEST(SlicedWeights, OfTokensAreTheFirstNumbersOfEachAndAreTrainedThere) {
  const cosearch::test::SmallTransformers space;
  TrainingRecipe recipe;
  recipe.weight_decay = 0;
  SharedWeights shared(recipe, 5, {}, sliced(space));
  const Blueprint largest = space.blueprint("16;2;2"), small = space.blueprint("8;1;2");
  const std::vector<StepModules> whole = shared.modules_of(largest);
  BlueprintNetwork path(small, shared.modules_of(small));
  path.forward(torch::rand({2, 3, 8, 8})).square().sum().backward();
  shared.step(0.1);
  const auto expect_first_half_moved = [](const torch::Tensor& numbers, double initial) {
    EXPECT_TRUE(numbers.narrow(0, 0, 8).ne(initial).any().item<bool>());
    EXPECT_FALSE(numbers.narrow(0, 8, 8).ne(initial).any().item<bool>());
  };
  int compared = 0;
  for (std::size_t i = 0; i < small.steps.size(); ++i) {
    if (path.modules()[i].embedding) {
      expect_first_half_moved(whole[i].embedding->positions, 0);
      expect_first_half_moved(whole[i].embedding->learnt, 0);
      ++compared;
    }
    if (path.modules()[i].layer_norm) {
      expect_first_half_moved(whole[i].layer_norm->weight, 1);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 1 + 3);
}

TEST(SharedWeights, OfPositionsAreThoseOfAsManyTokens) {
  const cosearch::test::SmallTransformers space;
  for (const bool is_sliced : {false, true}) {
    SharedWeights shared(TrainingRecipe{}, 5, {}, is_sliced ? sliced(space) : WholeSteps());
    // 17 tokens and 5.
    for (const std::string genotype : {"16;2;2", "16;2;4", "8;1;4"}) {
      const Blueprint blueprint = space.blueprint(genotype);
      BlueprintNetwork network(blueprint, shared.modules_of(blueprint));
      EXPECT_EQ(network.forward(torch::rand({2, 3, 8, 8})).sizes(),
                (std::vector<std::int64_t>{2, 10}))
          << genotype;
    }
    const auto positions = [&](const std::string& genotype) {
      const Blueprint blueprint = space.blueprint(genotype);
      const auto modules = shared.modules_of(blueprint);
      for (const StepModules& step : modules)
        if (step.embedding) return step.embedding->positions.data_ptr();
      return static_cast<void*>(nullptr);
    };
    EXPECT_EQ(positions("16;1;2"), positions("16;2;2"));
    EXPECT_NE(positions("16;2;4"), positions("16;2;2"));
  }
}

TEST(SlicedWeights, OfAStateComputeWhatThoseInTrainingDo) {
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  SharedWeights shared(TrainingRecipe{}, 5, {}, sliced(*space));
  const Blueprint path = space->blueprint("1021");
  BlueprintNetwork training(path, shared.modules_of(path));
  const torch::Tensor images = torch::rand({4, 1, 28, 28});
  training.forward(images).square().sum().backward();
  shared.step(0.1);
  BlueprintNetwork trained(path, shared.modules_of(path));
  // Of a state that has them, and of one that has not.
  for (const bool is_trained : {true, false}) {
    const TensorMap state = is_trained ? shared.state() : TensorMap{};
    SharedWeights fresh(TrainingRecipe{}, 5, {}, sliced(*space));
    BlueprintNetwork begun(path, fresh.modules_of(path));
    std::vector<StepModules> modules;
    for (const Step& step : path.steps)
      modules.push_back(inherited_modules(step, sliced(*space), 5, state));
    BlueprintNetwork inherited(path, std::move(modules));
    EXPECT_TRUE(
        torch::equal(inherited.forward(images), (is_trained ? trained : begun).forward(images)));
  }
}

TEST(SlicedWeights, AreNotThoseOfAWindowWithoutThatMiddleOrOfOtherGroups) {
  const auto space = make_space("regnet");
  const WholeSteps whole = sliced(*space);
  Random random(1);
  int own = 0, taken = 0;
  for (int i = 0; i < 20; ++i)
    for (const Step& step : space->blueprint(space->sample(random)).steps) {
      if (step.operation != Operation::convolution) continue;
      const Step& of = whole.of(step);
      if (&of == &step) {
        ++own;
        continue;
      }
      ++taken;
      EXPECT_TRUE(of.layer->G == 1 || (of.layer->C == 1 && of.layer->K == 1)) << step.name;
      EXPECT_GE(of.layer->K, step.layer->K);
    }
  EXPECT_GT(own, 0) << "convolutions in groups";
  EXPECT_GT(taken, 0);
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
