#include "nas/space_expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/user_error.h"
#include "nas/bound_expression.h"

namespace cosearch::nas {
namespace {

/// Names: `x` is 7, everything else a word.
Bound bound(const Expression& expression) {
  if (expression.op == Operator::value) return constant(expression.value);
  if (expression.op == Operator::name)
    return expression.name == "x" ? constant(std::int64_t{7}) : constant(expression.name);
  std::vector<Bound> operands;
  for (const Expression& operand : expression.operands) operands.push_back(bound(operand));
  return operation(expression.op, operands);
}

std::string result_of(const std::string& text) {
  try {
    return text_of(evaluate(*bound(parse_expression(text)), {}));
  } catch (const UserError& error) {
    return error.what();
  }
}

TEST(SpaceExpression, BindsTightlyWhatArithmeticBindsTightly) {
  EXPECT_EQ(result_of("1 + 2 * 3"), "7");
  EXPECT_EQ(result_of("(1 + 2) * 3"), "9");
  EXPECT_EQ(result_of("10 - 3 - 2"), "5");
  EXPECT_EQ(result_of("2 * 3 ** 2"), "18");
  EXPECT_EQ(result_of("2 ** 3 ** 2"), "512");
  EXPECT_EQ(result_of("-2 ** 2"), "-4");
  EXPECT_EQ(result_of("- - 3"), "3");
  EXPECT_EQ(result_of("1 + 1 == 2 and not 3 < 2"), "1");
  EXPECT_EQ(result_of("0 and 1 or 1"), "1");
  EXPECT_EQ(result_of("x*x-x"), "42");
}

TEST(SpaceExpression, DeniesAWholeComparison) {
  EXPECT_EQ(result_of("not 3 == 4"), "1");
  EXPECT_EQ(result_of("not 3 > 2"), "0");
  EXPECT_EQ(result_of("not 1 > 2"), "1");
  EXPECT_EQ(result_of("not 1 - 1"), "1");
  EXPECT_EQ(result_of("not not 7 > 2"), "1");
  EXPECT_EQ(result_of("not 1 and 0"), "0");
  EXPECT_EQ(result_of("not 0 or 1 / 0"), "1");
  EXPECT_EQ(result_of("1 + (not 3 > 4)"), "2");
  EXPECT_EQ(result_of("1 + not 3"), "'1 + not 3', character 5: expected a number, a name or '('");
  EXPECT_EQ(result_of("nothing == nothing"), "1");
}

TEST(SpaceExpression, DividesExactlyOrDownwards) {
  EXPECT_EQ(result_of("12 / 4"), "3");
  EXPECT_EQ(result_of("13 / 4"), "13 / 4 leaves a remainder (// rounds down)");
  EXPECT_EQ(result_of("13 // 4"), "3");
  EXPECT_EQ(result_of("-13 // 4"), "-4");
  EXPECT_EQ(result_of("-13 % 4"), "3");
  for (const char* op : {"/", "//", "%"})
    EXPECT_EQ(result_of(std::string("1 ") + op + " (x - 7)"),
              std::string("1 ") + op + " 0: division by zero");
}

TEST(SpaceExpression, HasFunctionsOfWhichIfLooksAtOneSide) {
  EXPECT_EQ(result_of("min(3, 1, 2)"), "1");
  EXPECT_EQ(result_of("max(3, 1, 2)"), "3");
  EXPECT_EQ(result_of("if(x > 5, 1, 1 / 0)"), "1");
  EXPECT_EQ(result_of("if(x > 5, relu, swish) == relu"), "1");
  EXPECT_EQ(result_of("rounded(32, 75)"), "24");
  EXPECT_EQ(result_of("0 and 1 / 0"), "0");
  EXPECT_EQ(result_of("1 or 1 / 0"), "1");
}

TEST(SpaceExpression, SaysWhereItEnds) {
  EXPECT_EQ(result_of("1 +"), "'1 +', character 4: expected a number, a name or '('");
  EXPECT_EQ(result_of("(1"), "'(1', character 3: expected ')'");
  EXPECT_EQ(result_of("1 2"), "'1 2', character 3: expected an operator or the end");
  EXPECT_EQ(result_of("1 < 2 < 3"), "'1 < 2 < 3', character 7: expected an operator or the end");
  EXPECT_EQ(result_of("mni(1, 2)"),
            "'mni(1, 2)': no function is called 'mni' (expected one of: if, max, min, rounded)");
  EXPECT_EQ(result_of("if(1, 2)"), "'if(1, 2)': if takes 3 values, not 2");
  EXPECT_EQ(result_of("99999999999999999999"),
            "'99999999999999999999', character 1: expected a number of 64 bits");
  EXPECT_EQ(result_of(std::string(100, '-') + "1").substr(0, 5), "'----");
  std::string denials;
  for (int i = 0; i < 100; ++i) denials += "not ";
  EXPECT_THAT(result_of(denials + "1"), testing::HasSubstr("expected less nesting"));
}

TEST(SpaceExpression, LooksOnlyAtTheSideThatAConstantLeaves) {
  const Bound never = constant(std::int64_t{0}), always = constant(std::int64_t{1});
  const Bound choice = choice_value(5);
  EXPECT_TRUE(operation(Operator::logical_and, {never, choice})->is_constant());
  EXPECT_TRUE(operation(Operator::logical_or, {always, choice})->is_constant());
  EXPECT_TRUE(operation(Operator::select, {always, never, choice})->is_constant());
  EXPECT_EQ(operation(Operator::select, {never, never, choice})->op, Operator::position);
  const Bound nothing =
      operation(Operator::add, {always, operation(Operator::select, {always, never, choice})});
  EXPECT_THAT(nothing->positions, testing::IsEmpty());
  EXPECT_THAT(nothing->ruled_out, testing::ElementsAre(5));
  EXPECT_EQ(operation(Operator::logical_and, {always, choice})->positions.size(), 1U);
}

TEST(SpaceExpression, RefusesWhatIsNoNumberOrTooLarge) {
  EXPECT_EQ(result_of("relu + 1"), "'relu' is a word; expected a number");
  EXPECT_EQ(result_of("relu == 1"),
            "'relu' and '1' are a number and a word, which are never equal");
  EXPECT_EQ(result_of("2 ** 63"), "4611686018427387904 * 2 does not fit in 64 bits");
  EXPECT_EQ(result_of("2 ** 64"), "2 ** 64: expected an exponent from 0 to 63");
  EXPECT_EQ(result_of("9223372036854775807 + 1"),
            "9223372036854775807 + 1 does not fit in 64 bits");
  EXPECT_EQ(result_of("(-9223372036854775807 - 1) // -1"),
            "-9223372036854775808 // -1 does not fit in 64 bits");
}

TEST(SpaceExpression, TakesDigitsOfALabelForANumber) {
  EXPECT_EQ(value_of_label("12"), Value(std::int64_t{12}));
  EXPECT_EQ(value_of_label("012"), Value("012"));
  EXPECT_EQ(value_of_label("k3"), Value("k3"));
}

}  // namespace
}  // namespace cosearch::nas
