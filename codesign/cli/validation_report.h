// How `cosearch validate` shows the cases that ship with the program.
#pragma once

#include <vector>

#include "codesign/cli/console.h"
#include "codesign/validation.h"

namespace cosearch::codesign {

void print_validation(const Console& console, const std::vector<ValidationReport>& reports);

[[nodiscard]] nlohmann::json validation_json(const std::vector<ValidationReport>& reports);

}  // namespace cosearch::codesign
