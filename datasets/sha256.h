// A fingerprint of a text that `sha256sum` repeats. Source: NIST FIPS 180-4, section 6.2.
#pragma once

#include <string>
#include <string_view>

namespace cosearch::datasets {

/// 64 hexadecimal digits.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace cosearch::datasets
