// A mapping says how one layer's loop nest runs on one machine: what a PE holds, how work spreads
// over the array, what the shared buffer holds, and in which order tiles follow each other.
//
// The nest, outermost first:
//   for shared tiles, in dram_order        DRAM -> shared buffer
//     for array tiles, in array_order      shared buffer -> PEs
//       in parallel over rows and columns
//         for the iterations of a PE tile  PE buffer -> multiplier
// Extents need not divide: the last tile along a dimension is as long as what is left.
#pragma once

#include <cstdint>

#include "accel/dimension.h"

namespace cosearch::accel {

struct Mapping {
  Extents pe_tile;        ///< iterations of each loop inside a PE
  Extents rows;           ///< unrolling over the rows of the array
  Extents columns;        ///< unrolling over its columns
  Extents shared_tile;    ///< extent of each loop covered by one tile of the shared buffer
  LoopOrder array_order;  ///< loops over array tiles within a shared tile, outermost first
  LoopOrder dram_order;   ///< loops over shared tiles, outermost first

  friend bool operator==(const Mapping&, const Mapping&) = default;

  [[nodiscard]] std::int64_t spatial(std::size_t d) const { return rows[d] * columns[d]; }
  /// Extent that the whole array covers along dimension `d` at one time.
  [[nodiscard]] std::int64_t array_tile(std::size_t d) const { return pe_tile[d] * spatial(d); }
};

}  // namespace cosearch::accel
