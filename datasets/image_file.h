// One picture from a PNG or JPEG file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cosearch::datasets {

/// 8 bits a channel, the channels of a pixel side by side.
struct Picture {
  std::size_t height = 0, width = 0, channels = 0;  ///< channels: 1 grey, 3 red, green, blue
  std::vector<std::uint8_t> pixels;                 ///< height x width x channels
};

/// Whether the name ends in .png, .jpg or .jpeg, in letters of either case.
[[nodiscard]] bool is_named_like_a_picture(const std::filesystem::path& path);

/// Decodes a PNG or JPEG file, told apart by its first bytes. Grey pictures stay grey; palettes and
/// other colours become red, green and blue; 16 bits become 8; what is transparent lies on black.
/// Throws FileError when the file cannot be read, UserError when it is neither, or damaged or
/// truncated.
[[nodiscard]] Picture read_picture(const std::filesystem::path& path);

}  // namespace cosearch::datasets
