// How fast mappings are costed and found: the inner loops of every search for hardware.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "accel/nest_cost.h"
#include "accel/optimal_mapper.h"
#include "codesign/machine_file.h"
#include "core/processor_time.h"
#include "nas/named_networks.h"
#include "tests/bench/allocation_count.h"

namespace cosearch {
namespace {

using accel::Accounting;
using accel::Dimension;
using accel::Loop;
using codesign::MachineDescription;

/// 256 PEs under a 128 KiB buffer, everything kept at all three levels.
MachineDescription three_levels() { return codesign::find_machine("timeloop-flat256"); }
MachineDescription six_levels() { return codesign::find_machine("timeloop-eyeriss256"); }

/// What that machine's words hold.
Layer in_16_bits(Layer layer) {
  layer.input_bits = layer.weight_bits = layer.output_bits = layer.partial_sum_bits = 16;
  return layer;
}

std::vector<Layer> multiplying_layers(const std::string& network) {
  std::vector<Layer> layers;
  for (const auto& [layer, count] : nas::named_network(network).distinct_layers())
    if (!layer.is_memory_bound()) layers.push_back(in_16_bits(layer));
  return layers;
}

struct Case {
  Layer layer;
  accel::LoopNest nest;
};

/// The optimal mappings of a network's layers: full loop nests, as a mapper costs them.
std::vector<Case> mapped(const MachineDescription& machine, const std::string& network,
                         Accounting accounting) {
  std::vector<Case> cases;
  for (Layer layer : multiplying_layers(network)) {
    if (accounting == Accounting::timeloop) {
      layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = 0;
      layer.input_h = (layer.P - 1) * layer.stride_h + layer.R;
      layer.input_w = (layer.Q - 1) * layer.stride_w + layer.S;
    }
    const auto found = accel::optimal_mapping(layer, machine.machine, machine.constraints,
                                              {accel::MappingObjective::of_edp(), accounting});
    if (const auto* best = std::get_if<accel::MappedLayer>(&found))
      cases.push_back({layer, best->nest});
  }
  return cases;
}

void evaluate_all(benchmark::State& state, const MachineDescription& machine,
                  const std::vector<Case>& cases, Accounting accounting) {
  const std::size_t before = bench::allocation_count();
  std::size_t i = 0;
  accel::NestCost cost;
  for (auto _ : state) {
    const Case& one = cases[i];
    i = i + 1 < cases.size() ? i + 1 : 0;
    accel::evaluate(one.layer, machine.machine, one.nest, accounting, cost);
    benchmark::DoNotOptimize(cost);
  }
  state.SetItemsProcessed(state.iterations());
  // google-benchmark's own bookkeeping allocates outside the loop.
  state.counters["allocations_in_loop"] = static_cast<double>(bench::allocation_count() - before);
}

void evaluate_resnet(benchmark::State& state, const MachineDescription& machine,
                     Accounting accounting) {
  evaluate_all(state, machine, mapped(machine, "resnet50", accounting), accounting);
}

void evaluation_on_three_levels(benchmark::State& state) {
  evaluate_resnet(state, three_levels(), Accounting::exact);
}
void evaluation_on_three_levels_as_timeloop(benchmark::State& state) {
  evaluate_resnet(state, three_levels(), Accounting::timeloop);
}
void evaluation_on_six_levels(benchmark::State& state) {
  evaluate_resnet(state, six_levels(), Accounting::exact);
}
void evaluation_on_six_levels_as_timeloop(benchmark::State& state) {
  evaluate_resnet(state, six_levels(), Accounting::timeloop);
}

/// One mapping of 3x3 convolutions of any size: more of the same tiles for a larger image.
void evaluation_by_layer_size(benchmark::State& state) {
  const std::int64_t side = state.range(0), dilation = state.range(1);
  const Layer layer = in_16_bits(convolution({.in_channels = 64,
                                              .out_channels = 64,
                                              .height = side,
                                              .width = side,
                                              .kernel_h = 3,
                                              .kernel_w = 3,
                                              .pad_h = dilation,
                                              .pad_w = dilation,
                                              .dilation = dilation}));
  const auto all = accel::TensorSet::all();
  const accel::LoopNest nest{{
      {all, {{Dimension::P, 14}, {Dimension::Q, 14}}},
      {all,
       {{Dimension::C, 16},
        {Dimension::P, 1},
        {Dimension::Q, 7},
        {Dimension::K, 4, 0},
        {Dimension::C, 1, 1}}},
      {all, {{Dimension::R, 1}, {Dimension::S, 1}, {Dimension::Q, 1}, {Dimension::K, 1}}},
  }};
  evaluate_all(state, three_levels(), {{layer, nest}}, Accounting::exact);
}

void map_layers(benchmark::State& state, const MachineDescription& machine,
                const std::vector<Layer>& layers, const accel::MapperOptions& options) {
  std::vector<double> milliseconds;
  for (auto _ : state)
    for (const Layer& layer : layers) {
      const double begin = thread_processor_seconds();
      benchmark::DoNotOptimize(
          accel::optimal_mapping(layer, machine.machine, machine.constraints, options));
      milliseconds.push_back(1e3 * (thread_processor_seconds() - begin));
    }
  std::sort(milliseconds.begin(), milliseconds.end());
  state.counters["median_ms"] = milliseconds[milliseconds.size() / 2];
  state.counters["worst_ms"] = milliseconds.back();
  state.counters["layers"] = static_cast<double>(layers.size());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(layers.size()));
}

/// Nothing but capacities and fan-outs constrains the mapping. Both buffers overlap transfer and
/// use.
MachineDescription unconstrained_three_levels() {
  MachineDescription description = three_levels();
  for (accel::StorageLevel& level : description.machine.levels) level.buffers = 2;
  description.constraints = {};
  return description;
}

void optimal_mapping_for(benchmark::State& state, const accel::MappingObjective& objective) {
  map_layers(state, unconstrained_three_levels(), multiplying_layers("resnet50"),
             {objective, Accounting::exact});
}
void optimal_mapping_for_edp(benchmark::State& state) {
  optimal_mapping_for(state, accel::MappingObjective::of_edp());
}
void optimal_mapping_for_latency(benchmark::State& state) {
  optimal_mapping_for(state, accel::MappingObjective::of_latency());
}
void optimal_mapping_for_energy(benchmark::State& state) {
  optimal_mapping_for(state, accel::MappingObjective::of_energy());
}
void optimal_mapping_with_bypass(benchmark::State& state) {
  MachineDescription machine = unconstrained_three_levels();
  for (accel::StorageLevel& level : machine.machine.levels) level.must_keep = {};
  map_layers(state, machine, multiplying_layers("resnet50"),
             {accel::MappingObjective::of_edp(), Accounting::exact});
}
void optimal_mapping_on_eyeriss(benchmark::State& state) {
  map_layers(state, six_levels(), multiplying_layers("resnet50"),
             {accel::MappingObjective::of_edp(), Accounting::exact});
}
void optimal_mapping_of_three_networks(benchmark::State& state) {
  std::vector<Layer> layers;
  for (const char* network : {"resnet50", "mobilenet-v2", "bert-base"})
    for (const Layer& layer : multiplying_layers(network))
      if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  map_layers(state, unconstrained_three_levels(), layers,
             {accel::MappingObjective::of_edp(), Accounting::exact});
}

BENCHMARK(evaluation_on_three_levels);
BENCHMARK(evaluation_on_three_levels_as_timeloop);
BENCHMARK(evaluation_on_six_levels);
BENCHMARK(evaluation_on_six_levels_as_timeloop);
BENCHMARK(evaluation_by_layer_size)
    ->ArgNames({"side", "dilation"})
    ->ArgsProduct({{28, 224, 1792}, {1, 2}});
BENCHMARK(optimal_mapping_for_edp)->Unit(benchmark::kMillisecond);
BENCHMARK(optimal_mapping_for_latency)->Unit(benchmark::kMillisecond);
BENCHMARK(optimal_mapping_for_energy)->Unit(benchmark::kMillisecond);
BENCHMARK(optimal_mapping_with_bypass)->Unit(benchmark::kMillisecond);
BENCHMARK(optimal_mapping_on_eyeriss)->Unit(benchmark::kMillisecond);
BENCHMARK(optimal_mapping_of_three_networks)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cosearch
