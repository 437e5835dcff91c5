// A small study with everything in it, and random points for it.
#pragma once

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "core/random.h"
#include "datasets/study_store.h"

namespace cosearch::test {

inline datasets::StudyHeader example_header() {
  datasets::StudyHeader header;
  header.name = "first light \xC3\xBC";
  header.seed = 18446744073709551615ULL;
  header.strategy = "semi_decoupled";
  header.program_version = "0.1.0";
  header.library_versions = {{"HDF5", datasets::hdf5_version()}, {"yaml-cpp", "0.7.0"}};
  header.created = "2024-01-02T03:04:05Z";
  header.command_line = "cosearch run study.yaml -o study.h5";
  header.configuration = "name: first light\nseed: 1  # \xC3\xBC\n";
  header.space_file = "kind: space\nname: \xC3\xBC\n";
  header.machine_files = {{"chips/mine.yaml", "name: mine  # \xC3\xBC\n"}, {"other.yaml", ""}};
  header.input_hashes = {{"networks.scores.file", std::string(64, 'a')}};
  header.strategies = {"exhaustive", "random"};
  header.accuracy_sources = {"", "predictor"};
  return header;
}

inline std::vector<datasets::MetricColumn> example_metrics() {
  return {{"accuracy", "percent", "maximise"},
          {"latency", "cycles", "minimise"},
          {"energy", "pJ", "minimise"},
          {"area", "mm2", "minimise"}};
}

inline std::vector<datasets::NetworkRow> example_networks() {
  return {{"net-0", "nas_bench_201", "|nor_conv_3x3~0|", "n3", 91.25, 153'000'000, 1'000'000},
          {"net-1 \xC3\xA9", "nas_bench_201", "|none~0|", "0",
           std::numeric_limits<double>::quiet_NaN(), 0, 0},
          {"", "", "", "", 10, 7, 8}};
}

inline datasets::AcceleratorTable example_accelerators() {
  return {{{"pes", ""}, {"buffer", "B"}, {"clock", "Hz"}},
          {{"nvdla-0", "nvdla", {256, 65536, 2e8}},
           {"eyeriss-0", "eyeriss", {168, std::numeric_limits<double>::quiet_NaN(), 1e9}}}};
}

/// Points [first, first + count) of an endless random study.
inline datasets::PointBatch random_points(std::uint64_t first, std::size_t count,
                                          std::size_t metrics = 4) {
  datasets::PointBatch batch;
  batch.metrics.resize(metrics);
  for (std::uint64_t i = first; i < first + count; ++i) {
    Random random(7, "points", i);
    batch.id.push_back(i * 3);
    batch.network.push_back(static_cast<std::uint32_t>(random.below(3)));
    const auto accelerator = static_cast<std::uint32_t>(random.below(3));
    batch.accelerator.push_back(accelerator == 2 ? datasets::kNoStoredAccelerator : accelerator);
    for (std::vector<double>& column : batch.metrics) column.push_back(random.uniform() * 1e9);
    batch.feasible.push_back(static_cast<std::uint8_t>(random.below(2)));
    batch.reason.push_back(static_cast<std::uint16_t>(random.below(2)));
    batch.strategy.push_back(static_cast<std::uint16_t>(random.below(2)));
    batch.step.push_back(i / 100);
    batch.accuracy_source.push_back(static_cast<std::uint16_t>(random.below(2)));
    batch.accuracy_spread.push_back(random.uniform());
  }
  return batch;
}

inline datasets::StudyResult example_result() {
  datasets::StudyResult result;
  result.front = {{3, 9, 30}, {"accuracy", "latency"}, {0, 1e9}, 12.5};
  result.counts = {100, 3, 6, 40};
  result.reasons = {"", "buffer of the array too small"};
  result.complete = false;
  return result;
}

/// Writes a study of `count` points, appended `batch` at a time.
inline void write_example(const std::filesystem::path& path, std::size_t count,
                          std::size_t batch = 1000) {
  auto store = datasets::StudyStore::create(path, example_header(), example_metrics(),
                                            example_networks(), example_accelerators());
  for (std::size_t first = 0; first < count; first += batch)
    store.append(random_points(first, std::min(batch, count - first)));
  store.finish(example_result());
}

}  // namespace cosearch::test
