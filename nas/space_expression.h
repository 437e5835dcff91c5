// The small language of a space file's values: whole numbers, words, names, arithmetic that says
// where it would go wrong, comparisons and a conditional.
//
//   or, and, not, == != < <= > >=, + -, * / // %, unary -, **      loosest to tightest
//   if(condition, then, otherwise)   min(a, b, ...)   max(a, b, ...)
//   rounded(channels, percent)       MobileNet's rounding to a multiple of 8 (nas/blocks.h)
//
// `/` must divide exactly; `//` rounds down. Conditions are numbers: 0 is false.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/user_error.h"

namespace cosearch::nas {

/// A whole number or a word, such as the name of an activation.
using Value = std::variant<std::int64_t, std::string>;

[[nodiscard]] std::string text_of(const Value& value);
/// Digits as the number they spell, everything else as a word.
[[nodiscard]] Value value_of_label(const std::string& label);
/// A letter or '_', then letters, digits and '_'.
[[nodiscard]] bool is_identifier(std::string_view text);
/// Throws UserError at `where` unless choices, options, parameters and steps may be called `name`:
/// an identifier that means nothing else in an expression.
void require_usable_name(const std::string& name, const SourceLocation& where);

enum class Operator : std::uint8_t {
  value,
  name,      ///< until it is known what it names
  position,  ///< the value of a choice
  shape,     ///< channels, height or width of a tensor
  negate,
  logical_not,
  logical_and,
  logical_or,
  equal,
  unequal,
  is_labelled,  ///< `equal`, but false of a number and a word; the language has no sign for it
  less,
  at_most,
  more,
  at_least,
  add,
  subtract,
  multiply,
  divide,
  divide_down,
  remainder,
  power,
  minimum,
  maximum,
  rounded,
  select,
};

struct Expression {
  Operator op = Operator::value;
  Value value = std::int64_t{0};
  std::string name = {};  ///< of Operator::name: "kernel", "in.channels"
  std::vector<Expression> operands = {};
};

/// Throws UserError, naming the character, for what is no expression.
[[nodiscard]] Expression parse_expression(std::string_view text);

/// `op` on values, but for those operators that need more than the values of their operands (name,
/// position, shape) or not all of them (and, or, select). Throws UserError naming the values for a
/// division by zero or with a remainder, a number beyond 64 bits and a word where a number is
/// needed.
[[nodiscard]] Value apply_operator(Operator op, const std::vector<Value>& operands);

/// Throws UserError for a word.
[[nodiscard]] std::int64_t number_in(const Value& value);

}  // namespace cosearch::nas
