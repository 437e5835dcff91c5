// Labelled images as tensors.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "core/random.h"
#include "nas/blueprint.h"
#include "nas/training/recipe.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

/// Throws UserError, naming `role` ("test images"), for a network that does not classify images, no
/// images, images that do not fit it or of other classes, and spans or labels that do not fit.
void require_suitable(const LabelledImages& images, const Blueprint& blueprint,
                      const std::string& role);

/// Images [first, first + count) as they are: count x channels x height x width, of the images'
/// memory.
[[nodiscard]] torch::Tensor pixels_of(const LabelledImages& images, std::int64_t first,
                                      std::int64_t count);

/// Images at the height and width that a network takes, by linear interpolation (of all that a
/// pixel covers, where there are fewer than before), a single channel repeated; themselves where
/// they are so already.
[[nodiscard]] torch::Tensor fitted(const torch::Tensor& pixels, const FeatureShape& input);

/// Their labels, of 64 bits as the loss wants them.
[[nodiscard]] torch::Tensor labels_of(const LabelledImages& images, std::int64_t first,
                                      std::int64_t count);

/// What pixels are brought to zero mean and unit variance with.
struct PixelScale {
  double mean = 0, deviation = 1;
};

/// Of the first `count` images; a deviation of 1 where they are all of one grey.
[[nodiscard]] PixelScale pixel_scale(const LabelledImages& images, std::int64_t count);

/// Images as a network reads them.
struct ScaledImages {
  torch::Tensor pixels;  ///< count x channels x height x width, of 32-bit floats
  torch::Tensor labels;  ///< count, of 64 bits

  [[nodiscard]] std::int64_t count() const { return labels.size(0); }
};

/// Images [first, first + count), copied to `device`.
[[nodiscard]] ScaledImages scaled(const LabelledImages& images, std::int64_t first,
                                  std::int64_t count, const PixelScale& scale,
                                  torch::Device device);

/// The `chosen` ones (64-bit numbers on the CPU), augmented as `recipe` says.
[[nodiscard]] ScaledImages batch_of(const ScaledImages& images, const torch::Tensor& chosen,
                                    const TrainingRecipe& recipe, Random& augmentation);

}  // namespace cosearch::nas
