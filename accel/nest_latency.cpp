#include "accel/nest_latency.h"

#include <algorithm>
#include <cmath>

#include "accel/edge_tiles.h"
#include "accel/flat_nest.h"
#include "accel/word_counts.h"

namespace cosearch::accel {
namespace {

struct PortWords {
  double reads = 0, writes = 0;
  PortWords& operator+=(PortWords other) {
    reads += other.reads;
    writes += other.writes;
    return *this;
  }
  friend PortWords operator+(PortWords a, PortWords b) { return a += b; }
};

/// Words of one side of a level, or cycles: of the whole run, and of it when the first tiles come
/// down and when the last ones go up.
template <class Amount>
struct Phases {
  Amount all{}, fill{}, drain{};
};
using SideWords = Phases<PortWords>;
using Transfer = Phases<double>;

PortTimes port_times(const StorageLevel& level, PortWords words) {
  const double both = words.reads + words.writes;
  return {.read = words.reads / level.read_bandwidth,
          .write = words.writes / level.write_bandwidth,
          .shared = both / level.shared_bandwidth};
}

/// Of transfers with the level below.
double time_below(const StorageLevel& level, PortWords words) {
  PortTimes times = port_times(level, words);
  times.network = (words.reads + words.writes) / level.network_bandwidth;
  return times.longest();
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
    for (const Tensor tensor : kTensors) add_words(tensor);
  }

  NestLatency run() {
    latency_.compute = latency_.steady = static_cast<double>(counts_.compute_cycles);
    overlap(transfer_into(levels_));
    for (std::size_t level = levels_ - 1; level > 0; --level) {
      report_ports(level);
      if (nest_.levels[level].keep.empty()) continue;
      if (machine_.levels[level].buffers > 1) {
        overlap_port(level, above_[level]);
        overlap(transfer_into(level));
      } else {
        overlap_port(level, {});
        settle(visits(level));
        wait(transfer_into(level));
      }
    }
    report_ports(0);
    overlap_port(0, {});
    settle(1);
    // Whatever overlaps: no port moves its words faster than it can.
    const double edges = latency_.fill + latency_.drain;
    for (std::size_t level = 0; level < levels_; ++level)
      latency_.steady = std::max(latency_.steady, latency_.ports[level].longest() - edges);
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
      if (lower < levels_) {
        const SideWords above = words_above(lower, edges_[upper][t].at_lower, tensor);
        above_[lower].all += above.all;
        above_[lower].fill += above.fill;
        above_[lower].drain += above.drain;
      }
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
    SideWords side;
    side.all = words(level, tensor, {.reads = all.reads - all.drains, .updates = all.updates});
    if (tensor == Tensor::output)
      side.drain = words(level, tensor, {.updates = edge});
    else
      side.fill = words(level, tensor, {.reads = edge});
    return side;
  }

  [[nodiscard]] SideWords words_above(std::size_t level, std::int64_t edge, Tensor tensor) const {
    const LevelAccesses& all = counts_.busiest[level][index_of(tensor)];
    SideWords side;
    side.all = words(level, tensor, {.reads = all.drains, .fills = all.fills});
    if (tensor == Tensor::output)
      side.drain = words(level, tensor, {.reads = edge});
    else
      side.fill = words(level, tensor, {.fills = edge});
    return side;
  }

  /// Exchange of all tensors that `lower` keeps (or the multipliers take) with their upper levels:
  /// as slow as the slowest port on either side.
  [[nodiscard]] Transfer transfer_into(std::size_t lower) const {
    Transfer transfer;
    for (std::size_t upper = 0; upper < lower; ++upper) {
      const StorageLevel& level = machine_.levels[upper];
      if (!has_finite_port(level)) continue;
      SideWords sent;
      for (std::size_t t = 0; t < 3; ++t)
        if (receiver_[upper][t] == lower) {
          sent.all += below_[upper][t].all;
          sent.fill += below_[upper][t].fill;
          sent.drain += below_[upper][t].drain;
        }
      slow_down(transfer, sent, [&](PortWords words) { return time_below(level, words); });
    }
    if (lower < levels_ && has_finite_port(machine_.levels[lower]))
      slow_down(transfer, above_[lower], [&](PortWords words) {
        return port_times(machine_.levels[lower], words).longest();
      });
    return transfer;
  }

  template <class Time>
  static void slow_down(Transfer& transfer, const SideWords& words, const Time& time) {
    transfer.all = std::max(transfer.all, time(words.all));
    transfer.fill = std::max(transfer.fill, time(words.fill));
    transfer.drain = std::max(transfer.drain, time(words.drain));
  }

  [[nodiscard]] SideWords all_below(std::size_t level) const {
    SideWords sum;
    for (const SideWords& words : below_[level]) {
      sum.all += words.all;
      sum.fill += words.fill;
      sum.drain += words.drain;
    }
    return sum;
  }

  void report_ports(std::size_t level) {
    const SideWords below = all_below(level);
    latency_.ports[level] = port_times(machine_.levels[level], below.all + above_[level].all);
    latency_.ports[level].network =
        (below.all.reads + below.all.writes) / machine_.levels[level].network_bandwidth;
  }

  /// Something that goes on beside compute, apart from its share of each fill and drain.
  struct Stage {
    double all = 0, edge = 0;
    /// Whether `edge` is a time of its own, in which nothing else goes on.
    bool is_transfer = false;
  };
  void overlap(const Transfer& transfer) {
    latency_.fill += transfer.fill;
    latency_.drain += transfer.drain;
    stages_[stage_count_++] = {transfer.all, transfer.fill + transfer.drain, true};
  }
  /// The ports of a level serve what is below it and, at `above`, the level above.
  void overlap_port(std::size_t level, const SideWords& above) {
    const StorageLevel& ports = machine_.levels[level];
    if (!has_finite_port(ports)) return;
    const SideWords below = all_below(level);
    const auto time = [&](PortWords words) { return port_times(ports, words).longest(); };
    stages_[stage_count_++] = {time(below.all + above.all),
                               time(below.fill + above.fill) + time(below.drain + above.drain),
                               false};
  }

  /// All stages so far run `times` times, each time from empty to empty.
  void settle(double times) {
    double longest = 0, refill = 0, edges = 0;
    for (std::size_t i = 0; i < stage_count_; ++i) {
      const Stage& stage = stages_[i];
      if (!stage.is_transfer) continue;
      const double rest = std::max(0.0, stage.all - stage.edge);
      // Tiles that stay where they are need no new fill.
      const double again = times > 1 ? std::min(stage.edge * (times - 1), rest) : 0;
      longest = std::max(longest, rest - again);
      refill += again;
      edges += stage.edge;
    }
    // Ports work while tiles are filled anew.
    for (std::size_t i = 0; i < stage_count_; ++i)
      if (!stages_[i].is_transfer)
        longest = std::max(longest, stages_[i].all - stages_[i].edge - refill);
    stage_count_ = 0;
    const double longer = longest - settled_edges_ - latency_.steady;
    if (longer > 0) {
      latency_.steady += longer;
      latency_.waits = std::max(0.0, latency_.waits - longer);
    }
    latency_.steady += refill;
    latency_.waits += refill;
    settled_edges_ += edges;
  }

  /// Everything settled so far stands still during `transfer`.
  void wait(const Transfer& transfer) {
    const double edge = transfer.fill + transfer.drain;
    const double rest = std::max(0.0, transfer.all - edge);
    latency_.fill += transfer.fill;
    latency_.drain += transfer.drain;
    settled_edges_ += edge;
    latency_.steady += rest;
    latency_.waits += rest;
  }

  /// How often `level` exchanges a tile: steps of the loops above it, as far in as they move one.
  [[nodiscard]] double visits(std::size_t level) const {
    Extents piece = extents_of(layer_);
    double steps = 1, visits = 1;
    for (std::size_t above = 0; above < level; ++above)
      for (const Loop& loop : nest_.levels[above].loops) {
        std::int64_t& whole = piece[index_of(loop.dimension)];
        const std::int64_t bound = quotient(whole + loop.tile - 1, loop.tile);
        whole = loop.tile;
        if (loop.is_spatial() || bound == 1) continue;
        steps *= static_cast<double>(bound);
        for (const Tensor tensor : kTensors)
          if (nest_.levels[level].keep.has(tensor) &&
              is_relevant(tensor, loop.dimension, layer_.transposed))
            visits = steps;
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
  std::array<std::array<std::size_t, 3>, kMostLevels> receiver_{};  ///< [upper level][tensor]
  std::array<std::array<SideWords, 3>, kMostLevels> below_{};
  std::array<SideWords, kMostLevels> above_{};
  std::array<Stage, 2 * kMostLevels + 1> stages_;
  std::size_t stage_count_ = 0;
  double settled_edges_ = 0;  ///< fills and drains inside of what is settled
  NestLatency latency_;
};

NestLatency timeloop_latency(const AccessCounts& counts, const Machine& machine) {
  NestLatency latency;
  latency.compute = latency.steady = static_cast<double>(counts.compute_cycles);
  for (std::size_t level = 0; level < machine.levels.size(); ++level) {
    PortWords words;
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
