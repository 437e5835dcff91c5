// 128 bits that stand for a text: equal for equal texts, and for no others in practice.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cosearch::datasets {

using Fingerprint = std::array<std::uint64_t, 2>;

/// XXH3, 128 bits (Y. Collet). Two of ten million texts share one with a chance of 10^-25.
[[nodiscard]] Fingerprint fingerprint_of(std::string_view bytes);

}  // namespace cosearch::datasets
