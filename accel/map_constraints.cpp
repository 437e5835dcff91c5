#include "accel/map_constraints.h"

#include <algorithm>

namespace cosearch::accel {
namespace {

std::string letters(DimensionSet dimensions) {
  std::string text;
  for (const Dimension d : kAllDimensions)
    if (dimensions.has(d)) text += name_of(d);
  return text.empty() ? "none" : text;
}

std::string letters(const std::vector<Dimension>& dimensions) {
  std::string text;
  for (const Dimension d : dimensions) text += name_of(d);
  return text;
}

/// A place where loops may be: "level 'GlobalBuffer', axis X".
std::string place_name(const Machine& machine, std::size_t level, std::int8_t axis) {
  const std::string name = "level '" + machine.levels[level].name + "', ";
  if (axis == Loop::kTemporal) return name + "temporal loops";
  return name + "axis " + machine.levels[level].fanout[static_cast<std::size_t>(axis)].axis;
}

const LoopConstraints& at(const LevelConstraints& level, std::int8_t axis) {
  return axis == Loop::kTemporal ? level.temporal : level.axes[static_cast<std::size_t>(axis)];
}

/// Calls `visit(level, axis)` for every place of `machine`.
template <class Visit>
void for_each_place(const Machine& machine, Visit visit) {
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    visit(i, Loop::kTemporal);
    const auto axes = std::min(machine.levels[i].fanout.size(), kMostAxes);
    for (std::size_t axis = 0; axis < axes; ++axis) visit(i, static_cast<std::int8_t>(axis));
  }
}

void check_factors(const LoopConstraints& place, const std::string& where,
                   std::vector<std::string>& problems) {
  for (const Dimension d : kAllDimensions) {
    const std::string name(name_of(d));
    const auto fixed = place.factors[index_of(d)], most = place.most[index_of(d)];
    if (fixed && *fixed < 0)
      problems.push_back(where + ": factor of " + name + " = " + std::to_string(*fixed) +
                         ": must be at least 1, or 0 for all that is left");
    if (fixed && *fixed != 1 && !place.dimensions.has(d))
      problems.push_back(where + ": factor of " + name + " = " + std::to_string(*fixed) +
                         ", but only loops over " + letters(place.dimensions) + " are allowed");
    if (most && *most < 1)
      problems.push_back(where + ": at most " + std::to_string(*most) + " pieces of " + name +
                         ": must be at least 1");
    if (most && fixed && *fixed > *most)
      problems.push_back(where + ": factor of " + name + " = " + std::to_string(*fixed) +
                         ", but at most " + std::to_string(*most) + " are allowed");
  }
}

void check_axis_size(const LoopConstraints& place, std::int64_t size, const std::string& where,
                     std::vector<std::string>& problems) {
  std::int64_t product = 1;
  for (const auto& factor : place.factors) {
    if (!factor || *factor < 2) continue;
    if (*factor > size / product) {
      problems.push_back(where + ": its fixed factors need more than its " + std::to_string(size) +
                         " children");
      return;
    }
    product *= *factor;
  }
}

void check_innermost(const LevelConstraints& level, const std::string& where,
                     std::vector<std::string>& problems) {
  for (auto d = level.innermost.begin(); d != level.innermost.end(); ++d)
    if (std::find(level.innermost.begin(), d, *d) != d)
      problems.push_back(where + ": " + std::string(name_of(*d)) + " is twice in innermost");
}

// Two places cannot both take all that is left.
void check_remainders(const MapConstraints& constraints, const Machine& machine,
                      std::vector<std::string>& problems) {
  for (const Dimension d : kAllDimensions) {
    std::string first;
    for_each_place(machine, [&](std::size_t level, std::int8_t axis) {
      if (at(constraints.levels[level], axis).factors[index_of(d)] != kAllThatIsLeft) return;
      const std::string where = place_name(machine, level, axis);
      if (!first.empty())
        problems.push_back(where + ": factor of " + std::string(name_of(d)) +
                           " = 0 (all that is left), as already at " + first);
      first = where;
    });
  }
}

/// Pieces into which each place of a nest cuts each dimension.
class Pieces {
 public:
  Pieces(const LoopNest& nest, const Layer& layer) : levels_(nest.levels.size()) {
    for (auto& level : levels_)
      for (Extents& place : level) place.fill(1);
    Extents left = extents_of(layer);
    for (std::size_t i = 0; i < nest.levels.size(); ++i)
      for (const Loop& loop : nest.levels[i].loops) {
        std::int64_t& extent = left[index_of(loop.dimension)];
        levels_[i][slot(loop.axis)][index_of(loop.dimension)] *= ceil_div(extent, loop.tile);
        extent = loop.tile;
      }
  }
  [[nodiscard]] std::int64_t of(std::size_t level, std::int8_t axis, Dimension d) const {
    return levels_[level][slot(axis)][index_of(d)];
  }

 private:
  static std::size_t slot(std::int8_t axis) { return static_cast<std::size_t>(axis + 1); }
  std::vector<std::array<Extents, kMostAxes + 1>> levels_;
};

std::string loop_text(Dimension d, std::int64_t pieces) {
  return "a loop over " + std::string(name_of(d)) + " of " + std::to_string(pieces) + " pieces";
}

void compare_place(const LoopConstraints& allowed, const Extents& extents, const Pieces& pieces,
                   std::size_t level, std::int8_t axis, const std::string& where,
                   std::vector<std::string>& problems) {
  for (const Dimension d : kAllDimensions) {
    const std::int64_t found = pieces.of(level, axis, d);
    const auto fixed = allowed.factors[index_of(d)], most = allowed.most[index_of(d)];
    if (found > 1 && !allowed.dimensions.has(d))
      problems.push_back(where + ": " + loop_text(d, found) + ", where only " +
                         letters(allowed.dimensions) + " may have one");
    if (fixed && *fixed > 0 && found != std::min(*fixed, extents[index_of(d)]))
      problems.push_back(where + ": " + loop_text(d, found) + ", where exactly " +
                         std::to_string(std::min(*fixed, extents[index_of(d)])) + " are asked");
    if (most && found > *most)
      problems.push_back(where + ": " + loop_text(d, found) + ", where at most " +
                         std::to_string(*most) + " are allowed");
  }
}

// Where one place takes all that is left, free places must take none.
void compare_remainders(const MapConstraints& constraints, const Machine& machine,
                        const Pieces& pieces, std::vector<std::string>& problems) {
  for (const Dimension d : kAllDimensions) {
    std::string taker;
    for_each_place(machine, [&](std::size_t level, std::int8_t axis) {
      if (at(constraints.levels[level], axis).factors[index_of(d)] == kAllThatIsLeft)
        taker = place_name(machine, level, axis);
    });
    if (taker.empty()) continue;
    for_each_place(machine, [&](std::size_t level, std::int8_t axis) {
      const std::int64_t found = pieces.of(level, axis, d);
      if (found > 1 && !at(constraints.levels[level], axis).factors[index_of(d)])
        problems.push_back(place_name(machine, level, axis) + ": " + loop_text(d, found) +
                           ", where " + taker + " take all that is left");
    });
  }
}

/// Dimensions of the temporal loops of more than one piece, innermost first.
std::vector<Dimension> order_of(const LevelNest& nest, Extents& left) {
  std::vector<Dimension> order;
  for (const Loop& loop : nest.loops) {
    std::int64_t& extent = left[index_of(loop.dimension)];
    const bool loops = !loop.is_spatial() && ceil_div(extent, loop.tile) > 1;
    if (loops && (order.empty() || order.back() != loop.dimension)) order.push_back(loop.dimension);
    extent = loop.tile;
  }
  std::reverse(order.begin(), order.end());
  return order;
}

void compare_order(const MapConstraints& constraints, const LoopNest& nest, const Layer& layer,
                   const Machine& machine, std::vector<std::string>& problems) {
  Extents left = extents_of(layer);
  for (std::size_t i = 0; i < nest.levels.size(); ++i) {
    const std::vector<Dimension> order = order_of(nest.levels[i], left);
    std::vector<Dimension> asked;
    for (const Dimension d : constraints.levels[i].innermost)
      if (std::find(order.begin(), order.end(), d) != order.end()) asked.push_back(d);
    const auto inner = static_cast<std::ptrdiff_t>(asked.size());
    const bool obeys = std::equal(asked.begin(), asked.end(), order.begin()) &&
                       std::none_of(order.begin() + inner, order.end(), [&](Dimension d) {
                         return std::find(asked.begin(), asked.end(), d) != asked.end();
                       });
    if (!obeys)
      problems.push_back(place_name(machine, i, Loop::kTemporal) + ": from inside they run over " +
                         letters(order) + ", where " + letters(asked) + " are asked to come first");
  }
}

}  // namespace

std::vector<std::string> problems_in(const MapConstraints& constraints, const Machine& machine) {
  std::vector<std::string> problems;
  if (constraints.levels.empty()) return problems;
  if (constraints.levels.size() != machine.levels.size()) {
    problems.push_back("constraints for " + std::to_string(constraints.levels.size()) +
                       " levels, where the machine has " + std::to_string(machine.levels.size()));
    return problems;
  }
  for_each_place(machine, [&](std::size_t i, std::int8_t axis) {
    const LevelConstraints& level = constraints.levels[i];
    const std::string where = place_name(machine, i, axis);
    check_factors(at(level, axis), where, problems);
    if (axis == Loop::kTemporal) return check_innermost(level, where, problems);
    check_axis_size(at(level, axis), machine.levels[i].fanout[static_cast<std::size_t>(axis)].size,
                    where, problems);
  });
  check_remainders(constraints, machine, problems);
  return problems;
}

std::vector<std::string> violations_of(const MapConstraints& constraints, const LoopNest& nest,
                                       const Layer& layer, const Machine& machine) {
  std::vector<std::string> problems;
  if (constraints.levels.empty()) return problems;
  const Pieces pieces(nest, layer);
  const Extents extents = extents_of(layer);
  for_each_place(machine, [&](std::size_t i, std::int8_t axis) {
    compare_place(at(constraints.levels[i], axis), extents, pieces, i, axis,
                  place_name(machine, i, axis), problems);
  });
  compare_remainders(constraints, machine, pieces, problems);
  compare_order(constraints, nest, layer, machine, problems);
  return problems;
}

}  // namespace cosearch::accel
