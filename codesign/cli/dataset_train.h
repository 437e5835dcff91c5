// cosearch dataset train.
#pragma once

#include "codesign/cli/console.h"

namespace cosearch::codesign {

/// Adds the subcommand to `cosearch dataset`.
void add_dataset_train(CLI::App& command, Console& console);

}  // namespace cosearch::codesign
