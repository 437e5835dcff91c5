#include "nas/choice_reads.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

constexpr std::size_t kMostChoices = 2'000, kMostReads = 2'000'000, kMostUses = 50'000;
constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

/// Whether a step under these conditions never runs.
bool is_dead(const Guards& guards) {
  for (const Guard* guard = guards.get(); guard != nullptr; guard = guard->outer.get())
    if (guard->condition->is_constant()) return true;  // those that hold are left out
  return false;
}

}  // namespace

Guards guarded(const Guards& outer, const Bound& condition) {
  if (always_holds(condition) || condition->reads_shapes) return outer;
  return std::make_shared<Guard>(Guard{condition, outer});
}

std::size_t ChoiceReads::add(const std::string& name, std::vector<Value> values,
                             const SourceLocation& where) {
  for (const Position& other : positions_)
    if (other.choice.name == name)
      throw UserError(where, "a second choice is called '" + name +
                                 "': give the repeat or the block around it a name, such as "
                                 "\"block{i}\", that tells them apart");
  if (positions_.size() == kMostChoices)
    throw UserError(where, "the space has more than " + std::to_string(kMostChoices) + " choices");
  positions_.push_back({.choice = {name, std::move(values), where, std::nullopt}, .uses = {}});
  return positions_.size() - 1;
}

void ChoiceReads::read(const Bound& expression, const Guards& guards) {
  for (const std::size_t position : expression->ruled_out) positions_[position].is_read = true;
  if (expression->positions.empty()) return;
  if (++reads_ > kMostReads) refuse_so_many_uses();
  const auto& operands = expression->operands;
  switch (expression->op) {
    case Operator::position:
      return use(positions_[expression->place], guards);
    case Operator::select:
      read(operands[0], guards);
      read(operands[1], guarded(guards, operands[0]));
      return read(operands[2], guarded(guards, negated(operands[0])));
    case Operator::logical_and:
      read(operands[0], guards);
      return read(operands[1], guarded(guards, operands[0]));
    case Operator::logical_or:
      read(operands[0], guards);
      return read(operands[1], guarded(guards, negated(operands[0])));
    default:
      for (const Bound& operand : operands) read(operand, guards);
  }
}

void ChoiceReads::use(Position& position, const Guards& guards) {
  position.is_read = true;
  position.is_always_used |= !guards;
  if (position.is_always_used) return position.uses.clear();
  if (!position.uses.empty() && position.uses.back() == guards) return;
  if (++uses_ > kMostUses) refuse_so_many_uses();
  position.uses.push_back(guards);
}

void ChoiceReads::refuse_so_many_uses() const {
  throw UserError(space_, "the space unrolls to too many uses of its choices");
}

void ChoiceReads::require(const Bound& condition, const Guards& guards) {
  if (!always_holds(condition)) requirements_.push_back({condition, guards});
}

void ChoiceReads::require_all_read() const {
  std::map<std::pair<int, int>, bool> is_read;  // by place in the file
  for (const Position& position : positions_)
    is_read[{position.choice.where.line, position.choice.where.column}] |= position.is_read;
  for (const Position& position : positions_)
    if (!is_read.at({position.choice.where.line, position.choice.where.column}))
      throw UserError(position.choice.where,
                      "nothing reads the choice '" + position.choice.name + "'");
}

void ChoiceReads::finish(SpaceProgram& program) {
  require_all_read();
  program.place_of_position_.assign(positions_.size(), kNowhere);
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    std::erase_if(positions_[i].uses, is_dead);
    if (positions_[i].uses.empty() && !positions_[i].is_always_used) continue;
    program.place_of_position_[i] = program.choices_.size();
    program.choices_.push_back(positions_[i].choice);
  }
  for (std::size_t i = 0; i < positions_.size(); ++i)
    if (!positions_[i].uses.empty() && !positions_[i].is_always_used)
      program.choices_[program.place_of_position_[i]].when =
          condition_of(positions_[i].uses, program);
  if (program.choices_.empty())
    throw UserError(space_, "the space has no choices: it needs at least one");
  for (const Requirement& requirement : requirements_)
    if (!is_dead(requirement.guards)) add_requirement(requirement, program);
}

ChoiceCondition ChoiceReads::condition_of(const std::vector<Guards>& uses,
                                          const SpaceProgram& program) {
  std::set<std::size_t> places;
  std::vector<std::vector<Bound>> ways;  // each from the outermost condition inwards
  for (const Guards& guards : uses) {
    ways.emplace_back();
    for (const Guard* guard = guards.get(); guard != nullptr; guard = guard->outer.get()) {
      ways.back().insert(ways.back().begin(), guard->condition);
      for (const std::size_t position : guard->condition->positions)
        places.insert(program.place_of_position_[position]);
    }
  }
  const auto all_hold = [&program](const std::vector<Bound>& way, const Choices& choices) {
    const Surroundings surroundings = program.surroundings_of(choices);
    return std::ranges::all_of(way, [&](const Bound& one) { return holds(*one, surroundings); });
  };
  return {{places.begin(), places.end()}, [ways, all_hold](const Choices& choices) {
            return std::ranges::any_of(
                ways, [&](const std::vector<Bound>& way) { return all_hold(way, choices); });
          }};
}

void ChoiceReads::add_requirement(const Requirement& requirement, SpaceProgram& program) {
  ChoiceCondition scope = condition_of({requirement.guards}, program);
  std::set<std::size_t> places(scope.positions.begin(), scope.positions.end());
  for (const std::size_t position : requirement.condition->positions)
    if (const std::size_t place = program.place_of_position_[position]; place != kNowhere)
      places.insert(place);
  program.requirements_.push_back(
      {{{places.begin(), places.end()},
        [&program, runs = scope.holds, condition = requirement.condition](const Choices& choices) {
          if (!runs(choices)) return true;
          const auto is_made = [&](std::size_t position) {
            const std::size_t place = program.place_of_position_[position];
            return place != kNowhere && choices[place] != kIdle;
          };
          const Surroundings surroundings = program.surroundings_of(choices);
          return !reads_only(*condition, is_made, surroundings) || holds(*condition, surroundings);
        }},
       requirement.condition->where});
}

}  // namespace cosearch::nas
