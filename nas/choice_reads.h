// Which expressions of a space read its choices, noted while it is compiled, and under which
// conditions: so a network makes the choices that shape it, and no others.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nas/space_program.h"

namespace cosearch::nas {

/// Conditions under which a step runs, the innermost first; none: always.
struct Guard {
  Bound condition;
  std::shared_ptr<const Guard> outer;
};
using Guards = std::shared_ptr<const Guard>;

/// Assumes: whatever depends on a shape may happen. A choice that only such a condition guards
/// counts as made.
[[nodiscard]] Guards guarded(const Guards& outer, const Bound& condition);

class ChoiceReads {
 public:
  /// `space`: where it is described.
  explicit ChoiceReads(SourceLocation space) : space_(std::move(space)) {}

  /// Returns the position by which expressions read the choice. Throws UserError for a second one
  /// of this name, and for more choices than a space may have.
  std::size_t add(const std::string& name, std::vector<Value> values, const SourceLocation& where);
  [[nodiscard]] const std::vector<Value>& values_of(std::size_t position) const {
    return positions_[position].choice.values;
  }

  /// Throws UserError when the space has grown beyond what is worth searching.
  void read(const Bound& expression, const Guards& guards);
  /// What must hold where a step runs; a condition without shapes.
  void require(const Bound& condition, const Guards& guards);

  /// Gives the program the choices that some network makes, each with its condition, and the
  /// requirements. Throws UserError for a choice that nothing reads, and when there is none.
  void finish(SpaceProgram& program);

 private:
  struct Position {
    ProgramChoice choice;
    std::vector<Guards> uses;  ///< conditions of each place that reads it, unless one has none
    bool is_read = false, is_always_used = false;
  };
  struct Requirement {
    Bound condition;
    Guards guards;
  };

  void use(Position& position, const Guards& guards);
  [[noreturn]] void refuse_so_many_uses() const;
  void require_all_read() const;
  // What they give the program refers to it.
  [[nodiscard]] static ChoiceCondition condition_of(const std::vector<Guards>& uses,
                                                    const SpaceProgram& program);
  static void add_requirement(const Requirement& requirement, SpaceProgram& program);

  SourceLocation space_;
  std::vector<Position> positions_;
  std::vector<Requirement> requirements_;
  std::size_t reads_ = 0, uses_ = 0;  ///< so far, to stop in time
};

}  // namespace cosearch::nas
