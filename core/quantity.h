// Quantities that carry their units, so that cycles cannot be added to bytes.
#pragma once

#include <compare>
#include <cstdint>

namespace cosearch {

/// A number that carries its unit. Like quantities add and compare; a plain number scales;
/// every other combination needs a named function.
template <class Unit, class Rep>
struct Quantity {
  Rep value{};

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(Rep scale, Quantity q) { return {scale * q.value}; }
  constexpr Quantity& operator+=(Quantity other) {
    value += other.value;
    return *this;
  }
};

using Bytes = Quantity<struct ByteUnit, std::int64_t>;
using Cycles = Quantity<struct CycleUnit, std::int64_t>;
using Picojoules = Quantity<struct PicojouleUnit, double>;
using SquareMillimetres = Quantity<struct SquareMillimetreUnit, double>;
using Hertz = Quantity<struct HertzUnit, double>;
using Watts = Quantity<struct WattUnit, double>;

/// Smallest integer not below `dividend / divisor`. Requires dividend >= 0, divisor > 0.
constexpr std::int64_t ceil_div(std::int64_t dividend, std::int64_t divisor) {
  return (dividend + divisor - 1) / divisor;
}

}  // namespace cosearch
