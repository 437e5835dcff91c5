#include "core/user_error.h"

#include <gtest/gtest.h>

namespace cosearch {
namespace {

TEST(UserError, NamesFileLineAndColumn) {
  const UserError error({"study.yaml", 3, 7}, "unknown key 'sede'");
  EXPECT_STREQ(error.what(), "study.yaml:3:7: unknown key 'sede'");
  EXPECT_STREQ(UserError({"study.yaml"}, "empty").what(), "study.yaml: empty");
}

TEST(DidYouMean, SuggestsTheClosestWordOrListsAll) {
  const std::vector<std::string> known{"seed", "strategy", "objectives"};
  EXPECT_EQ(did_you_mean("strateg", known), " (did you mean 'strategy'?)");
  EXPECT_EQ(did_you_mean("colour", known), " (expected one of: seed, strategy, objectives)");
}

}  // namespace
}  // namespace cosearch
