// A fitted predictor as named arrays: what whoever keeps it on a disk writes and reads back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cosearch::predictors {

struct ModelState {
  std::map<std::string, std::vector<double>> numbers = {};
  std::map<std::string, std::vector<std::uint8_t>> bytes = {};

  /// The array `name`. Throws UserError when it is not there, or not `size` long where that is
  /// asked: the file was damaged or written by something else.
  [[nodiscard]] const std::vector<double>& numbers_of(const std::string& name) const;
  [[nodiscard]] const std::vector<double>& numbers_of(const std::string& name,
                                                      std::size_t size) const;
  [[nodiscard]] double number(const std::string& name) const { return numbers_of(name, 1)[0]; }
  [[nodiscard]] const std::vector<std::uint8_t>& bytes_of(const std::string& name) const;
};

/// Whether `value`, of a state, is a whole number in [least, end).
[[nodiscard]] bool is_index(double value, std::size_t least, std::size_t end);

}  // namespace cosearch::predictors
