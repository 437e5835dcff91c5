// Mappings of a network's layers on a machine as a file that people read and write.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "accel/access_counts.h"
#include "accel/loop_nest.h"
#include "codesign/machine_file.h"
#include "core/network.h"
#include "datasets/document.h"

namespace cosearch::codesign {

extern const std::string_view kMappingSchema;

/// By the name of the layer.
using Mappings = std::map<std::string, accel::LoopNest>;

/// The mappings in `document` (schema: mapping.schema.json), each of which runs its layer of
/// `network` on `machine`. Throws UserError at the line of what does not: an unknown layer, level,
/// dimension or axis, a loop that grows, a layer that is not covered, a level that overflows, a
/// dataflow that the machine's constraints exclude; for Accounting::timeloop, a tile that does not
/// divide.
[[nodiscard]] Mappings read_mappings(const datasets::Document& document, const Network& network,
                                     const MachineDescription& machine,
                                     accel::Accounting accounting = accel::Accounting::exact);

/// One mapping and the layers that run so.
struct SharedMapping {
  std::vector<std::string> layers;
  accel::LoopNest nest;
};

/// A file from which read_mappings reads the same nests.
[[nodiscard]] std::string write_mappings(const std::string& network, const accel::Machine& machine,
                                         const std::vector<SharedMapping>& mappings);

/// `layer` as `accounting` counts it: Timeloop stores padding, and a word holds any value.
[[nodiscard]] Layer as_counted(Layer layer, accel::Accounting accounting);

}  // namespace cosearch::codesign
