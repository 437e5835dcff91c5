// The strategies by name, with their options, for study files and `cosearch list strategies`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codesign/search/strategy.h"

namespace cosearch::codesign {

/// What an option's text holds.
enum class OptionKind : std::uint8_t {
  count,        // a whole number >= 0
  number,       // a real number
  metric,       // a metric's name
  network,      // index of a network in the space, or "auto"
  accelerator,  // index of an accelerator in the space, or "auto"
  choice,       // one of the words in `choices`
  names,        // one or more, joined by commas
};

[[nodiscard]] std::string_view name_of(OptionKind kind);

struct OptionInfo {
  std::string name;
  OptionKind kind = OptionKind::count;
  /// As text; "auto" where the strategy chooses by itself.
  std::string default_value;
  /// What it does, in a sentence.
  std::string sentence;
  /// For OptionKind::choice.
  std::vector<std::string> choices;
};

/// Option name -> its text, as written in a study file, names of networks and accelerators already
/// replaced by their index.
using OptionTexts = std::map<std::string, std::string>;

struct StrategyInfo {
  std::string name;
  std::string sentence;
  std::vector<OptionInfo> options;
  /// All problems of these option texts in this space; empty when a strategy can be made of them.
  std::function<std::vector<OptionProblem>(const DesignSpace& space, const OptionTexts& texts)>
      problems;
  /// Throws UserError listing all problems.
  std::function<std::unique_ptr<SearchStrategy>(const SearchContext& context,
                                                const OptionTexts& texts)>
      make;
};

/// Every strategy, in the order in which to present them.
[[nodiscard]] const std::vector<StrategyInfo>& strategies();

/// Throws UserError with "did you mean" when there is no strategy of that name.
[[nodiscard]] const StrategyInfo& strategy_named(std::string_view name);

/// Strategy `name` with `texts` over its defaults. Throws UserError listing all problems.
[[nodiscard]] std::unique_ptr<SearchStrategy> make_strategy(std::string_view name,
                                                            const SearchContext& context,
                                                            const OptionTexts& texts = {});

}  // namespace cosearch::codesign
