// The DARTS cell space: a normal and a reduction cell of four nodes with two edges each.
// Source: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019,
// section 3 and its evaluation network for CIFAR-10; the same space is NAS-Bench-301's.
#pragma once

#include <memory>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "normal;reduce", each eight of "op~input" joined by '|', two per node, inputs 0
/// and 1 being the two cells before and 2 to 4 the nodes of the cell.
[[nodiscard]] std::vector<SpaceOption> darts_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_darts(const SpaceOptions& options);

}  // namespace cosearch::nas
