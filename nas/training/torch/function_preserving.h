// Larger networks that compute what a trained one computes, to go on training from.
// Source: T. Chen, I. Goodfellow, J. Shlens, "Net2Net: accelerating learning via knowledge
// transfer", ICLR 2016.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>

#include "nas/training/torch/blueprint_network.h"

namespace cosearch::nas {

/// `network` with `channels` instead of fewer outputs of layer `name`: a convolution, a transposed
/// one or a linear layer (Net2WiderNet, section 2.2). New channels are copies of old ones, and
/// whatever must have as many (depthwise convolutions, other terms of a sum, channel scaling,
/// normalisation) is widened along. What reads them divides its weights among the copies, not
/// evenly but in shares drawn for `seed`: with equal ones all copies would learn alike for ever.
/// Throws UserError, saying why, for a layer that is not there or cannot be widened.
[[nodiscard]] std::unique_ptr<BlueprintNetwork> widen(const BlueprintNetwork& network,
                                                      const std::string& name,
                                                      std::int64_t channels, std::uint64_t seed);

struct NewLayer {
  std::int64_t kernel = 3;  ///< odd
  bool is_depthwise = false;
};

/// `network` with a convolution behind layer `name` and its activation that hands on what it reads
/// (Net2DeeperNet, section 2.3), followed by batch normalisation and the same activation. The
/// statistics of the new normalisation, and the scale and shift that undo them, are those of
/// `images` (as `forward` takes them): so that training, which normalises by each batch, starts
/// close by too. Throws UserError, saying why, for a layer that is not there or behind which no
/// layer can be an identity.
[[nodiscard]] std::unique_ptr<BlueprintNetwork> deepen(BlueprintNetwork& network,
                                                       const std::string& name,
                                                       const NewLayer& new_layer,
                                                       const torch::Tensor& images);

}  // namespace cosearch::nas
