#include "codesign/record.h"

#include <fmt/format.h>

namespace cosearch::codesign {
namespace {

std::string value_in(const nlohmann::json& object, const std::string& key) {
  return object.contains(key) ? object[key].dump() : "nothing";
}

}  // namespace

std::string differences(const nlohmann::json& there, const nlohmann::json& here) {
  std::string text;
  nlohmann::json keys = there;
  keys.update(here);
  for (const auto& [key, ignored] : keys.items()) {
    if (value_in(there, key) == value_in(here, key)) continue;
    text += fmt::format("{}{} is {} there and {} here", text.empty() ? "" : ", ", key,
                        value_in(there, key), value_in(here, key));
  }
  return text;
}

}  // namespace cosearch::codesign
