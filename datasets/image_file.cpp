#include "datasets/image_file.h"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string_view>

#include "core/user_error.h"
#include "datasets/file_bytes.h"

namespace cosearch::datasets {
namespace {

// 512 million numbers: more than any picture that a network is trained on, less than a bad header
// can make us allocate.
constexpr std::size_t kMostNumbers = std::size_t{1} << 29;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& message) {
  throw UserError({path.string()}, message);
}

// Sizes `picture.pixels` for its extents.
void allocate(Picture& picture, const std::filesystem::path& path) {
  if (picture.width > kMostNumbers / picture.channels / picture.height)
    fail(path, "is impossibly large");
  picture.pixels.resize(picture.height * picture.width * picture.channels);
}

Picture read_png(const std::string& bytes, const std::filesystem::path& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> owner(&image, &png_image_free);
  const auto check = [&](int succeeded) {
    if (succeeded == 0)
      fail(path, std::string("is a damaged or truncated PNG file: ") + image.message);
  };
  check(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()));
  const bool is_colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  image.format = is_colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Picture picture{image.height, image.width, is_colour ? 3U : 1U, {}};
  allocate(picture, path);
  constexpr png_color kBlack{0, 0, 0};
  check(png_image_finish_read(&image, &kBlack, picture.pixels.data(), /*row_stride=*/0,
                              /*colormap=*/nullptr));
  // libpng's simple interface reads no further than the last row.
  if (bytes.rfind("IEND") == std::string::npos)
    fail(path, "is a damaged or truncated PNG file: it has no end");
  return picture;
}

Picture read_jpeg(const std::string& bytes, const std::filesystem::path& path) {
  const std::unique_ptr<void, decltype(&tjDestroy)> decoder(tjInitDecompress(), &tjDestroy);
  const auto check = [&](int failed) {
    // What is cut off is filled with grey and only warned of.
    if (failed != 0)
      fail(path,
           std::string("is a damaged or truncated JPEG file: ") + tjGetErrorStr2(decoder.get()));
  };
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, subsampling = 0, colours = 0;
  check(tjDecompressHeader3(decoder.get(), data, bytes.size(), &width, &height, &subsampling,
                            &colours));
  const bool is_grey = colours == TJCS_GRAY;
  Picture picture{
      static_cast<std::size_t>(height), static_cast<std::size_t>(width), is_grey ? 1U : 3U, {}};
  allocate(picture, path);
  check(tjDecompress2(decoder.get(), data, bytes.size(), picture.pixels.data(), width, /*pitch=*/0,
                      height, is_grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT));
  return picture;
}

}  // namespace

bool is_named_like_a_picture(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

Picture read_picture(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  if (bytes.starts_with("\x89PNG")) return read_png(bytes, path);
  if (bytes.starts_with("\xFF\xD8")) return read_jpeg(bytes, path);
  fail(path, "is neither a PNG nor a JPEG file by its first bytes");
}

}  // namespace cosearch::datasets
