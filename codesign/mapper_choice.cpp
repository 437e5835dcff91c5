#include "codesign/mapper_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

/// Of one factor of an objective, "energy" or "energy^2".
void multiply_by(accel::MappingObjective& objective, std::string_view factor) {
  const std::size_t caret = factor.find('^');
  const std::string name(factor.substr(0, caret));
  double power = 1;
  if (caret != std::string_view::npos) {
    const std::string_view digits = factor.substr(caret + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), power);
    if (error != std::errc() || end != digits.data() + digits.size() || !(power > 0) || power > 100)
      throw UserError(fmt::format("objective: '{}' is no power in (0, 100]", digits));
  }
  if (name != "latency" && name != "energy" && name != "edp")
    throw UserError(fmt::format("objective: no '{}'{}", name,
                                did_you_mean(name, {"latency", "energy", "edp"})));
  if (name != "energy") objective.latency += power;
  if (name != "latency") objective.energy += power;
}

}  // namespace

Mapper parse_mapper(std::string_view text) {
  if (text == "template") return Mapper::template_rule;
  if (text == "optimal") return Mapper::optimal;
  throw UserError(
      fmt::format("mapper: no '{}'{}", text, did_you_mean(text, {"template", "optimal"})));
}

accel::MappingObjective parse_objective(std::string_view text) {
  accel::MappingObjective objective{0, 0};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('*', begin), text.size());
    multiply_by(objective, text.substr(begin, end - begin));
    begin = end + 1;
  }
  return objective;
}

void require_rule(const MapperChoice& choice, const std::string& machine,
                  const std::optional<accel::Dataflow>& dataflow) {
  if (choice.mapper == Mapper::template_rule && !dataflow)
    throw UserError(
        fmt::format("machine '{}' is no template (its file names no 'dataflow'): let the "
                    "optimal mapper map it (mapper: optimal)",
                    machine));
}

void require_objective_is_heeded(const MapperChoice& choice,
                                 const std::vector<std::optional<accel::Dataflow>>& dataflows) {
  const auto is_by_rule = [&](const std::optional<accel::Dataflow>& dataflow) {
    return choice.for_machine_with(dataflow) == Mapper::template_rule;
  };
  if (std::ranges::all_of(dataflows, is_by_rule))
    throw UserError(
        "only the optimal mapper has an objective, and templates go by their own rule: ask for the "
        "optimal mapper, or leave the objective out");
}

}  // namespace cosearch::codesign
