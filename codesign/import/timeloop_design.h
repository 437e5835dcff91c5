// Timeloop's architecture, problem, mapping and constraints as ours, and back. docs/peers.md shows
// both ways.
//
// Every value is one word at every level, as Timeloop counts. Its axes P, R and Q, S are our height
// and width, whatever letter their coefficients begin with.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/map_constraints.h"
#include "codesign/import/layer_design.h"
#include "datasets/timeloop_file.h"

namespace cosearch::codesign {

/// A problem as a layer: which dimension and which data space is which.
struct TimeloopLayer {
  Layer layer;
  std::map<std::string, accel::Dimension> dimensions;
  std::map<std::string, Tensor> tensors;
};

/// Throws UserError at the data space or shape that is neither a convolution nor a matrix product.
[[nodiscard]] TimeloopLayer timeloop_layer(const datasets::TimeloopProblem& problem);

/// Energies and areas are 0: Timeloop has them from other tools. Throws UserError at the level
/// whose instances are no multiple of those of the level outside of it.
[[nodiscard]] accel::Machine timeloop_machine(const datasets::TimeloopArchitecture& architecture);

/// Throws UserError at the entry that names no level or dimension, whose factors do not make up the
/// problem, or that leaves the order of its loops open.
[[nodiscard]] accel::LoopNest timeloop_nest(const std::vector<datasets::TimeloopDirective>& mapping,
                                            const TimeloopLayer& problem,
                                            const accel::Machine& machine);

/// All three. Throws UserError, naming what is missing, where the files have only some of them.
[[nodiscard]] LayerDesign import_timeloop(const datasets::TimeloopFiles& files);

/// What a mapper may choose from: the machine, of which the constraints say what each level keeps,
/// and the loops that they leave.
struct TimeloopMapSpace {
  Layer layer;
  accel::Machine machine;
  accel::MapConstraints constraints;
};

/// Architecture, problem and constraints. Throws UserError at the constraint that has no
/// counterpart: factors of at least so many, spatial ones that do not say whether along X or Y.
[[nodiscard]] TimeloopMapSpace import_timeloop_constraints(const datasets::TimeloopFiles& files);

/// What import_timeloop takes back; where a dimension runs along both axes of a level, with one
/// level more, which keeps nothing. Requires a mapping that runs on the machine. Padding, which
/// Timeloop does not have, becomes part of the input. Throws UserError, naming the level, for what
/// Timeloop cannot say: three axes at one level, rooms for one tensor alone, a dimension cut twice
/// at one level, ragged pieces other than the last.
[[nodiscard]] datasets::TimeloopFiles export_timeloop(const LayerDesign& design);

}  // namespace cosearch::codesign
