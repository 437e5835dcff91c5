// Small tables of results for people and other programs: CSV, JSON and HDF5. The same columns give
// the same bytes, and a file that cannot be written whole is not written at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace cosearch::datasets {

struct LabelledColumn {
  std::string name;
  std::string unit;  ///< empty for text and plain numbers
  std::variant<std::vector<std::string>, std::vector<double>, std::vector<std::int64_t>> values;
};

/// Columns of one length, with names that differ.
struct Columns {
  std::vector<LabelledColumn> columns;

  [[nodiscard]] std::size_t rows() const;
};

// Each throws FileError when the file cannot be written (nothing is left behind) and
// std::invalid_argument when the columns differ in length or share a name. Numbers are written so
// that reading them back gives the same bits; NaN is an empty cell in CSV and null in JSON.

/// RFC 4180 with LF line ends; header `name[unit]`, or `name` where there is no unit.
void write_csv(const std::filesystem::path& path, const Columns& columns);

/// {"units": {name: unit, ...}, "rows": [{name: value, ...}, ...]}, keys in the order of columns.
void write_json(const std::filesystem::path& path, const Columns& columns);

/// One dataset per column at the root, with a `unit` attribute.
void write_hdf5(const std::filesystem::path& path, const Columns& columns);

/// By the extension: .csv, .json, .h5 or .hdf5. Throws UserError for another one.
void write_columns(const std::filesystem::path& path, const Columns& columns);

}  // namespace cosearch::datasets
