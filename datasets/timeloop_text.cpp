// Writing Timeloop's files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "datasets/timeloop_file.h"

namespace cosearch::datasets {
namespace {

/// A name as YAML text, in quotes where some reader would take it for something else.
std::string name_text(const std::string& name) {
  static const std::vector<std::string> kWords{"true", "false", "null", "yes", "no",
                                               "on",   "off",   "nan",  "inf"};
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool plain =
      !name.empty() && std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
      std::ranges::all_of(
          name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; }) &&
      std::ranges::find(kWords, lower) == kWords.end();
  return plain ? name : nlohmann::json(name).dump();
}

std::string names_text(std::vector<std::string> names) {
  std::ranges::transform(names, names.begin(), name_text);
  return fmt::format("[ {} ]", fmt::join(names, ", "));
}

/// "PE[0..15]" for 16; the brackets are no trouble in block style.
std::string ranged_name(const std::string& name, std::int64_t count) {
  if (count == 1) return name_text(name);
  const std::string whole = fmt::format("{}[0..{}]", name, count - 1);
  return name_text(name) == name ? whole : nlohmann::json(whole).dump();
}

std::string bandwidth_text(const char* key, const std::optional<double>& words) {
  return words ? fmt::format(", {}: {}", key, *words) : "";
}

std::string attributes_text(const TimeloopStorage& storage) {
  std::string text =
      fmt::format("word-bits: {}, block-size: {}, cluster-size: {}, meshX: {}", storage.word_bits,
                  storage.block_size, storage.cluster_size, storage.mesh_x);
  if (storage.entries) text += fmt::format(", entries: {}", *storage.entries);
  if (storage.multiple_buffering != 1)
    text += fmt::format(", multiple-buffering: {}", storage.multiple_buffering);
  return text + bandwidth_text("read_bandwidth", storage.read_bandwidth) +
         bandwidth_text("write_bandwidth", storage.write_bandwidth) +
         bandwidth_text("shared_bandwidth", storage.shared_bandwidth);
}

std::string to_text(const TimeloopArchitecture& architecture) {
  std::string text =
      "architecture:\n  version: 0.3\n  subtree:\n    - name: system\n      local:\n";
  for (const TimeloopStorage& storage : architecture.levels)
    text += fmt::format("        - name: {}\n          class: {}\n          attributes: {{ {} }}\n",
                        ranged_name(storage.name, storage.instances),
                        storage.entries ? "SRAM" : "DRAM", attributes_text(storage));
  return text + fmt::format(
                    "        - name: {}\n          class: intmac\n"
                    "          attributes: {{ meshX: {} }}\n",
                    ranged_name(architecture.compute, architecture.compute_instances),
                    architecture.compute_mesh_x);
}

std::string projection_text(const TimeloopProblem::DataSpace& space) {
  std::string text;
  for (const auto& rank : space.projection) {
    std::string terms;
    for (const TimeloopProblem::Term& term : rank)
      terms += fmt::format("{}[{}{}{}]", terms.empty() ? "" : ", ", name_text(term.dimension),
                           term.coefficient.empty() ? "" : ", ",
                           term.coefficient.empty() ? "" : name_text(term.coefficient));
    text += fmt::format("{}[{}]", text.empty() ? "" : ", ", terms);
  }
  return text;
}

std::string to_text(const TimeloopProblem& problem) {
  std::string text =
      fmt::format("problem:\n  version: 0.3\n  shape:\n    name: {}\n", name_text(problem.shape));
  text += fmt::format("    dimensions: {}\n", names_text(problem.dimensions));
  std::string coefficients;
  for (const auto& [name, value] : problem.values)
    if (std::ranges::find(problem.dimensions, name) == problem.dimensions.end())
      coefficients += fmt::format("      - {{ name: {}, default: 1 }}\n", name_text(name));
  if (!coefficients.empty()) text += "    coefficients:\n" + coefficients;
  text += "    data-spaces:\n";
  for (const TimeloopProblem::DataSpace& space : problem.data_spaces)
    text +=
        fmt::format("      - name: {}\n        projection: [ {} ]\n{}", name_text(space.name),
                    projection_text(space), space.read_write ? "        read-write: true\n" : "");
  text += "  instance:\n";
  for (const auto& [name, value] : problem.values)
    text += fmt::format("    {}: {}\n", name_text(name), value);
  return text;
}

std::string factors_text(const std::vector<TimeloopFactor>& factors) {
  std::vector<std::string> texts;
  for (const TimeloopFactor& factor : factors) {
    static constexpr std::array<const char*, 3> kSigns{"=", "<=", ">="};
    texts.push_back(fmt::format("{}{}{}", factor.dimension,
                                kSigns.at(static_cast<std::size_t>(factor.relation)),
                                factor.bound));
    if (factor.last_bound) texts.back() += fmt::format(",{}", *factor.last_bound);
  }
  return fmt::format("{}", fmt::join(texts, " "));
}

/// Letters run together, which every version reads, where there are but letters.
std::string order_text(const std::vector<std::string>& order) {
  std::string letters;
  for (const std::string& name : order) letters += name;
  const bool only_letters = letters.size() == order.size() && letters.size() > 1 &&
                            std::ranges::none_of(order, &std::string::empty) &&
                            name_text(letters) == letters;
  return only_letters ? letters : names_text(order);
}

std::string to_text(const TimeloopDirective& directive) {
  static constexpr std::array<const char*, 3> kTypes{"temporal", "spatial", "datatype"};
  std::string text = fmt::format("  - target: {}\n    type: {}\n", name_text(directive.target),
                                 kTypes.at(static_cast<std::size_t>(directive.kind)));
  if (!directive.factors.empty())
    text += fmt::format("    factors: \"{}\"\n", factors_text(directive.factors));
  if (!directive.permutation.empty())
    text += fmt::format("    permutation: {}\n", order_text(directive.permutation));
  if (directive.split) text += fmt::format("    split: {}\n", *directive.split);
  if (!directive.keep.empty()) text += fmt::format("    keep: {}\n", names_text(directive.keep));
  if (!directive.bypass.empty())
    text += fmt::format("    bypass: {}\n", names_text(directive.bypass));
  return text;
}

std::string to_text(const char* key, const std::vector<TimeloopDirective>& directives) {
  if (directives.empty()) return "";
  std::string text = fmt::format("{}:\n", key);
  for (const TimeloopDirective& directive : directives) text += to_text(directive);
  return text;
}

}  // namespace

std::string to_text(const TimeloopFiles& files) {
  return (files.architecture ? to_text(*files.architecture) : "") +
         (files.problem ? to_text(*files.problem) : "") + to_text("mapping", files.mapping) +
         to_text("constraints", files.constraints);
}

}  // namespace cosearch::datasets
