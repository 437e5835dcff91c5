// Networks on machines: each shape once, sums, and mappings given from outside.
#include "codesign/network_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "accel/nest_vector_layer.h"
#include "codesign/network_file.h"
#include "core/user_error.h"
#include "nas/named_networks.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign {
namespace {

using accel::MappingObjective;
using testing::HasSubstr;

std::vector<SharedMapping> found_mappings(const NetworkOnMachine& result) {
  std::vector<SharedMapping> mappings;
  for (const ShapeOnMachine& shape : result.shapes)
    if (!shape.layer.is_memory_bound()) mappings.push_back({shape.names, shape.runs.front().nest});
  return mappings;
}

TEST(NetworkMapping, MapsEachShapeOnceAndAddsUpAllLayers) {
  const Network network = find_network("fashion-macro:021200");
  const MachineDescription machine = find_machine("nvdla");
  Workers workers(1);
  const NetworkOnMachine result =
      map_network(network, machine, {Mapper::optimal, {}}, accel::Accounting::exact, workers);
  const auto distinct = network.distinct_layers();
  ASSERT_EQ(result.shapes.size(), distinct.size());
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    EXPECT_EQ(result.shapes[i].layer, distinct[i].first);
    EXPECT_EQ(result.shapes[i].times, distinct[i].second);
  }
  std::int64_t cycles = 0;
  double energy = 0;
  for (const NetworkNode& node : network.nodes()) {
    const accel::NestCost cost =
        node.layer.is_memory_bound()
            ? std::get<accel::VectorLayerCost>(
                  accel::vector_layer_cost(node.layer, machine.machine))
                  .cost
            : std::get<accel::MappedLayer>(
                  accel::optimal_mapping(node.layer, machine.machine, machine.constraints, {}))
                  .cost;
    cycles += node.multiplicity * cost.cycles().value;
    energy += static_cast<double>(node.multiplicity) * cost.total_energy().value;
  }
  EXPECT_EQ(totals_of(result).cycles, cycles);
  EXPECT_NEAR(totals_of(result).energy.total().value, energy, 1e-9 * energy);
}

TEST(NetworkMapping, JobsChangeNothing) {
  const Network network = find_network("squeezenet-1.1");
  const MachineDescription machine = find_machine("eyeriss-v1");
  Workers one(1), four(4);
  const NetworkOnMachine first = map_network(network, machine, {}, accel::Accounting::exact, one);
  const NetworkOnMachine second = map_network(network, machine, {}, accel::Accounting::exact, four);
  ASSERT_EQ(first.shapes.size(), second.shapes.size());
  for (std::size_t i = 0; i < first.shapes.size(); ++i) {
    ASSERT_EQ(first.shapes[i].runs.size(), second.shapes[i].runs.size());
    if (first.shapes[i].runs.empty()) continue;
    EXPECT_EQ(first.shapes[i].runs[0].nest, second.shapes[i].runs[0].nest);
  }
}

TEST(NetworkMapping, AWrittenMappingCostsTheSameWhenReadBack) {
  const Network network = find_network("resnet18");
  for (const accel::Accounting accounting : {accel::Accounting::exact, accel::Accounting::timeloop})
    for (const char* name : {"nvdla-256", "eyeriss-v1", "gemmini"}) {
      SCOPED_TRACE(name);
      const MachineDescription machine = find_machine(name);
      Workers workers(1);
      const NetworkOnMachine mapped = map_network(network, machine, {}, accounting, workers);
      ASSERT_TRUE(mapped.fits());
      const std::string text =
          write_mappings(network.name(), machine.machine, found_mappings(mapped));
      const Mappings read =
          read_mappings(datasets::parse_yaml(text, "m.yaml"), network, machine, accounting);
      const NetworkOnMachine again = cost_network(network, machine, read, accounting);
      ASSERT_EQ(again.shapes.size(), mapped.shapes.size());
      EXPECT_EQ(totals_of(again).cycles, totals_of(mapped).cycles);
      EXPECT_EQ(totals_of(again).energy.total(), totals_of(mapped).energy.total());
    }
}

TEST(NetworkMapping, LayersOfOneShapeMayRunDifferently) {
  Network network("two");
  for (const char* name : {"a", "b"}) network.add({.name = name, .layer = gemm(2, 2, 2)});
  MachineDescription machine;
  machine.machine.levels.resize(1);
  machine.machine.levels[0].name = "DRAM";
  using accel::Dimension, accel::Loop;
  const auto nest = [](std::array<Dimension, 3> order) {
    accel::LoopNest result;
    result.levels.resize(1);
    for (const Dimension d : order) result.levels[0].loops.push_back({d, 1, Loop::kTemporal});
    return result;
  };
  const Mappings mappings{{"a", nest({Dimension::P, Dimension::K, Dimension::C})},
                          {"b", nest({Dimension::C, Dimension::K, Dimension::P})}};
  const NetworkOnMachine result =
      cost_network(network, machine, mappings, accel::Accounting::exact);
  ASSERT_EQ(result.shapes.size(), 2U);
  EXPECT_EQ(result.shapes[0].runs[0].nest, mappings.at("a"));
  EXPECT_EQ(result.shapes[1].runs[0].nest, mappings.at("b"));
  EXPECT_THAT(test::message_of([&] {
                static_cast<void>(cost_network(network, machine, {{"a", mappings.at("a")}},
                                               accel::Accounting::exact));
              }),
              HasSubstr("no mapping for layer 'b' of network two"));
}

TEST(NetworkMapping, TheParetoSetHoldsEveryOptimum) {
  const Network network = only_layer(find_network("resnet18"), "layer2.0.downsample");
  const MachineDescription machine = find_machine("nvdla-256");
  Workers workers(1);
  const NetworkOnMachine front = pareto_map_network(network, machine, accel::Accounting::exact,
                                                    accel::Factors::dividing, workers);
  const auto least = [&](const MappingObjective& objective) {
    double value = std::numeric_limits<double>::infinity();
    for (const LayerRun& run : front.shapes[0].runs)
      value = std::min(value, objective.value(static_cast<double>(run.cost.cycles().value),
                                              run.cost.total_energy().value));
    return value;
  };
  for (const char* text : {"latency", "energy", "edp", "latency^2*energy"}) {
    SCOPED_TRACE(text);
    const MappingObjective objective = parse_objective(text);
    const NetworkOnMachine best = map_network(network, machine, {Mapper::optimal, objective},
                                              accel::Accounting::exact, workers);
    const accel::NestCost& cost = best.shapes[0].runs[0].cost;
    EXPECT_EQ(objective.value(static_cast<double>(cost.cycles().value), cost.total_energy().value),
              least(objective));
  }
}

TEST(NetworkMapping, SaysWhatFitsNowhere) {
  Workers workers(1);
  const NetworkOnMachine result =
      map_network(find_network("alexnet"), find_machine("timeloop-simba"), {},
                  accel::Accounting::exact, workers);
  EXPECT_FALSE(result.fits());
  std::set<std::string> misfits;
  for (const ShapeOnMachine& shape : result.shapes)
    if (!shape.misfit.empty()) {
      misfits.insert(shape.names.begin(), shape.names.end());
      EXPECT_THAT(shape.misfit, HasSubstr("level WeightBuffer is at least "));
    }
  EXPECT_EQ(misfits, (std::set<std::string>{"conv3", "conv4", "conv5", "fc1", "fc2", "fc3"}));
}

// Mappings are kept by the names of layers.
TEST(NetworkMapping, NamedNetworksNameEachLayerOnce) {
  for (const nas::NamedNetwork& named : nas::named_networks()) {
    SCOPED_TRACE(named.name);
    std::set<std::string> names;
    const Network network = named.build();
    for (const NetworkNode& node : network.nodes())
      EXPECT_TRUE(names.insert(node.name).second) << node.name;
  }
}

TEST(Objective, IsAProductOfPowers) {
  const auto is = [](const char* text, double latency, double energy) {
    const MappingObjective objective = parse_objective(text);
    EXPECT_EQ(objective.latency, latency) << text;
    EXPECT_EQ(objective.energy, energy) << text;
  };
  is("latency", 1, 0);
  is("energy", 0, 1);
  is("edp", 1, 1);
  is("latency^2*energy", 2, 1);
  is("edp^0.5*latency", 1.5, 0.5);
  for (const char* bad : {"", "latency*", "latency^", "latency^-1", "latency^0", "energy^x",
                          "edp^1e9", "latency^nan"})
    EXPECT_THROW(static_cast<void>(parse_objective(bad)), UserError) << bad;
  EXPECT_THAT(test::message_of([] { static_cast<void>(parse_objective("latnecy")); }),
              HasSubstr("did you mean 'latency'?"));
}

}  // namespace
}  // namespace cosearch::codesign
