// What a result was made of, as a JSON object beside it, and how two of them differ.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cosearch::codesign {

/// "batch is 50 there and 100 here, seed is ...", by key, or nothing where they are equal.
[[nodiscard]] std::string differences(const nlohmann::json& there, const nlohmann::json& here);

}  // namespace cosearch::codesign
