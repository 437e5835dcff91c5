// Counts of random nests again, by RapidCheck: fewer cases than access_counts_property_test.cpp,
// but a failing one is shrunk to the plainest that still fails. Start here when something differs.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <sstream>
#include <vector>

#include "accel/access_counts.h"
#include "tests/support/nest_case.h"
#include "tests/support/nest_walk.h"
#include "tests/support/random_nest.h"

namespace cosearch::accel::test {
namespace {

/// The choices that make a case; zeros make the plainest.
rc::Gen<std::vector<std::uint32_t>> choice_lists() {
  constexpr std::size_t most = 120;
  const auto choice = rc::gen::resize(100, rc::gen::inRange<std::uint32_t>(0, 1 << 16));
  return rc::gen::container<std::vector<std::uint32_t>>(most, choice);
}

/// As rc::check, but with a fixed seed and a failure of GoogleTest. RapidCheck still prints the
/// seed of its own configuration, which is not used here.
template <class Property>
void expect_always(const Property& property) {
  rc::detail::TestParams params;
  params.seed = 1;
  params.maxSuccess = 1500;
  const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{}, params);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << message.str();
}

template <class Make>
void expect_equal_to_walk(const Make& make) {
  expect_always([&] {
    Choices choices{*choice_lists()};
    const NestCase test = make(choices);
    const auto found =
        differences(walk(test.layer, test.machine, test.nest),
                    count_accesses(test.layer, test.machine, test.nest, Accounting::exact));
    std::ostringstream text;
    text << test << text_of(found);
    if (!found.empty()) RC_FAIL(text.str());
  });
}

TEST(ShrunkAccessCounts, EqualAWalkOfAnyNest) {
  expect_equal_to_walk([](Choices& choices) { return random_case(choices, 200); });
}

TEST(ShrunkAccessCounts, EqualAWalkOfAnyWindowInPieces) {
  expect_equal_to_walk(random_window_case);
}

}  // namespace
}  // namespace cosearch::accel::test
