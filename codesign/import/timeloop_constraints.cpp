#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "codesign/import/timeloop_design.h"
#include "codesign/import/timeloop_names.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::index_of;
using accel::LoopConstraints;
using datasets::TimeloopDirective;
using datasets::TimeloopFactor;

class ConstraintsReader {
 public:
  ConstraintsReader(const std::vector<TimeloopDirective>& directives, const TimeloopLayer& problem,
                    accel::Machine& machine)
      : entries_(directives, machine), problem_(problem), machine_(machine) {}

  accel::MapConstraints read() {
    constraints_.levels.resize(machine_.levels.size());
    for (std::size_t i = 0; i < machine_.levels.size(); ++i) {
      if (const auto* entry = entries_.find(i, TimeloopDirective::Kind::data_space))
        read_kept(*entry, machine_.levels[i]);
      if (const auto* entry = entries_.find(i, TimeloopDirective::Kind::temporal))
        read_temporal(*entry, constraints_.levels[i]);
      if (const auto* entry = entries_.find(i, TimeloopDirective::Kind::spatial))
        read_spatial(*entry, machine_.levels[i], constraints_.levels[i]);
    }
    return std::move(constraints_);
  }

 private:
  void read_kept(const TimeloopDirective& entry, accel::StorageLevel& level) const {
    check_kept_once(entry);
    for (const std::string& name : entry.keep)
      level.must_keep.add(tensor_of(entry, problem_, name));
    for (const std::string& name : entry.bypass)
      level.may_keep.remove(tensor_of(entry, problem_, name));
  }

  void read_temporal(const TimeloopDirective& entry, accel::LevelConstraints& level) const {
    for (const TimeloopFactor& factor : entry.factors)
      add_factor(entry, factor, dimension_of(entry, problem_, factor.dimension), level.temporal);
    for (const std::string& name : entry.permutation)
      level.innermost.push_back(dimension_of(entry, problem_, name));
  }

  void add_factor(const TimeloopDirective& entry, const TimeloopFactor& factor, Dimension dimension,
                  LoopConstraints& loops) const {
    if (factor.relation == TimeloopFactor::Relation::at_least || factor.last_bound)
      throw UserError(
          entry.where,
          fmt::format("{}: a factor of {} that is at least a number, or ends on another "
                      "one, is no constraint that is understood",
                      entry.target, factor.dimension));
    auto& factors =
        factor.relation == TimeloopFactor::Relation::at_most ? loops.most : loops.factors;
    factors[index_of(dimension)] = factor.bound;
  }

  /// The axis that an entry gives a dimension, by its place in the permutation.
  [[nodiscard]] static std::optional<std::string> axis_of(const TimeloopDirective& entry,
                                                          const std::string& dimension) {
    const auto place = std::ranges::find(entry.permutation, dimension);
    if (place == entry.permutation.end() || !entry.split) return std::nullopt;
    return place - entry.permutation.begin() < *entry.split ? "X" : "Y";
  }

  void read_spatial(const TimeloopDirective& entry, const accel::StorageLevel& storage,
                    accel::LevelConstraints& level) const {
    for (const std::string& name : entry.permutation) {
      const Dimension dimension = dimension_of(entry, problem_, name);
      const auto given = axis_of(entry, name);
      for (std::size_t axis = 0; axis < storage.fanout.size(); ++axis)
        if (given && storage.fanout[axis].axis != *given)
          level.axes.at(axis).dimensions.remove(dimension);
    }
    for (const TimeloopFactor& factor : entry.factors) add_spatial(entry, factor, storage, level);
  }

  void add_spatial(const TimeloopDirective& entry, const TimeloopFactor& factor,
                   const accel::StorageLevel& storage, accel::LevelConstraints& level) const {
    const Dimension dimension = dimension_of(entry, problem_, factor.dimension);
    const auto given = axis_of(entry, factor.dimension);
    std::vector<std::size_t> axes;
    for (std::size_t axis = 0; axis < storage.fanout.size(); ++axis)
      if (!given || storage.fanout[axis].axis == *given) axes.push_back(axis);
    // A factor of 1 is no loop, along whichever axis.
    const bool is_one = factor.bound == 1 && factor.relation != TimeloopFactor::Relation::at_least;
    if (axes.size() != 1 && !is_one)
      throw UserError(
          entry.where,
          axes.empty() ? fmt::format("{} has nothing below it for the loop over {}", entry.target,
                                     factor.dimension)
                       : fmt::format("{}: permutation and split must say whether the loop over {} "
                                     "runs along X or Y",
                                     entry.target, factor.dimension));
    for (const std::size_t axis : axes) add_factor(entry, factor, dimension, level.axes.at(axis));
  }

  TimeloopEntries entries_;
  const TimeloopLayer& problem_;
  accel::Machine& machine_;
  accel::MapConstraints constraints_;
};

}  // namespace

TimeloopMapSpace import_timeloop_constraints(const datasets::TimeloopFiles& files) {
  require_timeloop_parts(files, false);
  TimeloopLayer problem = timeloop_layer(*files.problem);
  TimeloopMapSpace space;
  space.machine = timeloop_machine(*files.architecture);
  set_word_widths(space.machine, problem.layer);
  space.constraints = ConstraintsReader(files.constraints, problem, space.machine).read();
  space.layer = problem.layer;
  auto problems = problems_in(space.machine);
  for (std::string& problem_text : problems_in(space.constraints, space.machine))
    problems.push_back(std::move(problem_text));
  if (!problems.empty()) throw UserError(files.architecture->where, problems.front());
  return space;
}

}  // namespace cosearch::codesign
