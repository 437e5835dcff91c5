// The checks that many strategies' options share.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "codesign/search/strategy.h"

namespace cosearch::codesign {

/// `option = value: rule`, unless `holds`.
template <class Value>
void require(bool holds, std::string_view option, const Value& value, std::string_view rule,
             std::vector<OptionProblem>& problems) {
  if (!holds)
    problems.push_back({std::string(option), fmt::format("{} = {}: {}", option, value, rule)});
}

/// For strategies that compare accelerators.
inline void require_accelerators(const DesignSpace& space, std::string_view strategy,
                                 std::vector<OptionProblem>& problems) {
  if (space.accelerator_count() == 0)
    problems.push_back(
        {"", fmt::format("{}: needs a space with at least one accelerator", strategy)});
}

inline void require_networks(const DesignSpace& space, std::string_view strategy,
                             std::vector<OptionProblem>& problems) {
  if (space.network_count() == 0)
    problems.push_back({"", fmt::format("{}: needs a space with at least one network", strategy)});
}

}  // namespace cosearch::codesign
