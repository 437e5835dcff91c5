// Words that tiles take along one axis of a window: sums over the pieces of two loops nests, one
// over positions and one over taps. The arithmetic beneath accel/access_counts.h.
#pragma once

#include <array>
#include <cstdint>

#include "accel/window_axes.h"

namespace cosearch::accel {

/// What happens to the pieces that a loop cuts.
enum class PieceRole : std::uint8_t {
  each,   ///< every piece is taken by itself, and counts add up
  first,  ///< only the first piece is of interest
  joint,  ///< pieces are taken together: what several have in common counts once
  slide,  ///< pieces follow each other: what the last one had is not taken again
};

/// One dimension of a window axis, cut by loops.
struct AxisChain {
  static constexpr std::size_t kMost = 24;
  struct Cut {
    std::int64_t tile;
    PieceRole role;
  };
  std::int64_t extent = 1;
  std::size_t count = 0;
  // Not initialised beyond `count`: chains are made in the innermost loops of searches.
  std::array<Cut, kMost> cuts;  ///< outermost first

  void add(std::int64_t tile, PieceRole role) { cuts[count++] = {tile, role}; }
};

/// Stored positions of `axis` taken in all by the pieces of `positions` and `taps`. `slide` cuts
/// must be the innermost of their chain, in one chain only, and without joint ones. Takes as long
/// for many positions as for few (not so for taps), unless joint cuts are outside others: then step
/// by step.
[[nodiscard]] std::int64_t axis_sum(const WindowAxis& axis, const AxisChain& positions,
                                    const AxisChain& taps);

}  // namespace cosearch::accel
