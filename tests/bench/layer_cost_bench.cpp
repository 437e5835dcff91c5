// What the cost of one layer on one machine takes, the choice of its mapping included.
#include <benchmark/benchmark.h>

#include <variant>

#include "accel/template_mapper.h"
#include "codesign/accelerator_file.h"
#include "core/layer.h"

namespace {

using namespace cosearch;

void layer_cost(benchmark::State& state, const char* machine, const Layer& layer) {
  const codesign::MachineDescription chip = codesign::find_accelerator(machine);
  const auto cost = [&] { return accel::template_mapping(layer, chip.machine, *chip.dataflow); };
  if (std::holds_alternative<accel::Infeasible>(cost()))
    return state.SkipWithError("the layer does not run, so there is nothing to time");
  for (auto _ : state) benchmark::DoNotOptimize(cost());
  state.SetItemsProcessed(state.iterations());
}

// Of ResNet-50 and MobileNetV2 at 224 x 224.
const Layer kConvolution = same_convolution(128, 128, 28, 28, 3);
const Layer kDepthwise = same_convolution(144, 144, 56, 56, 3, 1, 144);
const Layer kFullyConnected = fully_connected(2048, 1000);

BENCHMARK_CAPTURE(layer_cost, convolution_nvdla, "nvdla-256", kConvolution);
BENCHMARK_CAPTURE(layer_cost, convolution_eyeriss, "eyeriss-168", kConvolution);
BENCHMARK_CAPTURE(layer_cost, convolution_shidiannao, "shidiannao-64", kConvolution);
BENCHMARK_CAPTURE(layer_cost, depthwise_nvdla, "nvdla-256", kDepthwise);
BENCHMARK_CAPTURE(layer_cost, depthwise_eyeriss, "eyeriss-168", kDepthwise);
BENCHMARK_CAPTURE(layer_cost, depthwise_shidiannao, "shidiannao-64", kDepthwise);
BENCHMARK_CAPTURE(layer_cost, fully_connected_nvdla, "nvdla-256", kFullyConnected);
BENCHMARK_CAPTURE(layer_cost, fully_connected_eyeriss, "eyeriss-168", kFullyConnected);
BENCHMARK_CAPTURE(layer_cost, fully_connected_shidiannao, "shidiannao-64", kFullyConnected);

}  // namespace
