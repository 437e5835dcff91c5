#include "datasets/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;
using test::TemporaryFolder;
using testing::HasSubstr;

// As numpy.save writes it: version 1 or 2, `type` and `shape` in Python's spelling.
std::string npy(int version, const std::string& type, const std::string& shape,
                const std::string& values, const std::string& columns_first = "False") {
  std::string dictionary = "{'descr': '" + type + "', 'fortran_order': " + columns_first +
                           ", 'shape': (" + shape + "), }";
  dictionary.resize(118 - (version == 2 ? 2 : 0), ' ');
  dictionary.back() = '\n';
  std::string bytes = "\x93NUMPY";
  bytes += {static_cast<char>(version), '\0', static_cast<char>(dictionary.size()), '\0'};
  if (version == 2) bytes += std::string(2, '\0');
  return bytes + dictionary + values;
}

// What reading `bytes` complains of.
std::string complaint_about(const std::string& bytes) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "array.npy", bytes);
  return message_of([&] { static_cast<void>(read_npy(folder / "array.npy")); });
}

TEST(Npy, ReadsBothVersionsAndEveryType) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "bytes.npy", npy(1, "|u1", "2, 3", "abcdef"));
  const NpyArray bytes = read_npy(folder / "bytes.npy");
  EXPECT_THAT(bytes.shape, testing::ElementsAre(2U, 3U));
  EXPECT_THAT(std::get<std::vector<std::uint8_t>>(bytes.values),
              testing::ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));

  // 1.5 is 0x3FC00000.
  test::write_gzip(folder / "reals.npy",
                   npy(2, "<f4", "1,", std::string{'\0', '\0', '\xC0', '\x3F'}));
  EXPECT_THAT(std::get<std::vector<float>>(read_npy(folder / "reals.npy").values),
              testing::ElementsAre(1.5F));

  test::write_bytes(folder / "int32.npy", npy(1, "<i4", "1,", std::string("\xFE\xFF\xFF\xFF", 4)));
  EXPECT_THAT(std::get<std::vector<std::int32_t>>(read_npy(folder / "int32.npy").values),
              testing::ElementsAre(-2));
  test::write_bytes(folder / "int64.npy", npy(1, "<i8", "", std::string("\x07\0\0\0\0\0\0\0", 8)));
  const NpyArray scalar = read_npy(folder / "int64.npy");
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_THAT(std::get<std::vector<std::int64_t>>(scalar.values), testing::ElementsAre(7));
}

TEST(Npy, RefusesEveryTruncationAndTrailingBytes) {
  const std::string whole = npy(1, "|u1", "2, 3", "abcdef");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    EXPECT_NE(complaint_about(whole.substr(0, size)), "");
  }
  EXPECT_THAT(complaint_about(whole + "x"), HasSubstr("7 bytes after the header; expected 6"));
  EXPECT_THAT(complaint_about(whole.substr(0, whole.size() - 1)), HasSubstr("truncated"));
}

TEST(Npy, SaysWhatItCannotReadAndWhatToDo) {
  EXPECT_THAT(complaint_about("not an array"), HasSubstr("numpy.save"));
  EXPECT_THAT(complaint_about(npy(3, "|u1", "1,", "a")), HasSubstr("NPY version 3"));
  EXPECT_THAT(complaint_about(npy(1, "<f8", "1,", "12345678")), HasSubstr("'<f8'"));
  EXPECT_THAT(complaint_about(npy(1, ">i4", "1,", "1234")), HasSubstr("'>i4'"));
  EXPECT_THAT(complaint_about(npy(1, "|u1", "1,", "a", "True")), HasSubstr("ascontiguousarray"));
  EXPECT_THAT(complaint_about(npy(1, "|u1", "-1,", "a")), HasSubstr("'shape'"));
  EXPECT_THAT(complaint_about(npy(1, "|u1", "4294967296, 4294967296, 2", "a")),
              HasSubstr("impossibly large"));
  EXPECT_THAT(complaint_about(npy(1, "<f4", "4611686018427387904,", "a")),
              HasSubstr("impossibly large"));
  EXPECT_THAT(complaint_about(npy(1, "|u1", "99999999999999999999,", "a")),
              HasSubstr("impossibly large"));
}

}  // namespace
}  // namespace cosearch::datasets
