// Machines by name or from a file: any levels of storage, and which loops they may run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accel/machine.h"
#include "accel/map_constraints.h"
#include "codesign/file_parameters.h"
#include "datasets/document.h"

namespace cosearch::codesign {

extern const std::string_view kMachineSchema;

struct MachineDescription {
  accel::Machine machine;
  /// One entry for each level, or none when the file has none.
  accel::MapConstraints constraints;
  friend bool operator==(const MachineDescription&, const MachineDescription&) = default;
};

/// The machine in `document` (schema: machine.schema.json) under the parameters in `values`. Every
/// cost is a number: what the file leaves out is from its technology. Throws UserError at the
/// line of what is wrong, or for a parameter that the file does not have.
[[nodiscard]] MachineDescription read_machine(datasets::Document document,
                                              const ParameterValues& values = {});

/// A shipped machine ("eyeriss-v1") or a YAML file, with or without parameters
/// ("nvdla:pe_rows=8,pe_columns=8"); the machine's name then ends in them.
[[nodiscard]] MachineDescription find_machine(const std::string& what);

/// Names of the shipped machines.
[[nodiscard]] std::vector<std::string> machine_names();

/// A file from which read_machine reads an equal description: no technology, no parameters.
[[nodiscard]] std::string write_machine(const MachineDescription& description);

}  // namespace cosearch::codesign
