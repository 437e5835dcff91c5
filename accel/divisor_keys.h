// Extents as one number each, so that "does every extent divide the other's" is one subtraction.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "accel/dimension.h"

namespace cosearch::accel {

/// Exponents of every prime of every dimension side by side, with a spare bit each. Where they do
/// not fit 64 bits those of the last primes are left out: then a key that divides is only a hint.
class DivisorKeys {
 public:
  /// `lengths`: of each dimension all that tiles may have, of which those that divide `padded` have
  /// keys.
  DivisorKeys(const std::array<const std::vector<std::int64_t>*, kDimensions>& lengths,
              const Extents& padded) {
    unsigned shift = 0;
    for (std::size_t d = 0; d < kDimensions; ++d) {
      const std::vector<std::int64_t>& values = *lengths[d];
      keys_[d].assign(values.size(), 0);
      std::int64_t rest = padded[d];
      for (std::int64_t prime = 2; rest > 1; ++prime) {
        if (prime * prime > rest) prime = rest;
        const std::uint64_t exponent = exponent_of(prime, rest);
        if (exponent == 0) continue;
        while (rest % prime == 0) rest /= prime;
        unsigned bits = 1;
        while ((exponent >> bits) != 0) ++bits;
        if (shift + bits + 1 > 64) continue;
        for (std::size_t i = 0; i < values.size(); ++i)
          if (padded[d] % values[i] == 0) keys_[d][i] |= exponent_of(prime, values[i]) << shift;
        spare_ |= std::uint64_t{1} << (shift + bits);
        shift += bits + 1;
      }
    }
  }

  /// Of the extents with these indices among their divisors.
  template <class Indices>
  [[nodiscard]] std::uint64_t of(const Indices& tile) const {
    std::uint64_t key = 0;
    for (std::size_t d = 0; d < kDimensions; ++d) key |= keys_[d][tile[d]];
    return key;
  }

  /// False only if some extent of the divisor does not divide that of the whole.
  struct Divides {
    std::uint64_t divisor, spare;
    [[nodiscard]] bool operator()(std::uint64_t whole) const {
      return (((whole | spare) - divisor) & spare) == spare;
    }
  };
  [[nodiscard]] Divides divides(std::uint64_t divisor) const { return {divisor, spare_}; }

 private:
  static std::uint64_t exponent_of(std::int64_t prime, std::int64_t number) {
    std::uint64_t exponent = 0;
    for (; number % prime == 0; number /= prime) ++exponent;
    return exponent;
  }

  std::array<std::vector<std::uint64_t>, kDimensions> keys_;
  std::uint64_t spare_ = 0;
};

}  // namespace cosearch::accel
