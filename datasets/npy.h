// Arrays in NumPy's format. Source: R. Kern, NEP 1, "A simple file format for NumPy arrays", 2007;
// versions 1.0 and 2.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <variant>
#include <vector>

namespace cosearch::datasets {

/// Row-major: the last index varies fastest.
struct NpyArray {
  std::vector<std::size_t> shape;
  std::variant<std::vector<std::uint8_t>, std::vector<std::int32_t>, std::vector<std::int64_t>,
               std::vector<float>>
      values;
};

/// Reads an array of bytes (`uint8`), little-endian `int32`, `int64` or `float32`, inflating the
/// file first when it is gzip. Throws FileError when it is missing or damaged, UserError when it is
/// no NPY file, holds another type or the columns-first order, or its size does not fit its header.
[[nodiscard]] NpyArray read_npy(const std::filesystem::path& path);

}  // namespace cosearch::datasets
