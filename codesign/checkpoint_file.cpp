#include "codesign/checkpoint_file.h"

#include <fmt/format.h>

#include <utility>

#include "core/user_error.h"
#include "datasets/file_bytes.h"
#include "datasets/fingerprint.h"
#include "datasets/partial_file.h"

namespace cosearch::codesign {
namespace {

// Before the bytes: their checksum, on a line.
std::string header_of(std::string_view bytes) {
  const datasets::Fingerprint halves = datasets::fingerprint_of(bytes);
  return fmt::format("cosearch checkpoint {:016x}{:016x}\n", halves[0], halves[1]);
}

}  // namespace

std::optional<std::string> CheckpointFile::load() {
  if (!std::filesystem::exists(path_)) return std::nullopt;
  const std::string content = datasets::read_file(path_);
  const std::size_t start = content.find('\n') + 1;  // 0 where there is no line
  std::string bytes = content.substr(start);
  if (content.substr(0, start) != header_of(bytes))
    throw UserError({path_.string()},
                    "is damaged; remove it to train this network from the beginning");
  return bytes;
}

void CheckpointFile::save(std::string_view bytes) {
  datasets::write_file(path_, header_of(bytes).append(bytes));
}

void CheckpointFile::remove() const {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace cosearch::codesign
