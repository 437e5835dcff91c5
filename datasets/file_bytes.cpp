#include "datasets/file_bytes.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/user_error.h"

namespace cosearch::datasets {
namespace {

struct CloseGzip {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

// zlib's gzFile passes files that are not gzip through unchanged, which is what "recognised by
// content" asks for; a truncated stream only shows in gzerror, not in gzread's result.
void throw_when_damaged(gzFile_s* file, const std::filesystem::path& path) {
  int code = Z_OK;
  std::string_view text = gzerror(file, &code);
  if (code == Z_OK || code == Z_STREAM_END) return;
  if (code == Z_ERRNO)
    throw FileError({path.string()}, fmt::format("cannot read: {}", std::strerror(errno)));
  // It begins with the path, which our message has already.
  if (const std::string prefix = path.string() + ": "; text.starts_with(prefix))
    text.remove_prefix(prefix.size());
  throw FileError({path.string()}, fmt::format("cannot inflate this gzip file: {}", text));
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw FileError({path.string()}, "is a folder; expected a file");
  errno = 0;
  const std::unique_ptr<gzFile_s, CloseGzip> file(gzopen(path.c_str(), "rb"));
  if (!file) throw FileError({path.string()}, fmt::format("cannot open: {}", std::strerror(errno)));
  constexpr std::size_t kBlock = 1 << 18;
  gzbuffer(file.get(), kBlock);
  std::string bytes;
  while (true) {
    const std::size_t size = bytes.size();
    bytes.resize(size + kBlock);
    const int got = gzread(file.get(), bytes.data() + size, kBlock);
    bytes.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got <= 0) break;
  }
  throw_when_damaged(file.get(), path);
  return bytes;
}

}  // namespace cosearch::datasets
