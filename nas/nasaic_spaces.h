// The two spaces of NASAIC: ResNet-9 for classification and U-Net for segmentation.
// Source: L. Yang et al., "Co-Exploration of Neural Architectures and Heterogeneous ASIC
// Accelerator Designs Targeting Multiple Tasks", DAC 2020, which names the hyperparameters. The
// values they take are ours, and so are the details below.
#pragma once

#include <memory>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "f0;f1;s1;f2;s2;f3;s3": the filters of the stem, then of each block, and the
/// convolutions that its skip connection passes over (0: no skip connection). 64;128;2;256;0;512;2
/// is the ResNet-9 of D. Page's entry to DAWNBench (2018).
[[nodiscard]] std::vector<SpaceOption> resnet_9_options();
/// `options` complete, as make_space hands them on. Throws UserError when the blocks, each of which
/// halves the image, leave nothing of it.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_resnet_9(const SpaceOptions& options);

/// Genotypes read "f1;f2;f3;f4;f5;height": the filters of each level and how many levels there are;
/// those of deeper levels shape nothing. The network keeps the extent of the image: two padded 3x3
/// convolutions with batch normalisation per level, 2x2 pooling on the way down, 2x2 transposed
/// convolutions on the way up.
/// Source of the shape: O. Ronneberger et al., "U-Net", MICCAI 2015 (unpadded there).
[[nodiscard]] std::vector<SpaceOption> unet_options();
/// `options` complete, as make_space hands them on. Throws UserError when the image is not a
/// multiple of 16, which the deepest network halves four times.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_unet(const SpaceOptions& options);

}  // namespace cosearch::nas
