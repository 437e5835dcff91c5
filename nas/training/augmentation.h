// Random changes to training images that do not change what they show.
#pragma once

#include <cstdint>
#include <span>

#include "core/random.h"

namespace cosearch::nas {

struct ImageShape {
  std::int64_t channels = 1, height = 0, width = 0;

  [[nodiscard]] std::int64_t numbers() const { return channels * height * width; }
};

/// How one image is changed.
struct Augmentation {
  std::int64_t down = 0, right = 0;  ///< pixels
  bool is_mirrored = false;          ///< left to right, before it is moved
};

/// A random crop of the image with `crop_padding` pixels added on each side is the image moved by
/// as many pixels at most: both directions are drawn from [-crop_padding, crop_padding].
[[nodiscard]] Augmentation draw_augmentation(Random& random, int crop_padding,
                                             bool horizontal_flip);

/// Writes `image` (channels x height x width) to `augmented`, of the same size; zeros where nothing
/// moved in.
void augment(std::span<const float> image, const ImageShape& shape, const Augmentation& change,
             std::span<float> augmented);

}  // namespace cosearch::nas
