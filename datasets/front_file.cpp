#include "datasets/front_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <type_traits>

#include "core/user_error.h"
#include "datasets/hdf5/object.h"
#include "datasets/partial_file.h"

namespace cosearch::datasets {
namespace {

std::size_t size_of(const LabelledColumn& column) {
  return std::visit([](const auto& values) { return values.size(); }, column.values);
}

void check(const Columns& columns) {
  std::set<std::string> names;
  for (const LabelledColumn& column : columns.columns) {
    if (!names.insert(column.name).second || column.name.empty())
      throw std::invalid_argument("Columns: names differ and are not empty");
    if (size_of(column) != columns.rows())
      throw std::invalid_argument("Columns: all have one length");
  }
}

std::string quoted_where_needed(const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

// std::to_chars: the shortest digits that read back as the same number.
std::string shortest(auto number) {
  char digits[32];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

std::string csv_cell(const std::string& text) { return quoted_where_needed(text); }
std::string csv_cell(std::int64_t number) { return shortest(number); }
std::string csv_cell(double number) { return std::isnan(number) ? "" : shortest(number); }

nlohmann::ordered_json json_cell(const std::string& text) { return text; }
nlohmann::ordered_json json_cell(std::int64_t number) { return number; }
// JSON has no infinities; as text they still read back with strtod or Python's float().
nlohmann::ordered_json json_cell(double number) {
  if (std::isnan(number)) return nullptr;
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  return number;
}

void write_hdf5_column(const hdf5::Handle& file, const LabelledColumn& column) {
  std::visit(
      [&](const auto& values) {
        using Value = typename std::decay_t<decltype(values)>::value_type;
        if constexpr (std::is_same_v<Value, std::string>)
          hdf5::write_text_column(file, column.name, values);
        else
          hdf5::write_column<Value>(file, column.name, column.unit, values);
      },
      column.values);
}

}  // namespace

std::size_t Columns::rows() const { return columns.empty() ? 0 : size_of(columns.front()); }

void write_csv(const std::filesystem::path& path, const Columns& columns) {
  check(columns);
  std::string text;
  for (const LabelledColumn& column : columns.columns) {
    const std::string unit = column.unit.empty() ? "" : "[" + column.unit + "]";
    text += (text.empty() ? "" : ",") + quoted_where_needed(column.name + unit);
  }
  text += '\n';
  for (std::size_t row = 0; row < columns.rows(); ++row) {
    for (std::size_t i = 0; i < columns.columns.size(); ++i) {
      if (i > 0) text += ',';
      std::visit([&](const auto& values) { text += csv_cell(values[row]); },
                 columns.columns[i].values);
    }
    text += '\n';
  }
  write_file(path, text);
}

void write_json(const std::filesystem::path& path, const Columns& columns) {
  check(columns);
  nlohmann::ordered_json units = nlohmann::ordered_json::object();
  for (const LabelledColumn& column : columns.columns)
    if (!column.unit.empty()) units[column.name] = column.unit;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::size_t row = 0; row < columns.rows(); ++row) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const LabelledColumn& column : columns.columns)
      std::visit([&](const auto& values) { object[column.name] = json_cell(values[row]); },
                 column.values);
    rows.push_back(std::move(object));
  }
  const nlohmann::ordered_json document{{"units", std::move(units)}, {"rows", std::move(rows)}};
  // Text that is not UTF-8 cannot be JSON; its bad bytes become U+FFFD rather than an exception.
  write_file(path, document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
}

void write_hdf5(const std::filesystem::path& path, const Columns& columns) {
  check(columns);
  PartialFile partial(path);
  hdf5::naming(path, [&] {
    hdf5::Handle file = hdf5::create_file(partial.path());
    std::vector<std::string> order;
    for (const LabelledColumn& column : columns.columns) {
      if (column.name.find('/') != std::string::npos || column.name == ".")
        throw std::invalid_argument("Columns: '" + column.name + "' cannot name a dataset");
      write_hdf5_column(file, column);
      order.push_back(column.name);
    }
    hdf5::write_text_list(file, "columns", order);
    file.close("write the file");
  });
  partial.commit();
}

void write_columns(const std::filesystem::path& path, const Columns& columns) {
  using Write = void (*)(const std::filesystem::path&, const Columns&);
  static const std::map<std::string, Write> kWriters = {
      {".csv", write_csv}, {".json", write_json}, {".h5", write_hdf5}, {".hdf5", write_hdf5}};
  const auto writer = kWriters.find(path.extension().string());
  if (writer == kWriters.end())
    throw UserError({path.string()}, fmt::format("unknown kind of file '{}'; expected .csv, .json, "
                                                 ".h5 or .hdf5",
                                                 path.extension().string()));
  writer->second(path, columns);
}

}  // namespace cosearch::datasets
