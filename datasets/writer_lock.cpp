#include "datasets/writer_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "core/user_error.h"
#include "datasets/partial_file.h"

namespace cosearch::datasets {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string own_name() { return fmt::format("process {} on {}", ::getpid(), host_name()); }

// What the holder wrote, on one line; empty when it has not written yet.
std::string holder_of(const Descriptor& file) {
  std::array<char, 512> bytes{};
  const std::string_view text(bytes.data(), file.read_at(0, bytes));
  return std::string(text.substr(0, text.find('\n')));
}

// False only for a process of this host that is gone.
bool may_be_alive(std::string_view holder) {
  constexpr std::string_view kProcess = "process ";
  if (holder.empty()) return false;
  if (!holder.starts_with(kProcess) || !holder.ends_with(" on " + host_name())) return true;
  holder.remove_prefix(kProcess.size());
  pid_t process = 0;
  std::from_chars(holder.data(), holder.data() + holder.size(), process);
  return process > 0 && (::kill(process, 0) == 0 || errno != ESRCH);
}

// True when the lock is ours now.
bool try_lock(const Descriptor& file) {
  int result = 0;
  do result = ::flock(file.number(), LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  if (result == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return !may_be_alive(holder_of(file));  // a file system without locks
}

// Its last holder may have removed the file between our opening and our locking it.
bool still_stands(const std::filesystem::path& path, const Descriptor& file) {
  struct stat named = {}, opened = {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(file.number(), &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& store)
    : store_(replaceable_file(store)), path_(store_.string() + ".lock") {
  do {
    file_ = Descriptor(path_, O_CREAT | O_RDWR, store_);
    if (!try_lock(file_)) {
      const std::string holder = holder_of(file_);
      throw FileError({store_.string()},
                      fmt::format("{} is writing this file; wait until it ends, or stop it",
                                  holder.empty() ? "another process" : holder));
    }
  } while (!still_stands(path_, file_));
  file_.truncate(0);
  file_.write_at(0, own_name() + "\n");
}

WriterLock::~WriterLock() {
  if (file_.number() >= 0) ::unlink(path_.c_str());
}

}  // namespace cosearch::datasets
