#include "codesign/mapping_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "accel/map_space.h"
#include "accel/smallest_tiles.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::kAllDimensions;
using datasets::child_pointer;
using nlohmann::json;

std::vector<std::string> level_names(const accel::Machine& machine) {
  std::vector<std::string> names;
  for (const accel::StorageLevel& level : machine.levels) names.push_back(level.name);
  return names;
}

/// One entry of `mappings`, for one of its layers.
class NestReader {
 public:
  NestReader(const datasets::Document& document, std::string pointer, std::string name,
             const Layer& layer, const MachineDescription& machine, accel::Accounting accounting)
      : document_(document),
        pointer_(std::move(pointer)),
        levels_(child_pointer(pointer_, "levels")),
        name_(std::move(name)),
        layer_(layer),
        machine_(machine.machine),
        constraints_(machine.constraints),
        accounting_(accounting),
        piece_(accel::extents_of(layer)) {}

  [[nodiscard]] accel::LoopNest read() {
    check_level_names();
    accel::LoopNest nest;
    for (const accel::StorageLevel& level : machine_.levels) nest.levels.push_back(read(level));
    check(accel::problems_in(nest, layer_, machine_));
    if (accounting_ == accel::Accounting::timeloop) check(timeloop_overflows(nest));
    check(accel::violations_of(constraints_, nest, layer_, machine_));
    return nest;
  }

 private:
  [[nodiscard]] const json& at(const std::string& pointer) const {
    return document_.value.at(json::json_pointer(pointer));
  }

  [[noreturn]] void fail(const SourceLocation& where, const std::string& message) const {
    throw UserError(where, fmt::format("layer '{}': {}", name_, message));
  }

  void check_level_names() const {
    const std::vector<std::string> known = level_names(machine_);
    for (const auto& [name, value] : at(levels_).items())
      if (std::ranges::count(known, name) == 0)
        fail(document_.location_of_key(child_pointer(levels_, name)),
             fmt::format("machine {} has no level '{}'{}", machine_.name, name,
                         did_you_mean(name, known)));
  }

  /// A level that the file leaves out has no loops.
  [[nodiscard]] accel::LevelNest read(const accel::StorageLevel& level) {
    accel::LevelNest nest;
    const std::string here = child_pointer(levels_, level.name);
    const bool outermost = &level == &machine_.levels.front();
    nest.keep = outermost ? accel::TensorSet::all() : level.may_keep;
    for (const Tensor tensor : kTensors)
      if (level.must_keep.has(tensor)) nest.keep.add(tensor);
    if (!at(levels_).contains(level.name)) return nest;
    const json& value = at(here);
    if (value.contains("keep")) nest.keep = tensors_of(value["keep"]);
    if (!value.contains("loops")) return nest;
    for (std::size_t i = 0; i < value["loops"].size(); ++i)
      nest.loops.push_back(
          read_loop(child_pointer(child_pointer(here, "loops"), std::to_string(i)), level));
    return nest;
  }

  [[nodiscard]] static accel::TensorSet tensors_of(const json& value) {
    if (value.is_string()) return accel::TensorSet::all();
    accel::TensorSet set;
    for (const Tensor tensor : kTensors)
      if (std::ranges::find(value, json(name_of(tensor))) != value.end()) set.add(tensor);
    return set;
  }

  [[nodiscard]] accel::Loop read_loop(const std::string& here, const accel::StorageLevel& level) {
    accel::Loop loop;
    loop.dimension = dimension(here, level);
    loop.tile = tile(here, level, loop.dimension);
    if (at(here).contains("axis")) loop.axis = axis(here, level);
    piece_[index_of(loop.dimension)] = loop.tile;
    return loop;
  }

  [[nodiscard]] Dimension dimension(const std::string& here,
                                    const accel::StorageLevel& level) const {
    const std::string name = at(here)["dimension"];
    for (const Dimension d : kAllDimensions)
      if (name_of(d) == name) return d;
    fail(document_.location_of(child_pointer(here, "dimension")),
         fmt::format("level {}: no dimension '{}' (expected one of N, G, K, C, D, P, Q, T, R, S)",
                     level.name, name));
  }

  /// What is left of the dimension for this loop is cut into pieces of so much.
  [[nodiscard]] std::int64_t tile(const std::string& here, const accel::StorageLevel& level,
                                  Dimension d) const {
    const std::int64_t piece = piece_[index_of(d)];
    const json& loop = at(here);
    if (loop.contains("tile") == loop.contains("factor"))
      fail(document_.location_of(here),
           fmt::format("level {}: a loop over {} takes either 'tile' or 'factor'", level.name,
                       name_of(d)));
    const char* const key = loop.contains("tile") ? "tile" : "factor";
    const std::int64_t value = loop[key];
    const auto refuse = [&](const std::string& problem) {
      fail(document_.location_of(child_pointer(here, key)),
           fmt::format("level {}: the loop over {} has {} {}: {}", level.name, name_of(d), key,
                       value, problem));
    };
    if (value > piece) refuse(fmt::format("must be in [1, {}], the piece it is given", piece));
    const std::int64_t size = loop.contains("tile") ? value : ceil_div(piece, value);
    if (accounting_ == accel::Accounting::timeloop && piece % size != 0)
      refuse(fmt::format("must divide {}, the piece it is given (accounting timeloop)", piece));
    return size;
  }

  [[nodiscard]] std::int8_t axis(const std::string& here, const accel::StorageLevel& level) const {
    const std::string name = at(here)["axis"];
    std::vector<std::string> known;
    for (std::size_t i = 0; i < level.fanout.size(); ++i) {
      if (level.fanout[i].axis == name) return static_cast<std::int8_t>(i);
      known.push_back(level.fanout[i].axis);
    }
    fail(document_.location_of(child_pointer(here, "axis")),
         fmt::format("level {} has no axis '{}'{}", level.name, name,
                     known.empty() ? ": it has one child" : did_you_mean(name, known)));
  }

  /// Levels that overflow only as Timeloop counts, which stores what a stride skips.
  [[nodiscard]] std::vector<std::string> timeloop_overflows(const accel::LoopNest& nest) const {
    const accel::MapSpace space(layer_, machine_, {}, accounting_);
    std::vector<std::string> problems;
    accel::Extents tile = accel::extents_of(layer_);
    for (std::size_t i = 0; i < nest.levels.size(); ++i) {
      if (accel::missing_bits(space, i, nest.levels[i].keep, tile) > 0)
        problems.push_back(fmt::format("level {}: its tiles are too large as Timeloop counts",
                                       machine_.levels[i].name));
      for (const accel::Loop& loop : nest.levels[i].loops)
        tile[index_of(loop.dimension)] = loop.tile;
    }
    return problems;
  }

  /// At the level that `problem` names, or at the whole mapping.
  [[nodiscard]] SourceLocation location_of(const std::string& problem) const {
    for (const auto& [name, value] : at(levels_).items())
      if (problem.starts_with(fmt::format("level {}:", name)) ||
          problem.starts_with(fmt::format("level '{}'", name)))
        return document_.location_of_key(child_pointer(levels_, name));
    return document_.location_of(pointer_);
  }

  void check(const std::vector<std::string>& problems) const {
    if (problems.empty()) return;
    std::string message = problems.front();
    for (std::size_t i = 1; i < problems.size(); ++i)
      message +=
          fmt::format("\n{}: layer '{}': {}", location_of(problems[i]).text(), name_, problems[i]);
    fail(location_of(problems.front()), message);
  }

  const datasets::Document& document_;
  std::string pointer_, levels_, name_;
  Layer layer_;
  const accel::Machine& machine_;
  const accel::MapConstraints& constraints_;
  accel::Accounting accounting_;
  accel::Extents piece_;
};

/// Layers of `network` by name; a name that two share is no name.
std::map<std::string, Layer> layers_by_name(const Network& network) {
  std::map<std::string, Layer> layers;
  for (const NetworkNode& node : network.nodes()) layers.emplace(node.name, node.layer);
  return layers;
}

std::string tensors_text(accel::TensorSet tensors) {
  std::vector<std::string_view> names;
  for (const Tensor tensor : kTensors)
    if (tensors.has(tensor)) names.push_back(name_of(tensor));
  return fmt::format("[{}]", fmt::join(names, ", "));
}

bool reads_as_text(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == ' ';
  };
  const bool starts_with_letter = !text.empty() && is_plain(text[0]) && text[0] > '9';
  return starts_with_letter && text.back() != ' ' && std::ranges::all_of(text, is_plain) &&
         text != "true" && text != "false" && text != "null";
}

/// Text as YAML takes it whatever it contains, without quotes where it needs none.
std::string quoted(const std::string& text) {
  return reads_as_text(text) ? text : json(text).dump();
}

std::string level_text(const accel::LevelNest& nest, const accel::StorageLevel& level) {
  std::string text =
      fmt::format("      {}:\n        keep: {}\n", quoted(level.name), tensors_text(nest.keep));
  if (nest.loops.empty()) return text;
  text += "        loops:\n";
  for (const accel::Loop& loop : nest.loops) {
    const std::string axis =
        loop.is_spatial()
            ? ", axis: " + quoted(level.fanout[static_cast<std::size_t>(loop.axis)].axis)
            : "";
    text += fmt::format("          - {{dimension: {}, tile: {}{}}}\n", name_of(loop.dimension),
                        loop.tile, axis);
  }
  return text;
}

}  // namespace

Mappings read_mappings(const datasets::Document& document, const Network& network,
                       const MachineDescription& machine, accel::Accounting accounting) {
  datasets::validate(document, kMappingSchema);
  const std::map<std::string, Layer> layers = layers_by_name(network);
  std::vector<std::string> known;
  for (const auto& [name, layer] : layers) known.push_back(name);
  Mappings mappings;
  for (std::size_t i = 0; i < document.value["mappings"].size(); ++i) {
    const std::string pointer = fmt::format("/mappings/{}", i);
    const json& names = document.value["mappings"][i]["layers"];
    for (std::size_t j = 0; j < names.size(); ++j) {
      const std::string name = names[j];
      const SourceLocation where = document.location_of(fmt::format("{}/layers/{}", pointer, j));
      const auto layer = layers.find(name);
      if (layer == layers.end())
        throw UserError(where, fmt::format("network {} has no layer '{}'{}", network.name(), name,
                                           did_you_mean(name, known)));
      if (layer->second.is_memory_bound())
        throw UserError(where, fmt::format("layer '{}' ({}) multiplies nothing: it has no mapping",
                                           name, describe(layer->second)));
      if (mappings.contains(name))
        throw UserError(where, fmt::format("layer '{}' has two mappings", name));
      mappings[name] = NestReader(document, pointer, name, as_counted(layer->second, accounting),
                                  machine, accounting)
                           .read();
    }
  }
  return mappings;
}

std::string write_mappings(const std::string& network, const accel::Machine& machine,
                           const std::vector<SharedMapping>& mappings) {
  std::string text = fmt::format("kind: mappings\nschema_version: 1\nnetwork: {}\nmachine: {}\n",
                                 quoted(network), quoted(machine.name));
  text += mappings.empty() ? "mappings: []\n" : "mappings:\n";
  for (const SharedMapping& mapping : mappings) {
    std::vector<std::string> names;
    for (const std::string& name : mapping.layers) names.push_back(quoted(name));
    text += fmt::format("  - layers: [{}]\n    levels:\n", fmt::join(names, ", "));
    for (std::size_t i = 0; i < mapping.nest.levels.size(); ++i)
      text += level_text(mapping.nest.levels[i], machine.levels[i]);
  }
  return text;
}

Layer as_counted(Layer layer, accel::Accounting accounting) {
  if (accounting == accel::Accounting::exact) return layer;
  std::int64_t& depth = layer.transposed ? layer.D : layer.input_d;
  std::int64_t& height = layer.transposed ? layer.P : layer.input_h;
  std::int64_t& width = layer.transposed ? layer.Q : layer.input_w;
  depth += std::exchange(layer.pad_front, 0) + std::exchange(layer.pad_back, 0);
  height += std::exchange(layer.pad_top, 0) + std::exchange(layer.pad_bottom, 0);
  width += std::exchange(layer.pad_left, 0) + std::exchange(layer.pad_right, 0);
  layer.input_bits = layer.weight_bits = layer.output_bits = layer.partial_sum_bits = 1;
  return layer;
}

}  // namespace cosearch::codesign
