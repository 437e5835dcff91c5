#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "codesign/import/timeloop_design.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::index_of;
using accel::Loop;
using datasets::TimeloopArchitecture;
using datasets::TimeloopDirective;
using datasets::TimeloopFactor;
using datasets::TimeloopProblem;
using datasets::TimeloopStorage;

constexpr std::array<const char*, 3> kDataSpaces{"Inputs", "Weights", "Outputs"};

/// A name that stands in YAML without quotes.
std::string plain_name(std::string name) {
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

std::string name_of_dimension(Dimension d) { return std::string(accel::name_of(d)); }

void check_layer(const LayerDesign& design) {
  const Layer& layer = design.layer;
  const auto fail = [&](std::string_view what) {
    throw UserError(fmt::format("layer {}: {} cannot be written as a Timeloop problem",
                                design.name.empty() ? describe(layer) : design.name, what));
  };
  if (layer.is_memory_bound()) fail(fmt::format("a layer of kind {}", name_of(layer.kind)));
  if (layer.transposed) fail("a transposed convolution");
  if (layer.D != 1 || layer.T != 1) fail("a 3-D convolution");
}

/// The shape in full, so that no file of Timeloop's has to be at hand. Groups are one dimension
/// more, on which all three data spaces are projected.
TimeloopProblem problem_of(const LayerDesign& design) {
  const Layer& layer = design.layer;
  using Rank = std::vector<TimeloopProblem::Term>;
  const auto one = [](const char* name) { return Rank{{name, ""}}; };
  TimeloopProblem problem;
  problem.shape = plain_name(design.name.empty() ? "layer" : design.name);
  problem.dimensions = {"C", "K", "R", "S", "N", "P", "Q"};
  problem.data_spaces = {{"Weights", {}, false, {one("C"), one("K"), one("R"), one("S")}},
                         {"Inputs",
                          {},
                          false,
                          {one("N"), one("C"), Rank{{"R", "Wdilation"}, {"P", "Wstride"}},
                           Rank{{"S", "Hdilation"}, {"Q", "Hstride"}}}},
                         {"Outputs", {}, true, {one("N"), one("K"), one("Q"), one("P")}}};
  if (layer.G > 1) {
    problem.dimensions.emplace_back("G");
    for (TimeloopProblem::DataSpace& space : problem.data_spaces)
      space.projection.push_back(one("G"));
  }
  const accel::Extents extents = accel::extents_of(layer);
  for (const Dimension d : accel::kAllDimensions)
    if (std::ranges::count(problem.dimensions, accel::name_of(d)) != 0)
      problem.values[name_of_dimension(d)] = extents[index_of(d)];
  problem.values["Wstride"] = layer.stride_h;
  problem.values["Hstride"] = layer.stride_w;
  problem.values["Wdilation"] = layer.dilation_h;
  problem.values["Hdilation"] = layer.dilation_w;
  return problem;
}

std::optional<double> words_of(double bandwidth) {
  if (bandwidth == accel::kUnlimited) return std::nullopt;
  return bandwidth;
}

TimeloopStorage storage_of(const accel::StorageLevel& level, bool outermost) {
  for (const auto& partition : level.partition_bits)
    if (partition)
      throw UserError(
          fmt::format("level {}: Timeloop has no room for one tensor alone", level.name));
  if (level.fanout.size() > 2)
    throw UserError(fmt::format("level {}: {} axes below it; Timeloop has X and Y", level.name,
                                level.fanout.size()));
  TimeloopStorage storage;
  storage.name = plain_name(level.name);
  storage.word_bits = level.word_bits;
  storage.block_size = level.block_words;
  storage.cluster_size = level.cluster;
  storage.multiple_buffering = level.buffers;
  if (level.may_keep.empty())
    storage.entries = 0;
  else if (!outermost && level.capacity_bits != kNoLimitBits)
    storage.entries = level.capacity_bits.value_or(0) / level.word_bits;
  storage.read_bandwidth = words_of(level.read_bandwidth);
  storage.write_bandwidth = words_of(level.write_bandwidth);
  storage.shared_bandwidth = words_of(level.shared_bandwidth);
  return storage;
}

/// Along which of Timeloop's two axes an axis of ours runs: by its name, else by its place.
bool runs_along_y(const accel::StorageLevel& level, std::size_t axis) {
  const bool named = std::ranges::all_of(level.fanout, [](const accel::Fanout& fanout) {
    return fanout.axis == "X" || fanout.axis == "Y";
  });
  return named ? level.fanout[axis].axis == "Y" : axis == 1;
}

TimeloopArchitecture architecture_of(const accel::Machine& machine) {
  TimeloopArchitecture architecture;
  architecture.compute = plain_name(machine.compute.name);
  std::int64_t instances = 1, mesh_x = 1;
  for (const accel::StorageLevel& level : machine.levels) {
    architecture.levels.push_back(storage_of(level, architecture.levels.empty()));
    architecture.levels.back().instances = instances;
    architecture.levels.back().mesh_x = mesh_x;
    for (std::size_t axis = 0; axis < level.fanout.size(); ++axis) {
      instances *= level.fanout[axis].size;
      if (!runs_along_y(level, axis)) mesh_x *= level.fanout[axis].size;
    }
  }
  architecture.compute_instances = instances;
  architecture.compute_mesh_x = mesh_x;
  return architecture;
}

/// Writes loops, outermost first, as bounds; remembers the lengths of whole and of last pieces.
class MappingWriter {
 public:
  MappingWriter(const LayerDesign& design, const std::vector<std::string>& dimensions)
      : design_(design),
        dimensions_(dimensions),
        whole_(accel::extents_of(design.layer)),
        last_(accel::extents_of(design.layer)) {
    for (std::size_t i = 0; i < design.nest.levels.size(); ++i) write_level(i);
  }

  [[nodiscard]] std::vector<TimeloopDirective> take() && { return std::move(mapping_); }

 private:
  void write_level(std::size_t i) {
    const accel::StorageLevel& level = design_.machine.levels[i];
    std::vector<Loop> temporal, along_x, along_y;
    for (const Loop& loop : design_.nest.levels[i].loops) {
      if (!loop.is_spatial())
        temporal.push_back(loop);
      else if (runs_along_y(level, static_cast<std::size_t>(loop.axis)))
        along_y.push_back(loop);
      else
        along_x.push_back(loop);
    }
    write_kept(i);
    add(i, TimeloopDirective::Kind::temporal, factors_of(i, temporal), {});
    // Timeloop wants an entry of each level with a fan-out, and of no other.
    if (level.children() == 1) return;
    const std::vector<TimeloopFactor> on_x = factors_of(i, along_x);
    const std::vector<TimeloopFactor> on_y = factors_of(i, along_y);
    add(i, TimeloopDirective::Kind::spatial, on_x, on_y);
    mapping_.back().split = static_cast<std::int64_t>(on_x.size());
  }

  void write_kept(std::size_t i) {
    TimeloopDirective directive;
    directive.target = plain_name(design_.machine.levels[i].name);
    directive.kind = TimeloopDirective::Kind::data_space;
    for (const Tensor tensor : kTensors)
      (design_.nest.levels[i].keep.has(tensor) ? directive.keep : directive.bypass)
          .emplace_back(kDataSpaces.at(accel::index_of(tensor)));
    mapping_.push_back(std::move(directive));
  }

  /// An entry with all dimensions, as older versions of Timeloop ask: the loops of `first`, then of
  /// `second` (each outermost first), then the others as factors of 1.
  void add(std::size_t i, TimeloopDirective::Kind kind, const std::vector<TimeloopFactor>& first,
           const std::vector<TimeloopFactor>& second) {
    TimeloopDirective directive;
    directive.target = plain_name(design_.machine.levels[i].name);
    directive.kind = kind;
    for (const auto* factors : {&first, &second})
      for (auto factor = factors->rbegin(); factor != factors->rend(); ++factor) {
        directive.permutation.push_back(factor->dimension);
        directive.factors.push_back(*factor);
      }
    for (const std::string& dimension : dimensions_) {
      if (std::ranges::count(directive.permutation, dimension) != 0) continue;
      directive.permutation.push_back(dimension);
      directive.factors.emplace_back().dimension = dimension;
    }
    mapping_.push_back(std::move(directive));
  }

  std::vector<TimeloopFactor> factors_of(std::size_t i, const std::vector<Loop>& loops) {
    std::vector<TimeloopFactor> factors;
    for (const Loop& loop : loops) {
      TimeloopFactor factor = factor_of(i, loop);
      const auto same = std::ranges::find(factors, factor.dimension, &TimeloopFactor::dimension);
      if (same == factors.end()) {
        factors.push_back(factor);
        continue;
      }
      const bool in_a_row = same + 1 == factors.end() && !same->last_bound && !factor.last_bound;
      if (!in_a_row)
        throw UserError(
            fmt::format("level {}: {} is cut twice with other loops between; Timeloop "
                        "has one factor of it",
                        design_.machine.levels[i].name, factor.dimension));
      same->bound *= factor.bound;
    }
    return factors;
  }

  TimeloopFactor factor_of(std::size_t i, const Loop& loop) {
    std::int64_t& whole = whole_[index_of(loop.dimension)];
    std::int64_t& last = last_[index_of(loop.dimension)];
    // Only the very last piece of a dimension may be short in Timeloop; here, also the last piece
    // of each whole one.
    const bool only_piece = last == whole;
    if (!only_piece && whole % loop.tile != 0)
      throw UserError(fmt::format(
          "level {}: pieces of {} {} do not divide into {}; Timeloop's last "
          "factors are short only once",
          design_.machine.levels[i].name, whole, accel::name_of(loop.dimension), loop.tile));
    TimeloopFactor factor;
    factor.dimension = name_of_dimension(loop.dimension);
    factor.bound = ceil_div(whole, loop.tile);
    const std::int64_t last_bound = ceil_div(last, loop.tile);
    if (last_bound != factor.bound) factor.last_bound = last_bound;
    last -= (last_bound - 1) * loop.tile;
    whole = loop.tile;
    return factor;
  }

  const LayerDesign& design_;
  const std::vector<std::string>& dimensions_;
  accel::Extents whole_, last_;
  std::vector<TimeloopDirective> mapping_;
};

/// Whether a dimension runs along both axes of the level: one factor of Timeloop cannot say that.
bool runs_along_both(const accel::LevelNest& level) {
  return std::ranges::any_of(level.loops, [&](const Loop& one) {
    return one.is_spatial() && std::ranges::any_of(level.loops, [&](const Loop& other) {
             return other.is_spatial() && other.dimension == one.dimension &&
                    other.axis != one.axis;
           });
  });
}

/// Puts one axis below a level of its own that keeps nothing, as Timeloop's own machines do.
void part_axes(LayerDesign& design, std::size_t i) {
  std::vector<accel::LevelNest>& nests = design.nest.levels;
  const auto first = std::ranges::find_if(nests[i].loops, &Loop::is_spatial);
  const std::int8_t outer_axis = first->axis;
  const auto inner = std::stable_partition(
      first, nests[i].loops.end(), [&](const Loop& loop) { return loop.axis == outer_axis; });
  accel::LevelNest below{.keep = {}, .loops = {inner, nests[i].loops.end()}};
  nests[i].loops.erase(inner, nests[i].loops.end());
  accel::StorageLevel& level = design.machine.levels[i];
  accel::StorageLevel wires;
  wires.name = level.name + "_axis";
  wires.word_bits = level.word_bits;
  wires.buffers = 1;
  wires.may_keep = {};
  wires.fanout = {level.fanout.at(1 - static_cast<std::size_t>(outer_axis))};
  level.fanout = {level.fanout.at(static_cast<std::size_t>(outer_axis))};
  for (Loop& loop : nests[i].loops) loop.axis = std::min<std::int8_t>(loop.axis, 0);
  for (Loop& loop : below.loops) loop.axis = 0;
  const auto at = static_cast<std::ptrdiff_t>(i + 1);
  nests.insert(nests.begin() + at, std::move(below));
  design.machine.levels.insert(design.machine.levels.begin() + at, std::move(wires));
}

/// The same design with no dimension along both axes of a level, and no padding.
LayerDesign in_timeloops_terms(LayerDesign design) {
  const bool runs = problems_in(design.nest, design.layer, design.machine).empty();
  for (std::size_t i = 0; i < design.nest.levels.size(); ++i)
    if (design.machine.levels[i].fanout.size() == 2 && runs_along_both(design.nest.levels[i]))
      part_axes(design, i);
  design.layer = with_padding_as_input(design.layer);
  // Padding takes room, and loops over both axes may stand in turns.
  const auto problems = problems_in(design.nest, design.layer, design.machine);
  if (runs && !problems.empty())
    throw UserError(fmt::format("layer {}: with padding as input and one axis to a dimension, {}",
                                design.name, problems.front()));
  return design;
}

}  // namespace

datasets::TimeloopFiles export_timeloop(const LayerDesign& original) {
  check_layer(original);
  const LayerDesign design = in_timeloops_terms(original);
  datasets::TimeloopFiles files;
  files.problem = problem_of(design);
  files.architecture = architecture_of(design.machine);
  files.mapping = MappingWriter(design, files.problem->dimensions).take();
  return files;
}

}  // namespace cosearch::codesign
