// The optimal mapper against plain enumeration of the whole map space.
#include "accel/optimal_mapper.h"

#include <gtest/gtest.h>

#include "tests/support/map_agreement.h"

namespace cosearch::accel::test {
namespace {

class OptimalMapper : public testing::TestWithParam<Accounting> {};

TEST_P(OptimalMapper, FindsWhatEnumerationFinds) {
  const Agreement agreement = compare_with_enumeration(
      {.accounting = GetParam(), .first_seed = 0, .cases = 400, .most_steps = 1500});
  EXPECT_GT(agreement.empty, agreement.cases / 20);
  EXPECT_LT(agreement.empty, agreement.cases / 2);
}

INSTANTIATE_TEST_SUITE_P(Accountings, OptimalMapper,
                         testing::Values(Accounting::exact, Accounting::timeloop),
                         [](const auto& info) {
                           return info.param == Accounting::exact ? "exact" : "timeloop";
                         });

}  // namespace
}  // namespace cosearch::accel::test
