// A described space, unrolled: every choice that any of its networks makes, under what conditions
// it shapes something, and the steps that a set of choices runs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nas/blueprint.h"
#include "nas/bound_expression.h"
#include "nas/conditional_choices.h"
#include "nas/space_description.h"
#include "nas/space_operations.h"

namespace cosearch::nas {

/// A choice of the space: one for each place that declares it, in each repetition.
struct ProgramChoice {
  std::string name;  ///< "block2.kernel"
  std::vector<Value> values;
  SourceLocation where;
  /// When a network reads it; nothing: always.
  std::optional<ChoiceCondition> when;
};

struct ProgramRequirement {
  ChoiceCondition condition;
  SourceLocation where;
};

/// A step, or steps under a condition. Tensors are numbered; each instruction makes one.
struct Instruction {
  struct Branch {
    Bound condition;  ///< none: always
    std::vector<Instruction> steps = {};
    std::size_t result = 0;  ///< tensor
  };
  SourceLocation where = {};
  const OperationInfo* operation = nullptr;  ///< none: the first branch whose condition holds
  std::string name = {};                     ///< of the layer; without a number where `is_numbered`
  bool is_numbered = false;                  ///< it was given no name
  std::vector<std::size_t> operands = {};    ///< tensors; a branch not taken hands on the first
  std::vector<Bound> arguments = {};         ///< none where it is left out
  std::vector<Branch> branches = {};
  std::size_t result = 0;
};

class SpaceProgram {
 public:
  /// `options` complete. Throws UserError, at its place in the file, for what is wrong with the
  /// description whatever is chosen.
  SpaceProgram(const SpaceDescription& description, const SpaceOptions& options);
  SpaceProgram(const SpaceProgram&) = delete;  // conditions refer to it
  SpaceProgram& operator=(const SpaceProgram&) = delete;

  [[nodiscard]] const std::vector<ProgramChoice>& choices() const { return choices_; }
  [[nodiscard]] const std::vector<ProgramRequirement>& requirements() const {
    return requirements_;
  }

  /// How much a network may take to build.
  [[nodiscard]] std::size_t size() const { return tensors_; }

  /// What the network called `name` computes. Throws UserError, at its place in the file, where
  /// shapes do not fit or a value is not what an operation takes.
  [[nodiscard]] Blueprint run(const std::string& name, const Choices& choices) const;

 private:
  friend class SpaceCompiler;
  friend class ChoiceReads;

  [[nodiscard]] Surroundings surroundings_of(const Choices& choices) const;

  std::vector<ProgramChoice> choices_;
  std::vector<ProgramRequirement> requirements_;
  std::vector<std::size_t> place_of_position_;  ///< in choices_, of what expressions read
  std::vector<Bound> input_;                    ///< channels, height, width
  std::vector<Instruction> instructions_;
  std::size_t tensors_ = 0, output_ = 0;
};

}  // namespace cosearch::nas
