// What the tests of accel share: the technology of the program, and random layers and machines.
#pragma once

#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "accel/cost.h"
#include "accel/technology.h"
#include "core/layer.h"
#include "datasets/table.h"

namespace cosearch::accel::test {

inline std::vector<TechnologyRow> rows_of(std::string_view text, const std::string& name) {
  const auto table = datasets::Table::parse(text, name);
  std::vector<TechnologyRow> rows;
  for (std::size_t row = 0; row < table.rows(); ++row)
    rows.push_back({table.text(row, table.column("constant")),
                    table.number(row, table.column("value")), table.text(row, table.column("unit")),
                    table.text(row, table.column("source")), table.line(row)});
  return rows;
}

inline const TechnologyTable& technology_45nm() {
  static const TechnologyTable table =
      technology_from_rows("45nm", rows_of(kTechnology45nm, "technology_45nm.csv"));
  return table;
}

inline Accelerator machine(const AcceleratorParameters& parameters) {
  return make_accelerator("test", parameters, technology_45nm());
}

/// The cost, failing the test with the reason when there is none.
inline LayerCost cost_of(const Layer& layer, const Accelerator& accelerator) {
  const auto cost = layer_cost(layer, accelerator);
  if (const auto* infeasible = std::get_if<Infeasible>(&cost))
    throw std::runtime_error(infeasible->reason);
  return std::get<LayerCost>(cost);
}

}  // namespace cosearch::accel::test
