#include "accel/flat_nest.h"

namespace cosearch::accel {
namespace {

/// Whether every position of `axis` is stored and no two windows have one in common.
bool is_of_points(const WindowAxis& axis, std::int64_t positions, std::int64_t taps) {
  return taps == 1 && axis.padding == 0 && (positions - 1) * axis.stride < axis.stored;
}

void add_windows(const Layer& layer, FlatNest& flat) {
  flat.windows = window_axes(layer);
  flat.overlapping = 0;
  for (std::size_t a = 0; a < kAxes.size(); ++a) {
    const auto [position, tap] = kAxes[a];
    if (!is_of_points(flat.windows[a], flat.extents[index_of(position)],
                      flat.extents[index_of(tap)]))
      flat.overlapping |= mask_of(position) | mask_of(tap);
  }
}

}  // namespace

void flatten(const Layer& layer, const Machine& machine, const LoopNest& nest, FlatNest& flat) {
  flat.levels = machine.levels.size();
  flat.loop_count = 0;
  flat.extents = extents_of(layer);
  flat.active = flat.ragged = flat.unicast = flat.unreduced = 0;
  for (const Dimension d : kAllDimensions)
    if (flat.extents[index_of(d)] > 1) flat.active |= mask_of(d);
  add_windows(layer, flat);
  flat.transposed = layer.transposed;
  flat.tile[0] = flat.extents;
  for (std::size_t level = 0; level < flat.levels; ++level) {
    Extents& below = flat.tile[level + 1] = flat.tile[level];
    flat.above[level] = flat.loop_count;
    flat.keep[level] = nest.levels[level].keep;
    for (const Loop& loop : nest.levels[level].loops) {
      const std::size_t d = index_of(loop.dimension);
      const std::int64_t whole = below[d];
      if (loop.tile == whole) continue;
      const std::int64_t full_pieces = quotient(whole, loop.tile);
      const bool divides = full_pieces * loop.tile == whole;
      FlatLoop& flat_loop = flat.loops[flat.loop_count++];
      flat_loop.dimension = loop.dimension;
      flat_loop.level = static_cast<std::uint8_t>(level);
      flat_loop.spatial = loop.is_spatial();
      const Fanout* axis = loop.is_spatial()
                               ? &machine.levels[level].fanout[static_cast<std::size_t>(loop.axis)]
                               : nullptr;
      flat_loop.multicast = axis != nullptr && axis->multicast;
      flat_loop.reduction = axis != nullptr && axis->reduction;
      if (axis != nullptr && !axis->multicast) flat.unicast |= mask_of(loop.dimension);
      if (axis != nullptr && !axis->reduction) flat.unreduced |= mask_of(loop.dimension);
      flat_loop.tile = loop.tile;
      flat_loop.bound = full_pieces + (divides ? 0 : 1);
      if (!divides) flat.ragged |= mask_of(loop.dimension);
      below[d] = loop.tile;
    }
  }
  flat.above[flat.levels] = flat.loop_count;
}

}  // namespace cosearch::accel
