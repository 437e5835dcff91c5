// Numbers found so far, network by network, in a file of their own beside the output: a stopped run
// goes on where it was.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cosearch::codesign {

/// One JSON object a line.
class PartialNumbers {
 public:
  /// `request`: all that the numbers depend on. Throws UserError when the file was begun with
  /// another.
  PartialNumbers(const std::filesystem::path& output, std::string request);

  /// By genotype.
  [[nodiscard]] const std::map<std::string, std::vector<double>>& numbers() const {
    return numbers_;
  }

  /// Throws FileError when the file cannot be written.
  void add(const std::string& genotype, std::vector<double> values);
  void remove() const { std::filesystem::remove(path_); }

 private:
  std::filesystem::path path_;
  std::string request_;
  std::map<std::string, std::vector<double>> numbers_;
};

}  // namespace cosearch::codesign
