// Tables for people: aligned columns, numbers to the right.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace cosearch::codesign {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}

  /// Appends a row; it has as many cells as the header.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// Writes header, rule and rows; a column whose cells all start like numbers is set to the right.
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// `value` with `decimals` digits after the point; "-" for NaN.
[[nodiscard]] std::string fixed(double value, int decimals);

/// Whole number with thousands separators: 1,234,567.
[[nodiscard]] std::string grouped(double value);

}  // namespace cosearch::codesign
