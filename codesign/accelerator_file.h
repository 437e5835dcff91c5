// Accelerators by name or from a file, grids of them from a study, and technology tables.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "accel/accelerator.h"
#include "accel/accelerator_space.h"
#include "accel/technology.h"
#include "datasets/document.h"

namespace cosearch::codesign {

extern const std::string_view kAcceleratorSchema;

/// Nodes known by name: "65nm" to "7nm".
[[nodiscard]] std::vector<std::string> technology_names();

/// One of technology_names() (45nm is embedded, the others are scaled from it) or the path of a CSV
/// file with the columns constant, value, unit, source.
[[nodiscard]] accel::TechnologyTable find_technology(const std::string& what);

/// Parameters of a named accelerator. Throws UserError with a suggestion.
[[nodiscard]] accel::AcceleratorParameters named_parameters(const std::string& name);

/// The grid at `pointer` of a study: a template and one or more values per parameter.
/// Throws UserError at the line of a value that is not possible.
[[nodiscard]] accel::AcceleratorSpace read_grid(const datasets::Document& document,
                                                const std::string& pointer);

/// The accelerator in `document` (schema: accelerator.schema.json). A technology file is looked for
/// beside it. Throws FileError, and UserError at the line of what is wrong.
[[nodiscard]] accel::Accelerator read_accelerator(const datasets::Document& document);

/// A named accelerator ("nvdla-256") or a YAML file.
[[nodiscard]] accel::Accelerator find_accelerator(const std::string& what);

}  // namespace cosearch::codesign
