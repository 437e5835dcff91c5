// Files that people write: strict YAML whose every value remembers its line and column, and a check
// against a JSON Schema that answers in the user's words.
//
// Strict means that nothing is guessed. YAML (like JSON, of which it is a superset) has spellings
// that mean different things to different readers; here they are errors or plain text:
//   duplicate keys, anchors, aliases, merge keys, tags, several documents     errors
//   010, .inf, .nan, numbers that overflow                                    errors
//   yes, no, on, off, True, 0x10, 1_000                                       text
//   true, false; null and ~; 12; -1.5e3; 1e6 (an integer); "12" (text)        as in JSON
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/user_error.h"

namespace cosearch::datasets {

/// A parsed file. Values are addressed by JSON pointer (RFC 6901): "/search/population", "" is all.
struct Document {
  struct Place {
    int line = 0, column = 0;          ///< of the value
    int key_line = 0, key_column = 0;  ///< of its key, or of the value in a list
  };

  std::string file;
  std::string text;  ///< as read, for keeping beside results
  nlohmann::json value;
  std::map<std::string, Place> places;
  /// "!Name" of the lists and maps that have one, where tags are recorded.
  std::map<std::string, std::string> tags;

  /// Where the value at `json_pointer` is; of its nearest ancestor when there is no such value.
  [[nodiscard]] SourceLocation location_of(const std::string& json_pointer) const;
  /// Where the key of the value at `json_pointer` is.
  [[nodiscard]] SourceLocation location_of_key(const std::string& json_pointer) const;
};

/// What to do with the tag of a list or a map: our own files have none, Timeloop's do.
enum class YamlTags : std::uint8_t { refused, recorded };

/// Whether `what`, where a name or a document may stand, is a document's path: by its extension.
[[nodiscard]] bool names_document(const std::string& what);

/// Throws FileError when the file cannot be read, UserError at file:line:column otherwise.
[[nodiscard]] Document read_yaml(const std::filesystem::path& path);
[[nodiscard]] Document parse_yaml(std::string_view text, std::string name,
                                  YamlTags tags = YamlTags::refused);

/// Checks `document` against a JSON Schema (draft 7; `$ref` within the same schema). Throws one
/// UserError that lists every problem, one a line, in the order of the file: place, key path,
/// value, what the schema expects there, and the likeliest key or word when one looks misspelt.
void validate(const Document& document, std::string_view json_schema_text);

/// "search.objectives[2].unit" for "/search/objectives/2/unit": how messages name a value.
[[nodiscard]] std::string key_path(const std::string& json_pointer);

/// `pointer` extended by one key or list index, escaped as RFC 6901 asks.
[[nodiscard]] std::string child_pointer(const std::string& pointer, std::string_view key);

}  // namespace cosearch::datasets
