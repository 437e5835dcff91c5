#include "codesign/model_evaluator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "accel/machine_costs.h"
#include "codesign/network_mapping.h"
#include "core/random.h"

namespace cosearch::codesign {
namespace {

Layer random_layer(Random& random) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  const std::int64_t channels = 4 * between(1, 8), extent = between(4, 20);
  switch (random.below(6)) {
    case 0:
      return same_convolution(channels, channels, extent, extent, 3, between(1, 2), channels);
    case 1:
      return fully_connected(channels * 4, between(1, 50));
    case 2:
      return gemm(between(1, 20), between(1, 20), between(1, 20), between(1, 3));
    case 3:
      return pooling(channels, extent, extent, 2, 2);
    case 4:
      return elementwise(channels, extent, extent, 2);
    default:
      return same_convolution(channels, 4 * between(1, 8), extent, extent, 2 * between(0, 2) + 1,
                              between(1, 2));
  }
}

// Networks that share some layers, so that a memo has something to find.
std::vector<Network> random_networks(std::uint64_t seed) {
  std::vector<Layer> pool;
  Random random(seed, "layers");
  for (int i = 0; i < 12; ++i) pool.push_back(random_layer(random));
  std::vector<Network> networks;
  for (int n = 0; n < 6; ++n) {
    Network network("network " + std::to_string(n));
    for (std::uint64_t i = 1 + random.below(8); i-- > 0;)
      network.add({.name = std::to_string(i),
                   .layer = pool[random.below(pool.size())],
                   .multiplicity = 1 + static_cast<std::int64_t>(random.below(3)),
                   .inputs = {}});
    networks.push_back(std::move(network));
  }
  return networks;
}

// Two of each template and, where the optimal mapper has little to do, one machine of another kind.
AcceleratorSet random_accelerators(std::uint64_t seed) {
  Random random(seed, "accelerators");
  AcceleratorSet accelerators;
  for (const accel::Dataflow dataflow : accel::kDataflows)
    for (int i = 0; i < 2; ++i) {
      const ParameterValues values{
          {"pe_rows", fmt::format("{}", 4 << random.below(4))},
          {"pe_columns", fmt::format("{}", 4 << random.below(4))},
          {"pe_buffer", fmt::format("{}B", 64 << random.below(4))},
          {"shared_buffer", fmt::format("{}KiB", 8 << random.below(4))},
          {"dram_bandwidth", fmt::format("{}B/cycle", 1 << random.below(5))}};
      const std::string name(accel::name_of(dataflow));
      accelerators.add(fmt::format("{} {}", name, i), MachineFile(name), values);
    }
  accelerators.add("gemmini", MachineFile("gemmini"), {});
  return accelerators;
}

std::vector<Design> all_designs(const JointSpace& space) {
  std::vector<Design> designs;
  for (std::uint32_t n = 0; n < space.network_count(); ++n)
    for (std::uint32_t a = 0; a < space.accelerator_count(); ++a) designs.push_back({n, a});
  return designs;
}

TEST(ModelEvaluator, AddsUpWhatTheLayersCost) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    const std::vector<Network> networks = random_networks(seed);
    const JointSpace space(gather(networks), random_accelerators(seed));
    Workers workers(2);
    ModelEvaluator evaluator(space, workers);
    const std::vector<Design> designs = all_designs(space);
    evaluator.prepare(designs);
    for (const Design& design : designs) {
      const Accelerator& chip = space.accelerators()[design.accelerator];
      std::int64_t cycles = 0, macs = 0;
      double energy = 0;
      bool fits = true;
      for (const NetworkNode& node : networks[design.network].nodes()) {
        macs += node.multiplicity * node.layer.macs();
        const auto run =
            run_layer(node.layer, chip.machine, *chip.constraints, chip.dataflow, space.mapping());
        if (const auto* found = std::get_if<LayerRun>(&run)) {
          cycles += node.multiplicity * found->cost.cycles().value;
          energy += static_cast<double>(node.multiplicity) * found->cost.total_energy().value;
        } else {
          fits = false;
        }
      }
      const Trial trial = evaluator.evaluate(design);
      EXPECT_EQ(trial.design, design);
      EXPECT_EQ(trial.metrics[Metric::macs], static_cast<double>(macs));
      EXPECT_EQ(trial.metrics[Metric::area], accel::area_of(chip.machine).value);
      ASSERT_EQ(trial.runs(), fits);
      if (!fits) continue;
      EXPECT_EQ(trial.metrics[Metric::latency], static_cast<double>(cycles));
      EXPECT_EQ(trial.metrics[Metric::time],
                static_cast<double>(cycles) / chip.machine.clock.value);
      EXPECT_NEAR(trial.metrics[Metric::energy], energy, 1e-12 * energy);
      EXPECT_NEAR(trial.metrics[Metric::edp], energy * static_cast<double>(cycles),
                  1e-11 * energy * static_cast<double>(cycles));
    }
  }
}

TEST(ModelEvaluator, AsksTheMapperOfTheStudy) {
  AcceleratorSet accelerators;
  accelerators.add("template", MachineFile("nvdla"), {{"pe_rows", "8"}, {"pe_columns", "8"}});
  accelerators.add("machine", MachineFile("gemmini"), {});
  Network network("one");
  const Layer layer = same_convolution(16, 24, 14, 14, 3);
  network.add({.name = "only", .layer = layer, .inputs = {}});
  Workers workers(2);
  const auto trial_of = [&](const MapperChoice& mapping, std::uint32_t chip) {
    const JointSpace space(gather({network}), accelerators, mapping);
    ModelEvaluator evaluator(space, workers);
    const Design design{0, chip};
    evaluator.prepare(std::span(&design, 1));
    return evaluator.evaluate(design);
  };
  for (const accel::MappingObjective objective :
       {accel::MappingObjective::of_latency(), accel::MappingObjective::of_energy()})
    for (std::uint32_t chip = 0; chip < 2; ++chip) {
      const Accelerator& one = accelerators.list[chip];
      const auto best = std::get<accel::MappedLayer>(accel::optimal_mapping(
          layer, one.machine, *one.constraints, {objective, accel::Accounting::exact}));
      const Trial trial = trial_of({Mapper::optimal, objective}, chip);
      EXPECT_EQ(trial.metrics[Metric::latency], static_cast<double>(best.cost.cycles().value));
      EXPECT_EQ(trial.metrics[Metric::energy], best.cost.total_energy().value);
    }
  // Left to itself the template goes by its rule, which is not the best one can do here.
  EXPECT_GT(
      trial_of({}, 0).metrics[Metric::energy],
      trial_of({Mapper::optimal, accel::MappingObjective::of_energy()}, 0).metrics[Metric::energy]);
}

TEST(ModelEvaluator, SaysWhichLevelTheOptimalMapperFindsTooSmall) {
  AcceleratorSet accelerators;
  accelerators.add("tight", MachineFile("nvdla"), {{"pe_buffer", "8B"}});
  Network network("one");
  network.add({.name = "only", .layer = same_convolution(8, 8, 8, 8, 3), .inputs = {}});
  Workers workers(1);
  const JointSpace space(gather({network}), std::move(accelerators), {Mapper::optimal, {}});
  ModelEvaluator evaluator(space, workers);
  const Design design{0, 0};
  evaluator.prepare(std::span(&design, 1));
  const Trial trial = evaluator.evaluate(design);
  ASSERT_FALSE(trial.runs());
  EXPECT_THAT(evaluator.reasons().at(trial.reason),
              testing::HasSubstr("on tight: level PE buffer is at least 32 bits (4 bytes, 4 words) "
                                 "too small"));
}

TEST(ModelEvaluator, CostsEachLayerOnceOnEachAccelerator) {
  const JointSpace space(gather(random_networks(1)), random_accelerators(1));
  Workers workers(2);
  ModelEvaluator evaluator(space, workers);
  const std::vector<Design> designs = all_designs(space);
  std::set<std::pair<std::uint32_t, LayerId>> asked;
  // One design at a time, some of them twice.
  for (std::size_t i = 0; i < designs.size(); i = i % 3 == 2 ? i + 2 : i + 1) {
    evaluator.prepare(std::span(designs).subspan(i, 1));
    evaluator.prepare(std::span(designs).subspan(i, 1));
    for (const LayerCount& use : space.networks().candidates[designs[i].network].layers)
      asked.emplace(designs[i].accelerator, use.layer);
    ASSERT_EQ(evaluator.layer_evaluations(), asked.size());
  }
  evaluator.prepare(designs);
  std::uint64_t distinct = 0;
  for (std::uint32_t a = 0; a < space.accelerator_count(); ++a) {
    std::set<LayerId> layers;
    for (const Candidate& candidate : space.networks().candidates)
      for (const LayerCount& use : candidate.layers) layers.insert(use.layer);
    distinct += layers.size();
  }
  EXPECT_EQ(evaluator.layer_evaluations(), distinct);
}

// However fast they are, and however often there are new ones.
TEST(ModelEvaluator, PreparesADesignAtLeast) {
  AcceleratorSet accelerators;
  const MachineFile nvdla("nvdla");
  for (int rows = 1; rows <= 100; ++rows)
    accelerators.add(fmt::format("{}", rows), nvdla, {{"pe_rows", fmt::format("{}", rows)}});
  const JointSpace space(gather(random_networks(1)), std::move(accelerators));
  Workers workers(1);
  ModelEvaluator evaluator(space, workers);
  for (std::uint32_t chip = 0; chip < space.accelerator_count(); ++chip) {
    const Design design{0, chip};
    ASSERT_EQ(evaluator.prepare_some(std::span(&design, 1)), 1U);
  }
}

TEST(ModelEvaluator, AsksNoAcceleratorAboutANetworkAlone) {
  NetworkSet networks = gather(random_networks(2));
  networks.candidates[0].accuracy_percent = 71;
  const JointSpace space(std::move(networks), random_accelerators(2));
  Workers workers(1);
  ModelEvaluator evaluator(space, workers);
  const Design alone{0, kNoAccelerator};
  evaluator.prepare(std::span(&alone, 1));
  const Trial trial = evaluator.evaluate(alone);
  EXPECT_EQ(evaluator.layer_evaluations(), 0U);
  EXPECT_TRUE(trial.runs());
  EXPECT_EQ(trial.metrics[Metric::accuracy], 71);
  for (const Metric metric : kMetrics)
    EXPECT_EQ(std::isnan(trial.metrics[metric]),
              info_of(metric).of_hardware || metric == Metric::score)
        << info_of(metric).name;
}

// Words of 16 bits do not pass through a machine of 8.
Layer wide_layer() {
  Layer layer = same_convolution(3, 64, 32, 32, 11);
  layer.input_bits = 16;
  return layer;
}

JointSpace space_with_a_misfit() {
  Network small("small"), large("large");
  small.add({.name = "s", .layer = same_convolution(4, 4, 8, 8, 1), .inputs = {}});
  large.add({.name = "s", .layer = same_convolution(4, 4, 8, 8, 1), .inputs = {}});
  large.add({.name = "l", .layer = wide_layer(), .inputs = {}});
  AcceleratorSet accelerators;
  accelerators.add("roomy", MachineFile("eyeriss"), {{"precision", "16"}});
  accelerators.add("tight", MachineFile("eyeriss"), {});
  return {gather({small, large}), std::move(accelerators)};
}

TEST(ModelEvaluator, SaysWhichLayerDoesNotFitWhere) {
  const JointSpace space = space_with_a_misfit();
  Workers workers(2);
  ModelEvaluator evaluator(space, workers);
  const std::vector<Design> designs = all_designs(space);
  evaluator.prepare(designs);
  EXPECT_TRUE(evaluator.evaluate({1, 0}).runs());
  const Trial misfit = evaluator.evaluate({1, 1});
  ASSERT_NE(misfit.reason, 0);
  EXPECT_FALSE(misfit.is_feasible());
  EXPECT_TRUE(std::isnan(misfit.metrics[Metric::latency]));
  EXPECT_TRUE(std::isnan(misfit.metrics[Metric::energy]));
  EXPECT_EQ(evaluator.reasons().at(0), "");
  EXPECT_THAT(
      evaluator.reasons().at(misfit.reason),
      testing::AllOf(testing::HasSubstr("on tight: "), testing::HasSubstr(describe(wide_layer()))));
}

TEST(ModelEvaluator, GivesTheSameForAnyNumberOfWorkers) {
  const JointSpace space(gather(random_networks(3)), random_accelerators(3));
  const std::vector<Design> designs = all_designs(space);
  Workers one(1), three(3);
  ModelEvaluator serial(space, one), parallel(space, three);
  serial.prepare(designs);
  parallel.prepare(designs);
  EXPECT_EQ(serial.reasons(), parallel.reasons());
  EXPECT_EQ(serial.layer_evaluations(), parallel.layer_evaluations());
  for (const Design& design : designs) {
    const Trial a = serial.evaluate(design), b = parallel.evaluate(design);
    EXPECT_EQ(a.reason, b.reason);
    for (const Metric metric : {Metric::latency, Metric::energy})
      EXPECT_TRUE(a.metrics[metric] == b.metrics[metric] ||
                  (std::isnan(a.metrics[metric]) && std::isnan(b.metrics[metric])));
  }
}

}  // namespace
}  // namespace cosearch::codesign
