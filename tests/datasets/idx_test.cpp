#include "datasets/idx.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;
using test::TemporaryFolder;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string two_images() {
  return big_endian(0x803) + big_endian(2) + big_endian(1) + big_endian(3) + "abcdef";
}

TEST(Idx, ReadsImagesPlainAndPacked) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "plain", two_images());
  test::write_gzip(folder / "packed", two_images());
  for (const char* name : {"plain", "packed"}) {
    const IdxImages images = read_idx_images(folder / name);
    EXPECT_EQ(images.count, 2U);
    EXPECT_EQ(images.height, 1U);
    EXPECT_EQ(images.width, 3U);
    EXPECT_EQ(images.pixels, (std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}));
  }
}

TEST(Idx, ReadsLabels) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "labels", big_endian(0x801) + big_endian(3) + "\x01\x09\x05");
  EXPECT_EQ(read_idx_labels(folder / "labels"), (std::vector<std::uint8_t>{1, 9, 5}));
}

TEST(Idx, NamesTheWrongMagicNumber) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "images", two_images());
  EXPECT_NE(message_of([&] {
              (void)read_idx_labels(folder / "images");
            }).find("magic number 0x00000803; expected 0x00000801, an IDX file of labels"),
            std::string::npos);
}

TEST(Idx, RefusesEveryTruncationAndTrailingBytes) {
  const TemporaryFolder folder;
  for (std::size_t size = 0; size < two_images().size(); ++size) {
    SCOPED_TRACE(size);
    test::write_bytes(folder / "short", two_images().substr(0, size));
    EXPECT_THROW((void)read_idx_images(folder / "short"), UserError);
  }
  test::write_bytes(folder / "long", two_images() + "x");
  EXPECT_NE(message_of([&] {
              (void)read_idx_images(folder / "long");
            }).find("7 bytes of images after the header; expected 6 by the header"),
            std::string::npos);
}

TEST(Idx, RefusesExtentsWhoseProductOverflows) {
  const TemporaryFolder folder;
  const std::string most = big_endian(0xFFFFFFFF);
  test::write_bytes(folder / "huge", big_endian(0x803) + most + most + most + "abc");
  EXPECT_NE(message_of([&] { (void)read_idx_images(folder / "huge"); }).find("impossibly large"),
            std::string::npos);
}

TEST(Idx, NamesThePackageWhenTheFileIsMissing) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<FileError>([&] {
              (void)read_idx_images(folder / "none");
            }).find("dataset-fashion-mnist"),
            std::string::npos);
}

TEST(Idx, ReadsDebiansFashionMnist) {
  const std::filesystem::path folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no dataset-fashion-mnist";
  const IdxImages images = read_idx_images(folder / "t10k-images-idx3-ubyte.gz");
  const std::vector<std::uint8_t> labels = read_idx_labels(folder / "t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(images.height, 28U);
  EXPECT_EQ(images.width, 28U);
  EXPECT_EQ(images.count, labels.size());
  EXPECT_EQ(images.pixels.size(), images.count * 28 * 28);
  EXPECT_EQ(*std::max_element(labels.begin(), labels.end()), 9);
}

}  // namespace
}  // namespace cosearch::datasets
