// A table of text from a CSV file, whose numbers are parsed strictly and whose errors name the
// line. Source: RFC 4180 (Y. Shafranovich, 2005); a byte order mark and LF line ends are accepted
// too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/user_error.h"

namespace cosearch::datasets {

/// Rows of cells under named columns. Never empty: there is a header and at least one row.
class Table {
 public:
  /// Reads `path`, inflating it first when it is gzip. Throws FileError when the file cannot be
  /// read, and UserError at its line for what `parse` refuses.
  static Table read(const std::filesystem::path& path);

  /// Parses `text`, called `name` in errors. Throws UserError for a row with more or fewer cells
  /// than the header, empty or repeated column names, bad quoting, no header or no rows.
  static Table parse(std::string_view text, std::string name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::size_t rows() const { return lines_.size(); }
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }

  /// Throws UserError, with the likeliest column when `name` looks misspelt.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  [[nodiscard]] std::optional<std::size_t> find_column(std::string_view name) const;

  [[nodiscard]] const std::string& text(std::size_t row, std::size_t column) const {
    return cells_[row * columns_.size() + column];
  }
  /// A finite number. Throws UserError for an empty cell, NaN, infinity or anything after it.
  [[nodiscard]] double number(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column) const;

  /// Line of the file, from 1, on which `row` starts.
  [[nodiscard]] int line(std::size_t row) const { return lines_[row]; }
  [[nodiscard]] SourceLocation where(std::size_t row) const { return {name_, line(row)}; }

 private:
  [[noreturn]] void fail(std::size_t row, std::size_t column, std::string_view expected) const;

  std::string name_;
  std::vector<std::string> columns_;
  std::vector<std::string> cells_;  // row by row; most cells fit std::string's inline buffer
  std::vector<int> lines_;
};

}  // namespace cosearch::datasets
