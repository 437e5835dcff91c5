// What a template fixes: which loops run across the array, and in which order array tiles follow.
#pragma once

#include <vector>

#include "accel/accelerator.h"
#include "accel/mapping.h"
#include "core/layer.h"

namespace cosearch::accel {

struct Unrolling {
  Extents rows, columns;
};

/// How the accelerator's template spreads `layer` over its array.
///   nvdla       output channels over rows, input channels over columns (summed on their way up)
///   eyeriss     filter rows over rows, output rows over columns; rows left over take input
///   channels,
///               columns left over output channels
///   shidiannao  output rows over rows, output columns over columns; what is left over takes output
///               channels
///   xp_ws       output columns over the whole array and nothing else (rows of a GEMM)
/// Assumes: groups spread where K and C leave room (all templates but xp_ws). A depthwise layer has
/// neither K nor C: nvdla spreads its channels, and over columns left over its output rows; xp_ws
/// its channels over the whole array, as B. Lu et al. (arXiv 2203.13921) do under every dataflow.
[[nodiscard]] Unrolling unrolling_of(const Layer& layer, const Accelerator& accelerator);

/// Outermost first. Weight stationary (nvdla, xp_ws): loops that move weights are outside. Row
/// stationary (eyeriss): a filter row stays while a row of outputs slides past, sums collect over
/// channels. Output stationary (shidiannao): loops that move outputs are outside.
[[nodiscard]] LoopOrder array_order_of(const Accelerator& accelerator);

/// Loops along which a PE tile may grow beyond the smallest.
[[nodiscard]] std::vector<Dimension> growing_dimensions_of(const Accelerator& accelerator);

}  // namespace cosearch::accel
