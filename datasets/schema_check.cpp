// Whether a document fits its schema is valijson's to say; our own walk over the schema only finds
// the words, because valijson's errors name neither the value nor what was expected.
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "datasets/document.h"
#include "datasets/schema_problems.h"

namespace cosearch::datasets {
namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

struct CompiledSchema {
  explicit CompiledSchema(const std::string& text) : json(nlohmann::json::parse(text)) {
    valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(Adapter(json), schema);
  }
  nlohmann::json json;
  valijson::Schema schema;
};

/// Each schema once: a study reads its machine file for each of thousands of machines.
const CompiledSchema& compiled(std::string_view text) {
  static std::mutex mutex;
  static std::map<std::string, CompiledSchema, std::less<>> schemas;
  const std::lock_guard lock(mutex);
  const auto found = schemas.find(text);
  if (found != schemas.end()) return found->second;
  return schemas.emplace(text, std::string(text)).first->second;
}

/// Valijson's first complaint, which is the deepest, at the place its path ("[a]", "[0]") leads to.
SchemaProblem first_complaint(const Document& document, valijson::ValidationResults& results) {
  valijson::ValidationResults::Error error;
  results.popError(error);
  std::string pointer;
  for (std::size_t i = 1; i < error.context.size(); ++i) {  // the first is "<root>"
    const std::string& step = error.context[i];
    pointer = child_pointer(pointer, std::string_view(step).substr(1, step.size() - 2));
  }
  return {document.location_of(pointer), key_path(pointer) + ": " + error.description};
}

}  // namespace

void validate(const Document& document, std::string_view json_schema_text) {
  const CompiledSchema& schema = compiled(json_schema_text);
  valijson::ValidationResults results;
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  if (validator.validate(schema.schema, Adapter(document.value), &results)) return;
  std::vector<SchemaProblem> problems = schema_problems(document, schema.json);
  if (problems.empty()) problems.push_back(first_complaint(document, results));
  std::string message;
  for (const SchemaProblem& problem : problems)
    message += message.empty() ? problem.text : "\n" + problem.where.text() + ": " + problem.text;
  throw UserError(problems.front().where, message);
}

}  // namespace cosearch::datasets
