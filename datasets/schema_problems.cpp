#include "datasets/schema_problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <regex>
#include <set>
#include <tuple>
#include <utility>

#include "datasets/schema_words.h"

namespace cosearch::datasets {
namespace {

using Json = nlohmann::json;
using Problems = std::vector<SchemaProblem>;

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

bool allows_type(const Json& schema, const Json& value) {
  const auto type = schema.find("type");
  if (type == schema.end()) return true;
  if (type->is_string()) return has_type(value, type->get<std::string>());
  return std::any_of(type->begin(), type->end(),
                     [&](const Json& name) { return has_type(value, name.get<std::string>()); });
}

bool in_range(const Json& schema, const Json& value) {
  if (!value.is_number()) return true;
  const double number = value.get<double>();
  if (schema.contains("minimum") && number < schema["minimum"].get<double>()) return false;
  if (schema.contains("maximum") && number > schema["maximum"].get<double>()) return false;
  if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>())
    return false;
  if (schema.contains("exclusiveMaximum") && number >= schema["exclusiveMaximum"].get<double>())
    return false;
  if (!schema.contains("multipleOf")) return true;
  return std::remainder(number, schema["multipleOf"].get<double>()) == 0;
}

bool within(const Json& schema, const char* at_least, const char* at_most, std::size_t size) {
  if (schema.contains(at_least) && size < schema[at_least].get<std::size_t>()) return false;
  return !schema.contains(at_most) || size <= schema[at_most].get<std::size_t>();
}

bool has_accepted_text(const Json& schema, const Json& value) {
  if (!value.is_string()) return true;
  const std::string& text = value.get_ref<const std::string&>();
  if (!within(schema, "minLength", "maxLength", text.size())) return false;
  if (!schema.contains("pattern")) return true;
  return std::regex_search(text, std::regex(schema["pattern"].get<std::string>()));
}

bool has_accepted_size(const Json& schema, const Json& value) {
  if (value.is_array()) return within(schema, "minItems", "maxItems", value.size());
  if (value.is_object()) return within(schema, "minProperties", "maxProperties", value.size());
  return true;
}

bool is_accepted_value(const Json& schema, const Json& value) {
  if (schema.contains("const") && schema["const"] != value) return false;
  if (!schema.contains("enum")) return true;
  return std::find(schema["enum"].begin(), schema["enum"].end(), value) != schema["enum"].end();
}

class Explainer {
 public:
  Explainer(const Document& document, const Json& root) : document_(document), root_(root) {}

  [[nodiscard]] Problems check(const Json& given, const Json& value,
                               const std::string& pointer) const {
    const Json& schema = resolve(given);
    if (schema.is_boolean()) {
      if (schema.get<bool>()) return {};
      return {at(pointer, "is not accepted here")};
    }
    if (!allows_type(schema, value) || !is_accepted_value(schema, value) ||
        !in_range(schema, value) || !has_accepted_text(schema, value) ||
        !has_accepted_size(schema, value))
      return {unexpected(schema, value, pointer)};
    Problems problems;
    if (value.is_object()) check_keys(schema, value, pointer, problems);
    if (value.is_array()) check_items(schema, value, pointer, problems);
    check_combinations(schema, value, pointer, problems);
    return problems;
  }

 private:
  [[nodiscard]] const Json& resolve(const Json& schema) const {
    const Json* found = &schema;
    while (found->is_object() && found->contains("$ref"))
      found = &root_.at(Json::json_pointer((*found)["$ref"].get<std::string>().substr(1)));
    return *found;
  }

  [[nodiscard]] SchemaProblem at(const std::string& pointer, const std::string& text) const {
    const std::string path = key_path(pointer);
    return {document_.location_of(pointer), path.empty() ? text : path + ": " + text};
  }

  [[nodiscard]] SchemaProblem at_key(const std::string& pointer, const std::string& text) const {
    return {document_.location_of_key(pointer), text};
  }

  [[nodiscard]] SchemaProblem unexpected(const Json& schema, const Json& value,
                                         const std::string& pointer) const {
    return at(pointer, fmt::format("{}; expected {}{}", words_for_value(value),
                                   words_for_schema(schema), guess_for(schema, value)));
  }

  static void append(Problems& problems, Problems more) {
    std::move(more.begin(), more.end(), std::back_inserter(problems));
  }

  void check_keys(const Json& schema, const Json& map, const std::string& pointer,
                  Problems& problems) const {
    for (const Json& key : schema.value("required", Json::array())) {
      const auto name = key.get<std::string>();
      if (!map.contains(name))
        problems.push_back(at(pointer, fmt::format("key '{}' is missing; expected {}", name,
                                                   words_for_key(schema, name))));
    }
    for (const auto& [key, value] : map.items()) {
      const std::string child = child_pointer(pointer, key);
      if (schema.contains("propertyNames") &&
          !check(schema["propertyNames"], Json(key), child).empty())
        problems.push_back(
            at_key(child, fmt::format("key '{}'; expected {}", key_path(child),
                                      words_for_schema(resolve(schema["propertyNames"])))));
      check_key(schema, key, value, child, problems);
    }
  }

  void check_key(const Json& schema, const std::string& key, const Json& value,
                 const std::string& child, Problems& problems) const {
    bool known = false;
    if (schema.contains("properties") && schema["properties"].contains(key)) {
      append(problems, check(schema["properties"][key], value, child));
      known = true;
    }
    // Held by name: items() refers to it, and a temporary would be gone before the loop begins.
    const Json patterns = schema.value("patternProperties", Json::object());
    for (const auto& [pattern, subschema] : patterns.items()) {
      if (!std::regex_search(key, std::regex(pattern))) continue;
      append(problems, check(subschema, value, child));
      known = true;
    }
    if (known || !schema.contains("additionalProperties")) return;
    const Json& others = schema["additionalProperties"];
    if (others != false) return append(problems, check(others, value, child));
    const Json properties = schema.value("properties", Json::object());
    std::vector<std::string> names;
    for (const auto& property : properties.items()) names.push_back(property.key());
    problems.push_back(at_key(
        child, fmt::format("unknown key '{}'{}", key_path(child), did_you_mean(key, names))));
  }

  void check_items(const Json& schema, const Json& list, const std::string& pointer,
                   Problems& problems) const {
    const Json items = schema.value("items", Json(true));
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string child = child_pointer(pointer, std::to_string(i));
      if (!items.is_array())
        append(problems, check(items, list[i], child));
      else if (i < items.size())
        append(problems, check(items[i], list[i], child));
      const auto here = list.begin() + static_cast<std::ptrdiff_t>(i);
      if (schema.value("uniqueItems", false) && std::find(list.begin(), here, list[i]) != here)
        problems.push_back(at(child, words_for_value(list[i]) + " appears twice in this list"));
    }
  }

  void check_combinations(const Json& schema, const Json& value, const std::string& pointer,
                          Problems& problems) const {
    for (const Json& part : schema.value("allOf", Json::array()))
      append(problems, check(part, value, pointer));
    if (schema.contains("anyOf"))
      append(problems, check_alternatives(schema["anyOf"], value, pointer, false));
    if (schema.contains("oneOf"))
      append(problems, check_alternatives(schema["oneOf"], value, pointer, true));
    if (schema.contains("not") && check(schema["not"], value, pointer).empty())
      problems.push_back(at(pointer, fmt::format("{} is not accepted here{}",
                                                 words_for_value(value), description_of(schema))));
    if (!schema.contains("if")) return;
    const char* branch = check(schema["if"], value, pointer).empty() ? "then" : "else";
    if (schema.contains(branch)) append(problems, check(schema[branch], value, pointer));
  }

  [[nodiscard]] Problems check_alternatives(const Json& alternatives, const Json& value,
                                            const std::string& pointer, bool exactly_one) const {
    std::vector<Problems> found;
    std::size_t accepted = 0;
    for (const Json& alternative : alternatives) {
      found.push_back(check(alternative, value, pointer));
      if (found.back().empty()) ++accepted;
    }
    if (accepted == 1 || (accepted > 1 && !exactly_one)) return {};
    if (accepted > 1) return {at(pointer, "fits more than one of the alternatives; expected one")};
    if (!value.is_structured()) {
      std::string expected;
      for (const Json& alternative : alternatives)
        expected += (expected.empty() ? "" : " or ") + words_for_schema(resolve(alternative));
      return {at(pointer, words_for_value(value) + "; expected " + expected)};
    }
    if (auto wrong_kind = unknown_kind(alternatives, value, pointer)) return {*wrong_kind};
    return found[closest_alternative(alternatives, value, found)];
  }

  /// The problem that `value` names none of the alternatives, where each alternative fixes one and
  /// the same key ("kind") to a word of its own.
  [[nodiscard]] std::optional<SchemaProblem> unknown_kind(const Json& alternatives,
                                                          const Json& value,
                                                          const std::string& pointer) const {
    if (!value.is_object()) return std::nullopt;
    for (const auto& [key, given] : value.items()) {
      Json words = Json::array();
      for (const Json& alternative : alternatives) {
        const Json& schema = resolve(alternative);
        const Json& property =
            schema.is_object() ? schema.value("properties", Json::object()) : Json::object();
        if (!property.contains(key) || !property[key].contains("const")) break;
        words.push_back(property[key]["const"]);
      }
      if (words.size() != alternatives.size()) continue;
      if (std::find(words.begin(), words.end(), given) != words.end()) continue;
      return unexpected(Json{{"enum", words}}, given, child_pointer(pointer, key));
    }
    return std::nullopt;
  }

  /// The alternative that the user most likely meant: of the right type, with the right constants,
  /// then with the fewest problems.
  [[nodiscard]] std::size_t closest_alternative(const Json& alternatives, const Json& value,
                                                const std::vector<Problems>& found) const {
    using Rank = std::tuple<bool, std::size_t, std::size_t>;
    std::size_t best = 0;
    Rank best_rank{true, found.size() + value.size() + 1, 0};
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Json& schema = resolve(alternatives[i]);
      std::size_t wrong_constants = 0;
      const Json properties =
          schema.is_object() ? schema.value("properties", Json::object()) : Json::object();
      for (const auto& [key, property] : properties.items())
        if (property.is_object() && property.contains("const") && value.is_object() &&
            value.contains(key) && value[key] != property["const"])
          ++wrong_constants;
      const Rank rank{schema.is_object() && !allows_type(schema, value), wrong_constants,
                      found[i].size()};
      if (rank < best_rank) {
        best_rank = rank;
        best = i;
      }
    }
    return best;
  }

  [[nodiscard]] std::string words_for_key(const Json& schema, const std::string& key) const {
    if (!schema.contains("properties") || !schema["properties"].contains(key)) return "a value";
    return words_for_schema(resolve(schema["properties"][key]));
  }

  const Document& document_;
  const Json& root_;
};

}  // namespace

std::vector<SchemaProblem> schema_problems(const Document& document, const Json& schema) {
  Problems problems = Explainer(document, schema).check(schema, document.value, "");
  std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
  });
  std::set<std::string> seen;
  std::erase_if(problems, [&](const SchemaProblem& problem) {
    return !seen.insert(problem.where.text() + problem.text).second;
  });
  return problems;
}

}  // namespace cosearch::datasets
