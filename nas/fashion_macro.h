// The space of the embedded benchmark: small macro networks for Fashion-MNIST, all of them trained.
// What one network consists of is stated here once; the lowering and the trainer both read it.
//
//   stem    3x3 convolution, stride 2, padding 1: 1x28x28 -> 8x14x14, batch norm, ReLU6
//   blocks  one per position: identity, MBConv3 k3 or MBConv6 k5, padding kernel/2,
//           batch norm after every convolution, ReLU6 after all but the projection
//   head    1x1 convolution to 64 channels, batch norm, ReLU6, global average pooling,
//           fully connected to 10 classes with bias
//
// The idea of the space (positions x three operations) is that of NAS-Bench-Macro: X. Su et al.,
// "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

inline constexpr int kFashionImage = 28;  ///< height and width of the input, one channel
inline constexpr int kFashionClasses = 10;
inline constexpr int kFashionStemKernel = 3;
inline constexpr int kFashionStemStride = 2;
inline constexpr int kFashionHeadChannels = 64;
inline constexpr int kFashionDefaultPositions = 6;
inline constexpr std::size_t kFashionLeastPositions = 4, kFashionMostPositions = 6;

[[nodiscard]] std::vector<SpaceOption> fashion_macro_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_fashion_macro(const SpaceOptions& options);

}  // namespace cosearch::nas
