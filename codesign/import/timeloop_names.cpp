#include "codesign/import/timeloop_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using datasets::TimeloopDirective;

std::size_t level_of(const TimeloopDirective& directive, const accel::Machine& machine) {
  const auto found =
      std::ranges::find(machine.levels, directive.target, &accel::StorageLevel::name);
  if (found != machine.levels.end())
    return static_cast<std::size_t>(found - machine.levels.begin());
  std::vector<std::string> known;
  for (const accel::StorageLevel& level : machine.levels) known.push_back(level.name);
  throw UserError(directive.where, fmt::format("no level '{}'{}", directive.target,
                                               did_you_mean(directive.target, known)));
}

}  // namespace

TimeloopEntries::TimeloopEntries(const std::vector<TimeloopDirective>& directives,
                                 const accel::Machine& machine)
    : entries_(machine.levels.size()) {
  for (const TimeloopDirective& directive : directives) {
    const TimeloopDirective*& entry =
        entries_[level_of(directive, machine)].at(static_cast<std::size_t>(directive.kind));
    if (entry)
      throw UserError(directive.where,
                      fmt::format("a second entry of that type for {}; the first is at line {}",
                                  directive.target, entry->where.line));
    entry = &directive;
  }
}

accel::Dimension dimension_of(const TimeloopDirective& directive, const TimeloopLayer& problem,
                              const std::string& name) {
  const auto found = problem.dimensions.find(name);
  if (found != problem.dimensions.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [dimension, ours] : problem.dimensions) known.push_back(dimension);
  throw UserError(directive.where, fmt::format("{}: no dimension '{}'; expected one of: {}",
                                               directive.target, name, fmt::join(known, ", ")));
}

Tensor tensor_of(const TimeloopDirective& directive, const TimeloopLayer& problem,
                 const std::string& name) {
  const auto found = problem.tensors.find(name);
  if (found != problem.tensors.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [space, tensor] : problem.tensors) known.push_back(space);
  throw UserError(directive.where, fmt::format("{}: no data space '{}'{}", directive.target, name,
                                               did_you_mean(name, known)));
}

void check_kept_once(const TimeloopDirective& directive) {
  for (const std::string& name : directive.keep)
    if (std::ranges::find(directive.bypass, name) != directive.bypass.end())
      throw UserError(directive.where,
                      fmt::format("{}: {} is kept and passes by", directive.target, name));
}

void set_word_widths(const accel::Machine& machine, Layer& layer) {
  const auto narrowest =
      std::ranges::min_element(machine.levels, {}, &accel::StorageLevel::word_bits);
  layer.input_bits = layer.weight_bits = layer.output_bits = layer.partial_sum_bits =
      static_cast<std::int32_t>(narrowest->word_bits);
}

void require_timeloop_parts(const datasets::TimeloopFiles& files, bool mapping) {
  std::vector<std::string> missing;
  if (!files.architecture) missing.emplace_back("architecture");
  if (!files.problem) missing.emplace_back("problem");
  if (mapping && files.mapping.empty()) missing.emplace_back("mapping");
  if (!missing.empty())
    throw UserError(fmt::format("the files have no {}", fmt::join(missing, ", ")));
}

}  // namespace cosearch::codesign
