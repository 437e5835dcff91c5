#include "datasets/journal_payload.h"

#include <algorithm>
#include <map>

#include "datasets/byte_stream.h"

namespace cosearch::datasets {
namespace {

using Malformed = ByteReader::Malformed;

void require(bool holds) {
  if (!holds) throw Malformed();
}

void put_texts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.put(std::uint64_t{texts.size()});
  for (const std::string& text : texts) out.put(text);
}

std::vector<std::string> take_texts(ByteReader& in) {
  std::vector<std::string> texts(in.take_count(sizeof(std::uint64_t)));
  for (std::string& text : texts) text = in.take_text();
  return texts;
}

void put(ByteWriter& out, const std::map<std::string, std::string>& texts) {
  out.put(std::uint64_t{texts.size()});
  for (const auto& [key, text] : texts) put_texts(out, {key, text});
}

std::map<std::string, std::string> take_map(ByteReader& in) {
  std::map<std::string, std::string> texts;
  for (std::uint64_t left = in.take_count(24); left > 0; --left) {
    const std::vector<std::string> pair = take_texts(in);
    require(pair.size() == 2);
    texts[pair[0]] = pair[1];
  }
  return texts;
}

void put(ByteWriter& out, const StudyHeader& header) {
  std::vector<std::string> texts{header.name,    header.strategy,     header.program_version,
                                 header.created, header.command_line, header.configuration};
  if (!header.space_file.empty()) texts.push_back(header.space_file);
  for (const auto& [path, text] : header.machine_files) texts.insert(texts.end(), {path, text});
  put_texts(out, texts);
  out.put(header.seed);
  put_texts(out, header.strategies);
  put(out, header.library_versions);
  put(out, header.input_hashes);
  put_texts(out, header.accuracy_sources);
}

StudyHeader take_header(ByteReader& in, std::uint32_t version) {
  StudyHeader header;
  const std::vector<std::string> texts = take_texts(in);
  require(texts.size() >= 6);
  header.name = texts[0];
  header.strategy = texts[1];
  header.program_version = texts[2];
  header.created = texts[3];
  header.command_line = texts[4];
  header.configuration = texts[5];
  std::size_t next = 6;
  if (texts.size() % 2 == 1) header.space_file = texts[next++];
  for (; next < texts.size(); next += 2) header.machine_files[texts[next]] = texts[next + 1];
  header.seed = in.take<std::uint64_t>();
  header.strategies = take_texts(in);
  header.library_versions = take_map(in);
  if (version >= 2) header.input_hashes = take_map(in);
  header.accuracy_sources = version >= 3 ? take_texts(in) : table_provenance();
  return header;
}

void put(ByteWriter& out, const std::vector<MetricColumn>& metrics) {
  out.put(std::uint64_t{metrics.size()});
  for (const MetricColumn& metric : metrics)
    put_texts(out, {metric.name, metric.unit, metric.direction});
}

std::vector<MetricColumn> take_metrics(ByteReader& in) {
  std::vector<MetricColumn> metrics(in.take_count(32));
  for (MetricColumn& metric : metrics) {
    const std::vector<std::string> texts = take_texts(in);
    require(texts.size() == 3);
    metric = {texts[0], texts[1], texts[2]};
  }
  return metrics;
}

void put(ByteWriter& out, const std::vector<NetworkRow>& networks) {
  out.put(std::uint64_t{networks.size()});
  for (const NetworkRow& network : networks) {
    put_texts(out, {network.name, network.space, network.genotype, network.canonical});
    out.put(network.accuracy);
    out.put(network.macs);
    out.put(network.parameters);
  }
}

std::vector<NetworkRow> take_networks(ByteReader& in) {
  std::vector<NetworkRow> networks(in.take_count(64));
  for (NetworkRow& network : networks) {
    const std::vector<std::string> texts = take_texts(in);
    require(texts.size() == 4);
    network = {texts[0], texts[1], texts[2], texts[3]};
    network.accuracy = in.take<double>();
    network.macs = in.take<std::int64_t>();
    network.parameters = in.take<std::int64_t>();
  }
  return networks;
}

void put(ByteWriter& out, const AcceleratorTable& table) {
  out.put(std::uint64_t{table.parameters.size()});
  for (const ParameterColumn& column : table.parameters) put_texts(out, {column.name, column.unit});
  out.put(std::uint64_t{table.rows.size()});
  for (const AcceleratorRow& row : table.rows) {
    std::vector<std::string> texts{row.name, row.template_name};
    if (!row.text_parameters.empty()) texts.push_back(row.text_parameters);
    put_texts(out, texts);
    out.put_all(row.parameters);
  }
}

AcceleratorTable take_accelerators(ByteReader& in) {
  AcceleratorTable table;
  table.parameters.resize(in.take_count(24));
  for (ParameterColumn& column : table.parameters) {
    const std::vector<std::string> texts = take_texts(in);
    require(texts.size() == 2);
    column = {texts[0], texts[1]};
  }
  table.rows.resize(in.take_count(24));
  for (AcceleratorRow& row : table.rows) {
    const std::vector<std::string> texts = take_texts(in);
    require(texts.size() == 2 || texts.size() == 3);
    row = {texts[0], texts[1], in.take_all<double>(table.parameters.size())};
    if (texts.size() == 3) row.text_parameters = texts[2];
  }
  return table;
}

bool all_below(const auto& indices, std::uint64_t count) {
  return std::ranges::all_of(indices, [count](std::uint64_t index) { return index < count; });
}

void check(const PointBatch& points, const StudyStart& start) {
  require(std::ranges::adjacent_find(points.id, std::greater_equal<>()) == points.id.end());
  require(all_below(points.network, start.networks.size()));
  require(std::ranges::all_of(points.accelerator, [&](std::uint32_t accelerator) {
    return accelerator < start.accelerators.rows.size() || accelerator == kNoStoredAccelerator;
  }));
  require(all_below(points.strategy, start.header.strategies.size()));
  require(all_below(points.accuracy_source, start.header.accuracy_sources.size()));
}

}  // namespace

void append_start(std::string& payload, const StudyStart& start) {
  ByteWriter out(payload);
  put(out, start.header);
  put(out, start.metrics);
  put(out, start.networks);
  put(out, start.accelerators);
  put_texts(out, start.objectives);
  out.put(static_cast<std::uint8_t>(start.is_whole ? 1 : 0));
}

StudyStart parse_start(std::string_view payload, std::uint32_t version) {
  ByteReader in(payload);
  StudyStart start;
  start.header = take_header(in, version);
  start.metrics = take_metrics(in);
  start.networks = take_networks(in);
  start.accelerators = take_accelerators(in);
  if (version < 3)  // as schema 1 had it (hdf5/study_migrations.cpp)
    for (ParameterColumn& column : start.accelerators.parameters)
      if (column.name == "precision") column.unit.clear();
  start.objectives = take_texts(in);
  start.is_whole = in.take<std::uint8_t>() != 0;
  in.expect_end();
  return start;
}

void append_batch(std::string& payload, const JournalBatch& batch) {
  ByteWriter out(payload);
  const PointBatch& points = batch.points;
  out.put(std::uint64_t{points.size()});
  out.put_all(points.id);
  out.put_all(points.network);
  out.put_all(points.accelerator);
  for (const std::vector<double>& metric : points.metrics) out.put_all(metric);
  out.put_all(points.feasible);
  out.put_all(points.reason);
  out.put_all(points.strategy);
  out.put_all(points.step);
  out.put_all(points.accuracy_source);
  out.put_all(points.accuracy_spread);
  out.put(batch.first_reason);
  put_texts(out, batch.reasons);
  out.put(batch.layer_evaluations);
}

JournalBatch parse_batch(std::string_view payload, const StudyStart& start, std::uint32_t version) {
  ByteReader in(payload);
  JournalBatch batch;
  PointBatch& points = batch.points;
  const auto count = in.take<std::uint64_t>();
  require(count > 0);
  points.id = in.take_all<std::uint64_t>(count);
  points.network = in.take_all<std::uint32_t>(count);
  points.accelerator = in.take_all<std::uint32_t>(count);
  for (std::size_t i = 0; i < start.metrics.size(); ++i)
    points.metrics.push_back(in.take_all<double>(count));
  points.feasible = in.take_all<std::uint8_t>(count);
  points.reason = in.take_all<std::uint16_t>(count);
  points.strategy = in.take_all<std::uint16_t>(count);
  points.step = in.take_all<std::uint64_t>(count);
  if (version < 3) {
    add_table_provenance(points, start.metrics);
  } else {
    points.accuracy_source = in.take_all<std::uint16_t>(count);
    points.accuracy_spread = in.take_all<double>(count);
  }
  batch.first_reason = in.take<std::uint64_t>();
  batch.reasons = take_texts(in);
  batch.layer_evaluations = in.take<std::uint64_t>();
  in.expect_end();
  // PointBatch::reason has 16 bits.
  constexpr std::uint64_t kMostReasons = 65'536;
  require(batch.first_reason <= kMostReasons &&
          batch.reasons.size() <= kMostReasons - batch.first_reason);
  check(points, start);
  return batch;
}

}  // namespace cosearch::datasets
