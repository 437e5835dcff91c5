#include "codesign/constraints_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::DimensionSet;
using accel::kAllDimensions;
using accel::LevelConstraints;
using accel::LoopConstraints;
using datasets::child_pointer;
using nlohmann::json;

class ConstraintsReader {
 public:
  ConstraintsReader(const datasets::Document& document, const accel::Machine& machine)
      : document_(document), machine_(machine) {}

  [[nodiscard]] accel::MapConstraints read(const std::string& pointer) const {
    accel::MapConstraints constraints;
    constraints.levels.resize(machine_.levels.size());
    for (const auto& [name, value] : at(pointer).items()) {
      const std::string here = child_pointer(pointer, name);
      const std::size_t i = level_index(name, here);
      read_level(here, machine_.levels[i], constraints.levels[i]);
    }
    if (const auto problems = problems_in(constraints, machine_); !problems.empty())
      throw UserError(document_.location_of(pointer), fmt::format("{}", fmt::join(problems, "\n")));
    return constraints;
  }

 private:
  [[nodiscard]] const json& at(const std::string& pointer) const {
    return document_.value.at(json::json_pointer(pointer));
  }

  [[noreturn]] void fail_at_key(const std::string& pointer, const std::string& message) const {
    throw UserError(document_.location_of_key(pointer), message);
  }

  void check(const std::vector<std::string>& problems, const std::string& pointer) const {
    if (problems.empty()) return;
    const auto where = [&](const std::string& problem) {
      for (const auto& [name, value] : at(pointer).items())
        if (problem.starts_with(fmt::format("level '{}'", name)))
          return document_.location_of_key(child_pointer(pointer, name));
      return document_.location_of(pointer);
    };
    std::string message = problems.front();
    for (std::size_t i = 1; i < problems.size(); ++i)
      message += fmt::format("\n{}: {}", where(problems[i]).text(), problems[i]);
    throw UserError(where(problems.front()), message);
  }

  [[nodiscard]] std::size_t level_index(const std::string& name, const std::string& here) const {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < machine_.levels.size(); ++i) {
      if (machine_.levels[i].name == name) return i;
      known.push_back(machine_.levels[i].name);
    }
    fail_at_key(here, fmt::format("no level '{}'{}", name, did_you_mean(name, known)));
  }

  [[nodiscard]] std::size_t axis_index(const std::string& name, const accel::StorageLevel& level,
                                       const std::string& here) const {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < level.fanout.size(); ++i) {
      if (level.fanout[i].axis == name) return i;
      known.push_back(level.fanout[i].axis);
    }
    fail_at_key(here,
                fmt::format("level '{}' has no axis '{}'{}", level.name, name,
                            known.empty() ? ": it has one child" : did_you_mean(name, known)));
  }

  void read_level(const std::string& here, const accel::StorageLevel& level,
                  LevelConstraints& constraints) const {
    if (at(here).contains("temporal")) {
      const std::string temporal = child_pointer(here, "temporal");
      constraints.temporal = read_loops(temporal, level);
      if (at(temporal).contains("innermost"))
        constraints.innermost = letters(child_pointer(temporal, "innermost"), level);
    }
    if (!at(here).contains("axes")) return;
    for (const auto& [name, value] : at(here)["axes"].items()) {
      const std::string axis = child_pointer(child_pointer(here, "axes"), name);
      if (value.contains("innermost"))
        fail_at_key(
            child_pointer(axis, "innermost"),
            fmt::format("level '{}', axis {}: loops side by side have no order", level.name, name));
      constraints.axes[axis_index(name, level, axis)] = read_loops(axis, level);
    }
  }

  [[nodiscard]] LoopConstraints read_loops(const std::string& here,
                                           const accel::StorageLevel& level) const {
    LoopConstraints loops;
    const json& value = at(here);
    if (value.contains("dimensions"))
      loops.dimensions = dimensions(child_pointer(here, "dimensions"), level);
    for (const auto& [key, factors] :
         {std::pair{"factors", &loops.factors}, std::pair{"most", &loops.most}}) {
      if (!value.contains(key)) continue;
      for (const auto& [name, factor] : value[key].items()) {
        const Dimension d = dimension(name, child_pointer(child_pointer(here, key), name), level);
        (*factors)[index_of(d)] =
            factor.is_string() ? accel::kAllThatIsLeft : factor.get<std::int64_t>();
      }
    }
    return loops;
  }

  [[nodiscard]] Dimension dimension(std::string_view name, const std::string& here,
                                    const accel::StorageLevel& level) const {
    for (const Dimension d : kAllDimensions)
      if (name_of(d) == name) return d;
    fail_at_key(here, fmt::format("level '{}': no dimension '{}' (expected one of N, G, K, C, D, "
                                  "P, Q, T, R, S)",
                                  level.name, name));
  }

  [[nodiscard]] std::vector<Dimension> letters(const std::string& here,
                                               const accel::StorageLevel& level) const {
    std::vector<Dimension> dimensions;
    for (const char letter : at(here).get<std::string>())
      if (letter != ' ') dimensions.push_back(dimension({&letter, 1}, here, level));
    return dimensions;
  }

  [[nodiscard]] DimensionSet dimensions(const std::string& here,
                                        const accel::StorageLevel& level) const {
    if (at(here) == "all") return DimensionSet::all();
    DimensionSet set;
    if (at(here) == "none") return set;
    for (const Dimension d : letters(here, level)) set.add(d);
    return set;
  }

  const datasets::Document& document_;
  const accel::Machine& machine_;
};

std::string letters_of(DimensionSet dimensions) {
  std::string text;
  for (const Dimension d : kAllDimensions)
    if (dimensions.has(d)) text += name_of(d);
  return text.empty() ? "none" : text;
}

void write_factors(std::string& text, const std::string& indent, const char* key,
                   const LoopConstraints::Factors& factors) {
  std::string list;
  for (const Dimension d : kAllDimensions)
    if (const auto factor = factors[index_of(d)])
      list += fmt::format("{}{}: {}", list.empty() ? "" : ", ", name_of(d), *factor);
  if (!list.empty()) text += fmt::format("{}{}: {{{}}}\n", indent, key, list);
}

std::string loops_text(const LoopConstraints& loops, const std::string& indent) {
  std::string text;
  if (loops.dimensions != DimensionSet::all())
    text += fmt::format("{}dimensions: \"{}\"\n", indent, letters_of(loops.dimensions));
  write_factors(text, indent, "factors", loops.factors);
  write_factors(text, indent, "most", loops.most);
  return text;
}

std::string level_text(const LevelConstraints& level, const accel::StorageLevel& storage) {
  std::string text, axes;
  std::string temporal = loops_text(level.temporal, "      ");
  if (!level.innermost.empty()) {
    temporal += "      innermost: \"";
    for (const Dimension d : level.innermost) temporal += name_of(d);
    temporal += "\"\n";
  }
  if (!temporal.empty()) text += "    temporal:\n" + temporal;
  for (std::size_t i = 0; i < storage.fanout.size(); ++i) {
    const std::string loops = loops_text(level.axes[i], "        ");
    if (!loops.empty()) axes += fmt::format("      {}:\n{}", storage.fanout[i].axis, loops);
  }
  if (!axes.empty()) text += "    axes:\n" + axes;
  return text;
}

}  // namespace

accel::MapConstraints read_constraints(const datasets::Document& document,
                                       const std::string& pointer, const accel::Machine& machine) {
  return ConstraintsReader(document, machine).read(pointer);
}

std::string write_constraints(const accel::MapConstraints& constraints,
                              const accel::Machine& machine) {
  std::string text;
  for (std::size_t i = 0; i < constraints.levels.size(); ++i) {
    const std::string level = level_text(constraints.levels[i], machine.levels[i]);
    text += fmt::format("  {}:{}\n{}", json(machine.levels[i].name).dump(),
                        level.empty() ? " {}" : "", level);
  }
  return text;
}

}  // namespace cosearch::codesign
