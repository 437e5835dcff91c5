#include "datasets/descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/user_error.h"

namespace cosearch::datasets {
namespace {

// The call's result once no signal interrupts it any more.
auto uninterrupted(auto call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

void throw_system_error(const std::filesystem::path& path, std::string_view action) {
  const int error = errno;
  throw FileError({path.string()}, fmt::format("cannot {}: {}", action, std::strerror(error)));
}

Descriptor::Descriptor(const std::filesystem::path& path, int flags, std::filesystem::path name)
    : name_(std::move(name)) {
  number_ = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
  if (number_ < 0) throw_system_error(name_, (flags & O_ACCMODE) == O_RDONLY ? "open" : "write");
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

std::uint64_t Descriptor::size() const {
  struct stat status = {};
  if (::fstat(number_, &status) != 0) throw_system_error(name_, "read");
  return static_cast<std::uint64_t>(status.st_size);
}

void Descriptor::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return ::write(number_, bytes.data(), bytes.size()); });
    if (written <= 0) throw_system_error(name_, "write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Descriptor::write_at(std::uint64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = uninterrupted(
        [&] { return ::pwrite(number_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (written <= 0) throw_system_error(name_, "write");
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t Descriptor::read_at(std::uint64_t offset, std::span<char> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = uninterrupted([&] {
      return ::pread(number_, bytes.data() + done, bytes.size() - done,
                     static_cast<off_t>(offset + done));
    });
    if (got < 0) throw_system_error(name_, "read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void Descriptor::truncate(std::uint64_t size) const {
  if (uninterrupted([&] { return ::ftruncate(number_, static_cast<off_t>(size)); }) != 0)
    throw_system_error(name_, "shorten");
}

void Descriptor::synchronise() const {
  if (uninterrupted([&] { return ::fdatasync(number_); }) != 0) throw_system_error(name_, "write");
}

void synchronise_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY);
  // Some network file systems cannot synchronise a folder, and say so with EINVAL.
  if (uninterrupted([&] { return ::fsync(descriptor.number()); }) != 0 && errno != EINVAL)
    throw_system_error(path, "write");
}

}  // namespace cosearch::datasets
