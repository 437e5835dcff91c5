#include "datasets/utf8.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/user_error.h"

namespace cosearch::datasets {
namespace {

using Byte = unsigned char;

/// Length of the UTF-8 character at `at`, or 0 when there is none. Source: RFC 3629, section 4.
std::size_t character_length(std::string_view text, std::size_t at) {
  const Byte lead = static_cast<Byte>(text[at]);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<Byte>(text[at + i]) & 0xC0) != 0x80) return 0;
  const Byte second = static_cast<Byte>(text[at + 1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : length;
}

bool is_forbidden_control(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == '\r') return at + 1 >= text.size() || text[at + 1] != '\n';
  return (static_cast<Byte>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
}

}  // namespace

void check_utf8_text(std::string_view text, const std::string& file) {
  int line = 1;
  std::size_t line_start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0 || is_forbidden_control(text, at)) {
      const int column = column_in_characters(text.substr(line_start), at - line_start);
      throw UserError({file, line, column},
                      fmt::format("byte 0x{:02X} is {}", static_cast<Byte>(text[at]),
                                  length == 0 ? "not UTF-8 text" : "a control character"));
    }
    if (text[at] == '\n') {
      ++line;
      line_start = at + 1;
    }
    at += length;
  }
}

int column_in_characters(std::string_view line, std::size_t offset) {
  const std::string_view before = line.substr(0, std::min(offset, line.size()));
  const auto characters = std::count_if(
      before.begin(), before.end(), [](char c) { return (static_cast<Byte>(c) & 0xC0) != 0x80; });
  return static_cast<int>(characters) + 1;
}

}  // namespace cosearch::datasets
