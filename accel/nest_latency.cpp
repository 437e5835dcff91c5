#include "accel/nest_latency.h"

#include <algorithm>
#include <cmath>

#include "accel/edge_tiles.h"
#include "accel/flat_nest.h"
#include "accel/word_counts.h"

namespace cosearch::accel {
namespace {

struct PortWords {
  double reads, writes;
  PortWords& operator+=(PortWords other) {
    reads += other.reads;
    writes += other.writes;
    return *this;
  }
  friend PortWords operator+(PortWords a, PortWords b) { return a += b; }
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
  friend SideWords operator+(SideWords a, const SideWords& b) { return a += b; }
};

/// Cycles of an exchange between levels, which takes as long as the slowest of its ports: of the
/// whole run, and of it when the first tiles come down and when the last ones go up.
struct Transfer {
  double all, fill, drain;
  void join(const PortTimes& all_through, const PortTimes& fill_through,
            const PortTimes& drain_through) {
    all = std::max(all, all_through.longest());
    fill = std::max(fill, fill_through.longest());
    drain = std::max(drain, drain_through.longest());
  }
  [[nodiscard]] double edges() const { return fill + drain; }
  [[nodiscard]] double rest() const { return std::max(0.0, all - edges()); }
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
  return std::min({level.read_bandwidth, level.write_bandwidth, level.shared_bandwidth,
                   level.network_bandwidth}) != kUnlimited;
}

class NestTimes {
 public:
  NestTimes(const AccessCounts& counts, const Layer& layer, const Machine& machine,
            const LoopNest& nest)
      : counts_(counts),
        layer_(layer),
        machine_(machine),
        nest_(nest),
        levels_(machine.levels.size()),
        widths_(layer, machine, nest, counts, Accounting::exact),
        edges_(edge_tiles(layer, machine, nest)) {
    for (std::size_t level = 0; level < levels_; ++level) {
      below_[level] = {};
      above_[level] = {};
      receiver_[level] = {};
    }
    for (const Tensor tensor : kTensors) add_words(tensor);
  }

  NestLatency run() {
    latency_.compute = latency_.steady = static_cast<double>(counts_.compute_cycles);
    overlap(transfer_into(levels_));
    for (std::size_t level = levels_ - 1; level > 0; --level) {
      if (nest_.levels[level].keep.empty()) continue;
      if (machine_.levels[level].buffers == 1) {
        settle(visits(level));
        wait(transfer_into(level));
      } else {
        overlap(transfer_into(level));
      }
    }
    settle(1);
    for (std::size_t level = 0; level < levels_; ++level) respect_ports(level);
    return latency_;
  }

 private:
  [[nodiscard]] PortWords words(std::size_t level, Tensor tensor, const LevelAccesses& of) const {
    const WordCounts words = widths_.words(level, tensor, of);
    return {static_cast<double>(words.reads), static_cast<double>(words.writes)};
  }

  void add_words(Tensor tensor) {
    const std::size_t t = index_of(tensor);
    for (std::size_t upper = 0; upper < levels_;) {
      const std::size_t lower = next_keeper(upper, tensor);
      receiver_[upper][t] = lower;
      below_[upper][t] = words_below(upper, tensor);
      if (lower < levels_) above_[lower] += words_above(lower, edges_[upper][t].at_lower, tensor);
      upper = lower;
    }
  }

  [[nodiscard]] std::size_t next_keeper(std::size_t level, Tensor tensor) const {
    do ++level;
    while (level < levels_ && !nest_.levels[level].keep.has(tensor));
    return level;
  }

  [[nodiscard]] SideWords words_below(std::size_t level, Tensor tensor) const {
    const LevelAccesses& all = counts_.busiest[level][index_of(tensor)];
    const std::int64_t edge = edges_[level][index_of(tensor)].at_upper;
    SideWords side{};
    side.all = words(level, tensor, {.reads = all.reads - all.drains, .updates = all.updates});
    if (tensor == Tensor::output)
      side.drain = words(level, tensor, {.updates = edge});
    else
      side.fill = words(level, tensor, {.reads = edge});
    return side;
  }

  [[nodiscard]] SideWords words_above(std::size_t level, std::int64_t edge, Tensor tensor) const {
    const LevelAccesses& all = counts_.busiest[level][index_of(tensor)];
    SideWords side{};
    side.all = words(level, tensor, {.reads = all.drains, .fills = all.fills});
    if (tensor == Tensor::output)
      side.drain = words(level, tensor, {.reads = edge});
    else
      side.fill = words(level, tensor, {.fills = edge});
    return side;
  }

  /// Exchange of all tensors that `lower` keeps (or the multipliers take) with their upper levels.
  [[nodiscard]] Transfer transfer_into(std::size_t lower) const {
    Transfer transfer{};
    for (std::size_t upper = 0; upper < lower; ++upper) {
      const StorageLevel& level = machine_.levels[upper];
      if (!has_finite_port(level)) continue;
      SideWords sent{};
      for (std::size_t t = 0; t < 3; ++t)
        if (receiver_[upper][t] == lower) sent += below_[upper][t];
      transfer.join(times_below(level, sent.all), times_below(level, sent.fill),
                    times_below(level, sent.drain));
    }
    if (lower < levels_ && has_finite_port(machine_.levels[lower])) {
      const StorageLevel& level = machine_.levels[lower];
      const SideWords& received = above_[lower];
      transfer.join(port_times(level, received.all), port_times(level, received.fill),
                    port_times(level, received.drain));
    }
    return transfer;
  }

  [[nodiscard]] SideWords all_below(std::size_t level) const {
    return below_[level][0] + below_[level][1] + below_[level][2];
  }

  /// Whatever overlaps, no port moves its words faster than it can.
  void respect_ports(std::size_t level) {
    const StorageLevel& ports = machine_.levels[level];
    const SideWords below = all_below(level), both = below + above_[level];
    const auto times = [&](PortWords SideWords::*phase) {
      PortTimes times = port_times(ports, both.*phase);
      times.network = times_below(ports, below.*phase).network;
      return times;
    };
    latency_.ports[level] = times(&SideWords::all);
    if (!has_finite_port(ports)) return;
    const PortTimes all = latency_.ports[level];
    const PortTimes fill = times(&SideWords::fill), drain = times(&SideWords::drain);
    latency_.steady = std::max(
        {latency_.steady, all.read - fill.read - drain.read, all.write - fill.write - drain.write,
         all.shared - fill.shared - drain.shared, all.network - fill.network - drain.network});
  }

  /// Goes on beside the multipliers, apart from what it does while first tiles come down and last
  /// ones go up.
  void overlap(const Transfer& transfer) {
    latency_.fill += transfer.fill;
    latency_.drain += transfer.drain;
    transfers_[transfer_count_++] = transfer;
  }
  /// All transfers so far run `times` times, each time from empty to empty.
  void settle(double times) {
    double longest = 0, refill = 0;
    for (std::size_t i = 0; i < transfer_count_; ++i) {
      const double rest = transfers_[i].rest();
      longest = std::max(longest, rest);
      // Tiles that stay where they are need no new fill.
      refill += std::min(transfers_[i].edges() * (times - 1), rest);
    }
    transfer_count_ = 0;
    latency_.steady += refill;
    latency_.waits += refill;
    if (longest <= latency_.steady) return;
    latency_.waits = std::max(0.0, latency_.waits - (longest - latency_.steady));
    latency_.steady = longest;
  }

  /// Everything settled so far stands still during `transfer`.
  void wait(const Transfer& transfer) {
    latency_.fill += transfer.fill;
    latency_.drain += transfer.drain;
    latency_.steady += transfer.rest();
    latency_.waits += transfer.rest();
  }

  /// Tensors that levels with one buffer keep, from the one below `above` to `level`.
  [[nodiscard]] TensorSet waited_for(std::size_t above, std::size_t level) const {
    TensorSet tensors;
    for (std::size_t i = above + 1; i <= level; ++i)
      for (const Tensor tensor : kTensors)
        if (machine_.levels[i].buffers == 1 && nest_.levels[i].keep.has(tensor))
          tensors.add(tensor);
    return tensors;
  }

  /// How often what is below `level` stands still for an exchange of it or of a level with one
  /// buffer further out: steps of the loops above, as far in as they move a tile.
  [[nodiscard]] double visits(std::size_t level) const {
    Extents piece = extents_of(layer_);
    double steps = 1, visits = 1;
    for (std::size_t above = 0; above < level; ++above) {
      const TensorSet tensors = waited_for(above, level);
      for (const Loop& loop : nest_.levels[above].loops) {
        std::int64_t& whole = piece[index_of(loop.dimension)];
        const std::int64_t bound = quotient(whole + loop.tile - 1, loop.tile);
        whole = loop.tile;
        if (loop.is_spatial() || bound == 1) continue;
        steps *= static_cast<double>(bound);
        for (const Tensor tensor : kTensors)
          if (tensors.has(tensor) && is_relevant(tensor, loop.dimension, layer_.transposed))
            visits = steps;
      }
    }
    return visits;
  }

  const AccessCounts& counts_;
  const Layer& layer_;
  const Machine& machine_;
  const LoopNest& nest_;
  std::size_t levels_;
  ValueWidths widths_;
  EdgeTiles edges_;
  std::array<std::array<std::size_t, 3>, kMostLevels> receiver_;  ///< [upper level][tensor]
  std::array<std::array<SideWords, 3>, kMostLevels> below_;
  std::array<SideWords, kMostLevels> above_;
  std::array<Transfer, kMostLevels> transfers_;  ///< not yet settled
  std::size_t transfer_count_ = 0;
  NestLatency latency_;
};

NestLatency timeloop_latency(const AccessCounts& counts, const Machine& machine) {
  NestLatency latency;
  latency.compute = latency.steady = static_cast<double>(counts.compute_cycles);
  for (std::size_t level = 0; level < machine.levels.size(); ++level) {
    PortWords words{};
    for (const LevelAccesses& one : counts.busiest[level])
      words += {static_cast<double>(one.reads), static_cast<double>(one.fills + one.updates)};
    latency.ports[level] = port_times(machine.levels[level], words);
    latency.steady = std::max(latency.steady, latency.ports[level].longest());
  }
  return latency;
}

}  // namespace

double PortTimes::longest() const { return std::max({read, write, shared, network}); }

Cycles NestLatency::total() const {
  return {static_cast<std::int64_t>(std::ceil(fill + steady + drain))};
}

NestLatency latency_of(const AccessCounts& counts, const Layer& layer, const Machine& machine,
                       const LoopNest& nest, Accounting accounting) {
  if (accounting == Accounting::timeloop) return timeloop_latency(counts, machine);
  return NestTimes(counts, layer, machine, nest).run();
}

}  // namespace cosearch::accel
