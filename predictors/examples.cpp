#include "predictors/examples.h"

#include <algorithm>
#include <cmath>

#include "core/user_error.h"

namespace cosearch::predictors {
namespace {

std::string difference(const std::vector<FeatureColumn>& expected,
                       const std::vector<FeatureColumn>& given) {
  for (std::size_t i = 0; i < std::min(expected.size(), given.size()); ++i)
    if (expected[i] != given[i])
      return "column " + std::to_string(i + 1) + " is '" + given[i].name + "', expected '" +
             expected[i].name + "'";
  return std::to_string(given.size()) + " columns, expected " + std::to_string(expected.size());
}

}  // namespace

Examples Examples::subset(std::span<const std::size_t> rows) const {
  Examples chosen{
      .columns = columns, .features = {}, .graphs = {}, .operation_kinds = operation_kinds};
  chosen.features.reserve(rows.size() * columns.size());
  for (const std::size_t index : rows) {
    const std::span<const double> values = row(index);
    chosen.features.insert(chosen.features.end(), values.begin(), values.end());
    if (!graphs.empty()) chosen.graphs.push_back(graphs[index]);
  }
  return chosen;
}

void check_features(const Examples& examples) {
  for (std::size_t row = 0; row < examples.rows(); ++row)
    for (std::size_t column = 0; column < examples.columns.size(); ++column)
      if (std::isinf(examples.row(row)[column]))
        throw UserError("example " + std::to_string(row) + ": feature '" +
                        examples.columns[column].name +
                        "' is infinite; leave what is not known empty");
}

void check_columns(const std::vector<FeatureColumn>& trained_on, const Examples& examples) {
  if (examples.columns != trained_on)
    throw UserError("these are not the features it was trained on: " +
                    difference(trained_on, examples.columns));
}

}  // namespace cosearch::predictors
