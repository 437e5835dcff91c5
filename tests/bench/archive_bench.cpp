// How fast trials enter the archive of non-dominated designs. Items are trials.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codesign/archive.h"
#include "core/random.h"

namespace {

using namespace cosearch;
using namespace cosearch::codesign;

constexpr std::size_t kTrials = 20'000;

SearchQuestion question(std::size_t objectives) {
  const std::vector<Objective> all{
      {Metric::accuracy}, {Metric::latency}, {Metric::energy}, {Metric::area}};
  return {{all.begin(), all.begin() + static_cast<std::ptrdiff_t>(objectives)}, {}};
}

// Costs uniform in a box, so that few survive; or with one sum, so that nothing beats anything:
// the archive's worst case, in which every trial stays.
std::vector<Trial> trials(std::size_t objectives, bool all_survive) {
  std::vector<Trial> trials(kTrials);
  for (std::uint32_t i = 0; i < kTrials; ++i) {
    Random random(1, "archive bench", i);
    trials[i].design = {i, 0};
    double rest = 1;
    for (const Objective& objective : question(objectives).objectives) {
      const bool is_last = objective == question(objectives).objectives.back();
      const double cost = !all_survive ? random.uniform()
                          : is_last    ? rest
                                       : rest * random.uniform();
      rest -= cost;
      trials[i].metrics[objective.metric] = objective.metric == Metric::accuracy ? -cost : cost;
    }
  }
  return trials;
}

void insert(benchmark::State& state, bool all_survive) {
  const auto objectives = static_cast<std::size_t>(state.range(0));
  const std::vector<Trial> newcomers = trials(objectives, all_survive);
  std::size_t size = 0;
  for (auto _ : state) {
    ParetoArchive archive(question(objectives));
    archive.insert(newcomers);
    size = archive.size();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kTrials));
  state.counters["front"] = static_cast<double>(size);
}
BENCHMARK_CAPTURE(insert, few_survive, false)
    ->ArgName("objectives")
    ->Arg(3)
    ->Arg(4)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(insert, all_survive, true)
    ->ArgName("objectives")
    ->Arg(3)
    ->Arg(4)
    ->Unit(benchmark::kMillisecond);

}  // namespace
