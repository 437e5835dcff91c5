#include <gtest/gtest.h>

#include "core/random.h"
#include "datasets/document.h"
#include "datasets/schema_problems.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["name", "search"],
  "additionalProperties": false,
  "properties": {
    "name": {"type": "string", "pattern": "^[a-z]+$", "description": "Names the study."},
    "seed": {"type": "integer", "minimum": 0},
    "objectives": {"type": "array", "minItems": 1, "uniqueItems": true,
                   "items": {"enum": ["latency", "energy", "area"]}},
    "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "limit": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    "size": {"$ref": "#/definitions/size"},
    "widths": {"type": "object", "patternProperties": {"^w": {"type": "integer"}},
               "additionalProperties": false},
    "search": {"oneOf": [
      {"type": "object", "required": ["kind", "population"], "additionalProperties": false,
       "properties": {"kind": {"const": "evolution"},
                      "population": {"type": "integer", "minimum": 2,
                                     "description": "Designs alive at once."}}},
      {"type": "object", "required": ["kind"], "additionalProperties": false,
       "properties": {"kind": {"const": "random"}}}]}
  },
  "if": {"required": ["share"]}, "then": {"required": ["seed"]},
  "definitions": {"size": {"type": "string", "maxLength": 4}}
})";

std::string error_in(const std::string& text) {
  const Document document = parse_yaml(text, "s.yaml");
  return message_of([&] { validate(document, kSchema); });
}

const std::string kGood = "name: one\nsearch: {kind: random}\n";

TEST(Schema, AcceptsWhatFits) {
  validate(parse_yaml(kGood + "seed: 3\nobjectives: [latency, area]\nshare: 0.5\nlimit: 4\n"
                              "size: 4KiB\nwidths: {w1: 2}\n",
                      "s.yaml"),
           kSchema);
}

TEST(Schema, NamesTheKeyTheValueAndWhatIsExpected) {
  EXPECT_EQ(error_in("name: One\nsearch: {kind: random}\n"),
            "s.yaml:1:7: name: \"One\"; expected text matching ^[a-z]+$ (Names the study)");
  EXPECT_EQ(error_in(kGood + "seed: -1\n"),
            "s.yaml:3:7: seed: -1; expected an integer of at least 0");
  EXPECT_EQ(error_in(kGood + "seed: yes\n"),
            "s.yaml:3:7: seed: \"yes\"; expected an integer of at least 0");
  EXPECT_EQ(error_in(kGood + "seed: 1\nshare: 0\n"),
            "s.yaml:4:8: share: 0; expected a number above 0 and of at most 1");
  EXPECT_EQ(error_in(kGood + "size: 12345\n"),
            "s.yaml:3:7: size: 12345; expected text of at most 4 bytes");
  EXPECT_EQ(error_in(kGood + "limit: [1]\n"), "s.yaml:3:8: limit: a list; expected an integer");
}

TEST(Schema, GuessesMisspeltKeysAndWords) {
  EXPECT_EQ(error_in(kGood + "objectivs: [latency]\n"),
            "s.yaml:3:1: unknown key 'objectivs' (did you mean 'objectives'?)");
  EXPECT_EQ(error_in(kGood + "objectives:\n  - area\n  - latencyy\n"),
            "s.yaml:5:5: objectives[1]: \"latencyy\"; expected one of: latency, energy, area (did "
            "you mean 'latency'?)");
  EXPECT_EQ(error_in(kGood + "widths: {v: 2}\n"), "s.yaml:3:10: unknown key 'widths.v'");
}

TEST(Schema, SaysWhichKeyIsMissing) {
  EXPECT_EQ(error_in("search: {kind: random}\n"),
            "s.yaml:1:1: key 'name' is missing; expected text matching ^[a-z]+$ (Names the study)");
  EXPECT_EQ(error_in(kGood + "share: 0.5\n"),
            "s.yaml:1:1: key 'seed' is missing; expected a value");
}

TEST(Schema, JudgesAgainstTheAlternativeThatIsMeant) {
  EXPECT_EQ(
      error_in("name: a\nsearch:\n  kind: evolution\n  population: 1\n"),
      "s.yaml:4:15: search.population: 1; expected an integer of at least 2 (Designs alive at "
      "once)");
  EXPECT_EQ(error_in("name: a\nsearch: {kind: random, population: 9}\n"),
            "s.yaml:2:24: unknown key 'search.population' (expected one of: kind)");
  EXPECT_EQ(error_in("name: a\nsearch: {kind: evolutoin}\n"),
            "s.yaml:2:16: search.kind: \"evolutoin\"; expected one of: evolution, random (did you "
            "mean 'evolution'?)");
  EXPECT_EQ(error_in(kGood + "limit: 1.5\n"),
            "s.yaml:3:8: limit: 1.5; expected an integer or text");
}

TEST(Schema, ReportsEveryProblemInTheOrderOfTheFile) {
  EXPECT_EQ(error_in("seed: -1\nobjectives: [area, area]\nbogus: 1\nsearch: {kind: random}\n"),
            "s.yaml:1:1: key 'name' is missing; expected text matching ^[a-z]+$ (Names the study)\n"
            "s.yaml:1:7: seed: -1; expected an integer of at least 0\n"
            "s.yaml:2:20: objectives[1]: \"area\" appears twice in this list\n"
            "s.yaml:3:1: unknown key 'bogus' (expected one of: limit, name, objectives, search, "
            "seed, share, size, widths)");
}

TEST(Schema, FallsBackToThePlaceAloneForKeywordsItHasNoWordsFor) {
  const Document document = parse_yaml("a:\n  b: [1, 2]\n", "s.yaml");
  const std::string message = message_of([&] {
    validate(document,
             R"({"properties": {"a": {"properties": {"b": {"contains": {"const": 3}}}}}})");
  });
  EXPECT_EQ(message.substr(0, 16), "s.yaml:2:6: a.b:");
}

// Our words must never be missing where valijson, the judge, objects, nor be there where it does
// not: random documents against every keyword used above.
TEST(Schema, FindsWordsExactlyWhereTheJudgeObjects) {
  const std::vector<std::string> values = {"1",
                                           "-1",
                                           "0.5",
                                           "abc",
                                           "ABC",
                                           "true",
                                           "~",
                                           "[area]",
                                           "[1, 1]",
                                           "[]",
                                           "{w: 1}",
                                           "{kind: random}",
                                           "{kind: evolution, population: 3}",
                                           "{kind: 4}"};
  const std::vector<std::string> keys = {"name", "seed",   "objectives", "share", "limit",
                                         "size", "widths", "search",     "other"};
  const nlohmann::json schema = nlohmann::json::parse(kSchema);
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "schema");
    std::string text = random.below(4) ? kGood : "{}\n";
    if (text != "{}\n")
      for (std::size_t i = 1; i < keys.size(); ++i)
        if (keys[i] != "search" && random.below(keys.size()) == 0)
          text += keys[i] + ": " + values[random.below(values.size())] + "\n";
    const Document document = parse_yaml(text, "s.yaml");
    bool judged_good = true;
    try {
      validate(document, kSchema);
    } catch (const UserError& error) {
      judged_good = false;
      EXPECT_EQ(std::string(error.what()).find("Failed to"), std::string::npos) << error.what();
    }
    EXPECT_EQ(schema_problems(document, schema).empty(), judged_good) << text;
    accepted += judged_good ? 1 : 0;
  }
  EXPECT_GT(accepted, 100U);
  EXPECT_LT(accepted, 1400U);
}

}  // namespace
}  // namespace cosearch::datasets
