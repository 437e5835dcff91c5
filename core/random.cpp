#include "core/random.h"

namespace cosearch {
namespace {

// Multipliers and Weyl increments of Philox4x32, from the paper's section 3.3.
constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

// FNV-1a, 32 bits: a fixed, portable name for a purpose.
std::uint32_t name_hash(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

}  // namespace

PhiloxCounter philox4x32(PhiloxCounter x, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kMultiplier0 * x[0], p1 = kMultiplier1 * x[2];
    x = {high(p1) ^ x[1] ^ key[0], low(p1), high(p0) ^ x[3] ^ key[1], low(p0)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return x;
}

Random::Random(std::uint64_t seed, std::string_view purpose, std::uint64_t index)
    : key_{low(seed), high(seed)}, counter_{0, low(index), high(index), name_hash(purpose)} {}

std::uint32_t Random::bits32() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t Random::bits64() {
  const std::uint64_t first = bits32();
  return first << 32 | bits32();
}

std::uint64_t Random::below(std::uint64_t n) {
  // Reject the incomplete last interval, so that every residue is equally likely.
  const std::uint64_t reject_below = -n % n;
  std::uint64_t x = bits64();
  while (x < reject_below) x = bits64();
  return x % n;
}

double Random::uniform() { return static_cast<double>(bits64() >> 11) * 0x1.0p-53; }

}  // namespace cosearch
