// One writer at a time: a file beside the study that names who writes it.
#pragma once

#include <filesystem>

#include "datasets/descriptor.h"

namespace cosearch::datasets {

/// Held as long as it lives, and gone with the process however it ends: the system's lock on the
/// file counts, what is written in it is for people. Where the file system has no locks, the
/// process named in the file counts: dead on this host is dead, anything else is taken to be alive.
class WriterLock {
 public:
  /// Throws FileError naming process and host when another one writes the study at `store`, and
  /// when nothing can be written there.
  explicit WriterLock(const std::filesystem::path& store);
  WriterLock(WriterLock&&) noexcept = default;
  WriterLock& operator=(WriterLock&&) noexcept = default;
  ~WriterLock();

  /// The file that is written: where a link at `store` leads.
  [[nodiscard]] const std::filesystem::path& store() const { return store_; }

 private:
  std::filesystem::path store_, path_;
  Descriptor file_;
};

}  // namespace cosearch::datasets
