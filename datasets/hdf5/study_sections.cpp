#include "datasets/hdf5/study_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include "datasets/sha256.h"

namespace cosearch::datasets::hdf5 {
namespace {

constexpr const char* kTextParameters = "text_parameters";

template <class Row, class Value>
std::vector<Value> column_of(const std::vector<Row>& rows, Value Row::*member) {
  std::vector<Value> values;
  values.reserve(rows.size());
  for (const Row& row : rows) values.push_back(row.*member);
  return values;
}

/// Spreads a column over the rows. Throws Error when their numbers differ.
template <class Row, class Value>
void set_column(std::vector<Row>& rows, Value Row::*member, std::vector<Value> values) {
  if (values.size() != rows.size())
    throw Error("is damaged: columns of one table differ in length");
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*member = std::move(values[i]);
}

template <class T>
void write_numbers(const Handle& group, const std::string& name, const std::string& unit,
                   const std::vector<T>& values) {
  write_column<T>(group, name, unit, values);
}

void write_ids(const Handle& group, std::size_t count) {
  std::vector<std::uint32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0U);
  write_numbers(group, "id", "", ids);
}

// Every column has the length of the ids, so that no row is half there.
template <class T>
Column<T> open_column(const Handle& group, const std::string& name, std::uint64_t rows) {
  Column<T> column = Column<T>::open(group, name);
  if (column.size() != rows)
    throw Error(
        fmt::format("is damaged: column '{}' has {} rows; expected {}", name, column.size(), rows));
  return column;
}

bool cannot_name_dataset(const std::string& name) {
  return name.empty() || name == "." || name.find('/') != std::string::npos ||
         name.find('\0') != std::string::npos;
}

template <std::size_t size>
bool contains(const std::array<std::string_view, size>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void write_identity(const Handle& file) {
  write_text(file, "format", kStudyFormat);
  write_attribute(file, "schema_version", kStudySchemaVersion);
}

void write_header(const Handle& file, const StudyHeader& header) {
  const Handle study = create_group(file, "study");
  write_text(study, "name", header.name);
  write_attribute(study, "seed", header.seed);
  write_text(study, "strategy", header.strategy);
  write_text(study, "program_version", header.program_version);
  write_text(study, "created", header.created);
  write_text(study, "command_line", header.command_line);
  write_text(study, "configuration", header.configuration);
  write_text(study, "configuration_hash", sha256(header.configuration));
  if (!header.space_file.empty()) write_text(study, "space_file", header.space_file);
  const Handle libraries = create_group(study, "library_versions");
  for (const auto& [library, version] : header.library_versions)
    write_text(libraries, library, version);
  const Handle inputs = create_group(study, "input_hashes");
  for (const auto& [key, hash] : header.input_hashes) write_text(inputs, key, hash);
  write_text_column(file, "strategies", header.strategies);
  write_text_column(file, "accuracy_sources", header.accuracy_sources);
  if (header.machine_files.empty()) return;
  std::vector<std::string> paths, texts;
  for (const auto& [path, text] : header.machine_files) {
    paths.push_back(path);
    texts.push_back(text);
  }
  write_text_list(study, "machine_file_paths", paths);
  write_text_list(study, "machine_file_texts", texts);
}

StudyHeader read_header(const Handle& file) {
  const Handle study = open_group(file, "study");
  StudyHeader header;
  header.name = read_text(study, "name");
  header.seed = read_attribute<std::uint64_t>(study, "seed");
  header.strategy = read_text(study, "strategy");
  header.program_version = read_text(study, "program_version");
  header.created = read_text(study, "created");
  header.command_line = read_text(study, "command_line");
  header.configuration = read_text(study, "configuration");
  if (sha256(header.configuration) != read_text(study, "configuration_hash"))
    throw Error("is damaged: the configuration does not match its hash");
  if (has_attribute(study, "space_file")) header.space_file = read_text(study, "space_file");
  const Handle libraries = open_group(study, "library_versions");
  for (const std::string& library : attribute_names(libraries))
    header.library_versions[library] = read_text(libraries, library);
  if (has_group(study, "input_hashes")) {
    const Handle inputs = open_group(study, "input_hashes");
    for (const std::string& key : attribute_names(inputs))
      header.input_hashes[key] = read_text(inputs, key);
  }
  header.strategies = read_text_column(file, "strategies");
  header.accuracy_sources = read_text_column(file, "accuracy_sources");
  if (!has_attribute(study, "machine_file_paths")) return header;
  const std::vector<std::string> paths = read_text_list(study, "machine_file_paths");
  const std::vector<std::string> texts = read_text_list(study, "machine_file_texts");
  if (paths.size() != texts.size()) throw Error("is damaged: machine files without path or text");
  for (std::size_t i = 0; i < paths.size(); ++i) header.machine_files[paths[i]] = texts[i];
  return header;
}

void write_networks(const Handle& file, const std::vector<NetworkRow>& networks) {
  const Handle group = create_group(file, "networks");
  write_ids(group, networks.size());
  write_text_column(group, "name", column_of(networks, &NetworkRow::name));
  write_text_column(group, "space", column_of(networks, &NetworkRow::space));
  write_text_column(group, "genotype", column_of(networks, &NetworkRow::genotype));
  write_text_column(group, "canonical", column_of(networks, &NetworkRow::canonical));
  write_numbers(group, "accuracy", "percent", column_of(networks, &NetworkRow::accuracy));
  write_numbers(group, "macs", "MAC", column_of(networks, &NetworkRow::macs));
  write_numbers(group, "parameters", "", column_of(networks, &NetworkRow::parameters));
}

std::vector<NetworkRow> read_networks(const Handle& file) {
  const Handle group = open_group(file, "networks");
  const std::uint64_t count = rows_in(file, "networks");
  std::vector<std::string> names = read_text_column(group, "name");
  if (names.size() != count) throw Error("is damaged: columns of one table differ in length");
  std::vector<NetworkRow> rows(names.size());
  set_column(rows, &NetworkRow::name, std::move(names));
  set_column(rows, &NetworkRow::space, read_text_column(group, "space"));
  set_column(rows, &NetworkRow::genotype, read_text_column(group, "genotype"));
  set_column(rows, &NetworkRow::canonical, read_text_column(group, "canonical"));
  set_column(rows, &NetworkRow::accuracy, open_column<double>(group, "accuracy", count).read_all());
  set_column(rows, &NetworkRow::macs, open_column<std::int64_t>(group, "macs", count).read_all());
  set_column(rows, &NetworkRow::parameters,
             open_column<std::int64_t>(group, "parameters", count).read_all());
  return rows;
}

void write_accelerators(const Handle& file, const AcceleratorTable& accelerators) {
  const Handle group = create_group(file, "accelerators");
  write_ids(group, accelerators.rows.size());
  write_text_column(group, "name", column_of(accelerators.rows, &AcceleratorRow::name));
  write_text_column(group, "template",
                    column_of(accelerators.rows, &AcceleratorRow::template_name));
  for (std::size_t i = 0; i < accelerators.parameters.size(); ++i) {
    std::vector<double> values;
    for (const AcceleratorRow& row : accelerators.rows) values.push_back(row.parameters[i]);
    write_numbers(group, accelerators.parameters[i].name, accelerators.parameters[i].unit, values);
  }
  write_text_list(group, "parameters", column_of(accelerators.parameters, &ParameterColumn::name));
  const auto has_texts = [](const AcceleratorRow& row) { return !row.text_parameters.empty(); };
  if (std::any_of(accelerators.rows.begin(), accelerators.rows.end(), has_texts))
    write_text_column(group, kTextParameters,
                      column_of(accelerators.rows, &AcceleratorRow::text_parameters));
}

AcceleratorTable read_accelerators(const Handle& file) {
  const Handle group = open_group(file, "accelerators");
  const std::uint64_t count = rows_in(file, "accelerators");
  AcceleratorTable table;
  std::vector<std::string> names = read_text_column(group, "name");
  if (names.size() != count) throw Error("is damaged: columns of one table differ in length");
  table.rows.resize(names.size());
  set_column(table.rows, &AcceleratorRow::name, std::move(names));
  set_column(table.rows, &AcceleratorRow::template_name, read_text_column(group, "template"));
  if (has_group(group, kTextParameters))
    set_column(table.rows, &AcceleratorRow::text_parameters,
               read_text_column(group, kTextParameters));
  for (const std::string& name : read_text_list(group, "parameters")) {
    const auto column = open_column<double>(group, name, count);
    table.parameters.push_back({name, read_text(column.handle(), "unit")});
    const std::vector<double> values = column.read_all();
    for (std::size_t i = 0; i < values.size(); ++i) table.rows[i].parameters.push_back(values[i]);
  }
  return table;
}

void write_result(const Handle& file, const StudyResult& result) {
  const Handle front = create_group(file, "front");
  write_numbers(front, "id", "", result.front.ids);
  write_text_list(front, "objectives", result.front.objectives);
  write_list_attribute(front, "reference_point", result.front.reference_point);
  write_attribute(front, "hypervolume", result.front.hypervolume);
  write_text_column(file, "reasons",
                    result.reasons.empty() ? std::vector<std::string>{""} : result.reasons);
  const Handle study = open_group(file, "study");
  write_attribute(study, "trials", result.counts.trials);
  write_attribute(study, "network_evaluations", result.counts.networks);
  write_attribute(study, "hardware_evaluations", result.counts.hardware);
  write_attribute(study, "layer_evaluations", result.counts.layers);
  write_attribute(study, "complete", static_cast<std::uint8_t>(result.complete ? 1 : 0));
}

StudyResult read_result(const Handle& file) {
  const Handle front = open_group(file, "front");
  StudyResult result;
  result.front.ids = Column<std::uint64_t>::open(front, "id").read_all();
  result.front.objectives = read_text_list(front, "objectives");
  result.front.reference_point = read_list_attribute<double>(front, "reference_point");
  result.front.hypervolume = read_attribute<double>(front, "hypervolume");
  result.reasons = read_text_column(file, "reasons");
  const Handle study = open_group(file, "study");
  result.counts.trials = read_attribute<std::uint64_t>(study, "trials");
  result.counts.networks = read_attribute<std::uint64_t>(study, "network_evaluations");
  result.counts.hardware = read_attribute<std::uint64_t>(study, "hardware_evaluations");
  result.counts.layers = read_attribute<std::uint64_t>(study, "layer_evaluations");
  result.complete = read_attribute<std::uint8_t>(study, "complete") != 0;
  return result;
}

std::uint64_t rows_in(const Handle& file, const std::string& table) {
  return Column<std::uint32_t>::open(open_group(file, table), "id").size();
}

PointColumns PointColumns::create(const Handle& file, const std::vector<MetricColumn>& metrics) {
  const Handle group = create_group(file, "points");
  write_text_list(group, "metrics", column_of(metrics, &MetricColumn::name));
  std::vector<Column<double>> columns;
  for (const MetricColumn& metric : metrics) {
    columns.push_back(Column<double>::create(group, metric.name, metric.unit));
    write_text(columns.back().handle(), "direction", metric.direction);
  }
  PointColumns points{Column<std::uint64_t>::create(group, "id", ""),
                      Column<std::uint32_t>::create(group, "network", ""),
                      Column<std::uint32_t>::create(group, "accelerator", ""),
                      std::move(columns),
                      Column<std::uint8_t>::create(group, "feasible", ""),
                      Column<std::uint16_t>::create(group, "reason", ""),
                      Column<std::uint16_t>::create(group, "strategy", ""),
                      Column<std::uint64_t>::create(group, "step", ""),
                      Column<std::uint16_t>::create(group, "accuracy_source", ""),
                      Column<double>::create(group, "accuracy_spread", "percent")};
  write_attribute(points.accelerator.handle(), "none", kNoStoredAccelerator);
  return points;
}

PointColumns PointColumns::open(const Handle& file, const std::vector<MetricColumn>& metrics) {
  const Handle group = open_group(file, "points");
  auto id = Column<std::uint64_t>::open(group, "id");
  const std::uint64_t rows = id.size();
  std::vector<Column<double>> columns;
  for (const MetricColumn& metric : metrics)
    columns.push_back(open_column<double>(group, metric.name, rows));
  return {std::move(id),
          open_column<std::uint32_t>(group, "network", rows),
          open_column<std::uint32_t>(group, "accelerator", rows),
          std::move(columns),
          open_column<std::uint8_t>(group, "feasible", rows),
          open_column<std::uint16_t>(group, "reason", rows),
          open_column<std::uint16_t>(group, "strategy", rows),
          open_column<std::uint64_t>(group, "step", rows),
          open_column<std::uint16_t>(group, "accuracy_source", rows),
          open_column<double>(group, "accuracy_spread", rows)};
}

void PointColumns::append(const PointBatch& batch, std::size_t count) {
  const auto first = [count](const auto& values) { return std::span(values).first(count); };
  id.append(first(batch.id));
  network.append(first(batch.network));
  accelerator.append(first(batch.accelerator));
  for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i].append(first(batch.metrics[i]));
  feasible.append(first(batch.feasible));
  reason.append(first(batch.reason));
  strategy.append(first(batch.strategy));
  step.append(first(batch.step));
  accuracy_source.append(first(batch.accuracy_source));
  accuracy_spread.append(first(batch.accuracy_spread));
}

PointBatch PointColumns::read(std::uint64_t first, std::uint64_t count) const {
  PointBatch batch{id.read(first, count),
                   network.read(first, count),
                   accelerator.read(first, count),
                   {},
                   feasible.read(first, count),
                   reason.read(first, count),
                   strategy.read(first, count),
                   step.read(first, count),
                   accuracy_source.read(first, count),
                   accuracy_spread.read(first, count)};
  for (const auto& metric : metrics) batch.metrics.push_back(metric.read(first, count));
  return batch;
}

PointBatch PointColumns::read_rows(std::span<const std::uint64_t> rows) const {
  PointBatch batch{id.read_rows(rows),
                   network.read_rows(rows),
                   accelerator.read_rows(rows),
                   {},
                   feasible.read_rows(rows),
                   reason.read_rows(rows),
                   strategy.read_rows(rows),
                   step.read_rows(rows),
                   accuracy_source.read_rows(rows),
                   accuracy_spread.read_rows(rows)};
  for (const auto& metric : metrics) batch.metrics.push_back(metric.read_rows(rows));
  return batch;
}

std::vector<MetricColumn> read_metric_columns(const Handle& file) {
  const Handle group = open_group(file, "points");
  std::vector<MetricColumn> metrics;
  for (const std::string& name : read_text_list(group, "metrics")) {
    const auto column = Column<double>::open(group, name);
    metrics.push_back(
        {name, read_text(column.handle(), "unit"), read_text(column.handle(), "direction")});
  }
  return metrics;
}

bool is_bad_metric_name(const std::string& name) {
  constexpr std::array<std::string_view, 9> kTaken{
      "id",       "network", "accelerator",     "feasible",       "reason",
      "strategy", "step",    "accuracy_source", "accuracy_spread"};
  return cannot_name_dataset(name) || contains(kTaken, name);
}

bool is_bad_parameter_name(const std::string& name) {
  constexpr std::array<std::string_view, 4> kTaken{"id", "name", "template", kTextParameters};
  return cannot_name_dataset(name) || contains(kTaken, name);
}

}  // namespace cosearch::datasets::hdf5
