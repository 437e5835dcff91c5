// Options that every command about a study shares.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codesign/study.h"

namespace CLI {
class App;
}

namespace cosearch::codesign {

struct StudyOptions {
  std::string file;
  std::vector<std::string> definitions;  ///< "NAME=VALUE"
  std::optional<std::uint64_t> seed;
  int jobs = 0;  ///< 0: one per core

  void add_to(CLI::App& command);
  [[nodiscard]] int job_count() const;
  /// The study, with its seed replaced where the command line gives one.
  [[nodiscard]] Study read() const;
};

}  // namespace cosearch::codesign
