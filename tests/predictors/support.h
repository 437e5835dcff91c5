// Examples made up for tests of predictors.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/random.h"
#include "predictors/examples.h"
#include "predictors/normal_distribution.h"

namespace cosearch::predictors {

inline double normal(Random& random) {
  return normal_quantile(std::min(std::max(random.uniform(), 1e-12), 1 - 1e-12));
}

/// `width` columns of each kind, and a graph of a few vertices for each row.
inline Examples random_examples(std::size_t rows, std::size_t width, Random& random) {
  Examples examples;
  for (std::size_t i = 0; i < width; ++i) {
    examples.columns.push_back({"c" + std::to_string(i), FeatureKind::continuous});
    examples.columns.push_back({"n" + std::to_string(i), FeatureKind::count});
    examples.columns.push_back({"i" + std::to_string(i), FeatureKind::indicator});
  }
  examples.operation_kinds = 4;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < width; ++i) {
      examples.features.push_back(10 + 3 * normal(random));
      examples.features.push_back(static_cast<double>(random.below(4)));
      examples.features.push_back(static_cast<double>(random.below(2)));
    }
    OperationGraph graph;
    const auto vertices = static_cast<std::uint32_t>(2 + random.below(5));
    for (std::uint32_t v = 0; v < vertices; ++v) {
      graph.operations.push_back(static_cast<std::uint32_t>(random.below(4)));
      if (v > 0) graph.edges.emplace_back(static_cast<std::uint32_t>(random.below(v)), v);
    }
    examples.graphs.push_back(std::move(graph));
  }
  return examples;
}

/// A smooth function of the features, with normal noise.
inline std::vector<double> smooth_targets(const Examples& examples, double noise, Random& random) {
  std::vector<double> targets;
  for (std::size_t row = 0; row < examples.rows(); ++row) {
    const auto x = examples.row(row);
    targets.push_back(std::sin((x[0] - 10) / 3) + 0.3 * x[1] - 0.5 * x[2] + noise * normal(random));
  }
  return targets;
}

}  // namespace cosearch::predictors
