#include "datasets/image_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>

#include <cstdlib>
#include <string>

#include "datasets/image_file.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

void write_png(const fs::path& path, const Picture& picture, png_uint_32 format) {
  fs::create_directories(path.parent_path());
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = format;
  ASSERT_NE(png_image_write_to_file(&image, path.c_str(), 0, picture.pixels.data(), 0, nullptr), 0);
}

void write_grey(const fs::path& path, std::uint8_t value, std::size_t height = 2) {
  write_png(path, {height, 3, 1, Bytes(height * 3, value)}, PNG_FORMAT_GRAY);
}

void write_jpeg(const fs::path& path, const Picture& picture) {
  const tjhandle coder = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool is_grey = picture.channels == 1;
  ASSERT_EQ(tjCompress2(coder, picture.pixels.data(), static_cast<int>(picture.width), 0,
                        static_cast<int>(picture.height), is_grey ? TJPF_GRAY : TJPF_RGB, &bytes,
                        &size, is_grey ? TJSAMP_GRAY : TJSAMP_444, 100, TJFLAG_ACCURATEDCT),
            0);
  test::write_bytes(path, std::string(reinterpret_cast<char*>(bytes), size));
  tjFree(bytes);
  tjDestroy(coder);
}

TEST(ReadPicture, GivesThePixelsOfAPng) {
  const TemporaryFolder folder;
  write_png(folder / "grey.png", {1, 3, 1, {0, 100, 255}}, PNG_FORMAT_GRAY);
  const Picture grey = read_picture(folder / "grey.png");
  EXPECT_EQ(grey.channels, 1U);
  EXPECT_EQ(grey.height, 1U);
  EXPECT_EQ(grey.width, 3U);
  EXPECT_THAT(grey.pixels, ElementsAre(0, 100, 255));

  write_png(folder / "colour.png", {1, 2, 3, {1, 2, 3, 4, 5, 6}}, PNG_FORMAT_RGB);
  EXPECT_THAT(read_picture(folder / "colour.png").pixels, ElementsAre(1, 2, 3, 4, 5, 6));

  write_png(folder / "alpha.png", {1, 2, 4, {9, 9, 9, 0, 4, 5, 6, 255}}, PNG_FORMAT_RGBA);
  EXPECT_THAT(read_picture(folder / "alpha.png").pixels, ElementsAre(0, 0, 0, 4, 5, 6))
      << "what is transparent is black";
}

TEST(ReadPicture, GivesNearlyThePixelsOfAJpeg) {
  const TemporaryFolder folder;
  write_jpeg(folder / "grey.jpg", {8, 8, 1, Bytes(64, 77)});
  const Picture grey = read_picture(folder / "grey.jpg");
  EXPECT_EQ(grey.channels, 1U);
  EXPECT_EQ(grey.pixels, Bytes(64, 77)) << "an even grey survives the compression";
  write_jpeg(folder / "colour.jpg", {8, 8, 3, Bytes(192, 200)});
  EXPECT_EQ(read_picture(folder / "colour.jpg").channels, 3U);
}

TEST(ReadPicture, RefusesTruncatedAndForeignFiles) {
  const TemporaryFolder folder;
  Picture noise{16, 16, 1, Bytes(256)};
  for (std::size_t i = 0; i < 256; ++i) noise.pixels[i] = static_cast<std::uint8_t>(i * i * 37);
  write_png(folder / "a.png", noise, PNG_FORMAT_GRAY);
  write_jpeg(folder / "a.jpg", noise);
  for (const auto& [name, kind] : {std::pair{"a.png", "PNG"}, std::pair{"a.jpg", "JPEG"}}) {
    const std::string whole = test::read_bytes(folder / name);
    for (const std::size_t size :
         {whole.size() / 4, whole.size() / 2, whole.size() - 20, whole.size() - 8}) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(size));
      test::write_bytes(folder / "cut", whole.substr(0, size));
      EXPECT_THAT(message_of([&] { static_cast<void>(read_picture(folder / "cut")); }),
                  HasSubstr(std::string("truncated ") + kind));
    }
  }
  test::write_bytes(folder / "a.gif", "GIF89a");
  EXPECT_THAT(message_of([&] { static_cast<void>(read_picture(folder / "a.gif")); }),
              HasSubstr("neither a PNG nor a JPEG"));
  EXPECT_THROW(static_cast<void>(read_picture(folder / "none.png")), FileError);
}

// Two classes of 3x2 pictures; `bright` has one of 250 for training, `dark` two.
void write_classes(const TemporaryFolder& folder) {
  write_grey(folder / "train/dark/b.png", 20);
  write_grey(folder / "train/dark/a.png", 10);
  write_grey(folder / "train/bright/x.PNG", 250);
  write_grey(folder / "test/dark/t.png", 15);
  write_grey(folder / "test/bright/t.png", 240);
  test::write_bytes(folder / "train/.hidden", "");
}

std::string complaint_about(const TemporaryFolder& folder,
                            ArrayLayout layout = ArrayLayout::unstated) {
  return message_of([&] { static_cast<void>(read_image_data(folder.path(), layout)); });
}

TEST(ImageFolders, AreReadInTheOrderOfTheirNames) {
  const TemporaryFolder folder;
  write_classes(folder);
  const ImageData data = read_image_data(folder.path());
  EXPECT_EQ(data.classes, 2);
  EXPECT_EQ(data.training.count, 3);
  EXPECT_EQ(data.training.channels, 1);
  EXPECT_EQ(data.training.height, 2);
  EXPECT_EQ(data.training.width, 3);
  EXPECT_THAT(data.training.labels, ElementsAre(0, 1, 1)) << "bright, dark, dark";
  const auto& pixels = std::get<Bytes>(data.training.pixels);
  ASSERT_EQ(pixels.size(), 18U);
  EXPECT_THAT((std::vector{pixels[0], pixels[6], pixels[12]}), ElementsAre(250, 10, 20));
  EXPECT_THAT(data.test.labels, ElementsAre(0, 1));
}

TEST(ImageFolders, SeparateTheColours) {
  const TemporaryFolder folder;
  for (const char* part : {"train", "test"})
    write_png(folder / part / "a/x.png", {1, 2, 3, {1, 2, 3, 4, 5, 6}}, PNG_FORMAT_RGB);
  const ImageData data = read_image_data(folder.path());
  EXPECT_EQ(data.training.channels, 3);
  EXPECT_THAT(std::get<Bytes>(data.training.pixels), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(ImageFolders, NameWhatDoesNotBelong) {
  {
    const TemporaryFolder folder;
    write_classes(folder);
    write_grey(folder / "train/dark/c.png", 0, /*height=*/4);
    EXPECT_THAT(complaint_about(folder),
                testing::AllOf(HasSubstr("c.png"), HasSubstr("1x4x3"), HasSubstr("1x2x3")));
  }
  {
    const TemporaryFolder folder;
    write_classes(folder);
    fs::create_directories(folder / "train/empty");
    EXPECT_THAT(complaint_about(folder),
                testing::AllOf(HasSubstr("train/empty"), HasSubstr("no images")));
  }
  {
    const TemporaryFolder folder;
    write_classes(folder);
    write_grey(folder / "test/unknown/t.png", 0);
    EXPECT_THAT(complaint_about(folder),
                testing::AllOf(HasSubstr("test/unknown"), HasSubstr("without training images")));
  }
  {
    const TemporaryFolder folder;
    write_classes(folder);
    test::write_bytes(folder / "train/dark/notes.txt", "");
    EXPECT_THAT(complaint_about(folder), HasSubstr("notes.txt"));
  }
  {
    const TemporaryFolder folder;
    write_classes(folder);
    test::write_bytes(folder / "train/dark/b.png", "\x89PNG\r\n\x1A\n");
    EXPECT_THAT(complaint_about(folder), HasSubstr("train/dark/b.png: is a damaged or truncated"));
  }
}

std::string npy(const std::string& type, const std::string& shape, const std::string& values) {
  std::string dictionary =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }\n";
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(dictionary.size()) + '\0' +
         dictionary + values;
}

void write_arrays(const TemporaryFolder& folder, const std::string& shape,
                  const std::string& labels) {
  for (const std::string part : {"train", "test"}) {
    test::write_bytes(folder / (part + "_images.npy"), npy("|u1", shape, "abcdefghijkl"));
    test::write_bytes(folder / (part + "_labels.npy"),
                      npy("|u1", std::to_string(labels.size()) + ",", labels));
  }
}

TEST(Arrays, AreGreyWithThreeDimensionsAndAsStatedWithFour) {
  const TemporaryFolder folder;
  write_arrays(folder, "2, 2, 3", std::string("\0\1", 2));
  const ImageData grey = read_image_data(folder.path());
  EXPECT_EQ(grey.training.count, 2);
  EXPECT_EQ(grey.training.height, 2);
  EXPECT_EQ(grey.training.width, 3);
  EXPECT_EQ(grey.classes, 2);

  write_arrays(folder, "2, 3, 1, 2", std::string("\0\1", 2));
  EXPECT_THAT(complaint_about(folder), HasSubstr("nchw or nhwc"));
  const ImageSet first = read_image_data(folder.path(), ArrayLayout::channels_first).training;
  EXPECT_EQ(first.channels, 3);
  EXPECT_EQ(first.width, 2);
  EXPECT_EQ(std::get<Bytes>(first.pixels).front(), 'a');
  const ImageSet last = read_image_data(folder.path(), ArrayLayout::channels_last).training;
  EXPECT_EQ(last.channels, 2);
  EXPECT_EQ(last.height, 3);
  EXPECT_THAT(std::get<Bytes>(last.pixels),
              ElementsAre('a', 'c', 'e', 'b', 'd', 'f', 'g', 'i', 'k', 'h', 'j', 'l'));
  EXPECT_EQ(array_layout_named("nchw"), ArrayLayout::channels_first);
  EXPECT_EQ(array_layout_named("nhwc"), ArrayLayout::channels_last);
  EXPECT_THAT(message_of([] { static_cast<void>(array_layout_named("hwc")); }),
              HasSubstr("expected nchw or nhwc"));
}

TEST(Arrays, MustMatchTheirLabels) {
  const TemporaryFolder folder;
  write_arrays(folder, "2, 2, 3", std::string("\0\1\2", 3));
  EXPECT_THAT(complaint_about(folder), HasSubstr("holds 3 labels for 2 images"));
  write_arrays(folder, "2, 2, 3", std::string("\0\1", 2));
  test::write_bytes(folder / "test_labels.npy", npy("|u1", "2,", std::string("\0\4", 2)));
  EXPECT_THAT(complaint_about(folder), HasSubstr("test image 1 has label 4"));
  test::write_bytes(folder / "test_labels.npy",
                    npy("<i4", "2,", std::string("\0\0\0\0\xFF\xFF\xFF\xFF", 8)));
  EXPECT_THAT(complaint_about(folder), HasSubstr("label -1 of image 1"));
  test::write_bytes(folder / "test_labels.npy", npy("<f4", "1,", "1234"));
  EXPECT_THAT(complaint_about(folder), HasSubstr("float32 labels"));
}

TEST(Arrays, AreFinite) {
  const TemporaryFolder folder;
  write_arrays(folder, "2, 2, 3", std::string("\0\1", 2));
  test::write_bytes(folder / "test_images.npy",
                    npy("<f4", "1, 1, 1", std::string("\0\0\xC0\x7F", 4)));
  EXPECT_THAT(complaint_about(folder), HasSubstr("test_images.npy: holds numbers that are not"));
}

TEST(ImageData, SaysWhatAFolderMayHold) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<FileError>([&] { static_cast<void>(read_image_data(folder.path())); }),
              testing::AllOf(HasSubstr("train-images-idx3-ubyte.gz"), HasSubstr("train_images.npy"),
                             HasSubstr("dataset-fashion-mnist")));
}

}  // namespace
}  // namespace cosearch::datasets
