#include "datasets/front_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "datasets/sha256.h"
#include "datasets/table.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;
using test::TemporaryFolder;

const double kNaN = std::numeric_limits<double>::quiet_NaN();

Columns example() {
  return {{{"name", "", std::vector<std::string>{"a,b", "say \"x\"", ""}},
           {"latency", "cycles", std::vector<double>{0.1, 1e21, kNaN}},
           {"macs", "", std::vector<std::int64_t>{-1, 0, 9007199254740993}}}};
}

TEST(FrontFile, WritesCsvWithUnitsInTheHeader) {
  const TemporaryFolder folder;
  write_csv(folder / "f.csv", example());
  EXPECT_EQ(test::read_bytes(folder / "f.csv"),
            "name,latency[cycles],macs\n"
            "\"a,b\",0.1,-1\n"
            "\"say \"\"x\"\"\",1e+21,0\n"
            "\"\",,9007199254740993\n");
}

TEST(FrontFile, ReplacesWhatALinkNamesAndKeepsTheLink) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "f.csv", "old");
  std::filesystem::create_symlink("f.csv", folder / "link.csv");
  write_csv(folder / "link.csv", example());
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.csv"));
  EXPECT_TRUE(test::read_bytes(folder / "f.csv").starts_with("name,latency[cycles],macs\n"));
}

TEST(FrontFile, ReplacesNothingButRegularFiles) {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder / "pipe.csv";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(message_of<FileError>([&] { write_csv(pipe, example()); }),
            pipe.string() + ": cannot write: this is no regular file");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(FrontFile, WritesJsonInTheOrderOfColumns) {
  const TemporaryFolder folder;
  write_json(folder / "f.json", example());
  const auto json = nlohmann::ordered_json::parse(test::read_bytes(folder / "f.json"));
  EXPECT_EQ(json["units"].dump(), R"({"latency":"cycles"})");
  EXPECT_EQ(json["rows"][0].dump(), R"({"name":"a,b","latency":0.1,"macs":-1})");
  EXPECT_TRUE(json["rows"][2]["latency"].is_null());
  EXPECT_EQ(json["rows"][2]["macs"], 9007199254740993);
}

TEST(FrontFile, WritesTheSameBytesEveryTime) {
  const TemporaryFolder folder;
  for (const char* extension : {".csv", ".json", ".h5"}) {
    SCOPED_TRACE(extension);
    const auto first = folder / (std::string("first") + extension);
    const auto second = folder / (std::string("second") + extension);
    write_columns(first, example());
    write_columns(second, example());
    EXPECT_EQ(test::read_bytes(first), test::read_bytes(second));
  }
}

TEST(FrontFile, KeepsEveryBitOfRandomNumbers) {
  const TemporaryFolder folder;
  Random random(3, "numbers");
  std::vector<double> values;
  while (values.size() < 500) {
    const double value = std::bit_cast<double>(random.bits64());
    if (std::isfinite(value)) values.push_back(value);
  }
  const Columns columns{{{"x", "pJ", values}}};
  write_csv(folder / "f.csv", columns);
  write_json(folder / "f.json", columns);
  const Table table = Table::read(folder / "f.csv");
  const auto json = nlohmann::json::parse(test::read_bytes(folder / "f.json"));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(table.number(i, table.column("x[pJ]")), values[i]);
    EXPECT_EQ(json["rows"][i]["x"].get<double>(), values[i]);
  }
}

TEST(FrontFile, ReadsBackRandomTextFromCsv) {
  const TemporaryFolder folder;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "text");
    std::vector<std::string> texts(5);
    for (std::string& text : texts)
      for (std::uint64_t length = random.below(8); length > 0; --length)
        text += "a,\"\n\r "[random.below(6)];
    write_csv(folder / "f.csv", {{{"t", "", texts}}});
    const Table table = Table::read(folder / "f.csv");
    ASSERT_EQ(table.rows(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(table.text(i, 0), texts[i]);
  }
}

TEST(FrontFile, LeavesNothingBehindWhenItFails) {
  const TemporaryFolder folder;
  for (const char* name : {"f.csv", "f.json", "f.h5"}) {
    SCOPED_TRACE(name);
    EXPECT_THROW(write_columns(folder / "none" / name, example()), FileError);
    EXPECT_THROW(write_columns(folder / name, {{{"a", "", std::vector<double>{1}},
                                                {"b", "", std::vector<double>{}}}}),
                 std::invalid_argument);
    EXPECT_THROW(write_columns(folder / name, {{{"a", "", std::vector<double>{1}},
                                                {"a", "", std::vector<double>{1}}}}),
                 std::invalid_argument);
  }
  EXPECT_THROW(write_hdf5(folder / "f.h5", {{{"a/b", "", std::vector<double>{1}}}}),
               std::invalid_argument);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FrontFile, RefusesKindsOfFilesItDoesNotKnow) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of([&] {
              write_columns(folder / "f.xlsx", example());
            }).find("unknown kind of file '.xlsx'; expected .csv, .json, .h5 or .hdf5"),
            std::string::npos);
}

// Source: NIST FIPS 180-4 example vectors (csrc.nist.gov, "SHA-256").
TEST(Sha256, GivesThePublishedValues) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

}  // namespace
}  // namespace cosearch::datasets
