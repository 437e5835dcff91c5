// Constraints on loop nests in a machine file: which loops each level may have.
#pragma once

#include <string>

#include "accel/machine.h"
#include "accel/map_constraints.h"
#include "datasets/document.h"

namespace cosearch::codesign {

/// The constraints at `pointer` of a document that fits machine.schema.json: a map from names of
/// levels. Throws UserError at an unknown level, axis or dimension, and for constraints that no
/// layer can satisfy.
[[nodiscard]] accel::MapConstraints read_constraints(const datasets::Document& document,
                                                     const std::string& pointer,
                                                     const accel::Machine& machine);

/// The same as lines of a file, each indented by two spaces; nothing when there are none.
[[nodiscard]] std::string write_constraints(const accel::MapConstraints& constraints,
                                            const accel::Machine& machine);

}  // namespace cosearch::codesign
