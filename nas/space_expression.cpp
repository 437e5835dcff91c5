#include "nas/space_expression.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "nas/blocks.h"

namespace cosearch::nas {
namespace {

constexpr int kDeepest = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Spelling {
  std::string_view text;
  Operator op;
};

// Binary operators by precedence, loosest first; within a level the longer spelling first.
const std::vector<std::vector<Spelling>>& binary_levels() {
  static const std::vector<std::vector<Spelling>> levels{
      {{"or", Operator::logical_or}},
      {{"and", Operator::logical_and}},
      {{"==", Operator::equal},
       {"!=", Operator::unequal},
       {"<=", Operator::at_most},
       {">=", Operator::at_least},
       {"<", Operator::less},
       {">", Operator::more}},
      {{"+", Operator::add}, {"-", Operator::subtract}},
      {{"//", Operator::divide_down},
       {"/", Operator::divide},
       {"*", Operator::multiply},
       {"%", Operator::remainder}}};
  return levels;
}
constexpr std::size_t kComparisons = 2;  // `not` stands between these and `and`

struct Function {
  Operator op;
  std::size_t least, most;
};

const std::map<std::string, Function, std::less<>>& functions() {
  constexpr std::size_t kMany = 16;
  static const std::map<std::string, Function, std::less<>> known{
      {"if", {Operator::select, 3, 3}},
      {"max", {Operator::maximum, 1, kMany}},
      {"min", {Operator::minimum, 1, kMany}},
      {"rounded", {Operator::rounded, 2, 2}}};
  return known;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expression parse() {
    Expression expression = binary(0);
    skip_spaces();
    if (position_ != text_.size()) fail("an operator or the end");
    return expression;
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    throw UserError("'" + std::string(text_) + "', character " + std::to_string(position_ + 1) +
                    ": expected " + expected);
  }

  void skip_spaces() {
    while (position_ < text_.size() && text_[position_] == ' ') ++position_;
  }

  [[nodiscard]] std::string_view rest() const { return text_.substr(position_); }

  // A word is no prefix of a longer one, and `*` is none of `**`.
  bool take(std::string_view spelling) {
    skip_spaces();
    if (!rest().starts_with(spelling)) return false;
    const std::size_t end = position_ + spelling.size();
    const char next = end < text_.size() ? text_[end] : ' ';
    if (is_letter(spelling.back()) && (is_letter(next) || is_digit(next))) return false;
    if (spelling == "*" && next == '*') return false;
    position_ = end;
    return true;
  }

  [[nodiscard]] std::optional<Operator> take_one_of(const std::vector<Spelling>& spellings) {
    for (const Spelling& spelling : spellings)
      if (take(spelling.text)) return spelling.op;
    return std::nullopt;
  }

  Expression binary(std::size_t level) {
    if (level == binary_levels().size()) return unary();
    if (level == kComparisons && take("not")) return negation();
    Expression left = binary(level + 1);
    while (const auto op = take_one_of(binary_levels()[level])) {
      Expression right = binary(level + 1);
      left = {.op = *op, .operands = {std::move(left), std::move(right)}};
      if (level == kComparisons) break;  // a < b < c would compare a truth with c
    }
    return left;
  }

  // What follows a "not": it may begin with another.
  Expression negation() {
    if (++depth_ > kDeepest) fail("less nesting");
    Expression result{.op = Operator::logical_not, .operands = {binary(kComparisons)}};
    --depth_;
    return result;
  }

  Expression unary() {
    if (++depth_ > kDeepest) fail("less nesting");
    Expression result;
    if (take("-"))
      result = {.op = Operator::negate, .operands = {unary()}};
    else
      result = power();
    --depth_;
    return result;
  }

  Expression power() {
    Expression base = primary();
    if (!take("**")) return base;
    return {.op = Operator::power, .operands = {std::move(base), unary()}};
  }

  Expression primary() {
    skip_spaces();
    if (take("(")) {
      Expression inner = binary(0);
      if (!take(")")) fail("')'");
      return inner;
    }
    const char first = position_ < text_.size() ? text_[position_] : '\0';
    if (is_digit(first)) return number();
    if (is_letter(first)) return name_or_call();
    fail("a number, a name or '('");
  }

  Expression number() {
    std::int64_t value = 0;
    const char* const begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("a number of 64 bits");
    position_ += static_cast<std::size_t>(end - begin);
    return {.value = value};
  }

  [[nodiscard]] std::string word() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && (is_letter(text_[position_]) || is_digit(text_[position_])))
      ++position_;
    return std::string(text_.substr(begin, position_ - begin));
  }

  Expression name_or_call() {
    const std::size_t begin = position_;
    std::string name = word();
    if (name == "and" || name == "or" || name == "not") {
      position_ = begin;
      fail("a number, a name or '('");
    }
    if (take("(")) return call(name);
    if (rest().size() > 1 && rest()[0] == '.' && is_letter(rest()[1])) {
      ++position_;
      name += "." + word();
    }
    return {.op = Operator::name, .name = std::move(name)};
  }

  Expression call(const std::string& name) {
    const auto function = functions().find(name);
    if (function == functions().end()) {
      std::vector<std::string> names;
      for (const auto& [known, info] : functions()) names.push_back(known);
      throw UserError("'" + std::string(text_) + "': no function is called '" + name + "'" +
                      did_you_mean(name, names));
    }
    Expression result{.op = function->second.op};
    do result.operands.push_back(binary(0));
    while (take(","));
    if (!take(")")) fail("',' or ')'");
    if (result.operands.size() < function->second.least ||
        result.operands.size() > function->second.most)
      throw UserError("'" + std::string(text_) + "': " + name + " takes " +
                      std::to_string(function->second.least) +
                      (function->second.most > function->second.least ? " or more" : "") +
                      " values, not " + std::to_string(result.operands.size()));
    return result;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

[[noreturn]] void overflow(const char* op, std::int64_t a, std::int64_t b) {
  throw UserError(std::to_string(a) + " " + op + " " + std::to_string(b) +
                  " does not fit in 64 bits");
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) overflow("+", a, b);
  return result;
}

std::int64_t difference(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_sub_overflow(a, b, &result)) overflow("-", a, b);
  return result;
}

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) overflow("*", a, b);
  return result;
}

void require_divisor(const char* op, std::int64_t a, std::int64_t b) {
  if (b == 0) throw UserError(std::to_string(a) + " " + op + " 0: division by zero");
  if (b == -1 && a == INT64_MIN) overflow(op, a, b);
}

std::int64_t quotient(std::int64_t a, std::int64_t b) {
  require_divisor("/", a, b);
  if (a % b != 0)
    throw UserError(std::to_string(a) + " / " + std::to_string(b) +
                    " leaves a remainder (// rounds down)");
  return a / b;
}

std::int64_t quotient_down(std::int64_t a, std::int64_t b) {
  require_divisor("//", a, b);
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

// Of the sign of the divisor, so that a == b * (a // b) + a % b.
std::int64_t remainder_down(std::int64_t a, std::int64_t b) {
  require_divisor("%", a, b);
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::int64_t raised(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0 || exponent > 63)
    throw UserError(std::to_string(base) + " ** " + std::to_string(exponent) +
                    ": expected an exponent from 0 to 63");
  std::int64_t result = 1;
  for (std::int64_t i = 0; i < exponent; ++i) result = product(result, base);
  return result;
}

std::int64_t rounded_to_eights(std::int64_t channels, std::int64_t percent) {
  constexpr std::int64_t kMost = 1'000'000;  // of either: far from what 64 bits hold
  if (channels < 1 || channels > kMost || percent < 1 || percent > kMost)
    throw UserError("rounded(" + std::to_string(channels) + ", " + std::to_string(percent) +
                    "): expected numbers from 1 to " + std::to_string(kMost));
  return rounded_channels(channels, percent);
}

bool are_equal(const Value& a, const Value& b) {
  if (a.index() != b.index())
    throw UserError("'" + text_of(a) + "' and '" + text_of(b) +
                    "' are a number and a word, which are never equal");
  return a == b;
}

std::int64_t apply_to_numbers(Operator op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case Operator::less:
      return a < b ? 1 : 0;
    case Operator::at_most:
      return a <= b ? 1 : 0;
    case Operator::more:
      return a > b ? 1 : 0;
    case Operator::at_least:
      return a >= b ? 1 : 0;
    case Operator::add:
      return sum(a, b);
    case Operator::subtract:
      return difference(a, b);
    case Operator::multiply:
      return product(a, b);
    case Operator::divide:
      return quotient(a, b);
    case Operator::divide_down:
      return quotient_down(a, b);
    case Operator::remainder:
      return remainder_down(a, b);
    case Operator::power:
      return raised(a, b);
    case Operator::rounded:
      return rounded_to_eights(a, b);
    default:
      throw std::logic_error("no operator on two numbers");
  }
}

}  // namespace

std::string text_of(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return std::get<std::string>(value);
}

Value value_of_label(const std::string& label) {
  std::int64_t number = 0;
  const char* const end = label.data() + label.size();
  const auto [rest, error] = std::from_chars(label.data(), end, number);
  if (error == std::errc() && rest == end && std::to_string(number) == label) return number;
  return label;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c); });
}

void require_usable_name(const std::string& name, const SourceLocation& where) {
  static const std::vector<std::string> reserved{"and", "false", "here", "if",
                                                 "in",  "not",   "or",   "true"};
  if (is_identifier(name) && std::ranges::find(reserved, name) == reserved.end()) return;
  std::string listed;
  for (const std::string& word : reserved) listed += (listed.empty() ? "" : ", ") + word;
  throw UserError(where, "'" + name +
                             "' cannot be a name: expected letters, digits and '_', not a digit "
                             "first, and no word of the language (" +
                             listed + ")");
}

Expression parse_expression(std::string_view text) { return Parser(text).parse(); }

std::int64_t number_in(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  throw UserError("'" + std::get<std::string>(value) + "' is a word; expected a number");
}

Value apply_operator(Operator op, const std::vector<Value>& operands) {
  if (op == Operator::equal || op == Operator::unequal)
    return std::int64_t{are_equal(operands[0], operands[1]) == (op == Operator::equal)};
  if (op == Operator::is_labelled) return std::int64_t{operands[0] == operands[1]};
  std::vector<std::int64_t> numbers;
  for (const Value& operand : operands) numbers.push_back(number_in(operand));
  if (op == Operator::negate) return difference(0, numbers[0]);
  if (op == Operator::logical_not) return std::int64_t{numbers[0] == 0};
  if (op == Operator::minimum) return *std::ranges::min_element(numbers);
  if (op == Operator::maximum) return *std::ranges::max_element(numbers);
  return apply_to_numbers(op, numbers[0], numbers[1]);
}

}  // namespace cosearch::nas
