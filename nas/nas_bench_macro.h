// NAS-Bench-Macro: 6,561 chains of eight positions, trained on CIFAR-10.
// Source: X. Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR
// 2021, and its repository's network definition.
#pragma once

#include <memory>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

[[nodiscard]] std::vector<SpaceOption> nas_bench_macro_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_nas_bench_macro(const SpaceOptions& options);

}  // namespace cosearch::nas
