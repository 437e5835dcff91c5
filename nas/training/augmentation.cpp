#include "nas/training/augmentation.h"

#include <algorithm>

namespace cosearch::nas {

Augmentation draw_augmentation(Random& random, int crop_padding, bool horizontal_flip) {
  const auto shift = [&] {
    return static_cast<std::int64_t>(
               random.below(2 * static_cast<std::uint64_t>(crop_padding) + 1)) -
           crop_padding;
  };
  Augmentation change;
  if (crop_padding > 0) {
    change.down = shift();
    change.right = shift();
  }
  if (horizontal_flip) change.is_mirrored = random.below(2) == 1;
  return change;
}

void augment(std::span<const float> image, const ImageShape& shape, const Augmentation& change,
             std::span<float> augmented) {
  std::ranges::fill(augmented, 0.0F);
  const auto [channels, height, width] = shape;
  for (std::int64_t channel = 0; channel < channels; ++channel)
    for (std::int64_t y = std::max<std::int64_t>(0, change.down);
         y < std::min(height, height + change.down); ++y) {
      const std::int64_t from = (channel * height + y - change.down) * width,
                         to = (channel * height + y) * width;
      for (std::int64_t x = std::max<std::int64_t>(0, change.right);
           x < std::min(width, width + change.right); ++x) {
        const std::int64_t column = x - change.right;
        augmented[static_cast<std::size_t>(to + x)] = image[static_cast<std::size_t>(
            from + (change.is_mirrored ? width - 1 - column : column))];
      }
    }
}

}  // namespace cosearch::nas
