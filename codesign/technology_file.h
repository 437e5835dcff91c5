// Technologies by name or from a CSV file.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "accel/technology.h"

namespace cosearch::codesign {

/// Nodes known by name: "65nm" to "7nm".
[[nodiscard]] std::vector<std::string> technology_names();

/// Whether `what` is the path of a file, relative to whoever names it: no node ("16nm"), not
/// "none".
[[nodiscard]] bool names_technology_file(const std::string& what);

/// Technologies that machines are made of; each is read once. One thread.
class Technologies {
 public:
  Technologies() = default;
  /// `files`: texts by path, which stand for what is there.
  explicit Technologies(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  /// One of technology_names() (45nm is embedded, the others are scaled from it) or the path of a
  /// CSV file with the columns constant, value, unit, source. Throws FileError and UserError.
  const accel::TechnologyTable& find(const std::string& what);
  /// Text by path of those given and those read.
  [[nodiscard]] const std::map<std::string, std::string>& files() const { return files_; }

 private:
  std::map<std::string, std::string> files_;
  std::map<std::string, accel::TechnologyTable> tables_;
};

/// What Technologies::find says.
[[nodiscard]] accel::TechnologyTable find_technology(const std::string& what);

}  // namespace cosearch::codesign
