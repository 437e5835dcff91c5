#include "datasets/npy.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <regex>
#include <string>
#include <string_view>

#include "core/user_error.h"
#include "datasets/file_bytes.h"

namespace cosearch::datasets {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they stand");

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& message) {
  throw UserError({path.string()}, message);
}

struct Header {
  std::string
      dictionary;        // Python's spelling of {'descr': ..., 'fortran_order': ..., 'shape': ...}
  std::size_t data = 0;  // where the values start
};

Header read_header(const std::string& bytes, const std::filesystem::path& path) {
  if (!bytes.starts_with(kMagic))
    fail(path, "does not start with \\x93NUMPY; expected an array written by numpy.save");
  if (bytes.size() < kMagic.size() + 2) fail(path, "is truncated within its header");
  const int version = static_cast<unsigned char>(bytes[kMagic.size()]);
  if (version != 1 && version != 2)
    fail(path, fmt::format("is of NPY version {}; expected 1 or 2, which numpy.save writes for "
                           "arrays of plain numbers",
                           version));
  const std::size_t length_bytes = version == 1 ? 2 : 4, start = kMagic.size() + 2 + length_bytes;
  if (bytes.size() < start) fail(path, "is truncated within its header");
  std::size_t length = 0;  // little-endian
  for (std::size_t i = length_bytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[kMagic.size() + 2 + i]);
  if (bytes.size() - start < length) fail(path, "is truncated within its header");
  return {bytes.substr(start, length), start + length};
}

std::optional<std::string> match(const std::string& text, const char* pattern) {
  std::smatch found;
  if (!std::regex_search(text, found, std::regex(pattern))) return std::nullopt;
  return found[1].str();
}

std::vector<std::size_t> shape_in(const std::string& dictionary,
                                  const std::filesystem::path& path) {
  const auto text = match(dictionary, R"('shape'\s*:\s*\(([0-9,\s]*)\))");
  if (!text) fail(path, "its header has no 'shape' of whole numbers: " + dictionary);
  std::vector<std::size_t> shape;
  const char* at = text->data();
  const char* const end = at + text->size();
  while (at != end) {
    std::size_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error == std::errc::result_out_of_range) fail(path, "its shape is impossibly large");
    if (error == std::errc()) shape.push_back(extent);
    at = error == std::errc() ? next : at + 1;  // a comma or a blank
  }
  return shape;
}

std::size_t product(const std::vector<std::size_t>& shape, const std::filesystem::path& path) {
  std::size_t count = 1;
  for (const std::size_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count)) fail(path, "its shape is impossibly large");
  return count;
}

template <class Value>
std::vector<Value> values_of(const std::string& bytes, std::size_t start, std::size_t count,
                             const std::filesystem::path& path) {
  const std::size_t found = bytes.size() - start;
  std::size_t expected = 0;
  if (__builtin_mul_overflow(count, sizeof(Value), &expected))
    fail(path, "its shape is impossibly large");
  if (found != expected)
    fail(path, fmt::format("{} bytes after the header; expected {} by its shape: the file is {}",
                           found, expected, found < expected ? "truncated" : "too long"));
  std::vector<Value> values(count);
  if (count > 0) std::memcpy(values.data(), bytes.data() + start, expected);
  return values;
}

}  // namespace

NpyArray read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const Header header = read_header(bytes, path);
  const auto type = match(header.dictionary, R"('descr'\s*:\s*'([^']*)')");
  const auto columns_first = match(header.dictionary, R"('fortran_order'\s*:\s*(True|False))");
  if (!type || !columns_first)
    fail(path, "its header names no 'descr' or no 'fortran_order': " + header.dictionary);
  NpyArray array{.shape = shape_in(header.dictionary, path), .values = {}};
  if (*columns_first == "True")
    fail(path,
         "is stored columns first; write it with numpy.save(file, "
         "numpy.ascontiguousarray(array))");
  const std::size_t count = product(array.shape, path);
  if (*type == "|u1")
    array.values = values_of<std::uint8_t>(bytes, header.data, count, path);
  else if (*type == "<i4")
    array.values = values_of<std::int32_t>(bytes, header.data, count, path);
  else if (*type == "<i8")
    array.values = values_of<std::int64_t>(bytes, header.data, count, path);
  else if (*type == "<f4")
    array.values = values_of<float>(bytes, header.data, count, path);
  else
    fail(path, fmt::format("holds numbers of type '{}'; expected uint8, int32, int64 or float32 "
                           "(array.astype('float32'))",
                           *type));
  return array;
}

}  // namespace cosearch::datasets
