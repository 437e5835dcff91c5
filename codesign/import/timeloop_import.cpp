#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "codesign/import/timeloop_design.h"
#include "codesign/import/timeloop_names.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::index_of;
using accel::Loop;
using datasets::TimeloopArchitecture;
using datasets::TimeloopDirective;
using datasets::TimeloopFactor;
using datasets::TimeloopStorage;

// Bits beyond this are no width of a word (accel/machine.h).
constexpr std::int64_t kMostWordBits = 4096;

accel::StorageLevel level_of(const TimeloopStorage& from, bool outermost) {
  accel::StorageLevel level;
  level.name = from.name;
  if (from.word_bits > kMostWordBits)
    throw UserError(from.where, fmt::format("{}: words of {} bits", from.name, from.word_bits));
  level.word_bits = from.word_bits;
  level.block_words = from.block_size;
  level.cluster = from.cluster_size;
  level.buffers = from.multiple_buffering;
  level.read_bandwidth = from.read_bandwidth.value_or(accel::kUnlimited);
  level.write_bandwidth = from.write_bandwidth.value_or(accel::kUnlimited);
  level.shared_bandwidth = from.shared_bandwidth.value_or(accel::kUnlimited);
  if (!outermost) level.capacity_bits = kNoLimitBits;
  if (from.entries)
    level.capacity_bits = std::min(*from.entries, kNoLimitBits / from.word_bits) * from.word_bits;
  if (from.entries == 0) {
    // A buffer without room is Timeloop's way to put two fan-outs after each other.
    level.capacity_bits.reset();
    level.may_keep = {};
  }
  return level;
}

/// Instances of one kind of part, and how many of them lie along X.
struct Mesh {
  std::int64_t instances, along_x;
};

std::vector<accel::Fanout> fanout_between(const std::string& outer_name, const Mesh& outer,
                                          const std::string& name, const Mesh& inner,
                                          const SourceLocation& where) {
  const bool divides = inner.instances % outer.instances == 0 &&
                       inner.along_x % outer.along_x == 0 &&
                       (inner.instances / outer.instances) % (inner.along_x / outer.along_x) == 0;
  if (!divides)
    throw UserError(where, fmt::format("{} x {} of {} cannot hang evenly below {} x {} of {}",
                                       inner.along_x, inner.instances / inner.along_x, name,
                                       outer.along_x, outer.instances / outer.along_x, outer_name));
  const std::int64_t along_x = inner.along_x / outer.along_x;
  const std::int64_t along_y = inner.instances / outer.instances / along_x;
  std::vector<accel::Fanout> fanout;
  if (along_x > 1) fanout.push_back({.axis = "X", .size = along_x});
  if (along_y > 1) fanout.push_back({.axis = "Y", .size = along_y});
  return fanout;
}

/// Builds the nest from a mapping's entries: first who says what about which level, then the
/// bounds.
class NestReader {
 public:
  NestReader(const std::vector<TimeloopDirective>& mapping, const TimeloopLayer& problem,
             const accel::Machine& machine)
      : mapping_(mapping), entries_(mapping, machine), problem_(problem), machine_(machine) {}

  accel::LoopNest read() {
    for (const accel::StorageLevel& level : machine_.levels) {
      nest_.levels.emplace_back();
      nest_.levels.back().keep = level.may_keep;
    }
    for (std::size_t i = 0; i < machine_.levels.size(); ++i) {
      add_loops(i, TimeloopDirective::Kind::temporal);
      add_loops(i, TimeloopDirective::Kind::spatial);
      apply_kept(i);
    }
    for (const auto& [name, dimension] : problem_.dimensions) set_tiles(name, dimension);
    return std::move(nest_);
  }

 private:
  /// Factors that make a loop, outermost first.
  [[nodiscard]] std::vector<const TimeloopFactor*> ordered(
      const TimeloopDirective& directive) const {
    std::vector<const TimeloopFactor*> loops;
    for (const std::string& name : directive.permutation) {
      static_cast<void>(dimension_of(directive, problem_, name));
      for (const TimeloopFactor& factor : directive.factors)
        if (factor.dimension == name && factor.bound != 1) loops.push_back(&factor);
    }
    std::ranges::reverse(loops);
    std::vector<const TimeloopFactor*> unordered;
    for (const TimeloopFactor& factor : directive.factors)
      if (factor.bound != 1 && std::ranges::find(loops, &factor) == loops.end())
        unordered.push_back(&factor);
    // The order of one loop, or of loops that run at the same time, needs no saying.
    if (directive.kind == TimeloopDirective::Kind::temporal && !unordered.empty() &&
        loops.size() + unordered.size() > 1)
      throw UserError(directive.where,
                      fmt::format("{}: the permutation does not say where the loop over {} stands",
                                  directive.target, unordered.front()->dimension));
    loops.insert(loops.end(), unordered.begin(), unordered.end());
    return loops;
  }

  /// Dimensions of the permutation from `split` on run along Y.
  [[nodiscard]] std::int8_t axis_of(const TimeloopDirective& directive, std::size_t level,
                                    const std::string& dimension) const {
    const auto& order = directive.permutation;
    const auto position = std::ranges::find(order, dimension) - order.begin();
    const bool along_y = directive.split && position >= *directive.split;
    const auto& fanout = machine_.levels[level].fanout;
    for (std::size_t axis = 0; axis < fanout.size(); ++axis)
      if (fanout[axis].axis == (along_y ? "Y" : "X")) return static_cast<std::int8_t>(axis);
    throw UserError(directive.where,
                    fmt::format("{} has nothing below it along {} for the loop over {}",
                                directive.target, along_y ? "Y" : "X", dimension));
  }

  void add_loops(std::size_t level, TimeloopDirective::Kind kind) {
    const TimeloopDirective* directive = entries_.find(level, kind);
    if (!directive) return;
    std::vector<Loop> loops;
    for (const TimeloopFactor& factor : directive->factors) {
      static_cast<void>(dimension_of(*directive, problem_, factor.dimension));
      if (factor.relation != TimeloopFactor::Relation::equal)
        throw UserError(directive->where, fmt::format("{}: a mapping needs {} = a number",
                                                      directive->target, factor.dimension));
    }
    for (const TimeloopFactor* factor : ordered(*directive)) {
      const bool spatial = kind == TimeloopDirective::Kind::spatial;
      loops.push_back({dimension_of(*directive, problem_, factor->dimension), 1,
                       spatial ? axis_of(*directive, level, factor->dimension) : Loop::kTemporal});
      bounds_.push_back({level, loops.back().dimension, loops.back().axis, factor, directive});
    }
    std::ranges::stable_sort(loops, {}, &Loop::axis);
    auto& all = nest_.levels[level].loops;
    all.insert(all.end(), loops.begin(), loops.end());
  }

  void apply_kept(std::size_t level) {
    const auto* directive = entries_.find(level, TimeloopDirective::Kind::data_space);
    if (!directive) return;
    check_kept_once(*directive);
    accel::TensorSet& keep = nest_.levels[level].keep;
    for (const std::string& name : directive->keep) keep.add(tensor_of(*directive, problem_, name));
    for (const std::string& name : directive->bypass)
      keep.remove(tensor_of(*directive, problem_, name));
  }

  struct Source {
    std::size_t level;
    Dimension dimension;
    std::int8_t axis;
    const TimeloopFactor* factor;
    const TimeloopDirective* directive;
  };

  /// The factors of one dimension, innermost first, in the order of the nest's loops.
  std::vector<std::pair<Loop*, const Source*>> chain_of(Dimension dimension) {
    std::vector<std::pair<Loop*, const Source*>> chain;
    for (std::size_t i = nest_.levels.size(); i-- > 0;) {
      auto& loops = nest_.levels[i].loops;
      for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop) {
        if (loop->dimension != dimension) continue;
        const auto source = std::ranges::find_if(bounds_, [&](const Source& one) {
          return one.level == i && one.dimension == dimension && one.axis == loop->axis;
        });
        chain.emplace_back(&*loop, &*source);
      }
    }
    return chain;
  }

  void set_tiles(const std::string& name, Dimension dimension) {
    const std::int64_t extent = accel::extents_of(problem_.layer)[index_of(dimension)];
    const auto chain = chain_of(dimension);
    // Lengths of a whole piece and of the last one, from the inside. Beyond the extent they are
    // wrong anyhow: cut off there, they stay within 64 bits.
    std::int64_t whole = 1, last = 1;
    for (const auto& [loop, source] : chain) {
      loop->tile = whole;
      const TimeloopFactor& factor = *source->factor;
      const std::int64_t bound = factor.bound == 0 ? extent : factor.bound;
      const std::int64_t last_bound = factor.last_bound.value_or(bound);
      if (last_bound < 1 || last_bound > bound)
        throw UserError(source->directive->where,
                        fmt::format("{}: the last time round, {} goes to {}, before to {}",
                                    source->directive->target, name, last_bound, bound));
      last = std::min((last_bound - 1) * whole + last, extent + 1);
      whole = std::min(whole * bound, 2 * extent);
    }
    if (last == extent) return;
    const SourceLocation where =
        chain.empty() ? mapping_.front().where : chain.back().second->directive->where;
    throw UserError(where,
                    fmt::format("the factors of {} come to {}{}; its extent is {}", name,
                                last > extent ? "more than " : "", std::min(last, extent), extent));
  }

  const std::vector<TimeloopDirective>& mapping_;
  TimeloopEntries entries_;
  const TimeloopLayer& problem_;
  const accel::Machine& machine_;
  accel::LoopNest nest_;
  std::vector<Source> bounds_;
};

}  // namespace

accel::Machine timeloop_machine(const TimeloopArchitecture& architecture) {
  accel::Machine machine;
  machine.name = "timeloop";
  machine.source = "a Timeloop architecture";
  machine.compute.name = architecture.compute;
  for (const TimeloopStorage& storage : architecture.levels)
    machine.levels.push_back(level_of(storage, machine.levels.empty()));
  for (std::size_t i = 0; i < architecture.levels.size(); ++i) {
    const TimeloopStorage& outer = architecture.levels[i];
    const Mesh mesh{outer.instances, outer.mesh_x};
    if (i == 0 && outer.instances != 1)
      throw UserError(outer.where, fmt::format("{} of {}: the outermost level must be one",
                                               outer.instances, outer.name));
    if (i + 1 < architecture.levels.size()) {
      const TimeloopStorage& inner = architecture.levels[i + 1];
      machine.levels[i].fanout = fanout_between(outer.name, mesh, inner.name,
                                                {inner.instances, inner.mesh_x}, inner.where);
    } else {
      machine.levels[i].fanout = fanout_between(
          outer.name, mesh, architecture.compute,
          {architecture.compute_instances, architecture.compute_mesh_x}, architecture.where);
    }
  }
  if (const auto problems = problems_in(machine); !problems.empty())
    throw UserError(architecture.where, problems.front());
  return machine;
}

accel::LoopNest timeloop_nest(const std::vector<TimeloopDirective>& mapping,
                              const TimeloopLayer& problem, const accel::Machine& machine) {
  return NestReader(mapping, problem, machine).read();
}

LayerDesign import_timeloop(const datasets::TimeloopFiles& files) {
  require_timeloop_parts(files, true);
  LayerDesign design;
  design.machine = timeloop_machine(*files.architecture);
  TimeloopLayer problem = timeloop_layer(*files.problem);
  set_word_widths(design.machine, problem.layer);
  design.name = files.problem->shape;
  design.layer = problem.layer;
  design.nest = timeloop_nest(files.mapping, problem, design.machine);
  return design;
}

}  // namespace cosearch::codesign
