// A set of dimensions of a loop nest.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "accel/dimension.h"

namespace cosearch::accel {

class DimensionSet {
 public:
  constexpr DimensionSet() = default;
  constexpr DimensionSet(std::initializer_list<Dimension> dimensions) {
    for (const Dimension d : dimensions) add(d);
  }
  [[nodiscard]] static constexpr DimensionSet all() {
    DimensionSet set;
    for (const Dimension d : kAllDimensions) set.add(d);
    return set;
  }

  constexpr void add(Dimension d) { bits_ = static_cast<std::uint16_t>(bits_ | bit(d)); }
  constexpr void remove(Dimension d) { bits_ = static_cast<std::uint16_t>(bits_ & ~bit(d)); }
  [[nodiscard]] constexpr bool has(Dimension d) const { return (bits_ & bit(d)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(DimensionSet, DimensionSet) = default;

 private:
  static constexpr unsigned bit(Dimension d) { return 1U << index_of(d); }
  std::uint16_t bits_ = 0;
};

}  // namespace cosearch::accel
