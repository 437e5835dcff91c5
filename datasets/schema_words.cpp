#include "datasets/schema_words.h"

#include <fmt/format.h>

#include <vector>

#include "core/user_error.h"

namespace cosearch::datasets {
namespace {

using Json = nlohmann::json;

std::string words_for_type(const std::string& type) {
  if (type == "object") return "a map";
  if (type == "array") return "a list";
  if (type == "string") return "text";
  if (type == "boolean") return "true or false";
  if (type == "integer") return "an integer";
  if (type == "number") return "a number";
  return type;
}

std::string words_for_types(const Json& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) return "";
  if (type->is_string()) return words_for_type(type->get<std::string>());
  std::string words;
  for (const Json& name : *type)
    words += (words.empty() ? "" : " or ") + words_for_type(name.get<std::string>());
  return words;
}

// The limits of `schema` in the order in which one would say them.
std::string words_for_limits(const Json& schema) {
  struct Phrase {
    const char* keyword;
    const char* words;
  };
  constexpr Phrase kPhrases[] = {
      {"minimum", "of at least {}"},
      {"exclusiveMinimum", "above {}"},
      {"maximum", "of at most {}"},
      {"exclusiveMaximum", "below {}"},
      {"multipleOf", "a multiple of {}"},
      {"minLength", "of at least {} bytes"},
      {"maxLength", "of at most {} bytes"},
      {"minItems", "with at least {} items"},
      {"maxItems", "with at most {} items"},
      {"minProperties", "with at least {} keys"},
      {"maxProperties", "with at most {} keys"},
      {"pattern", "matching {}"},
  };
  std::string words;
  for (const auto& [keyword, phrase] : kPhrases) {
    if (!schema.contains(keyword)) continue;
    const Json& limit = schema[keyword];
    const std::string text = limit.is_string() ? limit.get<std::string>() : limit.dump();
    words += (words.empty() ? "" : " and ") + fmt::format(fmt::runtime(phrase), text);
  }
  return words;
}

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string words_for_value(const Json& value) {
  if (value.is_null()) return "nothing";
  if (value.is_object()) return "a map";
  if (value.is_array()) return "a list";
  constexpr std::size_t kShown = 60;
  std::string text = value.dump();
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // keep characters whole
  return text.substr(0, end) + "...\"";
}

std::string description_of(const Json& schema) {
  if (!schema.is_object() || !schema.contains("description")) return "";
  std::string text = schema["description"].get<std::string>();
  if (text.ends_with('.')) text.pop_back();
  return " (" + text + ")";
}

std::string words_for_schema(const Json& schema) {
  if (!schema.is_object()) return "a value";
  if (schema.contains("const")) return words_for_value(schema["const"]) + description_of(schema);
  if (schema.contains("enum")) {
    std::string list;
    for (const Json& word : schema["enum"]) list += (list.empty() ? "" : ", ") + plain(word);
    return "one of: " + list + description_of(schema);
  }
  std::string words = words_for_types(schema);
  if (const std::string limits = words_for_limits(schema); !limits.empty())
    words += (words.empty() ? "a value " : " ") + limits;
  if (words.empty()) words = "a value";
  return words + description_of(schema);
}

std::string guess_for(const Json& schema, const Json& value) {
  if (!schema.is_object() || !schema.contains("enum") || !value.is_string()) return "";
  std::vector<std::string> words;
  for (const Json& word : schema["enum"])
    if (word.is_string()) words.push_back(word.get<std::string>());
  const std::string guess = closest_word(value.get<std::string>(), words);
  return guess.empty() ? "" : fmt::format(" (did you mean '{}'?)", guess);
}

}  // namespace cosearch::datasets
