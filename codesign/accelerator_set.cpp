#include "codesign/accelerator_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "codesign/accelerator_file.h"
#include "core/user_error.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// `text` in `unit`, of those that a store's parameters have; NaN where it is something else.
double number_in(const std::string& text, const std::string& unit) {
  if (unit.empty()) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && rest == end ? number : kUnknown;
  }
  try {
    if (unit == "bytes") return static_cast<double>(datasets::parse_bytes(text).value);
    if (unit == "bytes/cycle") return datasets::parse_bytes_per_cycle(text);
    return datasets::parse_hertz(text).value;
  } catch (const UserError&) {
    return kUnknown;
  }
}

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
  if (name == "id" || name == "name" || name == "template") return std::nullopt;  // the store's own
  for (const char* unit : {"", "bytes", "bytes/cycle", "Hz"}) {
    if (std::isnan(number_in(text, unit))) continue;
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
  for (const auto& [parameter, text] : effective(file, values))
    if (const auto column = column_of(columns, parameter, text)) {
      added.parameters.resize(columns.size(), kUnknown);
      added.parameters[*column] = number_in(text, columns[*column].unit);
    }
  if (!file.is_shipped()) files.emplace(file.name(), file.text());
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

datasets::AcceleratorTable table_of(const AcceleratorSet& set) {
  datasets::AcceleratorTable table{.parameters = set.columns, .rows = {}};
  for (const Accelerator& one : set.list)
    table.rows.push_back({one.machine.name, one.family, one.parameters});
  return table;
}

}  // namespace cosearch::codesign
