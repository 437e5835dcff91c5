// cosearch supernet search.
#pragma once

#include "codesign/cli/console.h"

namespace cosearch::codesign {

/// Adds the subcommand to `cosearch supernet`.
void add_supernet_search(CLI::App& command, Console& console);

}  // namespace cosearch::codesign
