// The named networks, family by family: what named_networks() strings together.
#pragma once

#include <vector>

#include "nas/named_networks.h"

namespace cosearch::nas {

/// AlexNet, VGG, SqueezeNet, GoogLeNet, U-Net: no residual additions.
[[nodiscard]] std::vector<NamedNetwork> plain_networks();

/// ResNet, ResNeXt, MobileNetV2, MnasNet.
[[nodiscard]] std::vector<NamedNetwork> residual_networks();

/// BERT, GPT-2.
[[nodiscard]] std::vector<NamedNetwork> transformer_networks();

}  // namespace cosearch::nas
