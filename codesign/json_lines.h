// Results kept one by one by work that may be stopped at any moment, in a file of text: one JSON
// object a line, the first of which says what they are results of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/user_error.h"
#include "datasets/descriptor.h"
#include "datasets/writer_lock.h"

namespace cosearch::codesign {

/// Protocol: construct append* [remove]. One process at a time holds it.
class JsonLines {
 public:
  /// Begins the file at `path`, or goes on with the one that is there: what a crash cut short at
  /// its end is dropped. `subject`: an object of everything that the results depend on. Throws
  /// UserError when the file there was begun for another subject, naming what differs, or a line of
  /// it is no object; FileError when another process holds it or the file system refuses.
  JsonLines(const std::filesystem::path& path, const nlohmann::json& subject);

  /// Those of earlier runs.
  [[nodiscard]] const std::vector<nlohmann::json>& rows() const { return rows_; }
  /// For a row that is not what it should be.
  [[noreturn]] void fail(std::size_t row) const;

  /// When it returns, the row is on the disk.
  void append(const nlohmann::json& row);
  void remove();

 private:
  void read(const nlohmann::json& subject);
  [[noreturn]] void fail_at(int line) const;

  datasets::WriterLock lock_;
  datasets::Descriptor file_;
  std::uint64_t end_ = 0;  ///< of what is on the disk
  std::vector<nlohmann::json> rows_;
};

}  // namespace cosearch::codesign
