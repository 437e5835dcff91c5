// The rows of ../shared/data/timeloop: mappings that Timeloop 3.0.3 costed, as our machines, layers
// and loop nests.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel::test {

using nlohmann::json;

struct TimeloopRow {
  json raw;
  std::string id, arch;
  Layer layer;
  LoopNest nest;

  [[nodiscard]] bool uses_links() const { return raw["link_transfers"]; }
  [[nodiscard]] bool is_mapper_best() const { return raw["source"] == "mapper"; }
};

inline Tensor timeloop_tensor(const std::string& name) {
  return name == "Inputs" ? Tensor::input : name == "Weights" ? Tensor::weights : Tensor::output;
}

/// A level's words are Timeloop's; capacity, bandwidth and energy as archs.json has them. Timeloop
/// halves no buffer in these machines.
inline StorageLevel timeloop_level(const json& raw) {
  StorageLevel level;
  level.name = raw["name"];
  level.word_bits = raw["word_bits"];
  level.block_words = raw["block_size"];
  level.cluster = raw["cluster_size"];
  level.buffers = 1;
  if (!raw["entries"].is_null())
    level.capacity_bits = raw["entries"].get<std::int64_t>() * level.word_bits;
  const auto bandwidth = [&](const char* key) {
    return raw[key].is_null() ? kUnlimited : raw[key].get<double>();
  };
  level.read_bandwidth = bandwidth("read_bw_words_per_cycle_per_instance");
  level.write_bandwidth = bandwidth("write_bw_words_per_cycle_per_instance");
  level.shared_bandwidth = bandwidth("shared_bw_words_per_cycle_per_instance");
  level.read_energy_pj = level.write_energy_pj = raw["vector_access_energy_pJ"];
  if (raw["entries"] == 0) level.may_keep = {};
  return level;
}

inline Machine timeloop_machine(const std::string& name, const json& raw) {
  Machine machine;
  machine.name = name;
  machine.compute.mac_energy_pj = raw["compute"]["energy_per_mac_pJ"];
  const json& levels = raw["levels_inner_to_outer"];
  for (std::size_t i = levels.size(); i-- > 0;) {
    StorageLevel level = timeloop_level(levels[i]);
    // Meshes are given as instances along X and Y of the whole machine.
    const auto mesh = [&](const char* key) { return levels[i][key].get<std::int64_t>(); };
    std::int64_t x = 0, y = 0;
    if (i > 0) {
      x = levels[i - 1]["meshX"].get<std::int64_t>() / mesh("meshX");
      y = levels[i - 1]["meshY"].get<std::int64_t>() / mesh("meshY");
    } else {
      x = 1;
      y = raw["compute"]["instances"].get<std::int64_t>() /
          levels[0]["instances"].get<std::int64_t>();
    }
    level.fanout = {{.axis = "X", .size = x}, {.axis = "Y", .size = y}};
    machine.levels.push_back(level);
  }
  return machine;
}

inline std::map<std::string, Machine> timeloop_machines(const std::filesystem::path& folder) {
  std::ifstream in(folder / "archs.json");
  const json archs = json::parse(in);
  std::map<std::string, Machine> machines;
  for (const auto& [name, raw] : archs.items()) machines[name] = timeloop_machine(name, raw);
  return machines;
}

inline Layer timeloop_layer(const json& p) {
  const auto at = [&](const char* key) { return p[key].get<std::int64_t>(); };
  Layer layer;
  layer.N = at("N"), layer.K = at("K"), layer.C = at("C"), layer.P = at("P"), layer.Q = at("Q");
  layer.R = at("R"), layer.S = at("S");
  // In Timeloop's problem W goes with R and P.
  layer.stride_h = at("Wstride"), layer.stride_w = at("Hstride");
  layer.dilation_h = at("Wdilation"), layer.dilation_w = at("Hdilation");
  layer.input_h = (layer.P - 1) * layer.stride_h + (layer.R - 1) * layer.dilation_h + 1;
  layer.input_w = (layer.Q - 1) * layer.stride_w + (layer.S - 1) * layer.dilation_w + 1;
  // Every value is one word, whatever the word's width.
  layer.input_bits = layer.weight_bits = layer.output_bits = layer.partial_sum_bits = 1;
  return layer;
}

inline LoopNest timeloop_nest(const json& mapping, const Layer& layer) {
  using enum Dimension;
  const std::map<std::string, Dimension> dimensions{{"N", N}, {"K", K}, {"C", C}, {"P", P},
                                                    {"Q", Q}, {"R", R}, {"S", S}};
  LoopNest nest;
  Extents piece = extents_of(layer);
  for (const json& raw : mapping) {
    LevelNest level;
    level.keep = {};
    for (const json& name : raw["keep"]) level.keep.add(timeloop_tensor(name));
    for (const json& loop : raw["loops"]) {
      const Dimension d = dimensions.at(loop[0]);
      const auto bound = loop[1].get<std::int64_t>();
      piece[index_of(d)] /= bound;
      const std::string kind = loop[2];
      const std::int8_t axis = kind == "T" ? Loop::kTemporal : kind == "X" ? 0 : 1;
      level.loops.push_back({d, piece[index_of(d)], axis});
    }
    nest.levels.push_back(level);
  }
  return nest;
}

inline std::vector<TimeloopRow> timeloop_rows(const std::filesystem::path& folder) {
  std::vector<TimeloopRow> rows;
  std::ifstream in(folder / "rows.jsonl");
  for (std::string line; std::getline(in, line);) {
    TimeloopRow row;
    row.raw = json::parse(line);
    row.id = row.raw["id"];
    row.arch = row.raw["arch"];
    row.layer = timeloop_layer(row.raw["problem"]);
    row.nest = timeloop_nest(row.raw["mapping"], row.layer);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace cosearch::accel::test
