// The networks everybody knows, by name, so that a cost can be set beside a published one.
//
// The convolutional networks are those of torchvision at 224x224 (its AlexNet is "One weird trick",
// its GoogLeNet has 3x3 convolutions where the paper has 5x5, its ResNet-50 strides in the 3x3):
// a network whose parameters and multiply-accumulates anyone can recount. U-Net is the paper's.
//
// Assumes: what nas/blocks.h assumes, and no dropout, no loss and no auxiliary heads: inference.
#pragma once

#include <string>
#include <vector>

#include "core/network.h"

namespace cosearch::nas {

struct NamedNetwork {
  std::string name;
  /// The paper, the variant, and where its parameters and multiply-accumulates are published.
  std::string source;
  Network (*build)();
};

/// In the order in which a list should show them.
[[nodiscard]] const std::vector<NamedNetwork>& named_networks();

/// Throws UserError (with a suggestion) when no network is called `name`.
[[nodiscard]] Network named_network(const std::string& name);

}  // namespace cosearch::nas
