#include "codesign/technology_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "core/user_error.h"
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

}  // namespace

std::vector<std::string> technology_names() {
  std::vector<std::string> names;
  for (const accel::TechnologyScaling& scaling : scalings()) names.push_back(name_of(scaling));
  return names;
}

accel::TechnologyTable find_technology(const std::string& what) {
  if (what == "45nm") return technology_45nm();
  const auto at = [](const std::string& name) {
    return std::ranges::find(scalings(), name, [](const auto& s) { return name_of(s); });
  };
  if (const auto found = at(what); found != scalings().end())
    return accel::scaled(technology_45nm(), *at("45nm"), *found);
  if (std::filesystem::path(what).extension() != ".csv" && what.ends_with("nm"))
    throw UserError(
        fmt::format("no technology '{}' (expected the path of a CSV file, or one of: "
                    "{})",
                    what, fmt::join(technology_names(), ", ")));
  return read_technology(datasets::Table::read(what));
}

}  // namespace cosearch::codesign
