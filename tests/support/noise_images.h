// Images of noise, for tests that only need some.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

/// Square images of three channels; the classes, ten, take turns.
class NoiseImages {
 public:
  NoiseImages(std::int64_t count, std::int64_t side, Random& random) : side_(side) {
    for (std::int64_t image = 0; image < count; ++image) {
      labels_.push_back(static_cast<std::int32_t>(image % kClasses));
      for (std::int64_t i = 0; i < kChannels * side * side; ++i)
        pixels_.push_back(static_cast<float>(random.uniform()));
    }
  }

  [[nodiscard]] LabelledImages view() const {
    return {.count = std::ssize(labels_),
            .channels = kChannels,
            .height = side_,
            .width = side_,
            .pixels = std::span<const float>(pixels_),
            .labels = labels_,
            .classes = kClasses};
  }

 private:
  static constexpr std::int64_t kChannels = 3, kClasses = 10;

  std::int64_t side_;
  std::vector<float> pixels_;
  std::vector<std::int32_t> labels_;
};

}  // namespace cosearch::nas
