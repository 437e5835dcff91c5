// Where the program finds what is not compiled into it.
#pragma once

#include <filesystem>

#include "codesign/accuracy_source.h"

namespace cosearch::codesign {

/// The folder of the training module: lib/cosearch beside the installed program, or the build
/// folder the program was built in.
[[nodiscard]] std::filesystem::path training_module_folder();
/// The same of the module of neural predictors.
[[nodiscard]] std::filesystem::path neural_module_folder();

/// Trains, scores and predicts with the program's modules.
[[nodiscard]] AccuracyTools program_accuracy_tools();

/// Where Debian's dataset-fashion-mnist puts its files.
[[nodiscard]] std::filesystem::path default_image_folder();

}  // namespace cosearch::codesign
