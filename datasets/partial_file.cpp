#include "datasets/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <utility>

#include "core/user_error.h"
#include "datasets/descriptor.h"

namespace cosearch::datasets {
namespace {

// Unique among processes and within this one; the same folder, so that renaming is atomic.
std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  std::filesystem::path path = target;
  path += fmt::format(".partial-{}-{}", ::getpid(), counter++);
  return path;
}

}  // namespace

std::filesystem::path replaceable_file(const std::filesystem::path& path) {
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

PartialFile::PartialFile(std::filesystem::path target)
    : target_(replaceable_file(target)), temporary_(temporary_beside(target_)) {
  const Descriptor file(temporary_, O_CREAT | O_EXCL | O_WRONLY, target_);
}

PartialFile::~PartialFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void PartialFile::commit() {
  Descriptor(temporary_, O_RDONLY, target_).synchronise();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw_system_error(target_, "write");
  committed_ = true;
  synchronise_folder_of(target_);
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  PartialFile partial(path);
  Descriptor(partial.path(), O_WRONLY, path).write(bytes);
  partial.commit();
}

}  // namespace cosearch::datasets
