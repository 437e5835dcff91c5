#include "nas/supernet/torch/hypergradient.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "nas/blocks.h"
#include "nas/choice_space.h"
#include "nas/space.h"
#include "nas/training/torch/blueprint_network.h"
#include "nas/training/torch/learning.h"

namespace cosearch::nas {
namespace {

torch::Tensor uniform(std::vector<std::int64_t> shape, std::uint64_t seed) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat64);
  Random random(seed, "uniform");
  for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.view(-1)[i] = 2 * random.uniform() - 1;
  return tensor;
}

/// Training loss w'Aw/2 - w'Ba, validation loss |w - c|^2/2 + r|a|^2/2: w*(a) = A^-1 B a, and the
/// hypergradient at it is B' A^-1 (w* - c) + r a.
struct Quadratic {
  torch::Tensor A, B, c, w, a;
  double r = 0.3;

  explicit Quadratic(const torch::Tensor& curvature) : A(curvature) {
    B = uniform({4, 3}, 2);
    c = uniform({4}, 3);
    a = uniform({3}, 4);
    w = optimum();
    w.set_requires_grad(true);
    a.set_requires_grad(true);
  }

  [[nodiscard]] torch::Tensor optimum() const { return A.inverse().mv(B.mv(a.detach())); }
  [[nodiscard]] torch::Tensor exact() const {
    return B.t().mv(A.inverse().mv(optimum() - c)) + r * a.detach();
  }
  [[nodiscard]] BilevelProblem problem() const {
    return {.weights = {w},
            .architecture = {a},
            .training_loss = [this] { return w.dot(A.mv(w)) / 2 - w.dot(B.mv(a)); },
            .validation_loss =
                [this] { return (w - c).square().sum() / 2 + r * a.square().sum() / 2; }};
  }
};

/// Symmetric, with eigenvalues from 0.5 to 0.5 + 4.
torch::Tensor curvature() {
  const torch::Tensor root = uniform({4, 4}, 1);
  return root.mm(root.t()) + 0.5 * torch::eye(4, torch::kFloat64);
}

double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).norm().item<double>();
}

TEST(Hypergradient, OfTheFirstOrderLeavesOutWhatTheWeightsContribute) {
  const Quadratic quadratic(curvature());
  const torch::Tensor found = first_order_gradient(quadratic.problem()).gradient.front();
  EXPECT_LT(distance(found, quadratic.r * quadratic.a), 1e-12);
  EXPECT_GT(distance(found, quadratic.exact()), 0.1);
}

TEST(Hypergradient, OfTheSecondOrderIsThatOfOneStep) {
  const Quadratic quadratic(curvature());
  const double rate = 0.2;
  {
    const torch::NoGradGuard no_gradient;
    quadratic.w.detach().add_(uniform({4}, 9));  // not at the optimum: the step moves
  }
  const torch::Tensor before = quadratic.w.detach().clone();
  const torch::Tensor found = second_order_gradient(quadratic.problem(), rate).gradient.front();
  const torch::Tensor stepped =
      before - rate * (quadratic.A.mv(before) - quadratic.B.mv(quadratic.a.detach()));
  const torch::Tensor unrolled =
      rate * quadratic.B.t().mv(stepped - quadratic.c) + quadratic.r * quadratic.a.detach();
  EXPECT_LT(distance(found, unrolled), 1e-8);
  EXPECT_TRUE(torch::equal(before, quadratic.w)) << "the weights are left as they were";
}

TEST(Hypergradient, OfTheSecondOrderIsExactWhereOneStepReachesTheOptimum) {
  const double rate = 0.2;
  const Quadratic quadratic(torch::eye(4, torch::kFloat64) / rate);
  const torch::Tensor found = second_order_gradient(quadratic.problem(), rate).gradient.front();
  EXPECT_LT(distance(found, quadratic.exact()), 1e-8);
}

TEST(Hypergradient, ImplicitConvergesToTheExactOneTermByTerm) {
  const Quadratic quadratic(curvature());
  const double rate = 0.2;
  double last =
      distance(first_order_gradient(quadratic.problem()).gradient.front(), quadratic.exact());
  for (const int terms : {0, 2, 8, 32, 200}) {
    const torch::Tensor found =
        implicit_gradient(quadratic.problem(), terms, rate).gradient.front();
    torch::Tensor inverse = torch::zeros({4, 4}, torch::kFloat64),
                  power = torch::eye(4, torch::kFloat64);
    for (int k = 0; k <= terms; ++k) {
      inverse = inverse + rate * power;
      power = power.mm(torch::eye(4, torch::kFloat64) - rate * quadratic.A);
    }
    const torch::Tensor truncated =
        quadratic.B.t().mv(inverse.mv(quadratic.w.detach() - quadratic.c)) +
        quadratic.r * quadratic.a.detach();
    EXPECT_LT(distance(found, truncated), 1e-10) << terms;
    EXPECT_LE(distance(found, quadratic.exact()), last) << terms;
    last = distance(found, quadratic.exact());
  }
  EXPECT_LT(last, 1e-6);
}

TEST(ExpectedLatency, HasTheGradientThatFiniteDifferencesHave) {
  const ChoiceLatencies latencies{.fixed = 100, .of = {{0, 7, 30}, {1, 2, 3, 5}}};
  Tensors mixing{uniform({3}, 1), uniform({4}, 2)};
  for (torch::Tensor& tensor : mixing) tensor.set_requires_grad(true);
  expected_latency(mixing, latencies).backward();
  const torch::NoGradGuard no_gradient;
  for (torch::Tensor& tensor : mixing)
    for (std::int64_t i = 0; i < tensor.numel(); ++i) {
      const double step = 1e-5, here = tensor[i].item<double>();
      tensor[i] = here + step;
      const double above = expected_latency(mixing, latencies).item<double>();
      tensor[i] = here - step;
      const double below = expected_latency(mixing, latencies).item<double>();
      tensor[i] = here;
      EXPECT_NEAR(tensor.grad()[i].item<double>(), (above - below) / (2 * step), 1e-6);
    }
  const Tensors even{torch::zeros({3}), torch::zeros({4})};
  EXPECT_NEAR(expected_latency(even, latencies).item<double>(), 100 + 37.0 / 3 + 11.0 / 4, 1e-9);
}

/// The mixed network with everything on the alternatives of one genotype, and that network with the
/// weights it then uses.
void expect_one_hot_mixture_is_the_network(const ChoiceSpace& space, const std::string& genotype) {
  SCOPED_TRACE(space.name() + " " + genotype);
  const torch::NoGradGuard no_gradient;
  const MixedBlueprint mixed = *space.mixed_blueprint();
  BlueprintNetwork mixture(mixed.blueprint);
  std::map<std::string, StepModules> by_name;
  for (std::size_t i = 0; i < mixed.blueprint.steps.size(); ++i) {
    std::string name = mixed.blueprint.steps[i].name;
    const auto operation = name.find(".operation");
    if (operation != std::string::npos) {
      const std::string choice = name.substr(operation + 10, 1);
      const auto number = static_cast<std::size_t>(name[5] - '0');
      if (choice[0] - '0' != static_cast<int>(space.choices(genotype)[number])) continue;
      name.erase(operation, 11);
    }
    by_name.emplace(name, mixture.modules()[i]);
  }
  for (const MixedBlueprint::Mixture& one : mixed.mixtures) {
    torch::Tensor weights =
        torch::zeros({static_cast<std::int64_t>(space.choice_counts()[one.choice])});
    weights[static_cast<std::int64_t>(space.choices(genotype)[one.choice])] = 1;
    mixture.weigh_terms(one.step, weights);
  }
  const Blueprint blueprint = space.blueprint(genotype);
  std::vector<StepModules> modules;
  for (const Step& step : blueprint.steps)
    modules.push_back(by_name.contains(step.name) && !step.name.empty() ? by_name.at(step.name)
                                                                        : StepModules{});
  BlueprintNetwork alone(blueprint, modules);
  const auto& [channels, height, width] = blueprint.steps.front().shape;
  const torch::Tensor images = uniform({3, channels, height, width}, 5).to(torch::kFloat32);
  mixture.eval();
  alone.eval();
  EXPECT_TRUE(torch::allclose(mixture.forward(images), alone.forward(images), 1e-4, 1e-5));
}

TEST(MixedBlueprint, IsEachNetworkWhenAllWeightIsOnItsAlternatives) {
  for (const auto& [name, options] : std::vector<std::pair<std::string, SpaceOptions>>{
           {"fashion-macro", {{"positions", 4}}},
           {"nas-bench-macro", {{"image", 8}}},
           {"nas-bench-201", {{"cells", 1}, {"prune", 0}, {"image", 8}, {"channels", 4}}}}) {
    const auto space = make_space(name, options);
    const auto& choices = dynamic_cast<const ChoiceSpace&>(*space);
    Random random(3, "one hot");
    for (int i = 0; i < 4; ++i)
      expect_one_hot_mixture_is_the_network(choices, choices.sample(random));
  }
}

/// Smooth: finite differences of a network with ReLU also see the kinks they step over, which no
/// derivative does.
MixedBlueprint smooth_mixture() {
  NetworkBuilder builder("smooth", 1, 8, 8);
  const Feature stem = builder.convolution(
      "stem", builder.input(), {.out_channels = 6, .kernel = 3, .activation = Activation::swish});
  std::vector<Feature> alternatives{stem};
  for (const std::int64_t kernel : {3, 5})
    alternatives.push_back(builder.mbconv("block" + std::to_string(kernel), stem,
                                          {.out_channels = 6,
                                           .expanded_channels = 12,
                                           .kernel = kernel,
                                           .activation = Activation::swish}));
  const Feature mixture = builder.add("mixture", alternatives);
  builder.fully_connected("classifier", mixture, 4);
  return {std::move(builder).blueprint(), {{mixture.step, 0}}};
}

TEST(Hypergradient, ImplicitDifferentiatesANetworkTwice) {
  const MixedBlueprint mixed = smooth_mixture();
  BlueprintNetwork network(mixed.blueprint);
  Random random(1, "weights");
  for (const StepModules& modules : network.modules()) draw_weights(modules, random);
  network.to(torch::kFloat64);
  const Tensors mixing{torch::zeros({3}, torch::dtype(torch::kFloat64).requires_grad(true))};
  const auto loss_of_images = [&](std::uint64_t seed) {
    network.weigh_terms(mixed.mixtures.front().step, mixing.front().softmax(0));
    return loss_of(network.forward(uniform({8, 1, 8, 8}, seed)), torch::arange(8) % 4,
                   TrainingRecipe{});
  };
  const BilevelProblem problem{.weights = network.weights(),
                               .architecture = mixing,
                               .training_loss = [&] { return loss_of_images(1); },
                               .validation_loss = [&] { return loss_of_images(2); }};
  const double rate = 0.1, step = 1e-5;
  const torch::Tensor direct = first_order_gradient(problem).gradient.front(),
                      implicit = implicit_gradient(problem, 0, rate).gradient.front();
  // The product with the second derivative, by differences of first ones along the same vector.
  const Tensors along = torch::autograd::grad({problem.validation_loss()}, problem.weights);
  const auto gradient_after = [&](double times) {
    {
      const torch::NoGradGuard no_gradient;
      for (std::size_t i = 0; i < along.size(); ++i)
        problem.weights[i].detach().add_(along[i], times);
    }
    return torch::autograd::grad({problem.training_loss()}, mixing).front();
  };
  const torch::Tensor above = gradient_after(step), below = gradient_after(-2 * step);
  const torch::Tensor expected = direct - rate * (above - below) / (2 * step);
  EXPECT_GT(distance(expected, direct), 1e-4);
  EXPECT_LT(distance(implicit, expected), 1e-3 * distance(expected, direct));
}

}  // namespace
}  // namespace cosearch::nas
