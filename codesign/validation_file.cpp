// Reading of validation files.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "codesign/network_file.h"
#include "codesign/validation.h"
#include "codesign/validation_quantities.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::Machine;
using datasets::child_pointer;
using nlohmann::json;

/// A value of the document with its place.
class Entry {
 public:
  Entry(const datasets::Document& document, std::string pointer)
      : document_(document),
        pointer_(std::move(pointer)),
        value_(document.value.at(json::json_pointer(pointer_))) {}

  [[nodiscard]] const json& value() const { return value_; }
  [[nodiscard]] bool has(const std::string& key) const { return value_.contains(key); }
  [[nodiscard]] Entry child(const std::string& key) const {
    return {document_, child_pointer(pointer_, key)};
  }
  [[nodiscard]] std::vector<Entry> items(const std::string& key) const {
    std::vector<Entry> entries;
    if (!has(key)) return entries;
    for (std::size_t i = 0; i < value_.at(key).size(); ++i)
      entries.push_back(child(key).child(std::to_string(i)));
    return entries;
  }
  template <class Value>
  [[nodiscard]] Value get(const std::string& key, Value otherwise) const {
    return value_.value(key, std::move(otherwise));
  }
  [[nodiscard]] std::string text(const std::string& key) const { return value_.at(key); }
  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(document_.location_of(pointer_), message);
  }

 private:
  const datasets::Document& document_;
  std::string pointer_;
  const json& value_;
};

Layer layer_of(const Entry& entry) {
  const auto extent = [&](const char* key) { return entry.get<std::int64_t>(key, 1); };
  Layer layer;
  layer.N = extent("N"), layer.G = extent("G"), layer.K = extent("K"), layer.C = extent("C");
  layer.P = extent("P"), layer.Q = extent("Q"), layer.R = extent("R"), layer.S = extent("S");
  layer.stride_h = entry.get("stride_h", extent("stride"));
  layer.stride_w = entry.get("stride_w", extent("stride"));
  layer.dilation_h = extent("dilation_h"), layer.dilation_w = extent("dilation_w");
  const std::int64_t pad = entry.get<std::int64_t>("pad", 0);
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = pad;
  layer.input_h = (layer.P - 1) * layer.stride_h + (layer.R - 1) * layer.dilation_h + 1 - 2 * pad;
  layer.input_w = (layer.Q - 1) * layer.stride_w + (layer.S - 1) * layer.dilation_w + 1 - 2 * pad;
  layer.input_bits = layer.weight_bits = layer.output_bits = entry.get("bits", 8);
  layer.partial_sum_bits = entry.get("sum_bits", 32);
  for (const std::string& problem : problems_in(layer)) entry.fail(problem);
  return layer;
}

std::vector<ValidationLayer> layers_of(const Entry& entry) {
  std::vector<ValidationLayer> layers;
  for (const Entry& one : entry.items("layers"))
    layers.push_back({layer_of(one), one.get<std::int64_t>("times", 1)});
  if (!entry.has("network")) return layers;
  const Network network = find_network(entry.text("network"));
  for (const auto& [layer, times] : network.distinct_layers())
    if (!layer.is_memory_bound()) layers.push_back({layer, times});
  return layers;
}

/// "K16" or, over an axis, "columns:K16": loops over pieces of 16 output channels.
accel::Loop loop_of(const std::string& word, const accel::StorageLevel& level, const Entry& entry) {
  accel::Loop loop;
  std::size_t at = 0;
  if (const std::size_t colon = word.find(':'); colon != std::string::npos) {
    const std::string axis = word.substr(0, colon);
    const auto found = std::find_if(level.fanout.begin(), level.fanout.end(),
                                    [&](const accel::Fanout& one) { return one.axis == axis; });
    if (found == level.fanout.end())
      entry.fail(fmt::format("'{}': no axis '{}' below {}", word, axis, level.name));
    loop.axis = static_cast<std::int8_t>(found - level.fanout.begin());
    at = colon + 1;
  }
  const std::string dimension = word.substr(at, 1);
  const auto known = std::find_if(accel::kAllDimensions.begin(), accel::kAllDimensions.end(),
                                  [&](Dimension d) { return accel::name_of(d) == dimension; });
  char* end = nullptr;
  loop.tile = std::strtoll(word.c_str() + std::min(at + 1, word.size()), &end, 10);
  if (known == accel::kAllDimensions.end() || loop.tile < 1 || *end != '\0')
    entry.fail(
        fmt::format("'{}' is no loop: expected a dimension and its tile, such as K16 or "
                    "columns:K16",
                    word));
  loop.dimension = *known;
  return loop;
}

accel::TensorSet tensors_of(const std::string& letters) {
  accel::TensorSet tensors;
  for (const Tensor tensor : kTensors)
    if (letters.find("IWO"[accel::index_of(tensor)]) != std::string::npos) tensors.add(tensor);
  return tensors;
}

accel::LoopNest mapping_of(const Entry& entry, const Layer& layer, const Machine& machine) {
  accel::LoopNest nest;
  const std::vector<Entry> levels = entry.items("mapping");
  if (levels.size() != machine.levels.size())
    entry.fail(fmt::format("a mapping of {} levels, but {} has {}", levels.size(), machine.name,
                           machine.levels.size()));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    accel::LevelNest& level = nest.levels.emplace_back();
    level.keep = tensors_of(levels[i].get<std::string>("keep", ""));
    std::istringstream words(levels[i].get<std::string>("loops", ""));
    for (std::string word; words >> word;)
      level.loops.push_back(loop_of(word, machine.levels[i], levels[i]));
  }
  for (const std::string& problem : accel::problems_in(nest, layer, machine)) entry.fail(problem);
  return nest;
}

std::size_t level_of(const std::string& name, const Machine& machine, const Entry& entry) {
  std::vector<std::string> names;
  for (const accel::StorageLevel& level : machine.levels) {
    if (level.name == name) return names.size();
    names.push_back(level.name);
  }
  entry.fail(fmt::format("{} has no level '{}'{}", machine.name, name, did_you_mean(name, names)));
}

std::vector<ExpectedCounts> counts_of(const Entry& entry, const Machine& machine) {
  std::vector<ExpectedCounts> counts;
  for (const auto& [level, tensors] : entry.value().items())
    for (const Tensor tensor : kTensors) {
      const auto found = tensors.find(name_of(tensor));
      if (found == tensors.end()) continue;
      counts.push_back(
          {level_of(level, machine, entry), tensor, found->at(0), found->at(1), found->at(2)});
    }
  return counts;
}

ReferenceValue value_of(const Entry& entry, const ValidationCase& one,
                        const ValidationSuite& suite) {
  ReferenceValue value;
  value.quantity = entry.text("quantity");
  const Quantity* quantity = find_quantity(value.quantity);
  if (quantity == nullptr)
    entry.fail(fmt::format("no quantity '{}'{}", value.quantity,
                           did_you_mean(value.quantity, quantity_names())));
  if (quantity->needs_layers && one.layers.empty())
    entry.fail(fmt::format("'{}' needs layers or a network", value.quantity));
  if (quantity->needs_level != entry.has("level"))
    entry.fail(fmt::format("'{}' is {} of the machine's levels", value.quantity,
                           quantity->needs_level ? "one" : "none"));
  if (quantity->needs_level)
    value.level = level_of(entry.text("level"), one.description.machine, entry);
  value.source = entry.text("source");
  if (!suite.sources.contains(value.source)) entry.fail("no source '" + value.source + "'");
  if (entry.has("counts")) value.counts = counts_of(entry.child("counts"), one.description.machine);
  if (entry.has("value") == entry.has("counts")) entry.fail("expected a value or counts");
  value.value = entry.get("value", 3.0 * static_cast<double>(value.counts.size()));
  return value;
}

accel::MappingObjective objective_of(const std::string& name) {
  if (name == "energy") return accel::MappingObjective::of_energy();
  return name == "edp" ? accel::MappingObjective::of_edp() : accel::MappingObjective::of_latency();
}

ValidationCase case_of(const Entry& entry, const ValidationSuite& suite) try {
  ValidationCase one;
  one.name = entry.text("name");
  one.description = find_machine(entry.text("machine"));
  one.objective = objective_of(entry.get<std::string>("objective", "latency"));
  if (entry.get<std::string>("accounting", "exact") == "timeloop")
    one.accounting = accel::Accounting::timeloop;
  one.layers = layers_of(entry);
  one.images = entry.get("images", 1.0);
  one.slow = entry.get("slow", false);
  if (entry.has("mapping")) {
    if (one.layers.size() != 1) entry.fail("a mapping is of exactly one layer");
    one.mapping = mapping_of(entry, one.layers.front().layer, one.description.machine);
  }
  for (const Entry& value : entry.items("values"))
    one.values.push_back(value_of(value, one, suite));
  return one;
} catch (const UserError& error) {
  if (error.where().line > 0) throw;
  entry.fail(error.what());
}

}  // namespace

ValidationSuite read_validation(const datasets::Document& document) {
  datasets::validate(document, kValidationSchema);
  ValidationSuite suite;
  const Entry root(document, "");
  suite.name = root.text("name");
  suite.about = root.get<std::string>("about", "");
  for (const auto& [key, source] : root.value().at("sources").items())
    suite.sources[key] = {source.at("text"), source.at("known")};
  for (const Entry& one : root.items("cases")) suite.cases.push_back(case_of(one, suite));
  return suite;
}

}  // namespace cosearch::codesign
