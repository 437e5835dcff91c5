// How many random cases are compared with an oracle.
#pragma once

#include <cstdint>

namespace cosearch::test {

/// `cases`, or a fifth of them under the address sanitizer: it looks for other mistakes, which
/// fewer show, and the oracles take ten times as long with it.
[[nodiscard]] constexpr std::uint64_t oracle_cases(std::uint64_t cases) {
#ifdef __SANITIZE_ADDRESS__
  return cases / 5;
#else
  return cases;
#endif
}

}  // namespace cosearch::test
