#include "datasets/idx.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string>

#include "core/user_error.h"
#include "datasets/file_bytes.h"

namespace cosearch::datasets {
namespace {

// Third byte 0x08: unsigned bytes; fourth: the number of dimensions.
constexpr std::uint32_t kImagesMagic = 0x00000803;
constexpr std::uint32_t kLabelsMagic = 0x00000801;

std::string read_existing(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw FileError({path.string()},
                    "no such file; Fashion-MNIST comes with the Debian package "
                    "dataset-fashion-mnist (apt install dataset-fashion-mnist)");
  return read_file(path);
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Checks everything before the data and the data's length; returns the extents.
template <std::size_t dimensions>
std::array<std::size_t, dimensions> read_header(const std::string& bytes,
                                                const std::filesystem::path& path,
                                                std::uint32_t magic, std::string_view what) {
  constexpr std::size_t kHeader = 4 + 4 * dimensions;
  if (bytes.size() < kHeader)
    throw UserError({path.string()}, fmt::format("{} bytes; expected an IDX file of {}, whose "
                                                 "header alone has {}",
                                                 bytes.size(), what, kHeader));
  if (const std::uint32_t found = big_endian(bytes, 0); found != magic)
    throw UserError({path.string()},
                    fmt::format("magic number 0x{:08X}; expected 0x{:08X}, an IDX file of {}",
                                found, magic, what));
  std::array<std::size_t, dimensions> extents;
  std::size_t data = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    extents[i] = big_endian(bytes, 4 + 4 * i);
    if (__builtin_mul_overflow(data, extents[i], &data))
      throw UserError({path.string()}, "the header's extents are impossibly large");
  }
  if (bytes.size() - kHeader != data)
    throw UserError({path.string()},
                    fmt::format("{} bytes of {} after the header; expected {} by the header: the "
                                "file is {}",
                                bytes.size() - kHeader, what, data,
                                bytes.size() - kHeader < data ? "truncated" : "too long"));
  return extents;
}

std::vector<std::uint8_t> bytes_from(const std::string& bytes, std::size_t start) {
  std::vector<std::uint8_t> data(bytes.size() - start);
  if (!data.empty()) std::memcpy(data.data(), bytes.data() + start, data.size());
  return data;
}

}  // namespace

IdxImages read_idx_images(const std::filesystem::path& path) {
  const std::string bytes = read_existing(path);
  const auto [count, height, width] = read_header<3>(bytes, path, kImagesMagic, "images");
  return {count, height, width, bytes_from(bytes, 16)};
}

std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& path) {
  const std::string bytes = read_existing(path);
  read_header<1>(bytes, path, kLabelsMagic, "labels");
  return bytes_from(bytes, 8);
}

}  // namespace cosearch::datasets
