// The one source of randomness: a counter-based generator, so that a number depends on
// (seed, purpose, index) and never on which thread drew it or what was drawn before elsewhere.
// Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC'11, section 3.3 (Philox4x32-10).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace cosearch {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Ten rounds of Philox4x32: a bijection of `counter` chosen by `key`.
[[nodiscard]] PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key);

/// A stream of random numbers with one owner. Same (seed, purpose, index), same numbers, on any
/// platform: std:: distributions are avoided because their output is left to the implementation.
class Random {
 public:
  /// `purpose` names the stream ("mutation", "weights"); `index` tells apart the streams of, say,
  /// one candidate each. A stream holds 2^34 32-bit words.
  explicit Random(std::uint64_t seed, std::string_view purpose = "", std::uint64_t index = 0);

  std::uint32_t bits32();
  std::uint64_t bits64();

  /// Uniform in [0, n), without bias. Requires n > 0.
  std::uint64_t below(std::uint64_t n);

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  PhiloxKey key_;
  PhiloxCounter counter_;
  PhiloxCounter block_{};
  unsigned used_ = 4;
};

}  // namespace cosearch
