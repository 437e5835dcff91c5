#include "codesign/space_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/user_error.h"
#include "datasets/file_bytes.h"
#include "nas/described_space.h"
#include "nas/space_operations.h"

namespace cosearch::codesign {
namespace {

using datasets::child_pointer;
using nas::PlacedText;
using nlohmann::json;

// What a step is, when it is neither an operation nor a block.
const std::vector<std::string> kStructures{"repeat", "choose", "match", "when"};
constexpr std::int64_t kLargestOption = 2147483647;

/// The description that a document holds. Members are named after what they read; `at` is the JSON
/// pointer of it.
class SpaceReader {
 public:
  explicit SpaceReader(const datasets::Document& document) : document_(document) {}

  [[nodiscard]] nas::SpaceDescription read() const {
    const json& root = document_.value;
    nas::SpaceDescription space{.name = root["name"], .where = document_.location_of("")};
    space.separator = root.value("separator", space.separator);
    for (const std::string& name : keys_in_order("/options")) space.options.push_back(option(name));
    for (std::size_t i = 0; i < space.input.size(); ++i)
      space.input[i] = text(fmt::format("/input/{}", i));
    for (const std::string& name : keys_in_order("/blocks")) space.blocks.push_back(block(name));
    space.network = scope("");
    space.network.steps = steps("/network");
    return space;
  }

 private:
  [[noreturn]] void fail(const std::string& at, const std::string& message) const {
    throw UserError(document_.location_of(at), message);
  }
  [[noreturn]] void fail_at_key(const std::string& at, const std::string& message) const {
    throw UserError(document_.location_of_key(at), message);
  }

  [[nodiscard]] const json& value(const std::string& at) const {
    return document_.value.at(json::json_pointer(at));
  }
  [[nodiscard]] bool has(const std::string& at) const {
    return document_.value.contains(json::json_pointer(at));
  }

  // As they stand in the file: JSON's own order is that of the alphabet.
  [[nodiscard]] std::vector<std::string> keys_in_order(const std::string& at) const {
    std::vector<std::string> keys;
    if (!has(at)) return keys;
    if (!value(at).is_object()) fail(at, fmt::format("{}: expected a map", datasets::key_path(at)));
    for (const auto& [key, part] : value(at).items()) keys.push_back(key);
    std::ranges::sort(keys, {}, [&](const std::string& key) {
      const SourceLocation where = document_.location_of_key(child_pointer(at, key));
      return std::pair(where.line, where.column);
    });
    return keys;
  }

  [[nodiscard]] PlacedText text(const std::string& at) const {
    const json& part = value(at);
    if (part.is_string()) return {part.get<std::string>(), document_.location_of(at)};
    if (!part.is_number_integer() && !part.is_boolean())
      fail(at, fmt::format("{}: expected a whole number, a name or an expression",
                           datasets::key_path(at)));
    return {part.dump(), document_.location_of(at)};
  }

  [[nodiscard]] nas::SpaceOption option(const std::string& name) const {
    const std::string at = child_pointer("/options", name);
    nas::require_usable_name(name, document_.location_of_key(at));
    const json& part = value(at);
    const std::int64_t otherwise = part.is_object() ? part["default"] : part;
    nas::SpaceOption option{name, otherwise, std::min<std::int64_t>(1, otherwise),
                            std::max(kLargestOption, otherwise), ""};
    if (part.is_object()) {
      option.least = part.value("least", option.least);
      option.most = part.value("most", option.most);
      option.meaning = part.value("meaning", "");
    }
    if (option.default_value < option.least || option.default_value > option.most)
      fail(at, fmt::format("option '{}': its default, {}, is not from {} to {}", name,
                           option.default_value, option.least, option.most));
    return option;
  }

  [[nodiscard]] nas::BlockDescription block(const std::string& name) const {
    const std::string at = child_pointer("/blocks", name);
    if (!nas::is_identifier(name))
      fail_at_key(at, fmt::format("block '{}': expected a name of letters, digits and '_'", name));
    if (nas::find_operation(name) != nullptr || std::ranges::count(kStructures, name) > 0)
      fail_at_key(at,
                  fmt::format("a block cannot be called '{}': that is a step of its own", name));
    nas::BlockDescription block{.name = name, .where = document_.location_of_key(at)};
    block.parameters = named_texts(child_pointer(at, "parameters"));
    block.body = scope(at);
    block.body.steps = steps(child_pointer(at, "steps"));
    return block;
  }

  [[nodiscard]] std::vector<nas::NamedText> named_texts(const std::string& at) const {
    std::vector<nas::NamedText> texts;
    for (const std::string& name : keys_in_order(at)) {
      const std::string child = child_pointer(at, name);
      texts.push_back({name, text(child), document_.location_of_key(child)});
    }
    return texts;
  }

  // `choices`, `let` and `require` of the map at `at`.
  [[nodiscard]] nas::ScopeDescription scope(const std::string& at) const {
    nas::ScopeDescription scope;
    for (const std::string& name : keys_in_order(child_pointer(at, "choices")))
      scope.choices.push_back(choice(name, child_pointer(child_pointer(at, "choices"), name)));
    scope.definitions = named_texts(child_pointer(at, "let"));
    const std::string require = child_pointer(at, "require");
    if (has(require))
      for (std::size_t i = 0; i < list(require).size(); ++i)
        scope.requirements.push_back(text(fmt::format("{}/{}", require, i)));
    return scope;
  }

  [[nodiscard]] const json& list(const std::string& at) const {
    const json& part = value(at);
    if (!part.is_array()) fail(at, fmt::format("{}: expected a list", datasets::key_path(at)));
    return part;
  }

  [[nodiscard]] nas::ChoiceDescription choice(const std::string& name,
                                              const std::string& at) const {
    nas::ChoiceDescription choice{.name = name, .where = document_.location_of_key(at)};
    const json& part = value(at);
    if (part.is_array()) {
      if (part.empty()) fail(at, fmt::format("choice '{}' has no values", name));
      for (std::size_t i = 0; i < part.size(); ++i)
        choice.values.push_back(text(fmt::format("{}/{}", at, i)));
      return choice;
    }
    if (!part.is_object() || !part.contains("from") || !part.contains("to"))
      fail(at, fmt::format("choice '{}': expected a list of values, or a range such as "
                           "{{from: 16, to: 64, step: 16}}",
                           name));
    check_keys(at, "a range", {"from", "to", "step"});
    choice.from = text(child_pointer(at, "from"));
    choice.to = text(child_pointer(at, "to"));
    if (part.contains("step")) choice.step = text(child_pointer(at, "step"));
    return choice;
  }

  void check_keys(const std::string& at, const std::string& what,
                  const std::vector<std::string>& known) const {
    for (const auto& [key, part] : value(at).items())
      if (std::ranges::count(known, key) == 0)
        fail_at_key(child_pointer(at, key),
                    fmt::format("{} has no '{}'{}", what, key, did_you_mean(key, known)));
  }

  [[nodiscard]] std::vector<nas::StepDescription> steps(const std::string& at) const {
    std::vector<nas::StepDescription> steps;
    if (!has(at)) return steps;
    for (std::size_t i = 0; i < list(at).size(); ++i)
      steps.push_back(step(fmt::format("{}/{}", at, i)));
    return steps;
  }

  // A list of steps, one step, or a map of choices, let, require and steps.
  [[nodiscard]] nas::ScopeDescription body(const std::string& at) const {
    const json& part = value(at);
    nas::ScopeDescription body;
    if (part.is_null()) return body;
    if (part.is_array()) {
      body.steps = steps(at);
    } else if (part.is_object() && part.contains("steps") && !part.contains("when") &&
               !part.contains("repeat")) {
      check_keys(at, "an alternative", {"choices", "let", "require", "steps"});
      body = scope(at);
      body.steps = steps(child_pointer(at, "steps"));
    } else {
      body.steps.push_back(step(at));
    }
    return body;
  }

  [[nodiscard]] nas::StepDescription step(const std::string& at) const {
    const json& part = value(at);
    nas::StepDescription step{.where = document_.location_of(at)};
    if (part.is_string()) {
      step.subject = text(at);
      return step;
    }
    if (!part.is_object() || part.empty())
      fail(at,
           "expected a step: an operation or a block with its arguments, or one of repeat, "
           "choose, match and when");
    for (const char* structure : {"repeat", "choose", "match"})
      if (part.contains(structure)) return structured(at, structure);
    if (part.contains("when") && (part.contains("steps") || part.size() == 1))
      return structured(at, "when");
    if (part.size() > 1) fail_with_several_keys(at);
    const std::string name = part.begin().key();
    step.subject = {name, document_.location_of_key(child_pointer(at, name))};
    read_arguments(step, child_pointer(at, name));
    return step;
  }

  [[noreturn]] void fail_with_several_keys(const std::string& at) const {
    const std::vector<std::string> keys = keys_in_order(at);
    fail_at_key(child_pointer(at, keys[1]),
                fmt::format("'{}' beside '{}': a step is one operation or block, and its arguments "
                            "(name, from, when and its own) are a map below it",
                            keys[1], keys[0]));
  }

  void read_arguments(nas::StepDescription& step, const std::string& at) const {
    const json& part = value(at);
    if (part.is_null()) return;
    if (!part.is_object()) return read_only_argument(step, at);
    for (const std::string& name : keys_in_order(at)) {
      const std::string child = child_pointer(at, name);
      if (name == "with")
        step.operands = operands(child);
      else if (name == "from")
        step.from = text(child);
      else if (!read_common(step, name, child))
        step.arguments.push_back({name, text(child), document_.location_of_key(child)});
    }
  }

  // `linear: classes`, `add: in`.
  void read_only_argument(nas::StepDescription& step, const std::string& at) const {
    const nas::OperationInfo* operation = nas::find_operation(step.subject.text);
    if (operation != nullptr && operation->takes_operands) {
      step.operands = operands(at);
    } else if (operation != nullptr && !operation->arguments.empty() && !value(at).is_array()) {
      step.arguments.push_back(
          {operation->arguments.front().name, text(at), document_.location_of(at)});
    } else {
      fail(at, fmt::format("{}: expected a map of arguments, or nothing", step.subject.text));
    }
  }

  [[nodiscard]] std::vector<PlacedText> operands(const std::string& at) const {
    if (!value(at).is_array()) return {text(at)};
    std::vector<PlacedText> texts;
    for (std::size_t i = 0; i < value(at).size(); ++i)
      texts.push_back(text(fmt::format("{}/{}", at, i)));
    return texts;
  }

  bool read_common(nas::StepDescription& step, const std::string& key,
                   const std::string& at) const {
    if (key == "name")
      step.name = text(at);
    else if (key == "when")
      step.condition = text(at);
    else
      return false;
    return true;
  }

  [[nodiscard]] nas::StepDescription structured(const std::string& at,
                                                const std::string& structure) const {
    nas::StepDescription step{.where = document_.location_of(at)};
    step.subject = text(child_pointer(at, structure));
    step.subject.where = document_.location_of(child_pointer(at, structure));
    for (const char* common : {"name", "when"})
      if (structure != common && has(child_pointer(at, common)))
        read_common(step, common, child_pointer(at, common));
    if (structure == "repeat")
      read_repeat(step, at);
    else if (structure == "when")
      read_when(step, at);
    else
      read_alternatives(step, at, structure);
    return step;
  }

  void require_key(const std::string& at, const std::string& structure,
                   const std::string& key) const {
    if (!has(child_pointer(at, key))) fail(at, fmt::format("'{}' needs '{}'", structure, key));
  }

  void read_repeat(nas::StepDescription& step, const std::string& at) const {
    check_keys(at, "'repeat'",
               {"repeat", "name", "when", "index", "first", "choices", "let", "require", "steps"});
    require_key(at, "repeat", "steps");
    step.kind = nas::StepDescription::Kind::repeat;
    step.body = scope(at);
    step.body.steps = steps(child_pointer(at, "steps"));
    if (has(child_pointer(at, "index"))) step.index = text(child_pointer(at, "index")).text;
    if (has(child_pointer(at, "first"))) step.first = text(child_pointer(at, "first"));
  }

  void read_when(nas::StepDescription& step, const std::string& at) const {
    check_keys(at, "'when'", {"when", "name", "choices", "let", "require", "steps", "otherwise"});
    require_key(at, "when", "steps");
    step.kind = nas::StepDescription::Kind::when;
    step.body = scope(at);
    step.body.steps = steps(child_pointer(at, "steps"));
    read_otherwise(step, at);
  }

  void read_otherwise(nas::StepDescription& step, const std::string& at) const {
    const std::string otherwise = child_pointer(at, "otherwise");
    if (has(otherwise)) step.otherwise = body(otherwise);
  }

  void read_alternatives(nas::StepDescription& step, const std::string& at,
                         const std::string& structure) const {
    const bool is_choice = structure == "choose";
    check_keys(at, "'" + structure + "'",
               is_choice ? std::vector<std::string>{"choose", "name", "when", "of"}
                         : std::vector<std::string>{"match", "name", "when", "of", "otherwise"});
    require_key(at, structure, "of");
    step.kind = is_choice ? nas::StepDescription::Kind::choose : nas::StepDescription::Kind::match;
    const std::string of = child_pointer(at, "of");
    if (!value(of).is_object() || value(of).empty())
      fail(of, fmt::format("'{}': expected a map with the steps of each alternative", structure));
    for (const std::string& label : keys_in_order(of)) {
      const std::string child = child_pointer(of, label);
      if (!nas::is_identifier("x" + label))
        fail_at_key(child, fmt::format("'{}' cannot be an alternative's name: expected letters, "
                                       "digits and '_'",
                                       label));
      step.alternatives.push_back({label, document_.location_of_key(child), body(child)});
    }
    read_otherwise(step, at);
  }

  const datasets::Document& document_;
};

nas::SpaceDescription description_of(const SpaceSource& source) {
  return read_space(datasets::parse_yaml(source.text, source.name));
}

}  // namespace

nas::SpaceDescription read_space(const datasets::Document& document) {
  datasets::validate(document, kSpaceSchema);
  return SpaceReader(document).read();
}

std::pair<std::string, std::string> split_genotype(const std::string& what) {
  std::size_t colon = what.find(':');
  // A path may hold colons of its own.
  for (const char* extension : {".yaml:", ".yml:", ".json:"})
    if (const std::size_t found = what.find(extension); found != std::string::npos)
      colon = what.find(':', found);
  if (colon == std::string::npos) return {};
  return {what.substr(0, colon), what.substr(colon + 1)};
}

SpaceSource space_source(const std::string& what) {
  if (!datasets::names_document(what)) return {what};
  SpaceSource source{what, datasets::read_file(what)};
  if (source.text.empty()) throw UserError({what}, "is empty");
  return source;
}

std::vector<nas::SpaceOption> options_of(const SpaceSource& source) {
  return source.is_file() ? description_of(source).options : nas::options_of(source.name);
}

std::unique_ptr<nas::NetworkSpace> make_space(const SpaceSource& source,
                                              const nas::SpaceOptions& options) {
  if (!source.is_file()) return nas::make_space(source.name, options);
  const nas::SpaceDescription description = description_of(source);
  return nas::DescribedSpace::make(
      description, nas::complete_options(description.name, description.options, options));
}

}  // namespace cosearch::codesign
