// POSIX files for what must survive: every call is repeated when a signal interrupts it, and what
// is synchronised is on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

namespace cosearch::datasets {

/// Owns a file descriptor. Every function throws FileError naming the path and the system's reason.
class Descriptor {
 public:
  Descriptor() = default;
  /// `flags` as of open(2); the descriptor is not inherited by child processes. Errors speak of
  /// `name` where the path is a temporary one that nobody knows.
  Descriptor(const std::filesystem::path& path, int flags) : Descriptor(path, flags, path) {}
  Descriptor(const std::filesystem::path& path, int flags, std::filesystem::path name);
  Descriptor(Descriptor&& other) noexcept
      : name_(std::move(other.name_)), number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(name_, other.name_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] const std::filesystem::path& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const;

  /// Writes all of `bytes` at the file position.
  void write(std::string_view bytes) const;
  void write_at(std::uint64_t offset, std::string_view bytes) const;
  /// Fills `bytes` from `offset` on; how many there were before the end of the file.
  std::size_t read_at(std::uint64_t offset, std::span<char> bytes) const;
  void truncate(std::uint64_t size) const;
  /// Returns when content and size are on the disk.
  void synchronise() const;

 private:
  std::filesystem::path name_;
  int number_ = -1;
};

/// Returns when the names in the folder of `path` are on the disk: a file that was created, renamed
/// or removed there stays so after a power cut.
void synchronise_folder_of(const std::filesystem::path& path);

/// Throws FileError: "PATH: cannot ACTION: REASON", the reason from errno.
[[noreturn]] void throw_system_error(const std::filesystem::path& path, std::string_view action);

}  // namespace cosearch::datasets
