// How fast points are stored: a study may hold millions. Items are points.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "tests/datasets/study_fixture.h"

namespace {

using namespace cosearch;

// Seven metrics, as a whole study has; batches as the search driver hands them over.
void append_points(benchmark::State& state) {
  const auto batch_size = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t kBatches = 16;
  constexpr std::size_t kMetrics = 7;
  std::vector<datasets::MetricColumn> metrics;
  for (std::size_t i = 0; i < kMetrics; ++i)
    metrics.push_back({"metric" + std::to_string(i), "", "minimise"});
  std::vector<datasets::PointBatch> batches;
  for (std::size_t i = 0; i < kBatches; ++i)
    batches.push_back(test::random_points(i * batch_size, batch_size, kMetrics));
  const auto path = std::filesystem::temp_directory_path() / "study_store_bench.h5";
  for (auto _ : state) {
    auto store =
        datasets::StudyStore::create(path, test::example_header(), metrics,
                                     test::example_networks(), test::example_accelerators());
    for (const datasets::PointBatch& batch : batches) store.append(batch);
    datasets::StudyResult result;
    result.reasons = {"", "does not fit"};
    store.finish(result);
  }
  const auto points = static_cast<std::int64_t>(batch_size * kBatches);
  state.SetItemsProcessed(state.iterations() * points);
  state.counters["bytes_per_point"] =
      static_cast<double>(std::filesystem::file_size(path)) / static_cast<double>(points);
  std::filesystem::remove(path);
}
BENCHMARK(append_points)->Arg(1'000)->Arg(65'536)->Unit(benchmark::kMillisecond);

void read_points(benchmark::State& state) {
  constexpr std::size_t kCount = 1'000'000;
  const auto path = std::filesystem::temp_directory_path() / "study_store_bench.h5";
  test::write_example(path, kCount, 65'536);
  for (auto _ : state) {
    const auto store = datasets::StudyStore::open(path);
    benchmark::DoNotOptimize(store.points(0, kCount));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kCount));
  std::filesystem::remove(path);
}
BENCHMARK(read_points)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
