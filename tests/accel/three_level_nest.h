// A mapping of the three-level templates as a machine and a loop nest of the general model.
#pragma once

#include <algorithm>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/mapping.h"

namespace cosearch::accel::test {

inline Machine three_levels(const Mapping& mapping) {
  Machine machine;
  machine.name = "three levels";
  StorageLevel dram, shared, pe;
  dram.name = "dram", shared.name = "shared", pe.name = "pe";
  std::int64_t rows = 1, columns = 1;
  for (std::size_t d = 0; d < kDimensions; ++d)
    rows *= mapping.rows[d], columns *= mapping.columns[d];
  shared.fanout = {{.axis = "rows", .size = rows}, {.axis = "columns", .size = columns}};
  machine.levels = {dram, shared, pe};
  return machine;
}

inline LoopNest nest_of(const Mapping& mapping, const Layer& layer) {
  LoopNest nest;
  nest.levels.resize(3);
  Extents piece = extents_of(layer);
  const auto cut = [&](std::size_t level, Dimension d, std::int64_t tile, std::int8_t axis) {
    std::int64_t& whole = piece[index_of(d)];
    whole = std::min(whole, tile);
    nest.levels[level].loops.push_back({d, whole, axis});
  };
  for (const Dimension d : mapping.dram_order)
    cut(0, d, mapping.shared_tile[index_of(d)], Loop::kTemporal);
  for (const Dimension d : mapping.array_order)
    cut(1, d, mapping.array_tile(index_of(d)), Loop::kTemporal);
  for (const Dimension d : kAllDimensions)
    cut(1, d, mapping.pe_tile[index_of(d)] * mapping.columns[index_of(d)], 0);
  for (const Dimension d : kAllDimensions) cut(1, d, mapping.pe_tile[index_of(d)], 1);
  for (const Dimension d : kAllDimensions) cut(2, d, 1, Loop::kTemporal);
  return nest;
}

}  // namespace cosearch::accel::test
