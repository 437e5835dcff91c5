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
#include "codesign/same_study.h"
#include "codesign/versions.h"
#include "core/user_error.h"
#include "datasets/file_bytes.h"
#include "datasets/partial_file.h"
#include "datasets/sha256.h"

namespace cosearch::codesign {
namespace {

std::string now_utc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

// Of the files whose content shows neither in the networks nor in the accelerators of a store.
std::map<std::string, std::string> input_hashes(const Study& study) {
  std::map<std::string, std::string> hashes;
  const auto add = [&](const char* key, const std::filesystem::path& file) {
    hashes[key] = datasets::sha256(datasets::read_file(file));
  };
  if (study.networks.scores) add("networks.scores.file", study.networks.scores->file);
  return hashes;
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
  header.space_file = setting.study.networks.space_text;
  header.input_hashes = input_hashes(setting.study);
  header.input_hashes.merge(setting.accuracies.input_hashes());
  header.strategies = {strategy};
  if (setting.accuracies.has_second()) header.strategies.emplace_back(kFrontProposerName);
  header.accuracy_sources = setting.accuracies.source_names();
  for (const auto& [what, version] : versions()) {
    if (what == "cosearch")
      header.program_version = version;
    else
      header.library_versions[what] = version;
  }
  return header;
}

// A score has a column in studies that go by one.
std::vector<Metric> stored_metrics(const StudySetting& setting) {
  std::vector<Metric> metrics(kMetrics.begin(), kMetrics.end());
  if (setting.accuracies.metric() != Metric::score) std::erase(metrics, Metric::score);
  return metrics;
}

std::vector<datasets::MetricColumn> metric_columns(const StudySetting& setting) {
  std::vector<datasets::MetricColumn> columns;
  for (const Metric metric : stored_metrics(setting)) {
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

datasets::StudyStart start_of(const RunOptions& options, const StudySetting& setting,
                              const std::string& strategy) {
  datasets::StudyStart start;
  start.header = header_of(setting, strategy, options.command_line);
  start.metrics = metric_columns(setting);
  start.networks = network_rows(setting.space.networks());
  start.accelerators = table_of(setting.space.accelerator_set());
  start.header.machine_files = setting.space.accelerator_set().files;
  for (const Objective& objective : setting.study.objectives)
    start.objectives.emplace_back(info_of(objective.metric).name);
  return start;
}

void refuse_existing(const std::filesystem::path& output) {
  if (std::filesystem::exists(output))
    throw FileError({output.string()}, "exists already (add --force to replace it)");
  const std::filesystem::path journal = datasets::journal_of(datasets::replaceable_file(output));
  if (std::filesystem::exists(journal))
    throw FileError({journal.string()},
                    "holds the points of a search that was cut off (add --resume to go on with it, "
                    "or --force to drop them)");
}

void refuse_another_study(const std::string& output, const datasets::StudyStart& earlier,
                          const datasets::StudyStart& now) {
  const std::vector<std::string> found = differences(earlier, now);
  if (found.empty()) return;
  throw UserError({output}, fmt::format("cannot be resumed, for this is not the study it was begun "
                                        "with:\n  {}",
                                        fmt::join(found, "\n  ")));
}

datasets::PointBatch batch_of(std::span<const Trial> trials, std::uint64_t first_id,
                              std::uint64_t step, std::uint16_t proposer,
                              const std::vector<Metric>& metrics) {
  datasets::PointBatch batch;
  batch.metrics.resize(metrics.size());
  for (const Trial& trial : trials) {
    batch.id.push_back(first_id++);
    batch.network.push_back(trial.design.network);
    batch.accelerator.push_back(trial.design.accelerator);
    for (std::size_t column = 0; column < metrics.size(); ++column)
      batch.metrics[column].push_back(trial.metrics[metrics[column]]);
    batch.feasible.push_back(trial.is_feasible() ? 1 : 0);
    batch.reason.push_back(trial.reason);
    batch.strategy.push_back(proposer);
    batch.step.push_back(step);
  }
  return batch;
}

}  // namespace

std::vector<Trial> trials_of(const datasets::PointBatch& batch,
                             const std::vector<datasets::MetricColumn>& metrics) {
  std::vector<Trial> trials(batch.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    trials[i].design = {batch.network[i], batch.accelerator[i]};
    trials[i].reason = batch.reason[i];
  }
  for (std::size_t column = 0; column < metrics.size(); ++column)
    if (const std::optional<Metric> metric = metric_named(metrics[column].name))
      for (std::size_t i = 0; i < trials.size(); ++i)
        trials[i].metrics[*metric] = batch.metrics[column][i];
  return trials;
}

PointWriter::PointWriter(const RunOptions& options, const StudySetting& setting,
                         const std::string& strategy)
    : setting_(setting), name_(options.output.string()) {
  if (!options.resume && !options.overwrite) refuse_existing(options.output);
  datasets::WriterLock lock(options.output);
  const datasets::StudyStart start = start_of(options, setting, strategy);
  if (options.resume) earlier_.emplace(options.output);
  if (earlier_ && !earlier_->is_empty()) {
    refuse_another_study(name_, earlier_->start(), start);
    log_.emplace(std::move(lock), *earlier_);
  } else {
    log_.emplace(std::move(lock), start);
  }
}

std::vector<std::string> PointWriter::earlier_reasons() const {
  return earlier_ ? earlier_->reasons() : std::vector<std::string>{};
}

std::vector<std::string> PointWriter::notices() const {
  return earlier_ ? earlier_->notices() : std::vector<std::string>{};
}

bool PointWriter::has_more_earlier() {
  if (!earlier_ || earlier_->is_empty()) return false;
  if (at_ < run_.size()) return true;
  run_ = earlier_->next();
  run_trials_ = trials_of(run_, earlier_->start().metrics);
  at_ = 0;
  return run_.size() > 0;
}

std::size_t PointWriter::recall(std::uint64_t first, std::span<const Design> designs,
                                std::span<Trial> trials) {
  // What was evaluated again, after damage, was known further on as well.
  while (has_more_earlier() && run_.id[at_] < first) ++at_;
  recalled_sources_.clear();
  recalled_spreads_.clear();
  std::size_t count = 0;
  while (count < designs.size() && has_more_earlier() && run_.id[at_] == first + count) {
    if (run_trials_[at_].design != designs[count])
      throw UserError({name_}, fmt::format("cannot be resumed: its point {} is not the one that "
                                           "this search evaluates there",
                                           first + count));
    recalled_sources_.push_back(run_.accuracy_source[at_]);
    recalled_spreads_.push_back(run_.accuracy_spread[at_]);
    trials[count++] = run_trials_[at_++];
  }
  return count;
}

void PointWriter::record(const TrialsPart& part, std::uint16_t proposer) {
  datasets::PointBatch batch =
      batch_of(part.trials, designs_.size(), part.step, proposer, stored_metrics(setting_));
  next_step_ = part.step + 1;
  if (proposer == kFrontProposer && !measured_from_) measured_from_ = designs_.size();
  for (const Trial& trial : part.trials) {
    designs_.push_back(trial.design);
    if (part.is_recalled) continue;
    const Accuracies& accuracies = setting_.accuracies;
    batch.accuracy_source.push_back(accuracies.source_of(trial.design.network));
    batch.accuracy_spread.push_back(accuracies.of(trial.design.network).spread);
  }
  if (part.is_recalled) {
    batch.accuracy_source = std::exchange(recalled_sources_, {});
    batch.accuracy_spread = std::exchange(recalled_spreads_, {});
    log_->copy(batch);
  } else {
    log_->append(batch, setting_.evaluator.reasons(), part.so_far.layers);
  }
}

std::vector<std::uint64_t> places_of(const std::vector<Trial>& front,
                                     const std::vector<Design>& designs,
                                     std::size_t measured_from) {
  std::map<Design, std::uint64_t> place_of;
  for (const Trial& trial : front) place_of.emplace(trial.design, designs.size());
  const auto note = [&](std::size_t first, std::size_t last) {
    for (std::uint64_t place = last; place-- > first;)
      if (const auto found = place_of.find(designs[place]); found != place_of.end())
        found->second = place;
  };
  note(0, measured_from);
  note(measured_from, designs.size());
  std::vector<std::uint64_t> places;
  for (const Trial& trial : front) places.push_back(place_of.at(trial.design));
  return places;
}

datasets::StudyFront front_of(const ParetoArchive& archive) {
  datasets::StudyFront front;
  const std::vector<double> worst = archive.worst();
  for (std::size_t i = 0; i < archive.question().objectives.size(); ++i) {
    const MetricInfo& info = info_of(archive.question().objectives[i].metric);
    front.objectives.emplace_back(info.name);
    if (!worst.empty())
      front.reference_point.push_back(info.direction == Direction::maximise ? -worst[i] : worst[i]);
  }
  return front;
}

bool PointWriter::finish(const RunResult& result) {
  if (has_more_earlier()) {
    if (result.summary.cause == StopCause::stopped) return false;
    throw UserError({name_},
                    fmt::format("holds more points than the {} that this search evaluates; "
                                "resume it with the --max-evaluations it had",
                                designs_.size()));
  }
  datasets::StudyResult stored;
  stored.front = front_of(result.archive);
  stored.front.ids = places_of(result.front, designs_, measured_from_.value_or(designs_.size()));
  stored.front.hypervolume = result.hypervolume;
  const EvaluationCounts& counts = result.summary.counts;
  stored.counts = {counts.trials, counts.networks, counts.hardware, counts.layers};
  stored.reasons = setting_.evaluator.reasons();
  stored.complete = result.summary.cause != StopCause::stopped;
  log_->finish(stored);
  return true;
}

datasets::Columns front_columns(const datasets::StudyStore& store) {
  return columns_of(store.points_with(store.front().ids), store.metrics(), store.networks(),
                    store.accelerators(), store.header().accuracy_sources);
}

namespace {

void add_provenance(datasets::Columns& columns, const datasets::PointBatch& points,
                    const std::vector<std::string>& accuracy_sources) {
  if (std::ranges::any_of(points.accuracy_spread, [](double value) { return !std::isnan(value); }))
    columns.columns.push_back({"accuracy_spread", "percent", points.accuracy_spread});
  std::vector<std::string> sources;
  for (const std::uint16_t source : points.accuracy_source)
    sources.push_back(accuracy_sources.at(source));
  if (std::ranges::any_of(sources, [](const std::string& name) { return !name.empty(); }))
    columns.columns.push_back({"accuracy_source", "", std::move(sources)});
}

}  // namespace

datasets::Columns columns_of(const datasets::PointBatch& points,
                             const std::vector<datasets::MetricColumn>& metrics,
                             const std::vector<datasets::NetworkRow>& networks,
                             const datasets::AcceleratorTable& accelerators,
                             const std::vector<std::string>& accuracy_sources) {
  datasets::Columns columns;
  std::vector<std::int64_t> ids(points.id.begin(), points.id.end());
  columns.columns.push_back({"id", "", std::move(ids)});
  for (std::size_t m = 0; m < points.metrics.size(); ++m)
    if (std::ranges::any_of(points.metrics[m], [](double value) { return !std::isnan(value); }))
      columns.columns.push_back({metrics[m].name, metrics[m].unit, points.metrics[m]});
  add_provenance(columns, points, accuracy_sources);

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
