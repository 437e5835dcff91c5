// Technologies by name or from a CSV file.
#pragma once

#include <string>
#include <vector>

#include "accel/technology.h"

namespace cosearch::codesign {

/// Nodes known by name: "65nm" to "7nm".
[[nodiscard]] std::vector<std::string> technology_names();

/// One of technology_names() (45nm is embedded, the others are scaled from it) or the path of a CSV
/// file with the columns constant, value, unit, source.
[[nodiscard]] accel::TechnologyTable find_technology(const std::string& what);

}  // namespace cosearch::codesign
