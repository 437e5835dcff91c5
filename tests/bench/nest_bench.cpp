// How fast mappings are costed and found: the inner loops of every search for hardware.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>
#include <vector>

#include "accel/nest_cost.h"
#include "accel/optimal_mapper.h"
#include "codesign/machine_file.h"
#include "nas/named_networks.h"

namespace {

// Counts every allocation of the process, so that a benchmark can show that its loop makes none.
std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

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
                  Accounting accounting) {
  const std::vector<Case> cases = mapped(machine, "resnet50", accounting);
  const std::size_t before = allocations;
  std::size_t i = 0;
  for (auto _ : state) {
    const Case& one = cases[i];
    i = i + 1 < cases.size() ? i + 1 : 0;
    benchmark::DoNotOptimize(accel::evaluate(one.layer, machine.machine, one.nest, accounting));
  }
  state.SetItemsProcessed(state.iterations());
  // google-benchmark's own bookkeeping allocates outside the loop.
  state.counters["allocations_in_loop"] = static_cast<double>(allocations - before);
}

void evaluation_on_three_levels(benchmark::State& state) {
  evaluate_all(state, three_levels(), Accounting::exact);
}
void evaluation_on_three_levels_as_timeloop(benchmark::State& state) {
  evaluate_all(state, three_levels(), Accounting::timeloop);
}
void evaluation_on_six_levels(benchmark::State& state) {
  evaluate_all(state, six_levels(), Accounting::exact);
}
void evaluation_on_six_levels_as_timeloop(benchmark::State& state) {
  evaluate_all(state, six_levels(), Accounting::timeloop);
}
BENCHMARK(evaluation_on_three_levels);
BENCHMARK(evaluation_on_three_levels_as_timeloop);
BENCHMARK(evaluation_on_six_levels);
BENCHMARK(evaluation_on_six_levels_as_timeloop);

}  // namespace
}  // namespace cosearch
