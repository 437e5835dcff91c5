// Values and schemas as phrases: "an integer of at least 2", "one of: latency, energy".
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cosearch::datasets {

/// `"text"`, `12`, "a list", "nothing".
[[nodiscard]] std::string words_for_value(const nlohmann::json& value);

/// What `schema` accepts, with its description in parentheses.
[[nodiscard]] std::string words_for_schema(const nlohmann::json& schema);

/// " (did you mean 'x'?)" when `value` is close to one of the words that `schema` lists, else "".
[[nodiscard]] std::string guess_for(const nlohmann::json& schema, const nlohmann::json& value);

/// " (The schema's description)" or "".
[[nodiscard]] std::string description_of(const nlohmann::json& schema);

}  // namespace cosearch::datasets
