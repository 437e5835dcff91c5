#include "nas/space_program.h"

#include <algorithm>
#include <set>

#include "core/user_error.h"
#include "nas/space_compiler.h"

namespace cosearch::nas {
namespace {

constexpr std::int64_t kLargestExtent = std::int64_t{1} << 31;

// Runs instructions, one network.
class Run {
 public:
  Run(const std::string& name, const Feature& input, std::size_t tensors,
      std::function<const Value&(std::size_t)> choice)
      : builder_(name, input.channels, input.height, input.width),
        tensors_(tensors),
        surroundings_{std::move(choice), &tensors_},
        made_by_{SourceLocation{}} {
    tensors_[0] = builder_.input();
  }

  void run(const std::vector<Instruction>& instructions) {
    for (const Instruction& instruction : instructions)
      tensors_[instruction.result] =
          instruction.operation != nullptr ? append(instruction) : taken_branch(instruction);
  }

  Blueprint finish(std::size_t output, const SourceLocation& file) && {
    const std::vector<Step>& steps = builder_.steps();
    if (std::ranges::none_of(steps, [](const Step& step) { return step.layer.has_value(); }))
      throw UserError(file, "the network has no layer");
    std::vector<bool> is_read(steps.size(), false);
    for (const Step& step : steps)
      for (const std::size_t input : step.inputs) is_read[input] = true;
    is_read[tensors_[output].step] = true;
    for (std::size_t i = 1; i < steps.size(); ++i)
      if (!is_read[i]) throw UserError(made_by_[i], "nothing reads what this step makes");
    return std::move(builder_).blueprint();
  }

 private:
  Feature taken_branch(const Instruction& instruction) {
    for (const Instruction::Branch& branch : instruction.branches)
      if (!branch.condition || holds(*branch.condition, surroundings_)) {
        run(branch.steps);
        return tensors_[branch.result];
      }
    return tensors_[instruction.operands.front()];
  }

  Feature append(const Instruction& instruction) try {
    Operands operands;
    for (const std::size_t tensor : instruction.operands) operands.push_back(tensors_[tensor]);
    Arguments arguments;
    for (std::size_t i = 0; i < instruction.arguments.size(); ++i)
      arguments.push_back(argument(instruction, i));
    const std::string name =
        instruction.is_numbered ? numbered(instruction.name) : instruction.name;
    const Feature made = instruction.operation->append(builder_, name, operands, arguments);
    check_new_steps(instruction);
    if (std::max({made.channels, made.height, made.width}) > kLargestExtent)
      throw UserError("makes a tensor with an extent beyond 2^31");
    return made;
  } catch (const UserError& error) {
    if (!error.where().file.empty()) throw;
    throw UserError(instruction.where, error.what());
  }

  [[nodiscard]] Value argument(const Instruction& instruction, std::size_t i) const {
    const OperationArgument& expected = instruction.operation->arguments[i];
    const Bound& given = instruction.arguments[i];
    if (!given) return *expected.otherwise;
    Value value = evaluate(*given, surroundings_);
    const auto fail = [&](const std::string& what) {
      throw UserError(given->where, expected.name + " = " + text_of(value) + ": expected " + what);
    };
    if (!expected.words.empty()) {
      const std::string word = text_of(value);
      if (std::ranges::find(expected.words, word) == expected.words.end())
        throw UserError(given->where, expected.name + " = " + word + ": no such word" +
                                          did_you_mean(word, expected.words));
      return word;
    }
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || *number < expected.least || *number > expected.most)
      fail("a whole number from " + std::to_string(expected.least) + " to " +
           std::to_string(expected.most));
    return value;
  }

  // "convolution", "convolution2", ...
  [[nodiscard]] std::string numbered(const std::string& name) const {
    std::string unique = name;
    for (int number = 2; names_.contains(unique); ++number) unique = name + std::to_string(number);
    return unique;
  }

  void check_new_steps(const Instruction& instruction) {
    const std::vector<Step>& steps = builder_.steps();
    for (std::size_t i = made_by_.size(); i < steps.size(); ++i) {
      made_by_.push_back(instruction.where);
      const Step& step = steps[i];
      if (!step.layer) continue;
      if (const auto problems = problems_in(*step.layer); !problems.empty())
        throw UserError("layer '" + step.name + "': " + problems.front());
      if (!names_.insert(step.name).second)
        throw UserError("a second layer is called '" + step.name +
                        "': give the steps, or the repeat or block around them, names that tell "
                        "them apart, such as \"block{i}\"");
    }
  }

  NetworkBuilder builder_;
  std::vector<Feature> tensors_;
  Surroundings surroundings_;
  std::set<std::string> names_;
  std::vector<SourceLocation> made_by_;  // by step
};

}  // namespace

SpaceProgram::SpaceProgram(const SpaceDescription& description, const SpaceOptions& options) {
  SpaceCompiler(*this, description, options).compile();
}

Surroundings SpaceProgram::surroundings_of(const Choices& choices) const {
  return {[this, &choices](std::size_t position) -> const Value& {
    const std::size_t place = place_of_position_[position];
    return choices_[place].values[choices[place]];
  }};
}

Blueprint SpaceProgram::run(const std::string& name, const Choices& choices) const {
  const auto extent = [&](std::size_t i) { return number_in(input_[i]->value); };
  Run run(name, {extent(0), extent(1), extent(2)}, tensors_, surroundings_of(choices).choice);
  run.run(instructions_);
  return std::move(run).finish(output_, input_[0]->where);
}

}  // namespace cosearch::nas
