// Whole files as bytes, whether or not they are compressed.
#pragma once

#include <filesystem>
#include <string>

namespace cosearch::datasets {

/// The content of `path`; gzip is recognised by its first bytes, never by the file's name.
/// Throws FileError when the file cannot be opened, read or inflated (damaged or truncated).
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace cosearch::datasets
