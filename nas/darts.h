// The DARTS cell space: a normal and a reduction cell of four nodes with two edges each.
// Source: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019,
// section 3 and its evaluation network for CIFAR-10; the same space is NAS-Bench-301's.
#pragma once

#include <memory>
#include <vector>

#include "nas/choice_space.h"
#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "normal;reduce", each eight of "op~input" joined by '|', two per node, inputs 0
/// and 1 being the two cells before and 2 to 4 the nodes of the cell.
[[nodiscard]] std::vector<SpaceOption> darts_options();
/// Names of the operations, by number.
[[nodiscard]] const std::vector<std::string>& darts_operations();

/// One of the two edges of a node.
struct DartsEdge {
  std::size_t cell;   ///< 0 normal, 1 reduction
  std::size_t node;   ///< from 0
  std::size_t input;  ///< 0 and 1: the two cells before; else node `input` - 2
  std::uint32_t operation;
};
/// All edges as spelled. Requires choices of this space.
[[nodiscard]] std::vector<DartsEdge> darts_edges(const Choices& choices);

/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_darts(const SpaceOptions& options);

}  // namespace cosearch::nas
