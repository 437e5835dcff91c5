// What a JSON Schema (draft 7) has against a document, in words for the person who wrote it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "datasets/document.h"

namespace cosearch::datasets {

struct SchemaProblem {
  SourceLocation where;
  std::string text;  ///< "search.population: 1; expected an integer of at least 2"
};

/// Every problem that the keywords type, enum, const, the ranges and lengths, pattern, properties,
/// required, items, allOf, anyOf, oneOf, not, if/then/else and local $ref can show, in the order of
/// the file. May be empty for a document that breaks another keyword.
[[nodiscard]] std::vector<SchemaProblem> schema_problems(const Document& document,
                                                         const nlohmann::json& schema);

}  // namespace cosearch::datasets
