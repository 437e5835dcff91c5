// What `cosearch cost` and `cosearch show` print of a network on an accelerator.
#pragma once

#include "codesign/cli/console.h"
#include "codesign/cli/machine_report.h"

namespace cosearch::codesign {

/// In all and, if asked, layer by layer and with loop nests; exit code 4 and why where it does not
/// run.
void report_cost(const MachineReport& report, bool per_layer, bool nests, Console& console);

}  // namespace cosearch::codesign
