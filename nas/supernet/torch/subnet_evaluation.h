// How well a network does with weights that were trained in a supernet.
#pragma once

#include <cstdint>

#include "nas/training/torch/blueprint_network.h"
#include "nas/training/torch/image_tensors.h"

namespace cosearch::nas {

/// Finds the statistics of every batch normalisation anew: the mean over whole batches of `images`.
/// Source: Z. Guo et al., "Single path one-shot neural architecture search with uniform sampling",
/// ECCV 2020, section 3.4.
void recalibrate(BlueprintNetwork& network, const ScaledImages& images, std::int64_t batch);

}  // namespace cosearch::nas
