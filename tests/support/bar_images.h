// Images that are learnt within a few steps, for tests of training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "nas/fashion_macro.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

struct OwnedImages {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;

  [[nodiscard]] LabelledImages view() const {
    return {.count = static_cast<std::int64_t>(labels.size()),
            .channels = 1,
            .height = kFashionImage,
            .width = kFashionImage,
            .pixels = std::span(pixels),
            .labels = labels,
            .classes = kFashionClasses};
  }
};

/// Noise, with a bright bar at a height that tells the class.
inline OwnedImages bars(std::size_t count, std::uint64_t seed) {
  Random random(seed, "bars");
  OwnedImages images;
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::int32_t>(random.below(kFashionClasses));
    images.labels.push_back(label);
    for (int pixel = 0; pixel < kFashionImage * kFashionImage; ++pixel) {
      const bool bright = pixel / kFashionImage / 2 == label + 2;
      images.pixels.push_back(static_cast<std::uint8_t>(random.below(64) + (bright ? 128 : 0)));
    }
  }
  return images;
}

/// Keeps the state of a training in memory.
struct Notebook : CheckpointStore {
  std::optional<std::string> bytes;

  std::optional<std::string> load() override { return bytes; }
  void save(std::string_view state) override { bytes = state; }
};

}  // namespace cosearch::nas
