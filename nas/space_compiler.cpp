#include "nas/space_compiler.h"

#include <algorithm>
#include <utility>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

constexpr std::size_t kMostTensors = 100'000;
constexpr std::int64_t kMostRepetitions = 1'000;
constexpr std::size_t kMostCounts = 4'096;  // combinations that a number of repetitions depends on
constexpr std::size_t kMostValues = 10'000;
constexpr std::size_t kDeepestBlocks = 32;
constexpr const char* kIn = "in";
constexpr const char* kHere = "here";
constexpr const char* kRequired = "required";

std::string joined(const std::string& prefix, const std::string& name) {
  if (prefix.empty()) return name;
  return name.empty() ? prefix : prefix + "." + name;
}

/// Runs `action`, giving the place `where` to an error that has none.
template <class Action>
decltype(auto) located(const SourceLocation& where, Action action) {
  try {
    return action();
  } catch (const UserError& error) {
    if (!error.where().file.empty()) throw;
    throw UserError(where, error.what());
  }
}

Bound has_label(const Bound& subject, const std::string& label) {
  return operation(Operator::is_labelled, {subject, constant(value_of_label(label))});
}

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& list) {
  std::vector<std::string> names;
  for (const Named& one : list) names.push_back(one.name);
  return names;
}

template <class Named>
const Named* find_named(const std::vector<Named>& list, const std::string& name) {
  const auto found = std::ranges::find(list, name, &Named::name);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

SpaceCompiler::SpaceCompiler(SpaceProgram& program, const SpaceDescription& description,
                             const SpaceOptions& options)
    : program_(program), description_(description), options_(options), reads_(description.where) {}

void SpaceCompiler::compile() {
  for (const OperationInfo& operation : space_operations())
    for (const OperationArgument& argument : operation.arguments)
      words_.insert(argument.words.begin(), argument.words.end());
  learn_words(description_.network);
  for (const BlockDescription& block : description_.blocks) learn_words(block.body);

  Scope* const root = scope_within(nullptr);
  const std::size_t input = new_tensor(description_.where);
  root->tensors = {{kIn, input}, {"input", input}};
  for (const auto& [name, value] : options_) root->names[name] = {constant(value)};
  const Context context{root, input, nullptr};
  for (const PlacedText& extent : description_.input) {
    const std::int64_t value = constant_number(extent, "the input's shape", context);
    if (value < 1 || value > 1'000'000)
      throw UserError(extent.where, "an extent of the input is " + std::to_string(value) +
                                        ": expected a whole number from 1 to 1000000");
    program_.input_.push_back(placed(constant(value), extent.where));
  }
  program_.output_ = compile_steps(description_.network, context, program_.instructions_);
  reads_.finish(program_);
}

// --- Names ---------------------------------------------------------------------------------------

SpaceCompiler::Scope* SpaceCompiler::scope_within(Scope* outer) {
  if (scopes_.size() == kMostTensors)
    throw UserError(description_.where, "the space unrolls to more than " +
                                            std::to_string(kMostTensors) +
                                            " blocks, repetitions and alternatives");
  scopes_.push_back({.outer = outer});
  if (outer != nullptr) {
    scopes_.back().prefix = outer->prefix;
    scopes_.back().choice_prefix = outer->choice_prefix;
  }
  return &scopes_.back();
}

// Every word that some choice may take stands for itself wherever it is written.
void SpaceCompiler::learn_words(const ScopeDescription& scope) {
  for (const ChoiceDescription& choice : scope.choices)
    for (const PlacedText& value : choice.values)
      if (is_identifier(value.text)) words_.insert(value.text);
  for (const StepDescription& step : scope.steps) {
    learn_words(step.body);
    for (const AlternativeDescription& alternative : step.alternatives) {
      if (is_identifier(alternative.label)) words_.insert(alternative.label);
      learn_words(alternative.body);
    }
    if (step.otherwise) learn_words(*step.otherwise);
  }
}

void SpaceCompiler::declare(Scope* scope, const std::string& name, const SourceLocation& where,
                            Meaning meaning) {
  require_usable_name(name, where);
  if (!scope->names.emplace(name, std::move(meaning)).second)
    throw UserError(where, "'" + name + "' has a meaning here already");
}

void SpaceCompiler::declare(const ScopeDescription& described, const Context& context) {
  for (const ChoiceDescription& choice : described.choices) {
    std::vector<Value> values =
        choice.from ? range_of(choice, context) : values_of(choice, context);
    const std::size_t position = reads_.add(joined(context.scope->choice_prefix, choice.name),
                                            std::move(values), choice.where);
    declare(context.scope, choice.name, choice.where, {choice_value(position)});
  }
  for (const NamedText& definition : described.definitions)
    declare(context.scope, definition.name, definition.where, {nullptr, &definition.value});
  for (const PlacedText& requirement : described.requirements) {
    const Bound condition = bind(requirement, context);
    if (condition->reads_shapes)
      throw UserError(requirement.where,
                      "the requirement '" + requirement.text +
                          "' depends on a shape; expected choices, options and numbers");
    reads_.require(condition, context.guards);
  }
}

std::vector<Value> SpaceCompiler::values_of(const ChoiceDescription& choice,
                                            const Context& context) {
  std::vector<Value> values;
  std::set<Value> different;
  for (const PlacedText& text : choice.values) {
    const Bound value = bind(text, context);
    if (!value->is_constant())
      throw UserError(text.where, "choice '" + choice.name + "': '" + text.text +
                                      "' depends on what is chosen or on a shape; expected "
                                      "numbers, words and options");
    if (const auto* number = std::get_if<std::int64_t>(&value->value);
        number != nullptr && *number < 0)
      throw UserError(text.where, "choice '" + choice.name + "': " + std::to_string(*number) +
                                      " is negative; expected numbers of at least 0");
    if (!different.insert(value->value).second)
      throw UserError(choice.where,
                      "choice '" + choice.name + "' has '" + text_of(value->value) + "' twice");
    values.push_back(value->value);
  }
  return values;
}

std::vector<Value> SpaceCompiler::range_of(const ChoiceDescription& choice,
                                           const Context& context) {
  const std::int64_t from = constant_number(*choice.from, "the start of a range", context),
                     to = constant_number(*choice.to, "the end of a range", context),
                     step = choice.step
                                ? constant_number(*choice.step, "the step of a range", context)
                                : 1;
  const auto fail = [&](const std::string& problem) {
    throw UserError(choice.where, "choice '" + choice.name + "': the range from " +
                                      std::to_string(from) + " to " + std::to_string(to) + " by " +
                                      std::to_string(step) + " " + problem);
  };
  if (from < 0 || to < from) fail("is empty or negative; expected 0 <= from <= to");
  if (step < 1) fail("never ends; expected a step of at least 1");
  if ((to - from) / step >= static_cast<std::int64_t>(kMostValues))
    fail("has more than " + std::to_string(kMostValues) + " values");
  std::vector<Value> values;
  for (std::int64_t i = 0; i <= (to - from) / step; ++i) values.emplace_back(from + i * step);
  return values;
}

// "skipped{i}": what is in braces must be the same in every network.
std::string SpaceCompiler::expanded(const PlacedText& text, const Context& context) {
  std::string result;
  for (std::size_t at = 0; at < text.text.size();) {
    const std::size_t open = text.text.find('{', at);
    result += text.text.substr(at, open - at);
    if (open == std::string::npos) break;
    const std::size_t close = text.text.find('}', open);
    if (close == std::string::npos) throw UserError(text.where, "'{' without a closing '}'");
    const Bound value = bind({text.text.substr(open + 1, close - open - 1), text.where}, context);
    if (!value->is_constant())
      throw UserError(text.where, "the name '" + text.text +
                                      "' depends on what is chosen or on a shape; expected "
                                      "indices, options and parameters that are the same in every "
                                      "network");
    result += text_of(value->value);
    at = close + 1;
  }
  for (const char c : result)
    if (!is_identifier(std::string("x") + c) && c != '.')
      throw UserError(text.where, "name '" + result + "': expected letters, digits, '_' and '.'");
  return result;
}

void SpaceCompiler::name_scope(Scope* scope, const StepDescription& step, const Context& context) {
  const std::string name = step.name ? expanded(*step.name, context) : "";
  scope->prefix = joined(context.scope->prefix, name);
  scope->choice_prefix = joined(context.scope->choice_prefix, name);
}

// --- Expressions ---------------------------------------------------------------------------------

Bound SpaceCompiler::bind(const PlacedText& text, const Context& context) {
  return located(text.where,
                 [&] { return placed(bind(parse_expression(text.text), context), text.where); });
}

Bound SpaceCompiler::bind(const Expression& expression, const Context& context) {
  if (expression.op == Operator::value) return constant(expression.value);
  if (expression.op == Operator::name)
    return expression.name.find('.') == std::string::npos ? meaning_of(expression.name, context)
                                                          : shape_named(expression.name, context);
  std::vector<Bound> operands;
  for (const Expression& operand : expression.operands) operands.push_back(bind(operand, context));
  return operation(expression.op, std::move(operands));
}

Bound SpaceCompiler::meaning_of(const std::string& name, const Context& context) {
  for (Scope* scope = context.scope; scope != nullptr; scope = scope->outer)
    if (const auto found = scope->names.find(name); found != scope->names.end()) {
      Meaning& meaning = found->second;
      if (meaning.is_being_bound)
        throw UserError(meaning.text->where, "'" + name + "' is defined through itself");
      return meaning.bound ? meaning.bound : bound_definition(meaning, scope);
    }
  if (name == "true" || name == "false") return constant(std::int64_t{name == "true"});
  if (words_.contains(name)) return constant(name);
  throw UserError("nothing is called '" + name + "' here" + did_you_mean(name, names_in(context)));
}

Bound SpaceCompiler::bound_definition(Meaning& meaning, Scope* scope) {
  meaning.is_being_bound = true;
  meaning.bound = bind(*meaning.text, {scope, tensor_named(kIn, {scope, 0, nullptr}), nullptr});
  meaning.is_being_bound = false;
  return meaning.bound;
}

Bound SpaceCompiler::shape_named(const std::string& name, const Context& context) {
  const std::size_t dot = name.find('.');
  const std::string field = name.substr(dot + 1);
  const std::vector<std::string> fields{"channels", "height", "width"};
  const auto found = std::ranges::find(fields, field);
  if (found == fields.end())
    throw UserError("'" + name + "': a tensor has no '" + field + "'" +
                    did_you_mean(field, fields));
  return shape_value(tensor_named(name.substr(0, dot), context),
                     static_cast<ShapeField>(found - fields.begin()));
}

std::size_t SpaceCompiler::tensor_named(const std::string& name, const Context& context) {
  if (name == kHere) return context.here;
  std::vector<std::string> known{kHere};
  for (const Scope* scope = context.scope; scope != nullptr; scope = scope->outer) {
    if (const auto found = scope->tensors.find(name); found != scope->tensors.end())
      return found->second;
    for (const auto& [tensor, number] : scope->tensors) known.push_back(tensor);
  }
  throw UserError("no earlier step here is called '" + name + "'" + did_you_mean(name, known));
}

std::int64_t SpaceCompiler::constant_number(const PlacedText& text, const char* what,
                                            const Context& context) {
  const Bound value = bind(text, context);
  return located(text.where, [&] {
    if (!value->is_constant())
      throw UserError(std::string(what) + ", '" + text.text +
                      "', depends on what is chosen or on a shape; expected numbers and options");
    return number_in(value->value);
  });
}

std::vector<std::string> SpaceCompiler::names_in(const Context& context) const {
  std::vector<std::string> names;
  for (const Scope* scope = context.scope; scope != nullptr; scope = scope->outer)
    for (const auto& [name, meaning] : scope->names) names.push_back(name);
  return names;
}

// --- Steps ---------------------------------------------------------------------------------------

std::size_t SpaceCompiler::new_tensor(const SourceLocation& where) {
  if (program_.tensors_ == kMostTensors)
    throw UserError(where,
                    "the space unrolls to more than " + std::to_string(kMostTensors) + " steps");
  return program_.tensors_++;
}

std::size_t SpaceCompiler::compile_steps(const ScopeDescription& body, Context context,
                                         Instructions& out) {
  context.scope->tensors[kIn] = context.here;
  declare(body, context);
  for (const StepDescription& step : body.steps) context.here = compile_step(step, context, out);
  return context.here;
}

std::size_t SpaceCompiler::compile_step(const StepDescription& step, const Context& context,
                                        Instructions& out) {
  std::size_t result = 0;
  if (!step.condition) {
    result = compile_kind(step, context, out);
  } else {
    const Bound condition = bind(*step.condition, context);
    reads_.read(condition, context.guards);
    Instruction::Branch branch{condition};
    branch.result = compile_kind(
        step, {context.scope, context.here, guarded(context.guards, condition)}, branch.steps);
    std::vector<Instruction::Branch> branches;
    branches.push_back(std::move(branch));
    result = append_branches(std::move(branches), step, context, out);
  }
  if (step.name && is_identifier(step.name->text)) {
    require_usable_name(step.name->text, step.name->where);
    context.scope->tensors[step.name->text] = result;
  }
  return result;
}

std::size_t SpaceCompiler::compile_kind(const StepDescription& step, const Context& context,
                                        Instructions& out) {
  switch (step.kind) {
    case StepDescription::Kind::repeat:
      return compile_repeat(step, context, out);
    case StepDescription::Kind::choose:
      return compile_choose(step, context, out);
    case StepDescription::Kind::match:
      return compile_match(step, context, out);
    case StepDescription::Kind::when:
      return compile_when(step, context, out);
    case StepDescription::Kind::use:
      break;
  }
  if (const OperationInfo* operation = find_operation(step.subject.text))
    return compile_operation(step, *operation, context, out);
  if (const auto* block = find_named(description_.blocks, step.subject.text))
    return compile_block(step, *block, context, out);
  std::vector<std::string> known = names_of(space_operations());
  for (const BlockDescription& block : description_.blocks) known.push_back(block.name);
  for (const char* word : {"repeat", "choose", "match", "when"}) known.emplace_back(word);
  throw UserError(step.where, "no operation or block is called '" + step.subject.text + "'" +
                                  did_you_mean(step.subject.text, known));
}

std::size_t SpaceCompiler::compile_operation(const StepDescription& step,
                                             const OperationInfo& operation, const Context& context,
                                             Instructions& out) {
  Instruction instruction{.where = step.where, .operation = &operation};
  instruction.is_numbered = !step.name;
  instruction.name =
      joined(context.scope->prefix, step.name ? expanded(*step.name, context) : operation.name);
  const auto tensor = [&](const PlacedText& text) {
    return located(text.where, [&] { return tensor_named(text.text, context); });
  };
  instruction.operands.push_back(step.from ? tensor(*step.from) : context.here);
  for (const PlacedText& operand : step.operands) instruction.operands.push_back(tensor(operand));
  if (operation.takes_operands && step.operands.empty())
    throw UserError(step.where, operation.name + " needs 'with': a tensor, or a list of them");
  if (!operation.takes_operands && !step.operands.empty())
    throw UserError(step.operands.front().where,
                    operation.name + " reads one tensor and takes no 'with'");
  bind_arguments(step, operation, {context.scope, instruction.operands[0], context.guards},
                 instruction);
  instruction.result = new_tensor(step.where);
  out.push_back(std::move(instruction));
  return out.back().result;
}

void SpaceCompiler::bind_arguments(const StepDescription& step, const OperationInfo& operation,
                                   const Context& context, Instruction& instruction) {
  for (const NamedText& given : step.arguments)
    if (find_named(operation.arguments, given.name) == nullptr) {
      std::vector<std::string> known = names_of(operation.arguments);
      for (const char* common : {"name", "from", "when"}) known.emplace_back(common);
      throw UserError(given.where, operation.name + " has no '" + given.name + "'" +
                                       did_you_mean(given.name, known));
    }
  for (const OperationArgument& argument : operation.arguments) {
    const NamedText* given = find_named(step.arguments, argument.name);
    if (given == nullptr && !argument.otherwise)
      throw UserError(step.where, operation.name + " needs '" + argument.name + "'");
    instruction.arguments.push_back(given == nullptr ? nullptr : bind(given->value, context));
    if (given != nullptr) reads_.read(instruction.arguments.back(), context.guards);
  }
}

std::size_t SpaceCompiler::compile_block(const StepDescription& step, const BlockDescription& block,
                                         const Context& context, Instructions& out) {
  if (!step.operands.empty())
    throw UserError(step.operands.front().where, "a block reads one tensor and takes no 'with'");
  std::string chain;
  for (const std::string& open : open_blocks_) chain += open + " -> ";
  if (std::ranges::find(open_blocks_, block.name) != open_blocks_.end())
    throw UserError(step.where,
                    "block '" + block.name + "' would contain itself: " + chain + block.name);
  if (open_blocks_.size() == kDeepestBlocks)
    throw UserError(step.where,
                    "more than " + std::to_string(kDeepestBlocks) + " blocks one inside the other");
  Scope* const callee = scope_within(&scopes_.front());
  const std::size_t input =
      step.from ? located(step.from->where, [&] { return tensor_named(step.from->text, context); })
                : context.here;
  callee->tensors[kIn] = input;
  name_scope(callee, step, context);
  pass_arguments(step, block, {context.scope, input, context.guards}, callee);
  open_blocks_.push_back(block.name);
  const std::size_t result = compile_steps(block.body, {callee, input, context.guards}, out);
  open_blocks_.pop_back();
  return result;
}

void SpaceCompiler::pass_arguments(const StepDescription& step, const BlockDescription& block,
                                   const Context& context, Scope* callee) {
  for (const NamedText& given : step.arguments)
    if (find_named(block.parameters, given.name) == nullptr) {
      std::vector<std::string> known = names_of(block.parameters);
      for (const char* common : {"name", "from", "when"}) known.emplace_back(common);
      throw UserError(given.where, "block '" + block.name + "' has no parameter '" + given.name +
                                       "'" + did_you_mean(given.name, known));
    }
  for (const NamedText& parameter : block.parameters) {
    if (const NamedText* given = find_named(step.arguments, parameter.name))
      declare(callee, parameter.name, parameter.where, {bind(given->value, context)});
    else if (parameter.value.text == kRequired)
      throw UserError(step.where, "block '" + block.name + "' needs '" + parameter.name + "'");
    else
      declare(callee, parameter.name, parameter.where, {nullptr, &parameter.value});
  }
}

std::int64_t SpaceCompiler::most_repetitions(const StepDescription& step, const Bound& count) {
  if (count->reads_shapes)
    throw UserError(count->where, "the number of repetitions, '" + step.subject.text +
                                      "', depends on a shape; expected choices, options and "
                                      "numbers");
  std::size_t combinations = 1;
  for (const std::size_t position : count->positions)
    if (combinations <= kMostCounts) combinations *= reads_.values_of(position).size();
  if (combinations > kMostCounts)
    throw UserError(count->where, "the number of repetitions, '" + step.subject.text +
                                      "', takes more than " + std::to_string(kMostCounts) +
                                      " combinations of choices");
  std::int64_t most = 0;
  std::map<std::size_t, std::size_t> chosen;
  const Surroundings surroundings{[&](std::size_t position) -> const Value& {
    return reads_.values_of(position)[chosen[position]];
  }};
  for (std::size_t i = 0; i < combinations; ++i) {
    std::size_t rest = i;
    for (const std::size_t position : count->positions) {
      chosen[position] = rest % reads_.values_of(position).size();
      rest /= reads_.values_of(position).size();
    }
    most = std::max(
        most, located(count->where, [&] { return number_in(evaluate(*count, surroundings)); }));
  }
  if (most > kMostRepetitions)
    throw UserError(count->where, "'" + step.subject.text + "' is up to " + std::to_string(most) +
                                      " repetitions; expected at most " +
                                      std::to_string(kMostRepetitions));
  return most;
}

std::size_t SpaceCompiler::compile_repeat(const StepDescription& step, const Context& context,
                                          Instructions& out) {
  const Bound count = bind(step.subject, context);
  const std::int64_t most = most_repetitions(step, count);
  const std::int64_t first =
      step.first ? constant_number(*step.first, "the first index", context) : 0;
  reads_.read(count, context.guards);
  Context inner = context;
  for (std::int64_t i = 0; i < most; ++i) {
    const Bound condition = operation(Operator::more, {count, constant(i)});
    inner.scope = scope_within(context.scope);
    declare(inner.scope, step.index, step.where, {constant(first + i)});
    name_scope(inner.scope, step, {inner.scope, inner.here, nullptr});
    if (always_holds(condition)) {
      inner.here = compile_steps(step.body, inner, out);
      continue;
    }
    std::vector<Instruction::Branch> branches;
    branches.push_back(compile_branch(condition, step.body, inner));
    inner.here = append_branches(std::move(branches), step, inner, out);
  }
  return inner.here;
}

std::size_t SpaceCompiler::compile_choose(const StepDescription& step, const Context& context,
                                          Instructions& out) {
  std::vector<Value> labels;
  for (const AlternativeDescription& alternative : step.alternatives)
    labels.push_back(value_of_label(alternative.label));
  Scope* const scope = scope_within(context.scope);
  name_scope(scope, step, context);
  const std::size_t position = reads_.add(joined(scope->choice_prefix, step.subject.text),
                                          std::move(labels), step.subject.where);
  const Bound choice = choice_value(position);
  declare(scope, step.subject.text, step.subject.where, {choice});
  reads_.read(choice, context.guards);
  return compile_cases(step, choice, {scope, context.here, context.guards}, out);
}

std::size_t SpaceCompiler::compile_match(const StepDescription& step, const Context& context,
                                         Instructions& out) {
  const Bound subject = bind(step.subject, context);
  check_labels(step, subject);
  reads_.read(subject, context.guards);
  Scope* const scope = scope_within(context.scope);
  name_scope(scope, step, context);
  return compile_cases(step, subject, {scope, context.here, context.guards}, out);
}

// Each label is a value that the subject can take, where that is known, and none is left out.
void SpaceCompiler::check_labels(const StepDescription& step, const Bound& subject) {
  if (subject->op != Operator::position) {
    if (!step.otherwise && !subject->is_constant())
      throw UserError(step.where, "what '" + step.subject.text +
                                      "' can be is not listed anywhere: add 'otherwise'");
    return;
  }
  std::vector<std::string> values, labels;
  for (const Value& value : reads_.values_of(subject->place)) values.push_back(text_of(value));
  for (const AlternativeDescription& alternative : step.alternatives) {
    labels.push_back(alternative.label);
    if (std::ranges::find(values, alternative.label) == values.end())
      throw UserError(alternative.where, "'" + step.subject.text + "' is never '" +
                                             alternative.label + "'" +
                                             did_you_mean(alternative.label, values));
  }
  for (const std::string& value : values)
    if (!step.otherwise && std::ranges::find(labels, value) == labels.end())
      throw UserError(step.where, "'" + step.subject.text + "' can be '" + value +
                                      "', for which nothing is given: add it, or 'otherwise'");
}

std::size_t SpaceCompiler::compile_when(const StepDescription& step, const Context& context,
                                        Instructions& out) {
  const Bound condition = bind(step.subject, context);
  reads_.read(condition, context.guards);
  Scope* const scope = scope_within(context.scope);
  name_scope(scope, step, context);
  const Context inner{scope, context.here, context.guards};
  std::vector<Instruction::Branch> branches;
  branches.push_back(compile_branch(condition, step.body, inner));
  if (step.otherwise)
    branches.push_back(compile_branch(negated(condition), *step.otherwise, inner));
  return append_branches(std::move(branches), step, context, out);
}

std::size_t SpaceCompiler::compile_cases(const StepDescription& step, const Bound& subject,
                                         const Context& context, Instructions& out) {
  std::vector<Instruction::Branch> branches;
  Bound any = constant(std::int64_t{0});
  for (const AlternativeDescription& alternative : step.alternatives) {
    const Bound condition = placed(has_label(subject, alternative.label), alternative.where);
    any = operation(Operator::logical_or, {any, condition});
    branches.push_back(compile_branch(condition, alternative.body, context, alternative.label));
  }
  if (step.otherwise) branches.push_back(compile_branch(negated(any), *step.otherwise, context));
  return append_branches(std::move(branches), step, context, out);
}

Instruction::Branch SpaceCompiler::compile_branch(const Bound& condition,
                                                  const ScopeDescription& body,
                                                  const Context& context,
                                                  const std::string& label) {
  Instruction::Branch branch{condition};
  Scope* const scope = scope_within(context.scope);
  scope->choice_prefix = joined(scope->choice_prefix, label);
  branch.result =
      compile_steps(body, {scope, context.here, guarded(context.guards, condition)}, branch.steps);
  return branch;
}

std::size_t SpaceCompiler::append_branches(std::vector<Instruction::Branch> branches,
                                           const StepDescription& step, const Context& context,
                                           Instructions& out) {
  std::erase_if(branches,
                [](const Instruction::Branch& branch) { return never_holds(branch.condition); });
  out.push_back({.where = step.where,
                 .operands = {context.here},
                 .branches = std::move(branches),
                 .result = new_tensor(step.where)});
  return out.back().result;
}

}  // namespace cosearch::nas
