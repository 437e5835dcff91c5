#include "nas/training/augmentation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

namespace cosearch::nas {
namespace {

// A crop of the padded image, straight from its definition.
std::vector<float> cropped(const std::vector<float>& image, const ImageShape& shape,
                           const Augmentation& change) {
  std::vector<float> result;
  for (std::int64_t channel = 0; channel < shape.channels; ++channel)
    for (std::int64_t y = 0; y < shape.height; ++y)
      for (std::int64_t x = 0; x < shape.width; ++x) {
        const std::int64_t from_y = y - change.down, moved_x = x - change.right;
        const bool is_inside =
            from_y >= 0 && from_y < shape.height && moved_x >= 0 && moved_x < shape.width;
        const std::int64_t from_x = change.is_mirrored ? shape.width - 1 - moved_x : moved_x;
        result.push_back(is_inside ? image[static_cast<std::size_t>(
                                         (channel * shape.height + from_y) * shape.width + from_x)]
                                   : 0);
      }
  return result;
}

TEST(Augment, MovesAndMirrorsAsDefined) {
  const ImageShape shape{2, 3, 4};
  std::vector<float> image;
  for (int i = 1; i <= 24; ++i) image.push_back(static_cast<float>(i));
  for (std::int64_t down = -4; down <= 4; ++down)
    for (std::int64_t right = -5; right <= 5; ++right)
      for (const bool is_mirrored : {false, true}) {
        const Augmentation change{down, right, is_mirrored};
        std::vector<float> augmented(24, -1);
        augment(image, shape, change, augmented);
        EXPECT_EQ(augmented, cropped(image, shape, change)) << down << " " << right;
      }
}

TEST(Augment, MirrorsARowByHand) {
  const std::vector<float> row{1, 2, 3};
  std::vector<float> augmented(3);
  augment(row, {1, 1, 3}, {.down = 0, .right = 1, .is_mirrored = true}, augmented);
  EXPECT_EQ(augmented, (std::vector<float>{0, 3, 2}));
}

TEST(DrawAugmentation, ReachesEveryShiftAndBothSides) {
  Random random(1);
  std::set<std::pair<std::int64_t, std::int64_t>> shifts;
  int mirrored = 0;
  for (int i = 0; i < 1000; ++i) {
    const Augmentation change = draw_augmentation(random, 1, true);
    shifts.emplace(change.down, change.right);
    mirrored += change.is_mirrored ? 1 : 0;
  }
  EXPECT_EQ(shifts.size(), 9U);
  for (const auto& [down, right] : shifts) {
    EXPECT_LE(std::abs(down), 1);
    EXPECT_LE(std::abs(right), 1);
  }
  EXPECT_NEAR(mirrored, 500, 100);
}

TEST(DrawAugmentation, DrawsNothingThatIsNotAskedFor) {
  Random random(1), untouched(1);
  const Augmentation change = draw_augmentation(random, 0, false);
  EXPECT_EQ(change.down, 0);
  EXPECT_EQ(change.right, 0);
  EXPECT_FALSE(change.is_mirrored);
  EXPECT_EQ(random.bits64(), untouched.bits64());
}

}  // namespace
}  // namespace cosearch::nas
