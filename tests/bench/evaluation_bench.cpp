// From genotypes to metrics, on the shape of NAS-Bench-201: lowering, then designs per second once
// every layer has its cost.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "codesign/driver.h"
#include "codesign/joint_space.h"
#include "codesign/model_evaluator.h"
#include "codesign/network_set.h"
#include "codesign/workers.h"
#include "nas/space.h"

namespace {

using namespace cosearch;
using namespace cosearch::codesign;

// Every 25th cell of the space: 625 of them, spread over all its shapes.
std::vector<TableEntry> some_cells(const nas::NetworkSpace& space) {
  std::vector<TableEntry> entries;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i += 25) {
    const std::string genotype = space.genotype(i);
    entries.push_back({.genotype = genotype, .id = genotype, .accuracy_percent = 90});
  }
  return entries;
}

NetworkSet lowered(Workers& workers) {
  const std::shared_ptr<const nas::NetworkSpace> space = nas::make_space("nas-bench-201");
  return lower_all(space, some_cells(*space), workers);
}

// 16 machines, as a study's grid gives them.
AcceleratorSet machines() {
  AcceleratorSet machines;
  const MachineFile nvdla("nvdla");
  for (const char* rows : {"8", "16", "32", "64"})
    for (const char* columns : {"8", "16", "32", "64"})
      machines.add("machine", nvdla, {{"pe_rows", rows}, {"pe_columns", columns}});
  return machines;
}

void lower_nas_bench_201(benchmark::State& state) {
  Workers workers(1);
  const std::shared_ptr<const nas::NetworkSpace> space = nas::make_space("nas-bench-201");
  const std::vector<TableEntry> entries = some_cells(*space);
  for (auto _ : state) benchmark::DoNotOptimize(lower_all(space, entries, workers));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(entries.size()));
}
BENCHMARK(lower_nas_bench_201)->Unit(benchmark::kMillisecond);

// As the driver evaluates a batch, on `jobs` threads. Items are (network, accelerator) pairs.
void evaluate_pairs(benchmark::State& state) {
  Workers workers(static_cast<int>(state.range(0)));
  const JointSpace space(lowered(workers), machines());
  ModelEvaluator evaluator(space, workers);
  std::vector<Design> designs;
  for (std::uint64_t i = 0; i < design_count(space); ++i) designs.push_back(design_at(space, i));
  evaluator.prepare(designs);
  for (auto _ : state)
    benchmark::DoNotOptimize(evaluate_all(designs, evaluator, /*constraints=*/{}, workers));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(designs.size()));
}
BENCHMARK(evaluate_pairs)
    ->ArgName("jobs")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
