// The optimal mapper against enumeration, once more: spaces that take seconds to enumerate.
#include <gtest/gtest.h>

#include "tests/support/map_agreement.h"

namespace cosearch::accel::test {
namespace {

class OptimalMapperAtLength : public testing::TestWithParam<MapperOptions> {};

TEST_P(OptimalMapperAtLength, FindsWhatEnumerationFindsInMediumSpaces) {
  (void)compare_with_enumeration({.ways = GetParam(),
                                  .first_seed = 100000,
                                  .cases = 100,
                                  .least_mappings = 200,
                                  .most_steps = 20000});
}

TEST_P(OptimalMapperAtLength, FindsWhatEnumerationFindsInSpacesOfMillions) {
  (void)compare_with_enumeration({.ways = GetParam(),
                                  .first_seed = 200000,
                                  .cases = 1,
                                  .least_mappings = 500000,
                                  .most_steps = 3000000});
}

INSTANTIATE_TEST_SUITE_P(Accountings, OptimalMapperAtLength, testing::ValuesIn(kWaysToMap),
                         [](const auto& info) { return name_of(info.param); });

}  // namespace
}  // namespace cosearch::accel::test
