// Text as people see it: valid UTF-8, counted in characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cosearch::datasets {

/// Throws UserError at file:line:column of the first byte that is not UTF-8 (RFC 3629: no overlong
/// forms, no surrogates) or is a control character other than tab, LF and CR before LF.
void check_utf8_text(std::string_view text, const std::string& file);

/// Column from 1, as editors count, of the byte at `offset` from 0 in `line`.
[[nodiscard]] int column_in_characters(std::string_view line, std::size_t offset);

}  // namespace cosearch::datasets
