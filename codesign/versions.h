// Versions of the program and of the libraries that can change a result.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cosearch::codesign {

/// (what, version), the program first.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> versions();

/// One line each.
[[nodiscard]] std::string versions_text();

}  // namespace cosearch::codesign
