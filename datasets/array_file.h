// Named arrays in one HDF5 file, whole or not at all: what a fitted model leaves behind. On-disk
// layout: FORMAT.md, "Named arrays".
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cosearch::datasets {

struct ArrayFile {
  std::string kind;           ///< what the arrays are: "predictor"
  std::uint32_t version = 1;  ///< of the meaning of the arrays; its owner's to raise
  std::map<std::string, std::string> texts = {};
  std::map<std::string, std::vector<std::string>> text_lists = {};
  std::map<std::string, std::vector<double>> numbers = {};
  std::map<std::string, std::vector<std::uint8_t>> bytes = {};

  /// The text, or list of texts, `name`. Throws UserError when there is none.
  [[nodiscard]] const std::string& text(const std::string& name) const;
  [[nodiscard]] const std::vector<std::string>& text_list(const std::string& name) const;
};

/// Throws FileError when the file cannot be written; what stood there before then still does. The
/// same arrays give the same bytes.
void write_array_file(const std::filesystem::path& path, const ArrayFile& file);

/// Throws FileError when the file cannot be read or is damaged, and UserError when it is no file of
/// named arrays, holds another `kind`, or has another `version`, saying which.
[[nodiscard]] ArrayFile read_array_file(const std::filesystem::path& path, const std::string& kind,
                                        std::uint32_t version);

}  // namespace cosearch::datasets
