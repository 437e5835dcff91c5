// How many words move where when a layer runs on a machine as a loop nest says: a closed form,
// equal to walking the nest. docs/cost-model.md has every rule of both accountings.
#pragma once

#include <array>
#include <cstdint>

#include "accel/dimension.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel {

enum class Accounting : std::uint8_t {
  exact,     ///< what moves, word by word
  timeloop,  ///< as Timeloop 3 counts: for comparison only, and only where every tile divides
};

/// Values (not words of a level's width) of one tensor at one level, over all instances together.
struct LevelAccesses {
  std::int64_t reads = 0;    ///< to the children or multipliers, to accumulate, or drained upwards
  std::int64_t fills = 0;    ///< written from above
  std::int64_t updates = 0;  ///< written from below
  std::int64_t drains = 0;   ///< of `reads`, those on their way up
  friend bool operator==(const LevelAccesses&, const LevelAccesses&) = default;
};

/// Values of one tensor on the network between a level that keeps it and the next inner one that
/// does (or the multipliers), counted at the upper end.
struct LinkTraffic {
  std::int64_t down = 0;         ///< values sent; a multicast counts once
  std::int64_t down_copies = 0;  ///< values received by all children
  std::int64_t up = 0;           ///< values arriving from below, after reduction
  std::int64_t up_copies = 0;    ///< values leaving all children
  friend bool operator==(const LinkTraffic&, const LinkTraffic&) = default;
};

struct AccessCounts {
  /// [level][tensor]; zero where a tensor is not kept.
  std::array<std::array<LevelAccesses, 3>, kMostLevels> levels{};
  /// [level][tensor], at the upper end of each link.
  std::array<std::array<LinkTraffic, 3>, kMostLevels> links{};
  /// The same as `levels` of the busiest instance: the one that all spatial loops give their first
  /// piece.
  std::array<std::array<LevelAccesses, 3>, kMostLevels> busiest{};
  /// Instances of each level with work; the last entry counts multipliers.
  std::array<std::int64_t, kMostLevels + 1> instances{};
  std::int64_t macs = 0;
  /// Cycles of the busiest multiplier.
  std::int64_t compute_cycles = 0;

  friend bool operator==(const AccessCounts&, const AccessCounts&) = default;
};

struct FlatNest;

/// Requires problems_in(nest, layer, machine) to be empty; with Accounting::timeloop, every tile to
/// divide the next larger one and no padding. Allocates nothing.
[[nodiscard]] AccessCounts count_accesses(const Layer& layer, const Machine& machine,
                                          const LoopNest& nest, Accounting accounting);
/// The same of a nest that flatten() has made ready, into fresh `counts`.
void count_accesses(const Layer& layer, const FlatNest& nest, Accounting accounting,
                    AccessCounts& counts);

}  // namespace cosearch::accel
