// Energy of a layer's run: counts times energy per event.
#pragma once

#include <array>

#include "accel/accelerator.h"
#include "accel/traffic.h"
#include "core/layer.h"
#include "core/quantity.h"

namespace cosearch::accel {

struct EnergyBreakdown {
  std::array<std::array<Picojoules, 3>, 3> levels{};  ///< [Level][Tensor]
  Picojoules mac{};                                   ///< multiply-accumulates
  Picojoules vector{};                                ///< operations of memory-bound layers
  Picojoules noc{};  ///< wires between shared buffer and PEs, and adders on the way up

  [[nodiscard]] Picojoules at(Level level, Tensor tensor) const {
    return levels[static_cast<std::size_t>(level)][static_cast<std::size_t>(tensor)];
  }
  [[nodiscard]] Picojoules at(Level level) const;
  [[nodiscard]] Picojoules total() const;
};

/// Assumes: no leakage, no clock tree, no refresh: dynamic energy only.
/// Assumes: a word travels half the height and half the width of the array to its first PE, and one
/// PE further for each further receiver of a multicast.
[[nodiscard]] EnergyBreakdown energy_of(const Counts& counts, const Layer& layer,
                                        const Accelerator& accelerator);

}  // namespace cosearch::accel
