#include "datasets/document.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;
using Json = nlohmann::json;

Document parse(std::string_view text) { return parse_yaml(text, "s.yaml"); }
std::string error_in(std::string_view text) {
  return message_of([&] { (void)parse(text); });
}

TEST(Document, TypesPlainScalarsAsJsonDoes) {
  const Json value = parse(
                         "a: 12\nb: -1.5e3\nc: true\nd: null\ne: ~\nf:\ng: text\nh: +7\n"
                         "i: 1e6\nj: 1.0\nk: 18446744073709551615\nl: .5\n")
                         .value;
  EXPECT_EQ(value["a"], Json(12));
  EXPECT_TRUE(value["a"].is_number_integer());
  EXPECT_EQ(value["b"], Json(-1500.0));
  EXPECT_TRUE(value["b"].is_number_float());
  EXPECT_EQ(value["c"], Json(true));
  EXPECT_TRUE(value["d"].is_null() && value["e"].is_null() && value["f"].is_null());
  EXPECT_EQ(value["g"], Json("text"));
  EXPECT_EQ(value["h"], Json(7));
  EXPECT_TRUE(value["i"].is_number_integer());
  EXPECT_EQ(value["i"], Json(1000000));
  EXPECT_TRUE(value["j"].is_number_float());
  EXPECT_EQ(value["k"], Json(18446744073709551615ULL));
  EXPECT_EQ(value["l"], Json(0.5));
}

TEST(Document, LeavesWordsThatOthersGuessAtAsText) {
  for (const char* word : {"yes", "no", "on", "off", "True", "FALSE", "y", "0x10", "1_000",
                           "256KiB", "12:30", "2024-01-01", "1.2.3", "+", "+-1", "e5", "nano"}) {
    SCOPED_TRACE(word);
    EXPECT_EQ(parse(std::string("a: ") + word + "\n").value["a"], Json(word));
  }
}

TEST(Document, TakesQuotedScalarsAsText) {
  const Json value =
      parse("a: \"12\"\nb: 'true'\nc: \"010\"\nd: '.nan'\ne: ''\nf: |\n  x\n  y\n").value;
  EXPECT_EQ(value["a"], Json("12"));
  EXPECT_EQ(value["b"], Json("true"));
  EXPECT_EQ(value["c"], Json("010"));
  EXPECT_EQ(value["d"], Json(".nan"));
  EXPECT_EQ(value["e"], Json(""));
  EXPECT_EQ(value["f"], Json("x\ny\n"));
}

TEST(Document, ReadsJson) {
  const Json expected = {{"a", {1, 2.5, "x", nullptr, true}}, {"b", {{"c", Json::object()}}}};
  EXPECT_EQ(parse(expected.dump()).value, expected);
  EXPECT_EQ(parse(expected.dump(2)).value, expected);
  EXPECT_EQ(parse(expected.dump(1, '\t')).value, expected);
}

TEST(Document, RefusesNumbersThatReadersDisagreeOn) {
  EXPECT_EQ(error_in("a:\n  b: 010\n"),
            "s.yaml:2:6: 010 starts with a zero, which some readers take for octal; write it "
            "without, or quote it if text is meant");
  EXPECT_EQ(error_in("a: -007\n").substr(0, 16), "s.yaml:1:4: -007");
  EXPECT_EQ(error_in("a: [1, .nan]\n"),
            "s.yaml:1:8: .nan is not a finite number; quote it if text is meant");
  for (const char* word : {".inf", "-.inf", "+.INF", "nan", "NaN", "inf", "-Infinity"}) {
    SCOPED_TRACE(word);
    EXPECT_NE(error_in(std::string("a: ") + word).find("is not a finite number"),
              std::string::npos);
  }
  EXPECT_EQ(error_in("a: 1e999\n"), "s.yaml:1:4: 1e999 is outside the range of numbers");
  EXPECT_EQ(error_in("a: 99999999999999999999\n"),
            "s.yaml:1:4: the integer 99999999999999999999 does not fit in 64 bits");
}

TEST(Document, RefusesDuplicateKeysAtAnyDepth) {
  EXPECT_EQ(error_in("a: 1\nb: 2\na: 3\n"),
            "s.yaml:3:1: key 'a' is already given at line 1, column 1");
  EXPECT_EQ(error_in("x:\n  - {k: 1, k: 2}\n"),
            "s.yaml:2:12: key 'k' is already given at line 2, column 6");
  EXPECT_EQ(error_in("a: 1\n\"a\": 3\n"),
            "s.yaml:2:1: key 'a' is already given at line 1, column 1");
}

TEST(Document, RefusesAnchorsAliasesMergeKeysAndTags) {
  EXPECT_NE(error_in("a: &x 1\nb: *x\n").find("s.yaml:1:4: anchors (&name)"), std::string::npos);
  EXPECT_NE(error_in("a: &x\n  b: 1\n").find("anchors (&name)"), std::string::npos);
  EXPECT_NE(error_in("<<: {a: 1}\n").find("s.yaml:1:1: merge keys (<<)"), std::string::npos);
  EXPECT_NE(error_in("a: !!str 1\n").find("s.yaml:1:4: the tag"), std::string::npos);
  EXPECT_NE(error_in("a: *x\n").find("s.yaml:1:4: "), std::string::npos);
}

TEST(Document, RefusesKeysThatAreNotText) {
  EXPECT_NE(error_in("? [a, b]\n: 1\n").find("a key must be text"), std::string::npos);
  EXPECT_NE(error_in("~: 1\n").find("s.yaml:1:1: a key is missing"), std::string::npos);
}

TEST(Document, AcceptsExactlyOneDocument) {
  EXPECT_EQ(parse("--- \na: 1\n...\n").value["a"], Json(1));
  EXPECT_EQ(error_in("a: 1\n---\nb: 2\n"),
            "s.yaml:3:1: a second document starts here; one is expected");
  EXPECT_EQ(error_in(""), "s.yaml: is empty");
  EXPECT_EQ(error_in("# only a comment\n"), "s.yaml: is empty");
}

TEST(Document, PlacesSyntaxErrors) {
  EXPECT_EQ(error_in("a: 1\n\tb: 2\n"), "s.yaml:2:1: tab in the indentation; indent with spaces");
  EXPECT_EQ(error_in("a: [1, 2\n").substr(0, 7), "s.yaml:");
  EXPECT_EQ(error_in("a: b: c\n").substr(0, 27), "s.yaml:1:5: syntax error: i");
  for (const char* open : {"a: \"open\n", "a: \"open\\\"\n", "a: 'it''s\n", "a: 'open''"})
    EXPECT_NE(error_in(open).find("syntax error"), std::string::npos) << open;
}

TEST(Document, RefusesWhatIsNotText) {
  EXPECT_EQ(error_in("a: \xC3\xA9\xFF\n"), "s.yaml:1:5: byte 0xFF is not UTF-8 text");
  EXPECT_EQ(error_in("a: 1\nb: \xC0\xAF\n"), "s.yaml:2:4: byte 0xC0 is not UTF-8 text");
  EXPECT_EQ(error_in("a: \xED\xA0\x80\n"), "s.yaml:1:4: byte 0xED is not UTF-8 text");
  EXPECT_EQ(error_in(std::string_view("a: \0\n", 5)),
            "s.yaml:1:4: byte 0x00 is a control character");
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "a: \xF0\x9F\x99\x82\n")
                .value["a"],
            Json("\xF0\x9F\x99\x82"));
}

TEST(Document, CountsColumnsInCharacters) {
  EXPECT_EQ(error_in("{\xC3\xA9\xC3\xA9: 010}\n").substr(0, 11), "s.yaml:1:6:");
}

TEST(Document, LimitsNestingAndTheLengthOfText) {
  EXPECT_EQ(error_in(std::string(65, '[') + std::string(65, ']')),
            "s.yaml:1:65: nested deeper than 64 levels");
  EXPECT_NE(error_in(std::string(100000, '[')), "");
  EXPECT_NE(error_in(std::string(100000, '{')), "");
  EXPECT_NE(error_in("a: " + std::string(5000, 'x') + "\n").find("at most 4096"),
            std::string::npos);
}

TEST(Document, KnowsWhereEveryValueAndKeyIs) {
  const Document document =
      parse("a: 1\nmap:\n  list:\n    - x\n    - {k: v}\n  empty:\nlast: 2\n");
  EXPECT_EQ(document.location_of("/a").text(), "s.yaml:1:4");
  EXPECT_EQ(document.location_of_key("/a").text(), "s.yaml:1:1");
  EXPECT_EQ(document.location_of("/map/list/0").text(), "s.yaml:4:7");
  EXPECT_EQ(document.location_of("/map/list/1/k").text(), "s.yaml:5:11");
  EXPECT_EQ(document.location_of_key("/map/list").text(), "s.yaml:3:3");
  EXPECT_EQ(document.location_of("/map/empty").text(), "s.yaml:6:3");
  EXPECT_EQ(document.location_of("/map/none/deeper").text(), document.location_of("/map").text());
  EXPECT_EQ(document.location_of("").text(), "s.yaml:1:1");
}

TEST(Document, EscapesKeysInPointersAndNamesThemPlainly) {
  const Document document = parse("a/b:\n  c~d: [7]\n");
  EXPECT_EQ(document.location_of("/a~1b/c~0d/0").text(), "s.yaml:2:9");
  EXPECT_EQ(key_path("/a~1b/c~0d/0"), "a/b.c~d[0]");
}

TEST(Document, ReadsFilesAndNamesThoseItCannot) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "s.yaml", "a: 1\r\nb: 2\r\n");
  const Document document = read_yaml(folder / "s.yaml");
  EXPECT_EQ(document.value, Json({{"a", 1}, {"b", 2}}));
  EXPECT_EQ(document.text, "a: 1\r\nb: 2\r\n");
  EXPECT_THROW((void)read_yaml(folder / "none.yaml"), FileError);
}

// Whatever the bytes, the answer is a document or a UserError.
TEST(Document, SurvivesEveryChangedByte) {
  const std::string text =
      "study: {name: first, seed: 1}\nobjectives:\n  - latency: \"256KiB\"\n  - 'energy'\n"
      "notes: |\n  two\n  lines\nlimits: [1.5, -2, true, null]\n";
  Random random(1, "bytes");
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int round = 0; round < 12; ++round) {
      std::string changed = text;
      constexpr std::string_view kSpecial = "{}[],:-?&*!|>'\"%@`#\t\n ";
      changed[at] = round < 8 ? kSpecial[random.below(kSpecial.size())]
                              : static_cast<char>(random.below(256));
      try {
        (void)parse(changed);
      } catch (const UserError& error) {
        EXPECT_EQ(std::string(error.what()).substr(0, 6), "s.yaml");
      }
    }
  }
}

TEST(Document, ReadsBackRandomJson) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "json");
    Json value = Json::object();
    Json* at = &value;
    for (std::uint64_t i = 0; i < 12; ++i) {
      const std::string key = "k" + std::to_string(i) + (i % 3 ? "" : ": \"\xC3\xBC");
      switch (random.below(5)) {
        case 0:
          (*at)[key] = static_cast<std::int64_t>(random.bits64());
          break;
        case 1:
          (*at)[key] = random.uniform() + 0.5;
          break;
        case 2:
          (*at)[key] = std::string(random.below(20), 'a') + "\n#\\";
          break;
        case 3:
          (*at)[key] = {nullptr, true, random.bits32()};
          break;
        default:
          at = &((*at)[key] = Json::object());
      }
    }
    EXPECT_EQ(parse(value.dump(random.below(2) ? 2 : -1)).value, value);
  }
}

}  // namespace
}  // namespace cosearch::datasets
