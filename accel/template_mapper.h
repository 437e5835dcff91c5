// The mapping that a template's own rule chooses: no search for the optimum
// (accel/optimal_mapper.h) but a sensible tiling in microseconds.
#pragma once

#include <variant>

#include "accel/dataflow.h"
#include "accel/infeasible.h"
#include "accel/machine.h"
#include "accel/nest_cost.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Unrolling and loop order over the array are the dataflow's; the shared tile is one of least DRAM
/// traffic among powers of two (times the unrolling) and whole extents; the PE tile grows greedily
/// while that lessens traffic between shared buffer and array. Of the smallest and the largest such
/// shared tile the faster is taken, unless it costs more than 5 % more energy, leakage aside.
///
/// The choice of shared tile looks neither at the PE buffer nor at any bandwidth, and energy
/// without leakage depends on no bandwidth: so a larger buffer never costs DRAM traffic, and more
/// bandwidth never costs cycles.
///
/// Requires a layer of multiply-accumulates and problems_of_template(machine) to be empty.
/// Infeasible: a tensor wider than the machine's words, a transposed or three-dimensional
/// convolution, or which level is too small for the smallest tile, and the words missing. Depends
/// on its arguments only; safe to call from several threads.
[[nodiscard]] std::variant<Infeasible, CostedNest> template_mapping(const Layer& layer,
                                                                    const Machine& machine,
                                                                    Dataflow dataflow);

}  // namespace cosearch::accel
