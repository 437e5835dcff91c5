// From a description to a program: looks names up, unrolls repetitions, lays out the alternatives,
// and notes (nas/choice_reads.h) under which conditions each choice is read.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nas/choice_reads.h"
#include "nas/space_program.h"

namespace cosearch::nas {

class SpaceCompiler {
 public:
  /// All must outlive the compiler.
  SpaceCompiler(SpaceProgram& program, const SpaceDescription& description,
                const SpaceOptions& options);
  void compile();

 private:
  /// A name that stands for an expression; of a definition the text, until it is first used.
  struct Meaning {
    Bound bound;
    const PlacedText* text = nullptr;
    bool is_being_bound = false;
  };
  struct Scope {
    Scope* outer = nullptr;
    std::map<std::string, Meaning> names = {};
    std::map<std::string, std::size_t> tensors = {};  ///< by name; "in": what comes in
    std::string prefix = {};                          ///< of layers
    std::string choice_prefix = {};  ///< the same with the alternatives that one is in
  };
  /// Where something is written: what it may name, and under which conditions it runs.
  struct Context {
    Scope* scope;
    std::size_t here;  ///< tensor that comes in
    Guards guards;
  };
  using Instructions = std::vector<Instruction>;

  // Names.
  Scope* scope_within(Scope* outer);
  void learn_words(const ScopeDescription& scope);
  void declare(const ScopeDescription& described, const Context& context);
  void declare(Scope* scope, const std::string& name, const SourceLocation& where, Meaning meaning);
  std::vector<Value> values_of(const ChoiceDescription& choice, const Context& context);
  std::vector<Value> range_of(const ChoiceDescription& choice, const Context& context);
  std::string expanded(const PlacedText& text, const Context& context);
  void name_scope(Scope* scope, const StepDescription& step, const Context& context);

  // Expressions.
  Bound bind(const PlacedText& text, const Context& context);
  Bound bind(const Expression& expression, const Context& context);
  Bound meaning_of(const std::string& name, const Context& context);
  Bound bound_definition(Meaning& meaning, Scope* scope);
  Bound shape_named(const std::string& name, const Context& context);
  std::size_t tensor_named(const std::string& name, const Context& context);
  std::int64_t constant_number(const PlacedText& text, const char* what, const Context& context);
  [[nodiscard]] std::vector<std::string> names_in(const Context& context) const;

  // Steps. Each appends to `out` and returns the tensor that then comes next.
  std::size_t compile_steps(const ScopeDescription& body, Context context, Instructions& out);
  std::size_t compile_step(const StepDescription& step, const Context& context, Instructions& out);
  std::size_t compile_kind(const StepDescription& step, const Context& context, Instructions& out);
  std::size_t compile_operation(const StepDescription& step, const OperationInfo& operation,
                                const Context& context, Instructions& out);
  std::size_t compile_block(const StepDescription& step, const BlockDescription& block,
                            const Context& context, Instructions& out);
  std::size_t compile_repeat(const StepDescription& step, const Context& context,
                             Instructions& out);
  std::size_t compile_choose(const StepDescription& step, const Context& context,
                             Instructions& out);
  std::size_t compile_match(const StepDescription& step, const Context& context, Instructions& out);
  std::size_t compile_when(const StepDescription& step, const Context& context, Instructions& out);
  std::size_t compile_cases(const StepDescription& step, const Bound& subject,
                            const Context& context, Instructions& out);
  Instruction::Branch compile_branch(const Bound& condition, const ScopeDescription& body,
                                     const Context& context, const std::string& label = "");
  std::size_t append_branches(std::vector<Instruction::Branch> branches,
                              const StepDescription& step, const Context& context,
                              Instructions& out);
  void bind_arguments(const StepDescription& step, const OperationInfo& operation,
                      const Context& context, Instruction& instruction);
  void pass_arguments(const StepDescription& step, const BlockDescription& block,
                      const Context& context, Scope* callee);
  std::int64_t most_repetitions(const StepDescription& step, const Bound& count);
  void check_labels(const StepDescription& step, const Bound& subject);

  std::size_t new_tensor(const SourceLocation& where);

  SpaceProgram& program_;
  const SpaceDescription& description_;
  const SpaceOptions& options_;
  std::deque<Scope> scopes_;
  std::set<std::string> words_;  ///< that stand for themselves
  ChoiceReads reads_;
  std::vector<std::string> open_blocks_;
};

}  // namespace cosearch::nas
