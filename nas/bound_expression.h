// An expression whose names are known: of numbers and words that are the same in every network,
// values of choices, and shapes of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/space_expression.h"

namespace cosearch::nas {

enum class ShapeField : std::uint8_t { channels, height, width };

struct BoundExpression;
using Bound = std::shared_ptr<const BoundExpression>;

struct BoundExpression {
  Operator op = Operator::value;
  Value value = std::int64_t{0};  ///< of Operator::value
  std::size_t place = 0;          ///< of Operator::position and Operator::shape
  ShapeField field = ShapeField::channels;
  std::vector<Bound> operands = {};
  SourceLocation where = {};  ///< of a whole text; else empty

  // Of the expression with all its operands:
  std::vector<std::size_t> positions = {};  ///< choices that it reads, ascending
  std::vector<std::size_t> ruled_out = {};  ///< those of parts that a constant rules out
  bool reads_shapes = false;
  std::size_t size = 1;

  [[nodiscard]] bool is_constant() const { return op == Operator::value; }
};

/// What values depend on.
struct Surroundings {
  std::function<const Value&(std::size_t position)> choice;
  const std::vector<Feature>* tensors = nullptr;  ///< none: no expression may read a shape
};

[[nodiscard]] Bound constant(Value value);
[[nodiscard]] Bound choice_value(std::size_t position);
[[nodiscard]] Bound shape_value(std::size_t tensor, ShapeField field);
/// Worked out at once where all operands are constants and no error comes of it; without the
/// operands that a constant first one rules out. Throws UserError for an expression that has grown
/// beyond what is worth evaluating.
[[nodiscard]] Bound operation(Operator op, std::vector<Bound> operands);
[[nodiscard]] Bound negated(const Bound& condition);
/// The same with a place, to which errors of its evaluation point.
[[nodiscard]] Bound placed(const Bound& expression, const SourceLocation& where);

/// Throws what apply_operator throws, at the place of the innermost text.
[[nodiscard]] Value evaluate(const BoundExpression& expression, const Surroundings& surroundings);
/// Whether evaluating reads only choices of which `is_made` holds.
[[nodiscard]] bool reads_only(const BoundExpression& expression,
                              const std::function<bool(std::size_t position)>& is_made,
                              const Surroundings& surroundings);
/// Whether a condition holds.
[[nodiscard]] bool holds(const BoundExpression& expression, const Surroundings& surroundings);
/// Whether a condition holds whatever is chosen, as none does.
[[nodiscard]] bool always_holds(const Bound& condition);
/// Whether there is a condition, and it holds for no choices.
[[nodiscard]] bool never_holds(const Bound& condition);

}  // namespace cosearch::nas
