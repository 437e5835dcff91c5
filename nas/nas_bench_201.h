// NAS-Bench-201: 15,625 cells of four nodes, six edges and five operations.
// Source: X. Dong, Y. Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture
// Search", ICLR 2020, section 2.1.
#pragma once

#include <memory>
#include <vector>

#include "nas/cell_graph.h"
#include "nas/choice_space.h"
#include "nas/space.h"

namespace cosearch::nas {

[[nodiscard]] std::vector<SpaceOption> nas_bench_201_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_nas_bench_201(const SpaceOptions& options);

/// Names of the operations, by their number on an edge and in a cell's graph.
[[nodiscard]] const std::vector<std::string>& nas_bench_201_operations();
/// The six edges as spelled, by `to`, then `from`; each names one of the four nodes it leaves and
/// enters. Requires choices of this space.
[[nodiscard]] std::vector<CellEdge> nas_bench_201_edges(const Choices& choices);

}  // namespace cosearch::nas
