// The templates: machines of three levels (DRAM, one buffer on the chip, an array of PEs with a
// buffer each) with a rule that says which loops run across the array and which tensor stays put.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "accel/dimension.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel {

/// How a layer is spread over the rows and columns of PEs.
///   nvdla       output channels over rows, input channels over columns (summed on their way up)
///   eyeriss     filter rows over rows, output rows over columns; rows left over take input
///               channels, columns left over output channels
///   shidiannao  output rows over rows, output columns over columns; what is left over takes output
///               channels
///   xp_ws       output columns over the whole array and nothing else (rows of a GEMM)
/// Assumes: groups spread where K and C leave room (all but xp_ws). A depthwise layer has neither K
/// nor C: nvdla spreads its channels, and over columns left over its output rows; xp_ws its
/// channels over the whole array, as B. Lu et al. (arXiv 2203.13921) do under every dataflow.
enum class Dataflow : std::uint8_t { nvdla, eyeriss, shidiannao, xp_ws };

inline constexpr std::array kDataflows{Dataflow::nvdla, Dataflow::eyeriss, Dataflow::shidiannao,
                                       Dataflow::xp_ws};

[[nodiscard]] std::string_view name_of(Dataflow dataflow);
/// Throws UserError with the likeliest name.
[[nodiscard]] Dataflow dataflow_named(const std::string& name);

/// Why `machine`, itself without problems, is no template's; empty when it is one: three levels
/// that keep every tensor, the outermost without limit and the buffers without partitions, and an
/// array of rows and columns, in this order, in between.
[[nodiscard]] std::vector<std::string> problems_of_template(const Machine& machine);

struct Unrolling {
  Extents rows, columns;
};

/// Of `layer` over the array of `machine`, which must be a template's.
[[nodiscard]] Unrolling unrolling_of(const Layer& layer, Dataflow dataflow, const Machine& machine);

/// Outermost first. Weight stationary (nvdla, xp_ws): loops that move weights are outside. Row
/// stationary (eyeriss): a filter row stays while a row of outputs slides past, sums collect over
/// channels. Output stationary (shidiannao): loops that move outputs are outside.
[[nodiscard]] LoopOrder array_order_of(Dataflow dataflow);

/// Loops along which a PE tile may grow beyond the smallest.
[[nodiscard]] std::vector<Dimension> growing_dimensions_of(Dataflow dataflow);

}  // namespace cosearch::accel
