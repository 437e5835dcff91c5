#include "datasets/table.h"

#include <gtest/gtest.h>

#include <charconv>

#include "core/random.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;
using test::TemporaryFolder;

Table parse(std::string_view text) { return Table::parse(text, "t.csv"); }
std::string error_in(std::string_view text) {
  return message_of([&] { parse(text); });
}

TEST(Table, KeepsEveryCellAsWritten) {
  const Table table = parse("name,value\na, 1 \nb,\n");
  ASSERT_EQ(table.rows(), 2U);
  EXPECT_EQ(table.columns(), (std::vector<std::string>{"name", "value"}));
  EXPECT_EQ(table.text(0, 1), " 1 ");
  EXPECT_EQ(table.text(1, 1), "");
}

TEST(Table, UnderstandsQuotesCommasAndLineEndsInsideCells) {
  const Table table = parse("a,b\r\n\"x,\"\"y\"\"\",\"1\r\n2\"\r\nlast,\"\"\r\n");
  ASSERT_EQ(table.rows(), 2U);
  EXPECT_EQ(table.text(0, 0), "x,\"y\"");
  EXPECT_EQ(table.text(0, 1), "1\r\n2");
  EXPECT_EQ(table.text(1, 1), "");
  EXPECT_EQ(table.line(0), 2);
  EXPECT_EQ(table.line(1), 4);
}

TEST(Table, NeedsNoLineEndAfterTheLastRowAndSkipsAByteOrderMark) {
  const Table table = parse(
      "\xEF\xBB\xBF"
      "a,b\n1,2");
  EXPECT_EQ(table.columns()[0], "a");
  EXPECT_EQ(table.integer(0, 1), 2);
}

TEST(Table, RefusesRowsThatDoNotFitTheHeader) {
  EXPECT_EQ(error_in("a,b\n1,2\n3\n"), "t.csv:3: 1 cells; expected 2, one per column");
  EXPECT_EQ(error_in("a,b\n1,2,3\n"), "t.csv:2: 3 cells; expected 2, one per column");
}

TEST(Table, RefusesFilesWithoutHeaderOrRows) {
  EXPECT_EQ(error_in(""), "t.csv: is empty; expected a header line with column names");
  EXPECT_EQ(error_in("\n\n"), "t.csv: is empty; expected a header line with column names");
  EXPECT_EQ(error_in("a,b\n"), "t.csv:1: there are no rows below the header");
}

TEST(Table, RefusesEmptyAndRepeatedColumnNames) {
  EXPECT_EQ(error_in("a,,c\n1,2,3\n"), "t.csv:1: column 2 has no name");
  EXPECT_EQ(error_in("a,b,a\n1,2,3\n"), "t.csv:1: column 'a' appears twice");
}

TEST(Table, RefusesBadQuotingAtItsLine) {
  EXPECT_EQ(error_in("a\n1\n\"2\n3\n"), "t.csv:3: quotation mark opened here is never closed");
  EXPECT_EQ(error_in("a\n\"1\"2\n"), "t.csv:2: text after the closing quotation mark of a cell");
  EXPECT_NE(error_in("a\n1\"2\n").find("t.csv:2: quotation mark inside"), std::string::npos);
  EXPECT_NE(error_in("a\n1\r2\n").find("t.csv:2: carriage return"), std::string::npos);
  EXPECT_NE(error_in(std::string_view("a\n1\0\n", 5)).find("t.csv:2: zero byte"),
            std::string::npos);
}

TEST(Table, FindsColumnsAndGuessesMisspeltOnes) {
  const Table table = parse("accuracy,latency\n1,2\n");
  EXPECT_EQ(table.column("latency"), 1U);
  EXPECT_EQ(table.find_column("energy"), std::nullopt);
  EXPECT_EQ(message_of([&] { (void)table.column("acuracy"); }),
            "t.csv: no column 'acuracy' (did you mean 'accuracy'?)");
}

TEST(Table, ReadsOnlyFiniteNumbersWithNothingAfterThem) {
  const Table table = parse("x\n1.5e3\n-0\n\"\"\nnan\ninf\n1e999\n12x\n 1\n+1\n0x10\n");
  EXPECT_EQ(table.number(0, 0), 1500.0);
  EXPECT_EQ(table.number(1, 0), 0.0);
  EXPECT_EQ(message_of([&] { (void)table.number(2, 0); }),
            "t.csv:4: column 'x': empty cell; expected a finite number");
  for (std::size_t row = 3; row < table.rows(); ++row)
    EXPECT_NE(message_of([&] {
                (void)table.number(row, 0);
              }).find("t.csv:" + std::to_string(row + 2) + ": column 'x': '"),
              std::string::npos);
}

TEST(Table, ReadsOnlyWholeIntegers) {
  const Table table = parse("x\n-12\n1.0\n9223372036854775808\n");
  EXPECT_EQ(table.integer(0, 0), -12);
  EXPECT_EQ(message_of([&] { (void)table.integer(1, 0); }),
            "t.csv:3: column 'x': '1.0'; expected an integer");
  EXPECT_THROW((void)table.integer(2, 0), UserError);
}

TEST(Table, ReadsGzipByContentWhateverTheName) {
  const TemporaryFolder folder;
  test::write_gzip(folder / "packed.csv", "a\n1\n");
  test::write_bytes(folder / "plain.csv.gz", "a\n2\n");
  EXPECT_EQ(Table::read(folder / "packed.csv").integer(0, 0), 1);
  EXPECT_EQ(Table::read(folder / "plain.csv.gz").integer(0, 0), 2);
}

TEST(Table, SaysWhichFileCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<FileError>([&] {
              Table::read(folder / "none.csv");
            }).find("none.csv: cannot open: No such file"),
            std::string::npos);
  EXPECT_NE(message_of<FileError>([&] { Table::read(folder.path()); }).find("is a folder"),
            std::string::npos);
}

TEST(Table, RefusesEveryTruncationAndMostCorruptionsOfAGzipFile) {
  const TemporaryFolder folder;
  std::string text = "a,b\n";
  for (int i = 0; i < 200; ++i) text += std::to_string(i * i) + "," + std::to_string(i) + "\n";
  test::write_gzip(folder / "t.gz", text);
  const std::string packed = test::read_bytes(folder / "t.gz");
  for (std::size_t size = 3; size < packed.size(); size += 7) {
    SCOPED_TRACE(size);
    test::write_bytes(folder / "t.gz", packed.substr(0, size));
    EXPECT_THROW(Table::read(folder / "t.gz"), UserError);
  }
  for (std::size_t at = 10; at < packed.size(); at += 5) {  // behind the gzip header
    SCOPED_TRACE(at);
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    test::write_bytes(folder / "t.gz", damaged);
    EXPECT_THROW(Table::read(folder / "t.gz"), FileError);
  }
}

// Cells of letters, separators, quotes and line ends, written quoted wherever that is needed.
TEST(Table, ReadsBackRandomTables) {
  constexpr std::string_view kAlphabet = "ab,\"\r\n 7\xC3\xA9";
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "table");
    const std::size_t columns = 1 + random.below(4);
    const std::size_t rows = 1 + random.below(6);
    std::vector<std::string> cells;
    std::string text;
    for (std::size_t i = 0; i < columns; ++i) text += (i ? ",c" : "c") + std::to_string(i);
    for (std::size_t i = 0; i < rows * columns; ++i) {
      std::string cell, quoted;
      for (std::size_t length = random.below(6); length > 0; --length)
        cell += kAlphabet[random.below(kAlphabet.size())];
      for (const char c : cell) quoted += c == '"' ? "\"\"" : std::string(1, c);
      text += i % columns == 0 ? "\r\n" : ",";
      text += '"' + quoted + '"';
      cells.push_back(cell);
    }
    const Table table = parse(text);
    ASSERT_EQ(table.rows(), rows);
    for (std::size_t i = 0; i < cells.size(); ++i)
      EXPECT_EQ(table.text(i / columns, i % columns), cells[i]);
  }
}

}  // namespace
}  // namespace cosearch::datasets
