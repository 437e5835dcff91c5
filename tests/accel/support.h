// What the tests of accel share: the technology of the program, and machines of the templates.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "accel/dataflow.h"
#include "accel/machine.h"
#include "accel/machine_costs.h"
#include "accel/technology.h"
#include "accel/template_mapper.h"
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

/// Sizes of a template's machine; the defaults are those of its file.
struct TemplateSizes {
  Dataflow dataflow = Dataflow::nvdla;
  std::int64_t pe_rows = 16, pe_columns = 16;
  Bytes pe_buffer{512}, shared_buffer{128 * 1024};
  double noc_bandwidth = 64, dram_bandwidth = 16;  ///< bytes per cycle
  int precision_bits = 8;
};

/// The machine that accel/machines/*.yaml describes (codesign's tests compare the two).
inline Machine machine(const TemplateSizes& sizes) {
  Machine machine;
  machine.name = name_of(sizes.dataflow);
  machine.levels.resize(3);
  set_costs(machine, kFromTechnology);
  const double word_bytes = sizes.precision_bits / 8.0;
  for (StorageLevel& level : machine.levels) {
    level.must_keep = TensorSet::all();
    level.word_bits = sizes.precision_bits;
    level.leakage_mw = 0;
  }
  machine.compute.name = "multiplier";
  machine.compute.leakage_mw = 0;
  machine.levels[0].name = "DRAM";
  machine.levels[0].shared_bandwidth = sizes.dram_bandwidth / word_bytes;
  machine.levels[1].name = "shared buffer";
  machine.levels[1].capacity_bits = 8 * sizes.shared_buffer.value;
  machine.levels[1].network_bandwidth = sizes.noc_bandwidth / word_bytes;
  machine.levels[1].fanout = {{.axis = "rows", .size = sizes.pe_rows},
                              {.axis = "columns", .size = sizes.pe_columns}};
  machine.levels[2].name = "PE buffer";
  machine.levels[2].capacity_bits = 8 * sizes.pe_buffer.value;
  fill_costs(machine, technology_45nm(),
             {{.kind = Store::Kind::dram},
              {.kind = Store::Kind::sram, .port_bits = 64},
              {.kind = Store::Kind::registers, .port_bits = 64}},
             sizes.precision_bits);
  return machine;
}

/// What a template's rule chooses, failing the test with the reason when there is nothing.
inline CostedNest mapped(const Layer& layer, const TemplateSizes& sizes) {
  auto found = template_mapping(layer, machine(sizes), sizes.dataflow);
  if (const auto* infeasible = std::get_if<Infeasible>(&found))
    throw std::runtime_error(infeasible->reason);
  return std::get<CostedNest>(std::move(found));
}

}  // namespace cosearch::accel::test
