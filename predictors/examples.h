// What a predictor sees: one row of numbers for each network, and a graph for those that read
// graphs. Where the numbers come from is nobody's business here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cosearch::predictors {

/// How the numbers of a column compare.
enum class FeatureKind : std::uint8_t {
  continuous,  ///< of any scale: standardised before distances are taken
  count,       ///< how often something occurs: distances are taken as they are
  indicator,   ///< 0 or 1: two rows differ or they do not
};

struct FeatureColumn {
  std::string name;
  FeatureKind kind = FeatureKind::continuous;

  friend bool operator==(const FeatureColumn&, const FeatureColumn&) = default;
};

/// A directed acyclic graph with an operation at each vertex; vertices are in topological order.
struct OperationGraph {
  std::vector<std::uint32_t> operations;                       ///< each below `operation_kinds`
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;  ///< from, to; from < to
};

struct Examples {
  std::vector<FeatureColumn> columns;
  /// rows() x columns.size(), row by row; NaN where a number is missing.
  std::vector<double> features;
  /// One for each row, or none where only features are given.
  std::vector<OperationGraph> graphs;
  std::uint32_t operation_kinds = 0;

  [[nodiscard]] std::size_t rows() const {
    return columns.empty() ? graphs.size() : features.size() / columns.size();
  }
  [[nodiscard]] std::span<const double> row(std::size_t index) const {
    return std::span(features).subspan(index * columns.size(), columns.size());
  }
  /// The rows named, in that order.
  [[nodiscard]] Examples subset(std::span<const std::size_t> rows) const;
};

/// Throws UserError, naming row and column, when a feature is infinite.
void check_features(const Examples& examples);

/// Throws UserError, naming the first difference, when `examples` has other columns than those a
/// model was trained on.
void check_columns(const std::vector<FeatureColumn>& trained_on, const Examples& examples);

}  // namespace cosearch::predictors
