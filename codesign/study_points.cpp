#include "codesign/study_points.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <map>
#include <utility>

#include "codesign/run_study.h"
#include "codesign/versions.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

std::string now_utc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

datasets::StudyHeader header_of(const StudySetting& setting, const std::string& strategy,
                                const std::string& command_line) {
  datasets::StudyHeader header;
  header.name = setting.study.name;
  header.seed = setting.study.seed;
  header.strategy = strategy;
  header.created = now_utc();
  header.command_line = command_line;
  header.configuration = setting.study.text;
  header.strategies = {strategy};
  for (const auto& [what, version] : versions()) {
    if (what == "cosearch")
      header.program_version = version;
    else
      header.library_versions[what] = version;
  }
  return header;
}

std::vector<datasets::MetricColumn> metric_columns() {
  std::vector<datasets::MetricColumn> columns;
  for (const Metric metric : kMetrics) {
    const MetricInfo& info = info_of(metric);
    columns.push_back({std::string(info.name), std::string(info.unit),
                       info.direction == Direction::maximise ? "maximise" : "minimise"});
  }
  return columns;
}

std::vector<datasets::NetworkRow> network_rows(const NetworkSet& networks) {
  std::vector<datasets::NetworkRow> rows;
  for (const Candidate& candidate : networks.candidates)
    rows.push_back({.name = candidate.id,
                    .space = networks.space,
                    .genotype = candidate.genotype,
                    .canonical = candidate.canonical,
                    .accuracy = candidate.accuracy_percent,
                    .macs = candidate.macs,
                    .parameters = candidate.parameters});
  return rows;
}

datasets::AcceleratorTable accelerator_table(const std::vector<accel::Accelerator>& accelerators) {
  datasets::AcceleratorTable table;
  table.parameters = {{"pe_rows", ""},
                      {"pe_columns", ""},
                      {"pe_buffer", "bytes"},
                      {"shared_buffer", "bytes"},
                      {"noc_bandwidth", "bytes/cycle"},
                      {"dram_bandwidth", "bytes/cycle"},
                      {"clock", "Hz"},
                      {"precision", "bits"}};
  for (const accel::Accelerator& accelerator : accelerators) {
    const accel::AcceleratorParameters& p = accelerator.parameters;
    table.rows.push_back(
        {accelerator.name,
         p.template_name,
         {static_cast<double>(p.pe_rows), static_cast<double>(p.pe_columns),
          static_cast<double>(p.pe_buffer.value), static_cast<double>(p.shared_buffer.value),
          p.noc_bandwidth, p.dram_bandwidth, p.clock.value,
          static_cast<double>(p.precision_bits)}});
  }
  return table;
}

datasets::StudyStore create(const std::filesystem::path& path, bool overwrite,
                            const StudySetting& setting, const std::string& strategy,
                            const std::string& command_line) {
  if (!overwrite && std::filesystem::exists(path))
    throw FileError({path.string()}, "exists already (add --force to replace it)");
  return datasets::StudyStore::create(path, header_of(setting, strategy, command_line),
                                      metric_columns(), network_rows(setting.space.networks()),
                                      accelerator_table(setting.space.accelerators()));
}

}  // namespace

PointWriter::PointWriter(const std::filesystem::path& path, bool overwrite,
                         const StudySetting& setting, const std::string& strategy,
                         const std::string& command_line)
    : setting_(setting), store_(create(path, overwrite, setting, strategy, command_line)) {}

void PointWriter::append(std::span<const Trial> trials) {
  datasets::PointBatch batch;
  batch.metrics.resize(kMetricCount);
  for (const Trial& trial : trials) {
    batch.id.push_back(designs_.size());
    batch.network.push_back(trial.design.network);
    batch.accelerator.push_back(trial.design.accelerator);
    for (std::size_t metric = 0; metric < kMetricCount; ++metric)
      batch.metrics[metric].push_back(trial.metrics.value[metric]);
    batch.feasible.push_back(trial.is_feasible() ? 1 : 0);
    batch.reason.push_back(trial.reason);
    batch.strategy.push_back(0);
    batch.step.push_back(step_);
    designs_.push_back(trial.design);
  }
  ++step_;
  store_.append(batch);
}

std::vector<std::uint64_t> PointWriter::ids_of(const std::vector<Trial>& front) const {
  std::map<Design, std::uint64_t> first_id;
  for (const Trial& trial : front) first_id.emplace(trial.design, designs_.size());
  for (std::uint64_t id = designs_.size(); id-- > 0;)
    if (const auto found = first_id.find(designs_[id]); found != first_id.end()) found->second = id;
  std::vector<std::uint64_t> ids;
  for (const Trial& trial : front) ids.push_back(first_id.at(trial.design));
  return ids;
}

void PointWriter::finish(const RunResult& result) {
  datasets::StudyResult stored;
  stored.front.ids = ids_of(result.front);
  stored.front.hypervolume = result.hypervolume;
  const std::vector<double> worst = result.archive.worst();
  for (std::size_t i = 0; i < setting_.study.objectives.size(); ++i) {
    const MetricInfo& info = info_of(setting_.study.objectives[i].metric);
    stored.front.objectives.emplace_back(info.name);
    if (!worst.empty())
      stored.front.reference_point.push_back(info.direction == Direction::maximise ? -worst[i]
                                                                                   : worst[i]);
  }
  const EvaluationCounts& counts = result.summary.counts;
  stored.counts = {counts.trials, counts.networks, counts.hardware, counts.layers};
  stored.reasons = setting_.evaluator.reasons();
  stored.complete = result.summary.cause != StopCause::stopped;
  store_.finish(stored);
}

datasets::Columns front_columns(const datasets::StudyStore& store) {
  const datasets::PointBatch points = store.points_with(store.front().ids);
  const std::vector<datasets::NetworkRow> networks = store.networks();
  const datasets::AcceleratorTable accelerators = store.accelerators();

  datasets::Columns columns;
  std::vector<std::int64_t> ids(points.id.begin(), points.id.end());
  columns.columns.push_back({"id", "", std::move(ids)});
  for (std::size_t m = 0; m < points.metrics.size(); ++m)
    if (std::ranges::any_of(points.metrics[m], [](double value) { return !std::isnan(value); }))
      columns.columns.push_back(
          {store.metrics()[m].name, store.metrics()[m].unit, points.metrics[m]});

  // A network that was asked about alone has no accelerator: empty names, unknown parameters.
  const datasets::AcceleratorRow none{
      "", "",
      std::vector<double>(accelerators.parameters.size(),
                          std::numeric_limits<double>::quiet_NaN())};
  const auto row_of = [&](std::uint32_t accelerator) -> const datasets::AcceleratorRow& {
    return accelerator == datasets::kNoStoredAccelerator ? none : accelerators.rows.at(accelerator);
  };
  std::vector<std::string> genotypes, names, templates;
  for (std::size_t i = 0; i < points.size(); ++i) {
    genotypes.push_back(networks.at(points.network[i]).genotype);
    names.push_back(row_of(points.accelerator[i]).name);
    templates.push_back(row_of(points.accelerator[i]).template_name);
  }
  columns.columns.push_back({"network", "", std::move(genotypes)});
  columns.columns.push_back({"accelerator", "", std::move(names)});
  columns.columns.push_back({"template", "", std::move(templates)});
  for (std::size_t p = 0; p < accelerators.parameters.size(); ++p) {
    std::vector<double> values;
    for (const std::uint32_t accelerator : points.accelerator)
      values.push_back(row_of(accelerator).parameters[p]);
    columns.columns.push_back(
        {accelerators.parameters[p].name, accelerators.parameters[p].unit, std::move(values)});
  }
  return columns;
}

}  // namespace cosearch::codesign
