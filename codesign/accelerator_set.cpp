#include "codesign/accelerator_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "codesign/accelerator_file.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// The values that hold for `file`: its defaults where `values` says nothing.
ParameterValues effective(const MachineFile& file, const ParameterValues& values) {
  ParameterValues all = file.parameters();
  for (auto& [name, text] : all) {
    const auto given = std::ranges::find(values, name, &ParameterValues::value_type::first);
    if (given != values.end()) text = given->second;
  }
  return all;
}

/// The column of parameter `name`, made from its first value if need be; none for text.
std::optional<std::size_t> column_of(std::vector<datasets::ParameterColumn>& columns,
                                     const std::string& name, const std::string& text) {
  const auto found = std::ranges::find(columns, name, &datasets::ParameterColumn::name);
  if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  if (name == "id" || name == "name" || name == "template" || name == "text_parameters")
    return std::nullopt;  // the store's own
  for (const char* unit : kParameterUnits) {
    if (std::isnan(number_in_unit(text, unit))) continue;
    columns.push_back({name, unit});
    return columns.size() - 1;
  }
  return std::nullopt;
}

}  // namespace

void AcceleratorSet::add(const std::string& name, const MachineFile& file,
                         const ParameterValues& values) {
  MachineDescription description = file.with(values);
  description.machine.name = name;
  description.machine.source.clear();  // of the file's, which would be here thousands of times
  Accelerator added{.machine = std::move(description.machine),
                    .constraints = nullptr,
                    .dataflow = description.dataflow,
                    .family = file.name()};
  const bool is_shared = !list.empty() && *list.back().constraints == description.constraints;
  added.constraints =
      is_shared ? list.back().constraints
                : std::make_shared<const accel::MapConstraints>(std::move(description.constraints));
  added.parameters.resize(columns.size(), kUnknown);
  nlohmann::json texts;
  for (const auto& [parameter, text] : effective(file, values)) {
    const auto column = column_of(columns, parameter, text);
    added.parameters.resize(columns.size(), kUnknown);
    if (column) added.parameters[*column] = number_in_unit(text, columns[*column].unit);
    if (!column || std::isnan(added.parameters[*column])) texts[parameter] = text;
  }
  if (!texts.empty()) added.text_parameters = texts.dump();
  if (!file.is_shipped()) files.emplace(file.name(), file.text());
  for (const auto& [path, text] : file.technology_files()) files.emplace(path, text);
  list.push_back(std::move(added));
  if (list.size() > 1 && list[list.size() - 2].parameters.size() < columns.size())
    for (Accelerator& one : list) one.parameters.resize(columns.size(), kUnknown);
}

AcceleratorSet accelerators_named(const std::vector<std::string>& names) {
  AcceleratorSet set;
  for (const std::string& name : names) {
    const AcceleratorSpec spec = accelerator_spec(name);
    set.add(spec.name, MachineFile(spec.machine), spec.parameters);
  }
  return set;
}

nlohmann::json texts_of(const datasets::AcceleratorRow& row) {
  nlohmann::json texts = nlohmann::json::object();
  if (row.text_parameters.empty()) return texts;
  texts = nlohmann::json::parse(row.text_parameters, nullptr, /*allow_exceptions=*/false);
  const auto is_text = [](const nlohmann::json& value) { return value.is_string(); };
  if (!texts.is_object() || !std::ranges::all_of(texts, is_text))
    throw UserError(fmt::format("the store's text_parameters of accelerator {} are damaged: {}",
                                row.name, row.text_parameters));
  return texts;
}

datasets::AcceleratorTable table_of(const AcceleratorSet& set) {
  datasets::AcceleratorTable table{.parameters = set.columns, .rows = {}};
  for (const Accelerator& one : set.list)
    table.rows.push_back({one.machine.name, one.family, one.parameters, one.text_parameters});
  return table;
}

}  // namespace cosearch::codesign
