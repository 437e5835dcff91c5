#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

#include "accel/capacity.h"
#include "accel/cost.h"
#include "accel/dataflow.h"
#include "accel/mapper.h"
#include "accel/tiling.h"
#include "accel/word_width.h"

namespace cosearch::accel {
namespace {

using enum Dimension;

/// Orders of shared tiles worth trying: weights stay, outputs stay with weights or with inputs
/// moving next.
constexpr std::array<LoopOrder, 3> kDramOrders{
    LoopOrder{G, K, C, T, R, S, N, D, P, Q},
    LoopOrder{G, K, N, D, P, Q, C, T, R, S},
    LoopOrder{G, N, D, P, Q, K, C, T, R, S},
};

/// Tile extents to try along one dimension: `unit` times powers of two, and the whole.
class Candidates {
 public:
  Candidates(std::int64_t unit, std::int64_t extent) {
    for (std::int64_t tile = unit; tile < extent && count_ + 1 < values_.size(); tile *= 2)
      values_[count_++] = tile;
    values_[count_++] = extent;
  }
  static constexpr std::size_t kMost = 24;
  [[nodiscard]] const std::int64_t* begin() const { return values_.data(); }
  [[nodiscard]] const std::int64_t* end() const { return values_.data() + count_; }

 private:
  std::array<std::int64_t, kMost> values_{};
  std::size_t count_ = 0;
};

/// Candidate extents along the output side of a window axis, with what the input side then moves.
struct AxisCandidate {
  std::int64_t outputs = 1;  ///< extent of the tile
  std::int64_t tiles = 1;
  std::int64_t whole = 0;    ///< input positions fetched when every tile is fetched whole
  std::int64_t sliding = 0;  ///< when neighbouring tiles share their overlap
  std::int64_t held = 0;     ///< input positions of the largest tile
};

class AxisCandidates {
 public:
  AxisCandidates(const WindowAxis& axis, std::int64_t unit, std::int64_t extent,
                 std::int64_t taps) {
    const DimensionTiling whole_taps{taps, taps, taps, taps};
    for (const std::int64_t tile : Candidates(unit, extent)) {
      const DimensionTiling cut{extent, tile, tile, tile};
      values_[count_++] = {tile, cut.shared_tiles(),
                           fetched_by_shared_tiles(axis, cut, whole_taps, Halo::none),
                           fetched_by_shared_tiles(axis, cut, whole_taps, Halo::throughout),
                           axis.most_touched(tile, taps)};
    }
  }
  [[nodiscard]] const AxisCandidate* begin() const { return values_.data(); }
  [[nodiscard]] const AxisCandidate* end() const { return values_.data() + count_; }

 private:
  std::array<AxisCandidate, Candidates::kMost> values_{};
  std::size_t count_ = 0;
};

/// The part of a mapping that decides DRAM traffic, and that traffic.
struct SharedTile {
  Extents tile{};
  LoopOrder order{};
  std::int64_t dram_bytes = 0;
  std::int64_t tile_bytes = 0;
};

/// The two ends among the shared tiles of least DRAM traffic: small tiles fill fast, large ones
/// leave more reuse to the array.
struct BestSharedTiles {
  std::optional<SharedTile> smallest, largest;

  void consider(const SharedTile& tile) {
    const auto small = [](const SharedTile& t) { return std::tuple(t.dram_bytes, t.tile_bytes); };
    const auto large = [](const SharedTile& t) { return std::tuple(t.dram_bytes, -t.tile_bytes); };
    if (!smallest || small(tile) < small(*smallest)) smallest = tile;
    if (!largest || large(tile) < large(*largest)) largest = tile;
  }
};

/// Tries shared tiles: what count() would say about DRAM, at a few nanoseconds each.
class SharedTileSearch {
 public:
  SharedTileSearch(const Layer& layer, const Accelerator& accelerator, const Unrolling& unrolling)
      : layer_(layer), accelerator_(accelerator), extents_(extents_of(layer)) {
    for (std::size_t d = 0; d < kDimensions; ++d)
      unit_[d] = unrolling.rows[d] * unrolling.columns[d];
  }

  [[nodiscard]] BestSharedTiles run() {
    const AxisCandidates rows(vertical_axis(layer_), unit(P), extent(P), extent(R));
    const AxisCandidates columns(horizontal_axis(layer_), unit(Q), extent(Q), extent(S));
    const Candidates kernels(unit(K), extent(K)), channels(unit(C), extent(C));
    for (const AxisCandidate& column : columns)
      for (const AxisCandidate& row : rows)
        for (const std::int64_t k : kernels)
          for (const std::int64_t c : channels) try_tile(k, c, row, column);
    return best_;
  }

  /// The smallest tile tried.
  [[nodiscard]] Extents smallest() const {
    return {1, unit(G), unit(K), unit(C), 1, unit(P), unit(Q), 1, extent(R), extent(S)};
  }

 private:
  [[nodiscard]] std::int64_t unit(Dimension d) const { return unit_[index_of(d)]; }
  [[nodiscard]] std::int64_t extent(Dimension d) const { return extents_[index_of(d)]; }

  void try_tile(std::int64_t k, std::int64_t c, const AxisCandidate& row,
                const AxisCandidate& column) {
    const std::int64_t g = unit(G), width = accelerator_.word_bytes();
    const std::int64_t bytes =
        2 * (g * c * row.held * column.held * width + g * k * c * extent(R) * extent(S) * width +
             g * k * row.outputs * column.outputs * Accelerator::accumulator_bytes());
    if (bytes > accelerator_.parameters.shared_buffer.value) return;
    SharedTile candidate;
    candidate.tile = {1, g, k, c, 1, row.outputs, column.outputs, 1, extent(R), extent(S)};
    candidate.tile_bytes = bytes;
    for (std::size_t d = 0; d < kDimensions; ++d)
      steps_[d] = ceil_div(extents_[d], candidate.tile[d]);
    for (const LoopOrder& order : kDramOrders) {
      candidate.order = order;
      candidate.dram_bytes = dram_bytes(order, row, column);
      best_.consider(candidate);
    }
  }

  struct Visits {
    std::int64_t times = 1;  ///< each word of the tensor, overlaps of windows aside
    Dimension moved_by = N;  ///< innermost loop that moves the tile, if any moves it
    bool moves = false;
  };
  [[nodiscard]] Visits visits(Tensor tensor, const LoopOrder& order) const {
    Visits visits;
    for (std::size_t i = kDimensions; i-- > 0;) {
      const std::int64_t steps = steps_[index_of(order[i])];
      if (steps == 1) continue;
      if (!is_relevant(tensor, order[i])) {
        if (visits.moves) visits.times *= steps;
      } else if (!visits.moves) {
        visits.moves = true;
        visits.moved_by = order[i];
      }
    }
    return visits;
  }

  [[nodiscard]] std::int64_t dram_bytes(const LoopOrder& order, const AxisCandidate& row,
                                        const AxisCandidate& column) const {
    const Visits input = visits(Tensor::input, order);
    const bool down = input.moves && input.moved_by == P,
               along = input.moves && input.moved_by == Q;
    const std::int64_t inputs = input.times * extent(N) * extent(G) * extent(C) *
                                (down ? row.sliding : row.whole) *
                                (along ? column.sliding : column.whole);
    const std::int64_t weights =
        visits(Tensor::weights, order).times * layer_.elements(Tensor::weights);
    const std::int64_t outputs = layer_.elements(Tensor::output);
    const std::int64_t spills = (visits(Tensor::output, order).times - 1) * outputs;
    return (inputs + weights + outputs) * accelerator_.word_bytes() +
           2 * spills * Accelerator::accumulator_bytes();
  }

  const Layer& layer_;
  const Accelerator& accelerator_;
  Extents extents_;
  Extents unit_{};
  Extents steps_{};
  BestSharedTiles best_;
};

/// Grows the PE tile of a mapping while that lessens traffic with the shared buffer.
class PeTileSearch {
 public:
  PeTileSearch(const Layer& layer, const Accelerator& accelerator)
      : layer_(layer), accelerator_(accelerator) {}

  /// The whole filter in a PE if it fits, else a row of it, else one tap; nothing if none fits.
  [[nodiscard]] static Extents smallest(std::int64_t taps_down, std::int64_t taps_along) {
    return {1, 1, 1, 1, 1, 1, 1, 1, taps_down, taps_along};
  }

  [[nodiscard]] std::optional<Extents> start(const Unrolling& unrolling) const {
    const std::int64_t down = ceil_div(layer_.R, unrolling.rows[index_of(R)]);
    for (const Extents& tile : {smallest(down, layer_.S), smallest(1, layer_.S), smallest(1, 1)})
      if (!misfit(layer_, accelerator_, Level::pe_buffer, tile)) return tile;
    return std::nullopt;
  }

  void grow(Mapping& mapping, const std::vector<Dimension>& dimensions) const {
    Counts counts = count(layer_, mapping);
    for (bool improved = true; improved;) {
      improved = false;
      const Mapping base = mapping;
      for (const Dimension d : dimensions) {
        const auto grown = doubled(base, d);
        if (!grown) continue;
        const Counts candidate = count(layer_, *grown);
        if (candidate.compute_cycles > counts.compute_cycles) continue;
        if (traffic(candidate) >= traffic(counts)) continue;
        mapping = *grown;
        counts = candidate;
        improved = true;
      }
    }
  }

 private:
  [[nodiscard]] std::int64_t traffic(const Counts& counts) const {
    return noc_traffic(counts, layer_, accelerator_).value;
  }

  [[nodiscard]] std::optional<Mapping> doubled(Mapping mapping, Dimension d) const {
    const std::size_t i = index_of(d);
    const std::int64_t most = ceil_div(mapping.shared_tile[i], mapping.spatial(i));
    if (mapping.pe_tile[i] >= most) return std::nullopt;
    mapping.pe_tile[i] = std::min(2 * mapping.pe_tile[i], most);
    if (misfit(layer_, accelerator_, Level::pe_buffer, mapping.pe_tile)) return std::nullopt;
    return mapping;
  }

  const Layer& layer_;
  const Accelerator& accelerator_;
};

std::optional<Infeasible> too_wide(const Layer& layer, const Accelerator& accelerator) {
  for (const Tensor tensor : kTensors)
    if (layer.bits(tensor) > accelerator.parameters.precision_bits)
      return Infeasible{describe(layer) + " has " + std::string(name_of(tensor)) + " of " +
                        std::to_string(layer.bits(tensor)) + " bits: the machine's words have " +
                        std::to_string(accelerator.parameters.precision_bits)};
  return std::nullopt;
}

/// The faster one, unless it takes clearly more energy. Which are admitted does not depend on any
/// bandwidth, so more bandwidth cannot lead to a slower choice.
std::size_t index_of_better(const std::array<LayerCost, 2>& costs) {
  constexpr double slack = 1.05;
  const double first = costs[0].energy().value, second = costs[1].energy().value;
  if (first > slack * second) return 1;
  if (second > slack * first) return 0;
  return costs[1].latency < costs[0].latency ? 1 : 0;
}

}  // namespace

std::variant<Infeasible, Mapping> TemplateMapper::map(const Layer& layer,
                                                      const Accelerator& accelerator) const {
  if (const auto reason = too_wide(layer, accelerator)) return *reason;
  const Unrolling unrolling = unrolling_of(layer, accelerator);
  const PeTileSearch pe_tiles(layer, accelerator);
  const auto start = pe_tiles.start(unrolling);
  if (!start) return *misfit(layer, accelerator, Level::pe_buffer, PeTileSearch::smallest(1, 1));
  SharedTileSearch shared_tiles(layer, accelerator, unrolling);
  const BestSharedTiles best = shared_tiles.run();
  if (!best.smallest)
    return *misfit(layer, accelerator, Level::shared_buffer, shared_tiles.smallest());

  std::array<Mapping, 2> mappings;
  std::array<LayerCost, 2> costs;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const SharedTile& shared = i == 0 ? *best.smallest : *best.largest;
    mappings[i] = {
        *start,      unrolling.rows, unrolling.columns, shared.tile, array_order_of(accelerator),
        shared.order};
    pe_tiles.grow(mappings[i], growing_dimensions_of(accelerator));
    costs[i] = cost_of_mapping(layer, accelerator, mappings[i]);
  }
  return mappings[index_of_better(costs)];
}

}  // namespace cosearch::accel
