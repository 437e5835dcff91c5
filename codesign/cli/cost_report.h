// What `cosearch cost` and `cosearch show` print of a network on an accelerator.
#pragma once

#include "accel/accelerator.h"
#include "codesign/cli/console.h"
#include "core/network.h"

namespace cosearch::codesign {

/// In all and, if asked, layer by layer; exit code 4 and why where it does not run.
void report_cost(const Network& network, const accel::Accelerator& accelerator, bool per_layer,
                 Console& console);

}  // namespace cosearch::codesign
