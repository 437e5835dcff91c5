// NAS-Bench-101: cells of at most five operations and nine edges, operations on the vertices.
// Source: C. Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search",
// ICML 2019, sections 2.1 and 2.2; what vertices sum, truncate and concatenate as in the authors'
// released code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nas/choice_space.h"
#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "111010|00001|0001|100|01|1;conv1x1|conv3x3|conv3x3|conv3x3|maxpool3x3": the
/// upper triangle of the adjacency matrix of seven vertices, row by row, and the operations of the
/// five between input and output. The output must be reached from the input, over at most nine
/// edges in all. Cells that differ in the numbering of their vertices, or in vertices that nothing
/// reaches or that reach nothing, are one network.
[[nodiscard]] std::vector<SpaceOption> nas_bench_101_options();
/// Names of the operations, by number.
[[nodiscard]] const std::vector<std::string>& nas_bench_101_operations();
/// Pairs (from, to) of the seven vertices, ascending. Requires choices of this space.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> nas_bench_101_edges(
    const Choices& choices);
/// Of vertices 1 to 5.
[[nodiscard]] std::vector<std::uint32_t> nas_bench_101_vertices(const Choices& choices);

/// `options` complete, as make_space hands them on. Throws UserError when the image is not a
/// multiple of 4.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_nas_bench_101(const SpaceOptions& options);

}  // namespace cosearch::nas
