#include "accel/traffic.h"

#include "accel/tiling.h"

namespace cosearch::accel {
namespace {

constexpr std::size_t kLoops = 2 * kDimensions;

/// The loops over tiles, outermost first: those over shared tiles, then those over array tiles.
struct Nest {
  std::array<DimensionTiling, kDimensions> dims;
  std::array<Dimension, kLoops> loop;
  std::array<std::int64_t, kLoops> bound;

  Nest(const Layer& layer, const Mapping& mapping) {
    const Extents extents = extents_of(layer);
    for (std::size_t d = 0; d < kDimensions; ++d)
      dims[d] = {extents[d], std::min(mapping.shared_tile[d], extents[d]), mapping.array_tile(d),
                 mapping.pe_tile[d]};
    for (std::size_t i = 0; i < kDimensions; ++i) {
      loop[i] = mapping.dram_order[i];
      bound[i] = dims[index_of(loop[i])].shared_tiles();
      loop[kDimensions + i] = mapping.array_order[i];
      bound[kDimensions + i] = dims[index_of(mapping.array_order[i])].array_tiles_per_shared();
    }
  }
  [[nodiscard]] const DimensionTiling& dim(Dimension d) const { return dims[index_of(d)]; }
};

constexpr std::size_t kStays = static_cast<std::size_t>(-1);

/// Position, among the first `loops` loops, of the innermost one that moves `tensor`'s tile; kStays
/// when none does.
std::size_t innermost_moving_loop(const Nest& nest, Tensor tensor, std::size_t loops) {
  for (std::size_t i = loops; i-- > 0;)
    if (nest.bound[i] > 1 && is_relevant(tensor, nest.loop[i])) return i;
  return kStays;
}

/// Which loops over a dimension lie outside the innermost moving loop of a tensor.
enum class Outside : std::uint8_t { neither, shared_loop, both };

Outside loops_outside(const Nest& nest, Dimension d, std::size_t moving) {
  if (moving == kStays) return Outside::neither;
  Outside outside = Outside::neither;
  for (std::size_t i = 0; i < moving; ++i)
    if (nest.loop[i] == d) outside = i < kDimensions ? Outside::shared_loop : Outside::both;
  return outside;
}

/// How often the tile of a tensor that `d` does not move is fetched because of `d`.
std::int64_t refetches(const Nest& nest, Dimension d, std::size_t moving) {
  switch (loops_outside(nest, d, moving)) {
    case Outside::neither:
      return 1;
    case Outside::shared_loop:
      return nest.dim(d).shared_tiles();
    case Outside::both:
      return nest.dim(d).array_tiles();
  }
  return 1;
}

/// The same, times the PEs over which `d` spreads at each fetch.
std::int64_t refetches_of_all_pes(const Nest& nest, Dimension d, std::size_t moving) {
  switch (loops_outside(nest, d, moving)) {
    case Outside::neither:
      return nest.dim(d).active_pes_first_tile();
    case Outside::shared_loop:
      return nest.dim(d).active_pes_first_array_tiles();
    case Outside::both:
      return nest.dim(d).active_pes();
  }
  return 1;
}

bool is_unrolled(const DimensionTiling& t) { return t.array > t.pe; }

/// Halo of PE tiles along the window axis of `outputs` and `taps`.
Halo halo_along(const Nest& nest, Dimension outputs, Dimension taps, std::size_t moving) {
  if (moving == kStays || nest.loop[moving] != outputs) return Halo::none;
  if (is_unrolled(nest.dim(outputs)) || is_unrolled(nest.dim(taps))) return Halo::none;
  return moving < kDimensions ? Halo::throughout : Halo::within_shared;
}

/// Halo of shared tiles: what the array's unrolling cannot disturb.
Halo shared_halo_along(const Nest& nest, Dimension outputs, std::size_t moving) {
  return moving != kStays && nest.loop[moving] == outputs ? Halo::throughout : Halo::none;
}

/// Product over all dimensions of the whole extent where it moves the tensor, else refetches.
template <class Refetches>
std::int64_t product_of_extents(const Nest& nest, Tensor tensor, Refetches refetched) {
  std::int64_t words = 1;
  for (const Dimension d : kAllDimensions)
    words *= is_relevant(tensor, d) ? nest.dim(d).extent : refetched(d);
  return words;
}

struct Fetched {
  std::int64_t by_shared_buffer = 0;  ///< words moved between DRAM and shared buffer, one way
  std::int64_t by_array = 0;          ///< words between shared buffer and array, multicast once
  std::int64_t by_pes = 0;            ///< words summed over the PEs that take or give them
};

/// Weights and output: tiles of one tensor never overlap.
Fetched fetched_disjoint(const Nest& nest, Tensor tensor) {
  const std::size_t by_shared = innermost_moving_loop(nest, tensor, kDimensions);
  const std::size_t by_array = innermost_moving_loop(nest, tensor, kLoops);
  return {
      product_of_extents(nest, tensor, [&](Dimension d) { return refetches(nest, d, by_shared); }),
      product_of_extents(nest, tensor, [&](Dimension d) { return refetches(nest, d, by_array); }),
      product_of_extents(nest, tensor,
                         [&](Dimension d) { return refetches_of_all_pes(nest, d, by_array); }),
  };
}

Fetched fetched_input(const Nest& nest, const Layer& layer) {
  using enum Dimension;
  const WindowAxis vertical = vertical_axis(layer), horizontal = horizontal_axis(layer);
  const std::int64_t channels = nest.dim(N).extent * nest.dim(G).extent * nest.dim(C).extent;
  const std::size_t shared = innermost_moving_loop(nest, Tensor::input, kDimensions);
  const std::size_t array = innermost_moving_loop(nest, Tensor::input, kLoops);
  const auto plane = [&](auto axis_sum, Halo rows, Halo columns) {
    return axis_sum(vertical, nest.dim(P), nest.dim(R), rows) *
           axis_sum(horizontal, nest.dim(Q), nest.dim(S), columns);
  };
  const Halo rows = halo_along(nest, P, R, array), columns = halo_along(nest, Q, S, array);
  return {
      channels * refetches(nest, K, shared) *
          plane(fetched_by_shared_tiles, shared_halo_along(nest, P, shared),
                shared_halo_along(nest, Q, shared)),
      channels * refetches(nest, K, array) * plane(fetched_by_array_tiles, rows, columns),
      channels * refetches_of_all_pes(nest, K, array) * plane(fetched_by_pes, rows, columns),
  };
}

template <class ExtentOf>
std::int64_t words_of_tile(const Nest& nest, const Layer& layer, Tensor tensor, ExtentOf extent) {
  using enum Dimension;
  std::int64_t words = 1;
  for (const Dimension d : kAllDimensions) {
    const bool windowed = tensor == Tensor::input && index_of(d) >= index_of(D);
    if (is_relevant(tensor, d) && !windowed) words *= extent(nest.dim(d));
  }
  if (tensor == Tensor::input)
    words *= vertical_axis(layer).touched(0, extent(nest.dim(P)), 0, extent(nest.dim(R))) *
             horizontal_axis(layer).touched(0, extent(nest.dim(Q)), 0, extent(nest.dim(S)));
  return words;
}

/// The tiles that nothing can overlap with: first of input and weights, last of output.
void count_edge_tiles(const Nest& nest, const Layer& layer, Counts& counts) {
  using T = DimensionTiling;
  for (const Tensor tensor : {Tensor::input, Tensor::weights}) {
    const auto t = static_cast<std::size_t>(tensor);
    counts.edge_shared_tile[t] =
        words_of_tile(nest, layer, tensor, [](const T& dim) { return dim.first_shared_extent(); });
    counts.edge_array_tile[t] =
        words_of_tile(nest, layer, tensor, [](const T& dim) { return dim.first_array_extent(); });
  }
  const auto t = static_cast<std::size_t>(Tensor::output);
  counts.edge_shared_tile[t] = words_of_tile(nest, layer, Tensor::output,
                                             [](const T& dim) { return dim.last_shared_extent(); });
  counts.edge_array_tile[t] = words_of_tile(nest, layer, Tensor::output,
                                            [](const T& dim) { return dim.last_array_extent(); });
}

void count_operand(Counts& counts, Tensor tensor, const Fetched& fetched) {
  counts.at(Level::dram, tensor) = {.reads = fetched.by_shared_buffer};
  counts.at(Level::shared_buffer, tensor) = {.reads = fetched.by_array,
                                             .fills = fetched.by_shared_buffer};
  counts.at(Level::pe_buffer, tensor) = {.reads = counts.macs, .fills = fetched.by_pes};
  counts.deliveries[static_cast<std::size_t>(tensor)] = fetched.by_pes;
}

/// Every visit but the first of an output brings its partial sum back; every visit ends in a drain.
void count_output(Counts& counts, std::int64_t outputs, const Fetched& visited) {
  const std::int64_t back_to_array = visited.by_array - outputs;
  const std::int64_t back_to_shared = visited.by_shared_buffer - outputs;
  counts.at(Level::dram, Tensor::output) = {.reads = back_to_shared,
                                            .updates = visited.by_shared_buffer};
  counts.at(Level::shared_buffer, Tensor::output) = {
      .reads = back_to_array + visited.by_shared_buffer,
      .fills = back_to_shared,
      .updates = visited.by_array};
  // Reads to accumulate: one per multiply-accumulate, less each sum that starts from zero. Those
  // starts are the drains (by_pes) less the sums brought back, so with the drain reads added the
  // total is this.
  counts.at(Level::pe_buffer, Tensor::output) = {
      .reads = counts.macs + back_to_array, .fills = back_to_array, .updates = counts.macs};
  counts.spatial_additions = visited.by_pes - visited.by_array;
  counts.deliveries[static_cast<std::size_t>(Tensor::output)] = visited.by_pes + back_to_array;
}

}  // namespace

Counts count(const Layer& layer, const Mapping& mapping) {
  const Nest nest(layer, mapping);
  Counts counts;
  counts.macs = layer.macs();
  counts.compute_cycles = 1;
  for (const DimensionTiling& dim : nest.dims) counts.compute_cycles *= dim.busiest_pe_iterations();
  count_operand(counts, Tensor::input, fetched_input(nest, layer));
  count_operand(counts, Tensor::weights, fetched_disjoint(nest, Tensor::weights));
  count_output(counts, layer.elements(Tensor::output), fetched_disjoint(nest, Tensor::output));
  count_edge_tiles(nest, layer, counts);
  return counts;
}

std::array<std::int64_t, 3> tile_words(const Layer& layer, const Extents& tile) {
  using enum Dimension;
  const auto at = [&](Dimension d) { return tile[index_of(d)]; };
  return {
      at(N) * at(G) * at(C) * vertical_axis(layer).most_touched(at(P), at(R)) *
          horizontal_axis(layer).most_touched(at(Q), at(S)),
      at(G) * at(K) * at(C) * at(R) * at(S),
      at(N) * at(G) * at(K) * at(P) * at(Q),
  };
}

}  // namespace cosearch::accel
