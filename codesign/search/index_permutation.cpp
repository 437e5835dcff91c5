#include "codesign/search/index_permutation.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace cosearch::codesign {
namespace {

// Assumes: six rounds of a strong round function mix well enough for search (four make a strong
// pseudo-random permutation by the Luby-Rackoff theorem; small domains ask for more).
constexpr std::uint32_t kRounds = 6;

PhiloxKey key_of(std::uint64_t seed, std::string_view purpose) {
  Random random(seed, purpose);
  const std::uint32_t first = random.bits32();
  return {first, random.bits32()};
}

}  // namespace

IndexPermutation::IndexPermutation(std::uint64_t size, std::uint64_t seed, std::string_view purpose)
    : size_(size), key_(key_of(seed, purpose)) {
  assert(size > 0);
  const auto bits = static_cast<unsigned>(std::bit_width(size - 1));
  half_bits_ = std::max(1U, (bits + 1) / 2);
}

std::uint64_t IndexPermutation::at(std::uint64_t place) const {
  assert(place < size_);
  std::uint64_t value = scramble(place);
  while (value >= size_) value = scramble(value);
  return value;
}

std::uint64_t IndexPermutation::scramble(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const auto output = philox4x32({static_cast<std::uint32_t>(right), round, 0, 0}, key_);
    const std::uint64_t next = left ^ (output[0] & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

}  // namespace cosearch::codesign
