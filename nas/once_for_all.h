// The spaces of the Once-for-All supernets: MobileNetV3 and ResNet-50.
// Source: H. Cai et al., "Once-for-All: Train One Network and Specialize it for Efficient
// Deployment", ICLR 2020 (MobileNetV3); the authors' later ResNet-50 supernet, whose networks NAAS
// searches: Y. Lin, M. Yang, S. Han, "NAAS: Neural Accelerator Architecture Search", DAC 2021.
#pragma once

#include <memory>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "resolution;d1;..;d5;k1;..;k20;e1;..;e20": blocks of each stage, then kernel and
/// expansion of each of its four possible blocks; those of blocks that do not run shape nothing.
[[nodiscard]] std::vector<SpaceOption> ofa_mobilenet_v3_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_ofa_mobilenet_v3(const SpaceOptions& options);

/// Genotypes read "resolution;d0;..;d4;w0;..;w5;e1;..;e18": whether the stem has its residual
/// convolution (0 or 2, as the supernet spells it), blocks of each stage beyond its two (four in
/// the third); width in per cent of the stem's inner and outer convolutions and of each stage;
/// width of each block's 3x3 in per cent of its output. Those of blocks that do not run shape
/// nothing. 224;2;1;2;2;1;100;..;100;25;..;25 has the weights of ResNet-50-D.
[[nodiscard]] std::vector<SpaceOption> ofa_resnet_50_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_ofa_resnet_50(const SpaceOptions& options);

}  // namespace cosearch::nas
