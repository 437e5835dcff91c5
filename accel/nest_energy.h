// Energy of a layer's run on a machine: accesses, network, multiplications and leakage.
#pragma once

#include <array>

#include "accel/access_counts.h"
#include "accel/word_counts.h"
#include "core/quantity.h"

namespace cosearch::accel {

struct NestEnergy {
  std::size_t levels = 0;
  std::array<std::array<double, 3>, kMostLevels> access_pj{};   ///< [level][tensor]
  std::array<std::array<double, 3>, kMostLevels> network_pj{};  ///< links below each level
  double addition_pj = 0;                                       ///< of partial sums on their way up
  double mac_pj = 0;
  double vector_pj = 0;  ///< operations of a memory-bound layer
  double leakage_pj = 0;

  [[nodiscard]] double at(std::size_t level) const {
    return access_pj[level][0] + access_pj[level][1] + access_pj[level][2];
  }
  [[nodiscard]] double network_at(std::size_t level) const {
    return network_pj[level][0] + network_pj[level][1] + network_pj[level][2];
  }
  [[nodiscard]] Picojoules total() const;
  friend bool operator==(const NestEnergy&, const NestEnergy&) = default;
};

/// Into a fresh `energy`; without leakage, which needs the latency (add_leakage).
/// Assumes: an access to a memory shared by a cluster moves the whole width, used or not; a value
/// goes from a level to its first child and on from child to child.
void add_energy(const AccessCounts& counts, const Machine& machine, const ValueWidths& widths,
                Accounting accounting, NestEnergy& energy);

/// All of the machine leaks for as long as the layer runs.
void add_leakage(NestEnergy& energy, const Machine& machine, Cycles latency);

/// mW, of all instances of everything.
[[nodiscard]] double leakage_of(const Machine& machine);

}  // namespace cosearch::accel
