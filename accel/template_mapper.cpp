#include "accel/template_mapper.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "accel/access_counts.h"
#include "accel/axis_sum.h"
#include "accel/flat_nest.h"
#include "accel/misfit.h"
#include "accel/window_axes.h"
#include "accel/word_counts.h"

namespace cosearch::accel {
namespace {

using enum Dimension;

constexpr std::size_t kDram = 0, kShared = 1, kPe = 2;
constexpr std::int8_t kRows = 0, kColumns = 1;

/// Orders of shared tiles worth trying: weights stay, outputs stay with weights or with inputs
/// moving next.
constexpr std::array<LoopOrder, 3> kDramOrders{
    LoopOrder{G, K, C, T, R, S, N, D, P, Q},
    LoopOrder{G, K, N, D, P, Q, C, T, R, S},
    LoopOrder{G, N, D, P, Q, K, C, T, R, S},
};

/// Bits of one value of each tensor, padded to whole words of `level`; of outputs, a partial sum.
std::array<std::int64_t, 3> value_bits(const Layer& layer, const StorageLevel& level) {
  std::array<std::int64_t, 3> bits{};
  for (const Tensor tensor : kTensors)
    bits[index_of(tensor)] = words_per_value(layer, level, tensor) * level.word_bits;
  return bits;
}

/// Bits that `level` lacks to hold `tile`; 0 when it fits.
std::int64_t missing_bits(const Layer& layer, const StorageLevel& level, const Extents& tile) {
  const auto bits = value_bits(layer, level);
  std::int64_t need = 0;
  for (const Tensor tensor : kTensors)
    need += level.buffers * tile_values(layer, tensor, tile) * bits[index_of(tensor)];
  return std::max<std::int64_t>(0, need - *level.capacity_bits);
}

Infeasible too_small(const Layer& layer, const StorageLevel& level, const Extents& tile) {
  std::array<std::int64_t, 3> words{};
  for (const Tensor tensor : kTensors)
    words[index_of(tensor)] =
        tile_values(layer, tensor, tile) * words_per_value(layer, level, tensor);
  return {shortage_text(layer, level, words, missing_bits(layer, level, tile), "is")};
}

/// What a template decides about one layer.
struct Tiling {
  Extents pe_tile;      ///< iterations of each loop inside a PE
  Extents shared_tile;  ///< extent of each loop covered by one tile of the shared buffer
  LoopOrder order;      ///< of loops over shared tiles, outermost first
};

/// Writes tilings as loop nests. Nothing needs to divide.
class NestWriter {
 public:
  NestWriter(const Layer& layer, const Unrolling& unrolling, Dataflow dataflow)
      : extents_(extents_of(layer)), unrolling_(unrolling), order_(array_order_of(dataflow)) {}

  /// Into `nest`, whose memory is used again.
  void write(const Tiling& tiling, LoopNest& nest) {
    nest.levels.resize(kPe + 1);
    for (LevelNest& level : nest.levels) level.loops.clear();
    nest_ = &nest;
    piece_ = extents_;
    for (const Dimension d : tiling.order) cut(kDram, d, tiling.shared_tile[index_of(d)]);
    for (const Dimension d : order_) cut(kShared, d, row_tile(tiling, d) * rows(d));
    for (const Dimension d : kAllDimensions) cut(kShared, d, row_tile(tiling, d), kRows);
    for (const Dimension d : kAllDimensions) cut(kShared, d, tiling.pe_tile[index_of(d)], kColumns);
    for (const Dimension d : kAllDimensions) cut(kPe, d, 1);
  }

 private:
  [[nodiscard]] std::int64_t rows(Dimension d) const { return unrolling_.rows[index_of(d)]; }
  /// Extent that one row of the array covers at one time.
  [[nodiscard]] std::int64_t row_tile(const Tiling& tiling, Dimension d) const {
    return tiling.pe_tile[index_of(d)] * unrolling_.columns[index_of(d)];
  }

  void cut(std::size_t level, Dimension d, std::int64_t tile, std::int8_t axis = Loop::kTemporal) {
    std::int64_t& whole = piece_[index_of(d)];
    if (tile >= whole) return;
    whole = tile;
    nest_->levels[level].loops.push_back({d, tile, axis});
  }

  Extents extents_;
  const Unrolling& unrolling_;
  LoopOrder order_;
  Extents piece_{};
  LoopNest* nest_ = nullptr;
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
  std::int64_t whole = 0;    ///< input positions fetched when every tile is fetched whole
  std::int64_t sliding = 0;  ///< when neighbouring tiles share their overlap
  std::int64_t held = 0;     ///< input positions of the largest tile
};

class AxisCandidates {
 public:
  AxisCandidates(const WindowAxis& axis, std::int64_t unit, std::int64_t extent,
                 std::int64_t taps) {
    for (const std::int64_t tile : Candidates(unit, extent))
      values_[count_++] = {tile, fetched(axis, extent, tile, taps, PieceRole::each),
                           fetched(axis, extent, tile, taps, PieceRole::slide),
                           axis.most_touched(tile, taps)};
  }
  [[nodiscard]] const AxisCandidate* begin() const { return values_.data(); }
  [[nodiscard]] const AxisCandidate* end() const { return values_.data() + count_; }

 private:
  static std::int64_t fetched(const WindowAxis& axis, std::int64_t extent, std::int64_t tile,
                              std::int64_t taps, PieceRole role) {
    if (tile == extent) return axis.touched(0, extent, 0, taps);
    AxisChain positions, whole_taps;
    positions.extent = extent;
    positions.add(tile, role);
    whole_taps.extent = taps;
    return axis_sum(axis, positions, whole_taps);
  }

  std::array<AxisCandidate, Candidates::kMost> values_{};
  std::size_t count_ = 0;
};

/// The part of a tiling that decides DRAM traffic, and that traffic.
struct SharedTile {
  Extents tile{};
  LoopOrder order{};
  std::int64_t dram_bits = 0;
  std::int64_t tile_bits = 0;
};

/// The two ends among the shared tiles of least DRAM traffic: small tiles fill fast, large ones
/// leave more reuse to the array.
struct BestSharedTiles {
  std::optional<SharedTile> smallest, largest;

  void consider(const SharedTile& tile) {
    const auto small = [](const SharedTile& t) { return std::tuple(t.dram_bits, t.tile_bits); };
    const auto large = [](const SharedTile& t) { return std::tuple(t.dram_bits, -t.tile_bits); };
    if (!smallest || small(tile) < small(*smallest)) smallest = tile;
    if (!largest || large(tile) < large(*largest)) largest = tile;
  }
};

/// Tries shared tiles: what count_accesses() says about DRAM
/// (tests/accel/template_mapper_test.cpp), at a few nanoseconds each.
class SharedTileSearch {
 public:
  SharedTileSearch(const Layer& layer, const Machine& machine, const Unrolling& unrolling)
      : layer_(layer),
        shared_(machine.levels[kShared]),
        extents_(extents_of(layer)),
        shared_bits_(value_bits(layer, shared_)),
        dram_bits_(value_bits(layer, machine.levels[kDram])) {
    for (std::size_t d = 0; d < kDimensions; ++d)
      unit_[d] = unrolling.rows[d] * unrolling.columns[d];
    const std::int64_t word = machine.levels[kDram].word_bits;
    finished_bits_ = ceil_div(layer.output_bits, word) * word;
  }

  [[nodiscard]] BestSharedTiles run() {
    const auto axes = window_axes(layer_);
    const AxisCandidates rows(axes[1], unit(P), extent(P), extent(R));
    const AxisCandidates columns(axes[2], unit(Q), extent(Q), extent(S));
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
    const std::int64_t g = unit(G);
    const std::int64_t bits =
        shared_.buffers * (g * c * row.held * column.held * shared_bits_[0] +
                           g * k * c * extent(R) * extent(S) * shared_bits_[1] +
                           g * k * row.outputs * column.outputs * shared_bits_[2]);
    if (bits > *shared_.capacity_bits) return;
    SharedTile candidate;
    candidate.tile = {1, g, k, c, 1, row.outputs, column.outputs, 1, extent(R), extent(S)};
    candidate.tile_bits = bits;
    for (std::size_t d = 0; d < kDimensions; ++d)
      steps_[d] = ceil_div(extents_[d], candidate.tile[d]);
    for (const LoopOrder& order : kDramOrders) {
      candidate.order = order;
      candidate.dram_bits = dram_bits(order, row, column);
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

  [[nodiscard]] std::int64_t dram_bits(const LoopOrder& order, const AxisCandidate& row,
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
    return inputs * dram_bits_[0] + weights * dram_bits_[1] + outputs * finished_bits_ +
           2 * spills * dram_bits_[2];
  }

  const Layer& layer_;
  const StorageLevel& shared_;
  Extents extents_;
  Extents unit_{};
  Extents steps_{};
  std::array<std::int64_t, 3> shared_bits_, dram_bits_;
  std::int64_t finished_bits_ = 0;
  BestSharedTiles best_;
};

/// Grows the PE tile of a tiling while that lessens traffic with the shared buffer.
class PeTileSearch {
 public:
  PeTileSearch(const Layer& layer, const Machine& machine, const Unrolling& unrolling,
               NestWriter& writer)
      : layer_(layer), machine_(machine), unrolling_(unrolling), writer_(writer) {}

  [[nodiscard]] static Extents smallest(std::int64_t taps_down, std::int64_t taps_along) {
    return {1, 1, 1, 1, 1, 1, 1, 1, taps_down, taps_along};
  }

  /// The whole filter in a PE if it fits, else a row of it, else one tap; nothing if none fits.
  [[nodiscard]] std::optional<Extents> start() const {
    const std::int64_t down = ceil_div(layer_.R, unrolling_.rows[index_of(R)]);
    for (const Extents& tile : {smallest(down, layer_.S), smallest(1, layer_.S), smallest(1, 1)})
      if (missing_bits(layer_, machine_.levels[kPe], tile) == 0) return tile;
    return std::nullopt;
  }

  void grow(Tiling& tiling, const std::vector<Dimension>& dimensions) {
    Work work = work_of(tiling);
    for (bool improved = true; improved;) {
      improved = false;
      const Tiling base = tiling;
      for (const Dimension d : dimensions) {
        const auto grown = doubled(base, d);
        if (!grown) continue;
        const Work candidate = work_of(*grown);
        if (candidate.cycles > work.cycles || candidate.network_bits >= work.network_bits) continue;
        tiling = *grown;
        work = candidate;
        improved = true;
      }
    }
  }

 private:
  struct Work {
    std::int64_t cycles = 0;        ///< of the busiest multiplier
    std::int64_t network_bits = 0;  ///< between shared buffer and array
  };
  [[nodiscard]] Work work_of(const Tiling& tiling) {
    writer_.write(tiling, nest_);
    FlatNest flat;
    flatten(layer_, machine_, nest_, flat);
    AccessCounts counts;
    count_accesses(layer_, flat, Accounting::exact, counts);
    const ValueWidths widths(layer_, machine_, nest_, counts, Accounting::exact);
    std::int64_t words = 0;
    for (const Tensor tensor : kTensors) {
      const LinkTraffic& link = counts.links[kShared][index_of(tensor)];
      words += (link.down + link.up) * widths.on_link(kShared, tensor);
    }
    return {counts.compute_cycles, words * machine_.levels[kShared].word_bits};
  }

  [[nodiscard]] std::optional<Tiling> doubled(Tiling tiling, Dimension d) const {
    const std::size_t i = index_of(d);
    const std::int64_t most =
        ceil_div(tiling.shared_tile[i], unrolling_.rows[i] * unrolling_.columns[i]);
    if (tiling.pe_tile[i] >= most) return std::nullopt;
    tiling.pe_tile[i] = std::min(2 * tiling.pe_tile[i], most);
    if (missing_bits(layer_, machine_.levels[kPe], tiling.pe_tile) > 0) return std::nullopt;
    return tiling;
  }

  const Layer& layer_;
  const Machine& machine_;
  const Unrolling& unrolling_;
  NestWriter& writer_;
  LoopNest nest_;
};

/// What no template runs.
std::optional<Infeasible> beyond_templates(const Layer& layer, const Machine& machine) {
  const char* what = nullptr;
  if (layer.transposed) what = "transposed convolutions";
  if (layer.D > 1 || layer.T > 1 || layer.input_d > 1) what = "3-D convolutions";
  if (what != nullptr)
    return Infeasible{std::string("the templates tile no ") + what +
                      ": let the optimal mapper map them"};
  const std::int64_t word = machine.levels[kPe].word_bits;
  for (const Tensor tensor : kTensors)
    if (layer.bits(tensor) > word)
      return Infeasible{describe(layer) + " has " + std::string(name_of(tensor)) + " of " +
                        std::to_string(layer.bits(tensor)) + " bits: the machine's words have " +
                        std::to_string(word)};
  return std::nullopt;
}

/// The faster one, unless it takes clearly more energy. Which are admitted does not depend on any
/// bandwidth (leakage, which grows with time, does not count), so more bandwidth cannot lead to a
/// slower choice.
bool is_second_better(const NestCost& first, const NestCost& second) {
  constexpr double slack = 1.05;
  const double energy = first.total_energy().value - first.energy.leakage_pj;
  const double other = second.total_energy().value - second.energy.leakage_pj;
  if (energy > slack * other) return true;
  if (other > slack * energy) return false;
  return second.cycles() < first.cycles();
}

}  // namespace

std::variant<Infeasible, CostedNest> template_mapping(const Layer& layer, const Machine& machine,
                                                      Dataflow dataflow) {
  if (auto reason = beyond_templates(layer, machine)) return *std::move(reason);
  const Unrolling unrolling = unrolling_of(layer, dataflow, machine);
  NestWriter writer(layer, unrolling, dataflow);
  PeTileSearch pe_tiles(layer, machine, unrolling, writer);
  const auto start = pe_tiles.start();
  if (!start) return too_small(layer, machine.levels[kPe], PeTileSearch::smallest(1, 1));
  SharedTileSearch shared_tiles(layer, machine, unrolling);
  const BestSharedTiles best = shared_tiles.run();
  if (!best.smallest) return too_small(layer, machine.levels[kShared], shared_tiles.smallest());

  const auto run_with = [&](const SharedTile& shared) {
    Tiling tiling{*start, shared.tile, shared.order};
    pe_tiles.grow(tiling, growing_dimensions_of(dataflow));
    CostedNest run;
    writer.write(tiling, run.nest);
    run.cost = evaluate(layer, machine, run.nest);
    return run;
  };
  CostedNest run = run_with(*best.smallest);
  const bool are_same =
      best.smallest->tile == best.largest->tile && best.smallest->order == best.largest->order;
  if (are_same) return run;
  CostedNest other = run_with(*best.largest);
  return is_second_better(run.cost, other.cost) ? other : run;
}

}  // namespace cosearch::accel
