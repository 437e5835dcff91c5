// A file that appears under its name whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

namespace cosearch::datasets {

/// The file that is written when `path` is: renaming replaces whatever bears a name, so what a link
/// points to, not the link. Throws FileError for a folder, a device and the like.
[[nodiscard]] std::filesystem::path replaceable_file(const std::filesystem::path& path);

/// Claims a temporary name beside the target; `commit` renames it over the target, and a partial
/// file that is never committed is removed.
class PartialFile {
 public:
  /// Creates the empty temporary file. Throws FileError when the folder does not exist or cannot be
  /// written, or when the target is anything but a regular file or a link to one.
  explicit PartialFile(std::filesystem::path target);
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  [[nodiscard]] const std::filesystem::path& target() const { return target_; }
  /// Where to write until `commit`.
  [[nodiscard]] const std::filesystem::path& path() const { return temporary_; }

  /// Brings the content to the disk, then gives it its name. Close the file first.
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  bool committed_ = false;
};

/// Writes `bytes` to `path`, whole or not at all. Throws FileError.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace cosearch::datasets
