#include "accel/flat_nest.h"

namespace cosearch::accel {

void flatten(const Layer& layer, const Machine& machine, const LoopNest& nest, FlatNest& flat) {
  flat.levels = machine.levels.size();
  flat.loop_count = 0;
  flat.extents = extents_of(layer);
  flat.ragged = {};
  flat.any_ragged = false;
  flat.transposed = layer.transposed;
  Extents piece = flat.extents;
  for (std::size_t level = 0; level < flat.levels; ++level) {
    flat.above[level] = flat.loop_count;
    flat.tile[level] = piece;
    flat.keep[level] = nest.levels[level].keep;
    for (const Loop& loop : nest.levels[level].loops) {
      std::int64_t& whole = piece[index_of(loop.dimension)];
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
      flat_loop.tile = loop.tile;
      flat_loop.bound = full_pieces + (divides ? 0 : 1);
      if (!divides) flat.ragged[index_of(loop.dimension)] = flat.any_ragged = true;
      whole = loop.tile;
    }
  }
  flat.above[flat.levels] = flat.loop_count;
  flat.tile[flat.levels] = piece;
}

}  // namespace cosearch::accel
