#include "core/quantity.h"

#include <gtest/gtest.h>

namespace cosearch {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};

// Units that differ must not compile together.
static_assert(Addable<Cycles, Cycles>);
static_assert(!Addable<Cycles, Bytes>);
static_assert(!Addable<Cycles, std::int64_t>);
static_assert(!Comparable<Picojoules, SquareMillimetres>);

TEST(Quantity, AddsComparesAndScales) {
  EXPECT_EQ(Cycles{2} + Cycles{3}, Cycles{5});
  EXPECT_LT(Bytes{1}, Bytes{2});
  EXPECT_EQ(2.0 * Picojoules{1.5}, Picojoules{3.0});
}

TEST(CeilDiv, RoundsUp) {
  EXPECT_EQ(ceil_div(0, 4), 0);
  EXPECT_EQ(ceil_div(1, 4), 1);
  EXPECT_EQ(ceil_div(4, 4), 1);
  EXPECT_EQ(ceil_div(5, 4), 2);
}

}  // namespace
}  // namespace cosearch
