// Which stored words a window touches, against looking at each of them.
#include <gtest/gtest.h>

#include <set>

#include "accel/window_axes.h"
#include "core/random.h"

namespace cosearch::accel::test {
namespace {

std::int64_t by_looking(const WindowAxis& axis, std::int64_t p0, std::int64_t p1, std::int64_t r0,
                        std::int64_t r1) {
  std::set<std::int64_t> words;
  for (std::int64_t p = p0; p < p1; ++p)
    for (std::int64_t r = r0; r < r1; ++r) {
      const std::int64_t word = p * axis.stride + r * axis.dilation - axis.padding;
      if (word >= 0 && word < axis.stored) words.insert(word);
    }
  return std::ssize(words);
}

TEST(WindowAxisTest, TouchesAsManyWordsAsOneFindsByLooking) {
  Random random(11);
  const auto draw = [&](std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(to - from)));
  };
  for (int i = 0; i < 20'000; ++i) {
    const WindowAxis axis{draw(1, 9), draw(1, 9), draw(0, 8), draw(1, 60)};
    const std::int64_t p0 = draw(0, 6), r0 = draw(0, 6);
    const std::int64_t p1 = p0 + draw(1, 9), r1 = r0 + draw(1, 9);
    ASSERT_EQ(axis.touched(p0, p1, r0, r1), by_looking(axis, p0, p1, r0, r1))
        << "stride " << axis.stride << " dilation " << axis.dilation << " padding " << axis.padding
        << " stored " << axis.stored << " p " << p0 << ".." << p1 << " r " << r0 << ".." << r1;
  }
}

TEST(WindowAxisTest, CountsALongSparseAxisWithoutLookingAtItsWords) {
  const std::int64_t far = std::int64_t{1} << 40;
  const WindowAxis axis{1000, 1, 0, far};
  EXPECT_EQ(axis.touched(0, far / 1000, 0, 7), far / 1000 * 7);
}

}  // namespace
}  // namespace cosearch::accel::test
