// How the store and a whole search fare at the size of a large study. Prints JSON, for
// scripts/bench.sh.
//
//   cosearch_scale store FOLDER POINTS      a study of so many points is written, opened, searched
//   cosearch_scale search FOLDER MACHINES   every cell of NAS-Bench-201 on so many machines
//
// Each measures in a process of its own, so that its peak memory is its own.
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codesign/open_study.h"
#include "codesign/results.h"
#include "codesign/run_study.h"
#include "codesign/study_points.h"
#include "core/random.h"
#include "datasets/study_log.h"

namespace {

using namespace cosearch;
using namespace cosearch::codesign;
using nlohmann::json;
namespace fs = std::filesystem;

double seconds_of(const auto& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double peak_memory_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

constexpr std::size_t kBatch = 65'536;
constexpr std::uint32_t kNetworks = 15'625, kMachines = 1'000;

datasets::StudyStart start_of_study() {
  datasets::StudyStart start;
  start.header.name = "scale";
  start.header.strategy = "random";
  start.header.strategies = {"random"};
  start.header.configuration = "name: scale\n";
  start.metrics = {{"accuracy", "percent", "maximise"}, {"latency", "cycles", "minimise"},
                   {"energy", "pJ", "minimise"},        {"area", "mm2", "minimise"},
                   {"macs", "MACs", "minimise"},        {"parameters", "", "minimise"},
                   {"edp", "pJ*cycles", "minimise"},    {"time", "s", "minimise"}};
  for (std::uint32_t i = 0; i < kNetworks; ++i)
    start.networks.push_back({.name = std::to_string(i),
                              .space = "nas-bench-201",
                              .genotype = std::to_string(i),
                              .canonical = std::to_string(i)});
  start.accelerators.parameters = {{"pes", ""}};
  for (std::uint32_t i = 0; i < kMachines; ++i)
    start.accelerators.rows.push_back({std::to_string(i), "nvdla", {double(i)}});
  start.objectives = {"accuracy", "latency", "energy"};
  return start;
}

// Metrics as a search finds them: some follow from the network or the machine alone, the rest has
// full mantissas, which no compression shrinks.
datasets::PointBatch points_of(std::uint64_t first, std::size_t count) {
  datasets::PointBatch batch;
  batch.metrics.resize(8);
  for (std::uint64_t id = first; id < first + count; ++id) {
    Random random(1, "points", id);
    const auto network = static_cast<std::uint32_t>(random.below(kNetworks));
    const auto machine = static_cast<std::uint32_t>(random.below(kMachines));
    const double cycles = 1e5 + static_cast<double>(random.below(10'000'000));
    const double energy = 1e7 * (1 + 100 * random.uniform());
    batch.id.push_back(id);
    batch.network.push_back(network);
    batch.accelerator.push_back(machine);
    for (std::size_t m = 0;
         const double value : {60 + network / 500.0, cycles, energy, 1 + machine / 100.0,
                               1e6 * network, 1e3 * network, cycles * energy, cycles / 2e8})
      batch.metrics[m++].push_back(value);
    batch.feasible.push_back(1);
    batch.reason.push_back(0);
    batch.strategy.push_back(0);
    batch.step.push_back(id / kBatch);
    batch.accuracy_source.push_back(0);
    batch.accuracy_spread.push_back(std::numeric_limits<double>::quiet_NaN());
  }
  return batch;
}

json measure_store(const fs::path& folder, std::uint64_t count) {
  const fs::path store = folder / "scale.h5";
  double append = 0, largest = 0;
  {
    datasets::StudyLog log(datasets::WriterLock(store), start_of_study());
    for (std::uint64_t first = 0; first < count; first += kBatch) {
      const auto batch = points_of(first, std::min<std::uint64_t>(kBatch, count - first));
      const double taken = seconds_of([&] { log.append(batch, {""}, 0); });
      append += taken;
      largest = std::max(largest, taken);
    }
  }  // cut off here, so that what follows finds a journal
  json result{
      {"points", count},
      {"append_per_second", static_cast<double>(count) / append},
      {"longest_append_ms", 1000 * largest},
      {"journal_bytes_per_point", static_cast<double>(fs::file_size(datasets::journal_of(store))) /
                                      static_cast<double>(count)}};
  result["fold_s"] = seconds_of([&] { static_cast<void>(open_study(store)); });
  result["store_bytes_per_point"] =
      static_cast<double>(fs::file_size(store)) / static_cast<double>(count);
  result["open_ms"] = 1000 * seconds_of([&] { static_cast<void>(open_study(store)); });
  std::vector<StudyUnion::Member> members;
  members.push_back({"scale.h5", open_study(store)});
  const StudyUnion studies(std::move(members));
  result["pareto_stored_ms"] =
      1000 * seconds_of([&] { static_cast<void>(front_columns(studies.members()[0].store)); });
  result["pareto_filtered_s"] = seconds_of(
      [&] { static_cast<void>(front_of(studies, parse_filter({"latency<=5e6cycles"}))); });
  result["peak_memory_mib"] = peak_memory_mib();
  return result;
}

// `more`: further lines of the study.
std::string study_text(std::uint64_t machines, const std::string& more = "") {
  return fmt::format(R"(kind: study
schema_version: 1
name: nas-bench-201 on {0} machines
networks: {{space: nas-bench-201}}
accelerators:
  sample: {0}
  grids:
    - template: nvdla
      pe_rows: [8, 12, 16, 24, 32]
      pe_columns: [8, 12, 16, 24, 32]
      pe_buffer: [128B, 256B, 512B]
      shared_buffer: [64KiB, 128KiB, 256KiB]
      noc_bandwidth: [32B/cycle, 64B/cycle]
      dram_bandwidth: [4B/cycle, 8B/cycle, 16B/cycle]
objectives: [latency, energy, area]
strategy: {{name: exhaustive}}
{1})",
                     machines, more);
}

// What it takes to cost every layer of the space on every accelerator of a study, on two threads.
json measure_table(StudySetting& setting) {
  std::vector<Design> diagonal;  // every network and every machine: hence every layer cost
  for (std::uint32_t a = 0; a < setting.space.accelerator_count(); ++a)
    for (std::uint32_t n = 0; n < setting.space.network_count(); n += 1 + n / 500)
      diagonal.push_back({n, a});
  const std::clock_t start = std::clock();
  const double seconds = seconds_of([&] { setting.evaluator.prepare(diagonal); });
  return {{"seconds", seconds},
          {"cpu_seconds", static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC},
          {"layers", setting.evaluator.layer_evaluations()}};
}

json measure_search(const fs::path& folder, std::uint64_t machines) {
  std::ofstream(folder / "scale.yaml") << study_text(machines);
  std::optional<StudySetting> setting;
  json result;
  result["load_s"] = seconds_of([&] { setting.emplace(read_study(folder / "scale.yaml", {}), 2); });
  result["table_templates"] = measure_table(*setting);
  {
    std::ofstream(folder / "optimal.yaml") << study_text(machines, "mapping: {mapper: optimal}\n");
    StudySetting optimal(read_study(folder / "optimal.yaml", {}), 2);
    result["table_optimal"] = measure_table(optimal);
  }
  result["pairs"] = design_count(setting->space);
  {
    ParetoArchive archive(setting->question());
    const auto strategy = setting->make(setting->study.strategy);
    result["evaluate_s"] = seconds_of([&] {
      run_search(*strategy, setting->space, setting->evaluator, archive, setting->workers, {});
    });
  }
  result["peak_memory_without_store_mib"] = peak_memory_mib();
  RunOptions options{.output = folder / "scale.h5", .overwrite = true};
  result["evaluate_and_store_s"] =
      seconds_of([&] { static_cast<void>(run_study(*setting, options)); });
  result["store_bytes_per_point"] = static_cast<double>(fs::file_size(folder / "scale.h5")) /
                                    static_cast<double>(design_count(setting->space));
  result["peak_memory_mib"] = peak_memory_mib();
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 3 || (words[0] != "store" && words[0] != "search")) {
    std::cerr << "usage: cosearch_scale store|search FOLDER COUNT\n";
    return 2;
  }
  const auto measure = words[0] == "store" ? measure_store : measure_search;
  std::cout << measure(words[1], std::stoull(words[2])).dump(2) << '\n';
}
