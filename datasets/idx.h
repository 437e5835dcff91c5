// Images and labels in the IDX format of the MNIST family.
// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", file formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace cosearch::datasets {

/// Grey images, row by row, one after the other; 0 is background.
struct IdxImages {
  std::size_t count = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< count x height x width
};

/// Reads a file of images, inflating it first when it is gzip. Throws FileError when the file is
/// missing or damaged, UserError when it is no IDX image file or its size does not fit its header.
[[nodiscard]] IdxImages read_idx_images(const std::filesystem::path& path);

/// Reads a file of labels, one byte each; errors as above.
[[nodiscard]] std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& path);

}  // namespace cosearch::datasets
