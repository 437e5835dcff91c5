#include "codesign/predictor_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "codesign/joint_space.h"
#include "codesign/space_file.h"
#include "core/user_error.h"
#include "nas/encoding.h"

namespace cosearch::codesign {
namespace {

constexpr const char* kSize = "size";

predictors::FeatureKind kind_of(nas::EncodingKind kind) {
  switch (kind) {
    case nas::EncodingKind::continuous:
      return predictors::FeatureKind::continuous;
    case nas::EncodingKind::count:
      return predictors::FeatureKind::count;
    case nas::EncodingKind::indicator:
      return predictors::FeatureKind::indicator;
  }
  return predictors::FeatureKind::continuous;
}

// A share of the columns, with the numbers of every network.
struct Block {
  std::vector<predictors::FeatureColumn> columns;
  std::vector<double> values;  // networks x columns
};

using Selection = std::span<const std::uint32_t>;

Block encode_all(const NetworkSet& networks, Selection which, const std::string& encoding,
                 Workers& workers) {
  const auto encoder = nas::make_encoder(networks.network_space, encoding);
  Block block;
  for (const nas::EncodingColumn& column : encoder->columns())
    block.columns.push_back({encoding + ": " + column.name, kind_of(column.kind)});
  const std::size_t width = block.columns.size();
  block.values.resize(which.size() * width);
  workers.for_ranges(which.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      std::ranges::copy(encoder->encode(networks.candidates[which[i]].genotype),
                        block.values.begin() + static_cast<std::ptrdiff_t>(i * width));
  });
  return block;
}

Block sizes(const NetworkSet& networks, Selection which) {
  Block block{.columns = {{"size: log MACs"}, {"size: log parameters"}}, .values = {}};
  for (const std::uint32_t i : which)
    for (const std::int64_t number :
         {networks.candidates[i].macs, networks.candidates[i].parameters})
      block.values.push_back(std::log(std::max(1.0, static_cast<double>(number))));
  return block;
}

Block score(Selection which, const std::string& column, const std::vector<double>& numbers) {
  Block block{.columns = {{"score: " + column}}, .values = {}};
  for (const std::uint32_t i : which) block.values.push_back(std::asinh(numbers[i]));
  return block;
}

Block feature_block(const NetworkSet& networks, Selection which, const std::string& feature,
                    Workers& workers) {
  if (feature == kSize) return sizes(networks, which);
  std::vector<std::string> known = nas::encoding_names(*networks.network_space);
  known.emplace_back(kSize);
  if (std::ranges::find(known, feature) == known.end())
    throw UserError("space '" + networks.space + "' has no features '" + feature + "'" +
                    did_you_mean(feature, known));
  return encode_all(networks, which, feature, workers);
}

predictors::Examples side_by_side(const std::vector<Block>& blocks, std::size_t rows) {
  predictors::Examples examples;
  for (const Block& block : blocks)
    examples.columns.insert(examples.columns.end(), block.columns.begin(), block.columns.end());
  for (std::size_t row = 0; row < rows; ++row)
    for (const Block& block : blocks) {
      const auto begin =
          block.values.begin() + static_cast<std::ptrdiff_t>(row * block.columns.size());
      examples.features.insert(examples.features.end(), begin,
                               begin + static_cast<std::ptrdiff_t>(block.columns.size()));
    }
  return examples;
}

void append_graphs(predictors::Examples& examples, const NetworkSet& networks, Selection which,
                   Workers& workers) {
  examples.operation_kinds = nas::graph_operations(*networks.network_space);
  if (examples.operation_kinds == 0) return;
  examples.graphs.resize(which.size());
  workers.for_ranges(which.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      nas::EncodedGraph graph =
          nas::encode_graph(*networks.network_space, networks.candidates[which[i]].genotype);
      examples.graphs[i] = {std::move(graph.operations), std::move(graph.edges)};
    }
  });
}

std::vector<std::string> shared_columns(const datasets::Table& a, const datasets::Table& b) {
  std::vector<std::string> shared;
  for (const std::string& column : a.columns())
    if (b.find_column(column)) shared.push_back(column);
  return shared;
}

// For each row of `first`, that of `other` with the same cells in the columns both have.
std::vector<std::size_t> matching(const datasets::Table& first, const datasets::Table& other) {
  const std::vector<std::string> keys = shared_columns(first, other);
  if (keys.empty())
    throw UserError({other.name()},
                    fmt::format("shares no column with {}, so its rows cannot be told to belong to "
                                "the same networks",
                                first.name()));
  const std::string separator(1, '\0');
  std::map<std::string, std::size_t> place;
  for (std::size_t row = 0; row < other.rows(); ++row)
    if (!place.emplace(joined_cells(other, row, keys, separator), row).second)
      throw UserError(other.where(row),
                      fmt::format("a second row with the same '{}'", fmt::join(keys, "', '")));
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < first.rows(); ++row) {
    const auto found = place.find(joined_cells(first, row, keys, separator));
    if (found == place.end())
      throw UserError(first.where(row), fmt::format("{} has no row with this '{}'", other.name(),
                                                    fmt::join(keys, "', '")));
    rows.push_back(found->second);
  }
  return rows;
}

}  // namespace

std::vector<std::string> default_features(const nas::NetworkSpace& space) {
  const std::vector<std::string> known = nas::encoding_names(space);
  if (std::ranges::find(known, "cell") != known.end()) return {"path", "cell", kSize};
  return {"one-hot", kSize};
}

JoinedTables::JoinedTables(const ExampleTable& source) {
  datasets::Table first = datasets::Table::read(source.file);
  std::vector<std::size_t> own(first.rows());
  for (std::size_t row = 0; row < own.size(); ++row) own[row] = row;
  tables_.push_back({std::move(first), std::move(own)});
  for (const std::filesystem::path& file : source.joined) {
    datasets::Table other = datasets::Table::read(file);
    std::vector<std::size_t> rows = matching(this->first(), other);
    tables_.push_back({std::move(other), std::move(rows)});
  }
}

std::vector<double> JoinedTables::numbers(const std::string& column) const {
  std::vector<std::string> known;
  for (const auto& [table, rows] : tables_) {
    const std::optional<std::size_t> place = table.find_column(column);
    known.insert(known.end(), table.columns().begin(), table.columns().end());
    if (!place) continue;
    std::vector<double> values;
    for (const std::size_t row : rows)
      values.push_back(table.text(row, *place).empty() ? std::numeric_limits<double>::quiet_NaN()
                                                       : table.number(row, *place));
    return values;
  }
  throw UserError({first().name()},
                  fmt::format("no column '{}'{}", column, did_you_mean(column, known)));
}

std::vector<double> targets_of(const JoinedTables& tables, const std::string& column,
                               predictors::ScaleKind scale) {
  std::vector<double> targets = tables.numbers(column);
  for (std::size_t row = 0; row < targets.size(); ++row) {
    if (std::isnan(targets[row])) continue;
    if (const std::string problem = predictors::problem_with(scale, targets[row]); !problem.empty())
      throw UserError(tables.first().where(row),
                      fmt::format("{} = {}: {}", column, targets[row], problem));
  }
  return targets;
}

NetworkSet lower_table(const ExampleTable& table, const JoinedTables& tables,
                       const FeatureSource& source, Workers& workers) {
  std::vector<TableEntry> entries;
  for (std::size_t row = 0; row < tables.rows(); ++row)
    entries.push_back({.genotype = joined_cells(tables.first(), row, table.genotype, ";"),
                       .where = tables.first().where(row)});
  return lower_all(make_space({source.space, source.space_text}, source.options),
                   std::move(entries), workers);
}

predictors::Examples features_of(
    const NetworkSet& networks, std::span<const std::uint32_t> which, const FeatureSource& source,
    const std::function<std::vector<double>(const std::string& column)>& numbers,
    Workers& workers) {
  std::vector<Block> blocks;
  for (const std::string& feature : source.features)
    blocks.push_back(feature_block(networks, which, feature, workers));
  for (const std::string& column : source.scores)
    blocks.push_back(score(which, column, numbers(column)));
  predictors::Examples examples = side_by_side(blocks, which.size());
  append_graphs(examples, networks, which, workers);
  return examples;
}

NetworkExamples examples_of(const NetworkSet& networks, const JoinedTables& tables,
                            const FeatureSource& source, Workers& workers) {
  std::vector<std::uint32_t> all(networks.candidates.size());
  std::iota(all.begin(), all.end(), 0U);
  NetworkExamples result{
      .file = tables.first().name(), .examples = {}, .genotypes = {}, .network = {}, .networks = 0};
  result.examples = features_of(
      networks, all, source, [&](const std::string& column) { return tables.numbers(column); },
      workers);
  std::map<std::string, std::size_t> number;
  for (const Candidate& candidate : networks.candidates) {
    result.genotypes.push_back(candidate.genotype);
    result.network.push_back(number.try_emplace(candidate.canonical, number.size()).first->second);
  }
  result.networks = number.size();
  return result;
}

}  // namespace cosearch::codesign
