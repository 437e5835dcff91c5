#include "nas/bound_expression.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cosearch::nas {
namespace {

constexpr std::size_t kLargest = 10'000;

std::int64_t extent(const Feature& tensor, ShapeField field) {
  switch (field) {
    case ShapeField::channels:
      return tensor.channels;
    case ShapeField::height:
      return tensor.height;
    case ShapeField::width:
      return tensor.width;
  }
  return 0;
}

Value evaluate_operation(const BoundExpression& expression, const Surroundings& surroundings) {
  const auto operand = [&](std::size_t i) {
    return evaluate(*expression.operands[i], surroundings);
  };
  switch (expression.op) {
    case Operator::value:
      return expression.value;
    case Operator::position:
      return surroundings.choice(expression.place);
    case Operator::shape:
      return extent((*surroundings.tensors)[expression.place], expression.field);
    case Operator::select:
      return operand(number_in(operand(0)) != 0 ? 1 : 2);
    case Operator::logical_and:
      return std::int64_t{number_in(operand(0)) != 0 && number_in(operand(1)) != 0};
    case Operator::logical_or:
      return std::int64_t{number_in(operand(0)) != 0 || number_in(operand(1)) != 0};
    default: {
      std::vector<Value> values;
      for (std::size_t i = 0; i < expression.operands.size(); ++i) values.push_back(operand(i));
      return apply_operator(expression.op, values);
    }
  }
}

void include(std::vector<std::size_t>& positions, const std::vector<std::size_t>& more) {
  std::vector<std::size_t> both;
  std::ranges::set_union(positions, more, std::back_inserter(both));
  positions = std::move(both);
}

void take_over(BoundExpression& expression, const BoundExpression& operand) {
  include(expression.positions, operand.positions);
  include(expression.ruled_out, operand.ruled_out);
  expression.reads_shapes |= operand.reads_shapes;
  expression.size += operand.size;
}

/// What is left where a constant first operand decides; nullptr where it is none or decides
/// nothing.
Bound remainder_of(const BoundExpression& expression) {
  const bool is_or = expression.op == Operator::logical_or;
  if (!is_or && expression.op != Operator::logical_and && expression.op != Operator::select)
    return nullptr;
  const BoundExpression& first = *expression.operands[0];
  const auto* number = std::get_if<std::int64_t>(&first.value);
  if (!first.is_constant() || number == nullptr) return nullptr;
  if (expression.op == Operator::select) return expression.operands[*number != 0 ? 1 : 2];
  return (*number != 0) == is_or ? constant(std::int64_t{is_or}) : nullptr;
}

}  // namespace

Bound constant(Value value) {
  return std::make_shared<BoundExpression>(BoundExpression{.value = std::move(value)});
}

Bound choice_value(std::size_t position) {
  return std::make_shared<BoundExpression>(
      BoundExpression{.op = Operator::position, .place = position, .positions = {position}});
}

Bound shape_value(std::size_t tensor, ShapeField field) {
  return std::make_shared<BoundExpression>(BoundExpression{
      .op = Operator::shape, .place = tensor, .field = field, .reads_shapes = true});
}

Bound operation(Operator op, std::vector<Bound> operands) {
  BoundExpression expression{.op = op, .operands = std::move(operands)};
  for (const Bound& operand : expression.operands) take_over(expression, *operand);
  if (expression.size > kLargest)
    throw UserError(
        "with all names replaced by what they stand for this is an expression of more "
        "than " +
        std::to_string(kLargest) + " terms");
  Bound left = remainder_of(expression);
  if (!left &&
      std::ranges::all_of(expression.operands, &BoundExpression::is_constant,
                          [](const Bound& operand) -> const BoundExpression& { return *operand; }))
    try {
      left = constant(evaluate_operation(expression, {}));
    } catch (const UserError&) {
      // An error only where it is evaluated, which a condition may prevent.
    }
  if (!left) return std::make_shared<BoundExpression>(std::move(expression));
  BoundExpression rest = *left;
  include(rest.ruled_out, expression.ruled_out);
  include(rest.ruled_out, expression.positions);
  return std::make_shared<BoundExpression>(std::move(rest));
}

Bound negated(const Bound& condition) { return operation(Operator::logical_not, {condition}); }

Bound placed(const Bound& expression, const SourceLocation& where) {
  auto copy = std::make_shared<BoundExpression>(*expression);
  copy->where = where;
  return copy;
}

Value evaluate(const BoundExpression& expression, const Surroundings& surroundings) {
  try {
    return evaluate_operation(expression, surroundings);
  } catch (const UserError& error) {
    if (!error.where().file.empty() || expression.where.file.empty()) throw;
    throw UserError(expression.where, error.what());
  }
}

bool reads_only(const BoundExpression& expression, const std::function<bool(std::size_t)>& is_made,
                const Surroundings& surroundings) {
  if (std::ranges::all_of(expression.positions, is_made)) return true;
  const auto operand = [&](std::size_t i) {
    return reads_only(*expression.operands[i], is_made, surroundings);
  };
  const auto first_holds = [&] { return holds(*expression.operands[0], surroundings); };
  switch (expression.op) {
    case Operator::position:
      return false;
    case Operator::select:
      return operand(0) && operand(first_holds() ? 1 : 2);
    case Operator::logical_and:
      return operand(0) && (!first_holds() || operand(1));
    case Operator::logical_or:
      return operand(0) && (first_holds() || operand(1));
    default:
      return std::ranges::all_of(expression.operands, [&](const Bound& one) {
        return reads_only(*one, is_made, surroundings);
      });
  }
}

bool holds(const BoundExpression& expression, const Surroundings& surroundings) {
  try {
    return number_in(evaluate(expression, surroundings)) != 0;
  } catch (const UserError& error) {
    if (!error.where().file.empty() || expression.where.file.empty()) throw;
    throw UserError(expression.where, error.what());
  }
}

bool always_holds(const Bound& condition) {
  return !condition || (condition->is_constant() && holds(*condition, {}));
}

bool never_holds(const Bound& condition) {
  return condition && condition->is_constant() && !holds(*condition, {});
}

}  // namespace cosearch::nas
