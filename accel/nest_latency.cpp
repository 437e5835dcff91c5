#include "accel/nest_latency.h"

#include <algorithm>
#include <cmath>

#include "accel/edge_tiles.h"
#include "accel/flat_nest.h"
#include "accel/word_counts.h"

namespace cosearch::accel {
namespace {

// Without initial values: there are many, few in use, in the innermost loop of searches.
struct PortWords {
  double reads, writes;
  PortWords& operator+=(PortWords other) {
    reads += other.reads;
    writes += other.writes;
    return *this;
  }
  [[nodiscard]] bool any() const { return reads + writes > 0; }
};

/// Words of one side of a level: of the whole run, and of it when the first tiles come down and
/// when the last ones go up.
struct SideWords {
  PortWords all, fill, drain;
  SideWords& operator+=(const SideWords& other) {
    all += other.all;
    fill += other.fill;
    drain += other.drain;
    return *this;
  }
};

PortTimes port_times(const StorageLevel& level, PortWords words) {
  const double both = words.reads + words.writes;
  return {.read = words.reads / level.read_bandwidth,
          .write = words.writes / level.write_bandwidth,
          .shared = both / level.shared_bandwidth};
}

/// Of transfers with the level below.
PortTimes times_below(const StorageLevel& level, PortWords words) {
  PortTimes times = port_times(level, words);
  times.network = (words.reads + words.writes) / level.network_bandwidth;
  return times;
}

bool has_finite_port(const StorageLevel& level) {
  return level.read_bandwidth != kUnlimited || level.write_bandwidth != kUnlimited ||
         level.shared_bandwidth != kUnlimited || level.network_bandwidth != kUnlimited;
}

/// Cycles of an exchange between levels, which takes as long as the slowest of its ports: of the
/// whole run, and of it when the first tiles come down and when the last ones go up.
struct Transfer {
  double all, fill, drain;

  /// `times`: port_times or times_below.
  template <class Times>
  void join(const StorageLevel& level, const SideWords& words, const Times& times) {
    all = std::max(all, times(level, words.all).longest());
    if (words.fill.any()) fill = std::max(fill, times(level, words.fill).longest());
    if (words.drain.any()) drain = std::max(drain, times(level, words.drain).longest());
  }
  [[nodiscard]] double edges() const { return fill + drain; }
  [[nodiscard]] double rest() const { return std::max(0.0, all - edges()); }
};

class NestTimes {
 public:
  NestTimes(const AccessCounts& counts, const Machine& machine, const FlatNest& nest,
            const ValueWidths& widths)
      : counts_(counts), machine_(machine), nest_(nest), widths_(widths) {
    for (std::size_t level = 0; level < nest_.levels; ++level) {
      finite_[level] = has_finite_port(machine_.levels[level]);
      if (!finite_[level]) continue;
      above_[level] = {};
      below_[level] = {};
    }
    const EdgeTiles edges = edge_tiles(nest);
    for (const Tensor tensor : kTensors) add_words(tensor, edges);
  }

  void run(NestLatency& latency) {
    latency.compute = latency.steady = static_cast<double>(counts_.compute_cycles);
    overlap(latency, transfer_into(nest_.levels));
    for (std::size_t level = nest_.levels - 1; level > 0; --level) {
      if (nest_.keep[level].empty()) continue;
      if (machine_.levels[level].buffers == 1) {
        settle(latency, visits(level));
        wait(latency, transfer_into(level));
      } else {
        overlap(latency, transfer_into(level));
      }
    }
    settle(latency, 1);
    for (std::size_t level = 0; level < nest_.levels; ++level)
      if (finite_[level]) respect_ports(latency, level);
  }

 private:
  /// What a level exchanges with one next inner level that keeps a tensor, or with several.
  struct Below {
    std::array<std::size_t, 3> receiver;
    std::array<SideWords, 3> words;
  };

  // Adds number by number: a copy of freshly written numbers would wait for them to reach memory.
  void add(PortWords& sum, std::size_t level, Tensor tensor, const LevelAccesses& of) const {
    const WordCounts words = widths_.words(level, tensor, of);
    sum.reads += static_cast<double>(words.reads);
    sum.writes += static_cast<double>(words.writes);
  }

  void add_words(Tensor tensor, const EdgeTiles& edges) {
    const std::size_t t = index_of(tensor);
    for (std::size_t upper = 0; upper < nest_.levels;) {
      const std::size_t lower = next_keeper(upper, tensor);
      if (finite_[upper]) {
        below_[upper].receiver[t] = lower;
        add_below(below_[upper].words[t], upper, edges[upper][t].at_upper, tensor);
      }
      if (lower < nest_.levels && finite_[lower])
        add_above(above_[lower], lower, edges[upper][t].at_lower, tensor);
      upper = lower;
    }
  }

  [[nodiscard]] std::size_t next_keeper(std::size_t level, Tensor tensor) const {
    do ++level;
    while (level < nest_.levels && !nest_.keeps(level, tensor));
    return level;
  }

  void add_below(SideWords& side, std::size_t level, std::int64_t edge, Tensor tensor) const {
    const LevelAccesses& all = counts_.busiest[level][index_of(tensor)];
    add(side.all, level, tensor, {.reads = all.reads - all.drains, .updates = all.updates});
    if (tensor == Tensor::output)
      add(side.drain, level, tensor, {.updates = edge});
    else
      add(side.fill, level, tensor, {.reads = edge});
  }

  void add_above(SideWords& side, std::size_t level, std::int64_t edge, Tensor tensor) const {
    const LevelAccesses& all = counts_.busiest[level][index_of(tensor)];
    add(side.all, level, tensor, {.reads = all.drains, .fills = all.fills});
    if (tensor == Tensor::output)
      add(side.drain, level, tensor, {.reads = edge});
    else
      add(side.fill, level, tensor, {.fills = edge});
  }

  /// Exchange of all tensors that `lower` keeps (or the multipliers take) with their upper levels.
  [[nodiscard]] Transfer transfer_into(std::size_t lower) const {
    Transfer transfer{};
    for (std::size_t upper = 0; upper < lower; ++upper) {
      if (!finite_[upper]) continue;
      SideWords sent{};
      for (std::size_t t = 0; t < 3; ++t)
        if (below_[upper].receiver[t] == lower) sent += below_[upper].words[t];
      if (sent.all.any()) transfer.join(machine_.levels[upper], sent, times_below);
    }
    if (lower < nest_.levels && finite_[lower])
      transfer.join(machine_.levels[lower], above_[lower], port_times);
    return transfer;
  }

  /// Whatever overlaps, no port moves its words faster than it can.
  void respect_ports(NestLatency& latency, std::size_t level) const {
    const StorageLevel& ports = machine_.levels[level];
    SideWords below{};
    for (const SideWords& words : below_[level].words) below += words;
    SideWords both = below;
    both += above_[level];
    const auto times = [&](PortWords SideWords::*phase) {
      PortTimes times = port_times(ports, both.*phase);
      times.network = times_below(ports, below.*phase).network;
      return times;
    };
    PortTimes& all = latency.ports[level] = times(&SideWords::all);
    if (all.longest() <= latency.steady) return;
    const PortTimes fill = both.fill.any() ? times(&SideWords::fill) : PortTimes{};
    const PortTimes drain = both.drain.any() ? times(&SideWords::drain) : PortTimes{};
    latency.steady = std::max(
        {latency.steady, all.read - fill.read - drain.read, all.write - fill.write - drain.write,
         all.shared - fill.shared - drain.shared, all.network - fill.network - drain.network});
  }

  /// Goes on beside the multipliers, apart from what it does while first tiles come down and last
  /// ones go up.
  void overlap(NestLatency& latency, const Transfer& transfer) {
    latency.fill += transfer.fill;
    latency.drain += transfer.drain;
    transfers_[transfer_count_++] = transfer;
  }
  /// All transfers so far run `times` times, each time from empty to empty.
  void settle(NestLatency& latency, double times) {
    double longest = 0, refill = 0;
    for (std::size_t i = 0; i < transfer_count_; ++i) {
      const double rest = transfers_[i].rest();
      longest = std::max(longest, rest);
      // Tiles that stay where they are need no new fill.
      refill += std::min(transfers_[i].edges() * (times - 1), rest);
    }
    transfer_count_ = 0;
    latency.steady += refill;
    latency.waits += refill;
    if (longest <= latency.steady) return;
    latency.waits = std::max(0.0, latency.waits - (longest - latency.steady));
    latency.steady = longest;
  }

  /// Everything settled so far stands still during `transfer`.
  static void wait(NestLatency& latency, const Transfer& transfer) {
    latency.fill += transfer.fill;
    latency.drain += transfer.drain;
    latency.steady += transfer.rest();
    latency.waits += transfer.rest();
  }

  /// Dimensions along which tiles of the tensors that `level` keeps move, if it has one buffer.
  [[nodiscard]] DimensionMask waiting_along(std::size_t level) const {
    DimensionMask moving = 0;
    if (machine_.levels[level].buffers == 1)
      for (const Tensor tensor : kTensors)
        if (nest_.keeps(level, tensor)) moving |= relevant_dimensions(tensor, nest_.transposed);
    return moving;
  }

  /// How often what is below `level` stands still for an exchange of it or of a level with one
  /// buffer further out: steps of the loops above, as far in as they move a tile.
  [[nodiscard]] double visits(std::size_t level) const {
    double steps = 1;
    bool moves = false;
    for (DimensionMask moving = 0; level > 0; --level) {
      moving |= waiting_along(level);
      for (std::size_t i = nest_.above[level]; i-- > nest_.above[level - 1];) {
        const FlatLoop& loop = nest_.loops[i];
        if (loop.spatial) continue;
        moves = moves || (moving & mask_of(loop.dimension)) != 0;
        if (moves) steps *= static_cast<double>(loop.bound);
      }
    }
    return steps;
  }

  const AccessCounts& counts_;
  const Machine& machine_;
  const FlatNest& nest_;
  const ValueWidths& widths_;
  std::array<bool, kMostLevels> finite_;  ///< whether some port of the level is
  // Of levels with a finite port; at others words take no time.
  std::array<Below, kMostLevels> below_;
  std::array<SideWords, kMostLevels> above_;
  std::array<Transfer, kMostLevels> transfers_;  ///< not yet settled
  std::size_t transfer_count_ = 0;
};

void time_as_timeloop(const AccessCounts& counts, const Machine& machine, NestLatency& latency) {
  latency.compute = latency.steady = static_cast<double>(counts.compute_cycles);
  for (std::size_t level = 0; level < machine.levels.size(); ++level) {
    PortWords words{};
    for (const LevelAccesses& one : counts.busiest[level])
      words += {static_cast<double>(one.reads), static_cast<double>(one.fills + one.updates)};
    latency.ports[level] = port_times(machine.levels[level], words);
    latency.steady = std::max(latency.steady, latency.ports[level].longest());
  }
}

}  // namespace

Cycles NestLatency::total() const {
  return {static_cast<std::int64_t>(std::ceil(fill + steady + drain))};
}

void time_accesses(const AccessCounts& counts, const Machine& machine, const FlatNest& nest,
                   const ValueWidths& widths, Accounting accounting, NestLatency& latency) {
  if (accounting == Accounting::timeloop)
    time_as_timeloop(counts, machine, latency);
  else
    NestTimes(counts, machine, nest, widths).run(latency);
}

NestLatency latency_of(const AccessCounts& counts, const Layer& layer, const Machine& machine,
                       const LoopNest& nest, Accounting accounting) {
  FlatNest flat;
  flatten(layer, machine, nest, flat);
  NestLatency latency;
  time_accesses(counts, machine, flat, ValueWidths(layer, machine, nest, counts, accounting),
                accounting, latency);
  return latency;
}

}  // namespace cosearch::accel
