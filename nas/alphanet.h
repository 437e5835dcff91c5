// The space of AttentiveNAS and AlphaNet supernets: seven stages of inverted residual blocks, here
// at the fixed widths, and over the kernels, expansions and depths, that Lu et al. sampled.
// Source: D. Wang et al., "AttentiveNAS", CVPR 2021 (the supernet); B. Lu, Z. Yan, Y. Shi,
// S. Ren, "A Semi-Decoupled Approach to Fast and Optimal Hardware-Software Co-Design of Neural
// Accelerators", tinyML 2022 (the sample).
#pragma once

#include <memory>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "resolution;k1;..;k7;e1;..;e7;d1;..;d7": kernel, expansion and depth per stage.
[[nodiscard]] std::vector<SpaceOption> alphanet_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_alphanet(const SpaceOptions& options);

}  // namespace cosearch::nas
