#include "codesign/technology_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/user_error.h"
#include "datasets/file_bytes.h"
#include "datasets/table.h"

namespace cosearch::codesign {
namespace {

// Reads the columns of a technology's constants from one row.
accel::TechnologyRow technology_row(const datasets::Table& table, std::size_t row) {
  return {.constant = table.text(row, table.column("constant")),
          .value = table.number(row, table.column("value")),
          .unit = table.text(row, table.column("unit")),
          .source = table.text(row, table.column("source")),
          .line = table.line(row)};
}

accel::TechnologyTable read_technology(const datasets::Table& table) {
  std::vector<accel::TechnologyRow> rows;
  for (std::size_t row = 0; row < table.rows(); ++row) rows.push_back(technology_row(table, row));
  return accel::technology_from_rows(table.name(), rows);
}

const accel::TechnologyTable& technology_45nm() {
  static const accel::TechnologyTable table =
      read_technology(datasets::Table::parse(accel::kTechnology45nm, "technology 45nm"));
  return table;
}

const std::vector<accel::TechnologyScaling>& scalings() {
  static const std::vector<accel::TechnologyScaling> all = [] {
    const auto table = datasets::Table::parse(accel::kTechnologyScaling, "technology scaling");
    std::vector<accel::ScalingRow> rows;
    for (std::size_t row = 0; row < table.rows(); ++row)
      rows.push_back(
          {static_cast<int>(table.integer(row, table.column("node"))), technology_row(table, row)});
    return accel::scalings_from_rows(table.name(), rows);
  }();
  return all;
}

std::string name_of(const accel::TechnologyScaling& scaling) {
  return fmt::format("{}nm", scaling.node_nm);
}

accel::TechnologyTable at_node(const std::string& name) {
  if (name == "45nm") return technology_45nm();
  const auto at = [](const std::string& node) {
    return std::ranges::find(scalings(), node, [](const auto& s) { return name_of(s); });
  };
  if (const auto found = at(name); found != scalings().end())
    return accel::scaled(technology_45nm(), *at("45nm"), *found);
  throw UserError(fmt::format("no technology '{}' (expected the path of a CSV file, or one of: {})",
                              name, fmt::join(technology_names(), ", ")));
}

}  // namespace

std::vector<std::string> technology_names() {
  std::vector<std::string> names;
  for (const accel::TechnologyScaling& scaling : scalings()) names.push_back(name_of(scaling));
  return names;
}

bool names_technology_file(const std::string& what) {
  return what != "none" && !what.ends_with("nm");
}

const accel::TechnologyTable& Technologies::find(const std::string& what) {
  if (const auto known = tables_.find(what); known != tables_.end()) return known->second;
  if (!names_technology_file(what)) return tables_.emplace(what, at_node(what)).first->second;
  auto file = files_.find(what);
  if (file == files_.end()) file = files_.emplace(what, datasets::read_file(what)).first;
  return tables_.emplace(what, read_technology(datasets::Table::parse(file->second, what)))
      .first->second;
}

accel::TechnologyTable find_technology(const std::string& what) {
  return Technologies().find(what);
}

}  // namespace cosearch::codesign
