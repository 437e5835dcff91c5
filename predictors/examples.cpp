#include "predictors/examples.h"

namespace cosearch::predictors {

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

}  // namespace cosearch::predictors
