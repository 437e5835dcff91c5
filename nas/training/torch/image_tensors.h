// Labelled images as tensors.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "nas/blueprint.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

/// Throws UserError, naming `role` ("test images"), for no images, images or classes other than the
/// network takes, and spans or labels that do not fit.
void require_suitable(const LabelledImages& images, const Blueprint& blueprint,
                      const std::string& role);

/// Images [first, first + count) as they are: count x channels x height x width, of the images'
/// memory.
[[nodiscard]] torch::Tensor pixels_of(const LabelledImages& images, std::int64_t first,
                                      std::int64_t count);

/// Their labels, of 64 bits as the loss wants them.
[[nodiscard]] torch::Tensor labels_of(const LabelledImages& images, std::int64_t first,
                                      std::int64_t count);

}  // namespace cosearch::nas
