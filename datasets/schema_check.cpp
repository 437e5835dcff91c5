// Whether a document fits its schema is valijson's to say; our own walk over the schema only finds
// the words, because valijson's errors name neither the value nor what was expected.
#include <nlohmann/json.hpp>
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

bool fits(const nlohmann::json& value, const nlohmann::json& schema_json,
          valijson::ValidationResults& results) {
  valijson::Schema schema;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(Adapter(schema_json), schema);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  return validator.validate(schema, Adapter(value), &results);
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
  const nlohmann::json schema = nlohmann::json::parse(json_schema_text);
  valijson::ValidationResults results;
  if (fits(document.value, schema, results)) return;
  std::vector<SchemaProblem> problems = schema_problems(document, schema);
  if (problems.empty()) problems.push_back(first_complaint(document, results));
  std::string message;
  for (const SchemaProblem& problem : problems)
    message += message.empty() ? problem.text : "\n" + problem.where.text() + ": " + problem.text;
  throw UserError(problems.front().where, message);
}

}  // namespace cosearch::datasets
