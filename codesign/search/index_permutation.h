// A random order of 0 .. size-1 without a table: drawing without repetition in O(1) memory.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/random.h"

namespace cosearch::codesign {

/// A permutation of [0, size) chosen by (seed, purpose). A Feistel network over the smallest even
/// number of bits that holds `size`, with Philox as its round function; results beyond `size` are
/// fed back until one falls inside (cycle walking). Source: J. Black, P. Rogaway, "Ciphers with
/// arbitrary finite domains", CT-RSA 2002, section 3 and 4.
class IndexPermutation {
 public:
  IndexPermutation(std::uint64_t size, std::uint64_t seed, std::string_view purpose);

  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// The index at `place`. Requires place < size().
  [[nodiscard]] std::uint64_t at(std::uint64_t place) const;

 private:
  [[nodiscard]] std::uint64_t scramble(std::uint64_t value) const;

  std::uint64_t size_;
  unsigned half_bits_;
  PhiloxKey key_;
};

}  // namespace cosearch::codesign
