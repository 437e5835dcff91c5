// Reads a strategy's options from text through a table of its fields, so that study files, error
// messages and listings all know the same options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codesign/search/registry.h"

namespace cosearch::codesign {

/// One field of the options struct `Options`.
template <class Options>
struct OptionField {
  using Member = std::variant<std::uint64_t Options::*, double Options::*,
                              std::optional<double> Options::*, Metric Options::*,
                              std::optional<std::uint32_t> Options::*, std::string Options::*>;

  OptionField(std::string name_of_field, OptionKind kind_of_field, Member field, std::string what,
              std::vector<std::string> words = {})
      : name(std::move(name_of_field)),
        kind(kind_of_field),
        member(field),
        sentence(std::move(what)),
        choices(std::move(words)) {}

  std::string name;
  OptionKind kind;
  Member member;
  std::string sentence;
  std::vector<std::string> choices;
};

/// Sets `value` from `text` and returns an empty string, or leaves it and returns what was
/// expected. An unset optional reads "auto" for a network or accelerator, "none" for a number.
[[nodiscard]] std::string parse_option(const std::string& text, std::uint64_t& value);
[[nodiscard]] std::string parse_option(const std::string& text, double& value);
[[nodiscard]] std::string parse_option(const std::string& text, std::optional<double>& value);
[[nodiscard]] std::string parse_option(const std::string& text, Metric& value);
[[nodiscard]] std::string parse_option(const std::string& text,
                                       std::optional<std::uint32_t>& value);
[[nodiscard]] std::string parse_option(const std::string& text, std::string& value);

[[nodiscard]] std::string option_text(std::uint64_t value);
[[nodiscard]] std::string option_text(double value);
[[nodiscard]] std::string option_text(const std::optional<double>& value);
[[nodiscard]] std::string option_text(Metric value);
[[nodiscard]] std::string option_text(const std::optional<std::uint32_t>& value);
[[nodiscard]] std::string option_text(const std::string& value);

/// "unknown option 'layer' (did you mean 'layers'?)".
[[nodiscard]] OptionProblem unknown_option(const std::string& name,
                                           const std::vector<std::string>& known);
[[noreturn]] void throw_problems(const std::vector<OptionProblem>& problems);

template <class Options>
std::vector<OptionInfo> infos_of(const std::vector<OptionField<Options>>& fields) {
  const Options defaults;
  std::vector<OptionInfo> infos;
  for (const OptionField<Options>& field : fields) {
    const std::string text =
        std::visit([&](auto member) { return option_text(defaults.*member); }, field.member);
    infos.push_back({field.name, field.kind, text, field.sentence, field.choices});
  }
  return infos;
}

/// `texts` over the defaults; what does not parse keeps its default and adds to `problems`.
template <class Options>
Options parse_options(const std::vector<OptionField<Options>>& fields, const OptionTexts& texts,
                      std::vector<OptionProblem>& problems) {
  Options options;
  OptionTexts unread = texts;
  std::vector<std::string> known;
  for (const OptionField<Options>& field : fields) {
    known.push_back(field.name);
    const auto text = unread.extract(field.name);
    if (text.empty()) continue;
    const std::string expected = std::visit(
        [&](auto member) { return parse_option(text.mapped(), options.*member); }, field.member);
    if (!expected.empty())
      problems.push_back(
          {field.name, field.name + " = '" + text.mapped() + "': expected " + expected});
  }
  for (const auto& [name, text] : unread) problems.push_back(unknown_option(name, known));
  return options;
}

/// The registry's entry for `Strategy`, which is made from (SearchContext, Options).
template <class Strategy, class Options>
StrategyInfo strategy_info(std::string name, std::string sentence,
                           std::vector<OptionField<Options>> fields) {
  const auto read = [fields](const DesignSpace& space, const OptionTexts& texts,
                             std::vector<OptionProblem>& problems) {
    const Options options = parse_options(fields, texts, problems);
    const std::vector<OptionProblem> more = problems_in(options, space);
    problems.insert(problems.end(), more.begin(), more.end());
    return options;
  };
  StrategyInfo info{std::move(name), std::move(sentence), infos_of(fields), {}, {}};
  info.problems = [read](const DesignSpace& space, const OptionTexts& texts) {
    std::vector<OptionProblem> problems;
    static_cast<void>(read(space, texts, problems));
    return problems;
  };
  info.make = [read](const SearchContext& context,
                     const OptionTexts& texts) -> std::unique_ptr<SearchStrategy> {
    std::vector<OptionProblem> problems;
    const Options options = read(context.space, texts, problems);
    if (!problems.empty()) throw_problems(problems);
    return std::make_unique<Strategy>(context, options);
  };
  return info;
}

}  // namespace cosearch::codesign
