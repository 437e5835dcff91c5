// Tables compiled into the program, so that it needs no file beside it.
#pragma once

#include <string>
#include <string_view>

#include "datasets/table.h"

namespace cosearch::codesign {

extern const std::string_view kFashionMacroTable, kFashionMacroNoise, kFashionMacroRecipe;

/// Accuracies measured by this project for every network of `space` (columns genotype,
/// accuracy_percent, ...). Throws UserError when there is no table for that space.
[[nodiscard]] datasets::Table embedded_accuracies(const std::string& space);

}  // namespace cosearch::codesign
