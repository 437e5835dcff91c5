// Energy, leakage and area of a machine's parts from a technology, where its description gives
// none.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "accel/machine.h"
#include "accel/technology.h"

namespace cosearch::accel {

/// In a field of a Machine: to be taken from a technology.
inline constexpr double kFromTechnology = std::numeric_limits<double>::quiet_NaN();

/// What a level is built of.
struct Store {
  enum class Kind : std::uint8_t { dram, sram, registers };
  Kind kind = Kind::sram;
  /// Width of its port: a wider block takes several accesses, a narrower one its share of one.
  /// 0: as wide as the block, times the cluster.
  std::int64_t port_bits = 0;
  friend bool operator==(const Store&, const Store&) = default;
};

/// DRAM without a capacity, SRAM with one.
[[nodiscard]] Store default_store(const StorageLevel& level);

/// Sets every cost of `machine` to `cost`, which may be kFromTechnology.
void set_costs(Machine& machine, double cost);

/// Replaces every kFromTechnology in `machine`. `stores` has one entry for each level;
/// `multiplier_bits` is 8, 16 or 32.
///
/// Assumes: reads and writes cost the same; a value crosses half of each side of the array of
/// children to the first of them and one child more for each further one, children being squares of
/// their own area (slices of a square, where there is one axis); a network grows with its children
/// and its bandwidth; a level with one child has no network, and DRAM's is in its access energy;
/// DRAM is another chip, without area or leakage.
void fill_costs(Machine& machine, const TechnologyTable& technology,
                const std::vector<Store>& stores, int multiplier_bits);

/// mm2 of the chip: all instances of everything.
[[nodiscard]] SquareMillimetres area_of(const Machine& machine);

/// Storage of all levels but the outermost.
[[nodiscard]] Bytes bytes_on_chip(const Machine& machine);

}  // namespace cosearch::accel
