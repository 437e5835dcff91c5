#include "datasets/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/user_error.h"

namespace cosearch::datasets {
namespace {

/// Closes a POSIX file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail(const std::filesystem::path& path, const char* action) {
  const int error = errno;
  throw FileError({path.string()}, fmt::format("cannot {}: {}", action, std::strerror(error)));
}

// Unique among processes and within this one; the same folder, so that renaming is atomic.
std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  std::filesystem::path path = target;
  path += fmt::format(".partial-{}-{}", ::getpid(), counter++);
  return path;
}

// Renaming replaces whatever bears the name: a link must stay a link, a device a device.
std::filesystem::path replaceable(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status))
    throw FileError({path.string()}, "cannot write: this is a folder");
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw FileError({path.string()}, "cannot write: this is no regular file");
  if (!std::filesystem::is_symlink(std::filesystem::symlink_status(path, ignored))) return path;
  const std::filesystem::path linked = std::filesystem::weakly_canonical(path, ignored);
  return ignored ? path : linked;
}

}  // namespace

PartialFile::PartialFile(std::filesystem::path target)
    : target_(replaceable(target)), temporary_(temporary_beside(target_)) {
  const Descriptor file(::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
  if (file.number() < 0) fail(target_, "write");
}

PartialFile::~PartialFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void PartialFile::commit() {
  {
    const Descriptor file(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number() < 0 || ::fsync(file.number()) != 0) fail(target_, "write");
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(target_, "write");
  committed_ = true;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  PartialFile partial(path);
  {
    const Descriptor file(::open(partial.path().c_str(), O_WRONLY | O_CLOEXEC));
    if (file.number() < 0) fail(path, "write");
    while (!bytes.empty()) {
      const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail(path, "write");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  partial.commit();
}

}  // namespace cosearch::datasets
