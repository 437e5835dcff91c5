// The optimal mapper against plain enumeration of the whole map space.
#include "accel/optimal_mapper.h"

#include <gtest/gtest.h>

#include "tests/support/map_agreement.h"
#include "tests/support/oracle_cases.h"

namespace cosearch::accel::test {
namespace {

class OptimalMapper : public testing::TestWithParam<MapperOptions> {};

TEST_P(OptimalMapper, FindsWhatEnumerationFinds) {
  const Agreement agreement = compare_with_enumeration({.ways = GetParam(),
                                                        .first_seed = 0,
                                                        .cases = cosearch::test::oracle_cases(400),
                                                        .most_steps = 1500});
  EXPECT_GT(agreement.empty, agreement.cases / 20);
  EXPECT_LT(agreement.empty, agreement.cases / 2);
  if (GetParam().factors != Factors::dividing) {
    EXPECT_GT(agreement.improved, agreement.cases / 5);
  }
}

// Shares factors out among axes as the mapper does, against trying every way.
TEST(Pack, FindsAWayWhereThereIsOne) {
  const auto brute = [](auto&& self, const Extents& factors, std::size_t d, std::int64_t x,
                        std::int64_t y) -> bool {
    if (d == kDimensions) return true;
    for (std::int64_t f = 1; f <= factors[d]; ++f)
      if (factors[d] % f == 0 && f <= x && factors[d] / f <= y &&
          self(self, factors, d + 1, x / f, y / (factors[d] / f)))
        return true;
    return false;
  };
  Choices choices(Random(1));
  for (int i = 0; i < 3000; ++i) {
    Extents factors;
    factors.fill(1);
    for (int j = 0; j < 4; ++j)
      factors[static_cast<std::size_t>(choices.below(kDimensions))] = choices.between(1, 6);
    const std::vector<std::int64_t> sizes{choices.between(1, 16), choices.between(1, 16)};
    std::vector<Extents> pieces;
    const bool packed = pack(factors, sizes, pieces);
    EXPECT_EQ(packed, brute(brute, factors, 0, sizes[0], sizes[1])) << "case " << i;
    for (std::size_t d = 0; packed && d < kDimensions; ++d)
      EXPECT_EQ(pieces[0][d] * pieces[1][d], factors[d]) << "case " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Accountings, OptimalMapper, testing::ValuesIn(kWaysToMap),
                         [](const auto& info) { return name_of(info.param); });

}  // namespace
}  // namespace cosearch::accel::test
