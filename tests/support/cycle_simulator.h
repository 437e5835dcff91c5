// A small reference for accel/nest_latency: a machine that runs a nest cycle by cycle.
//
// Every exchange of tiles and every step of the multipliers is a job. A job waits for other jobs,
// then moves its words through its ports, which pass so many words each cycle; earlier jobs go
// first. Buffers decide what waits for what:
//   * a tile is loaded once the tile above that holds its words is there, and once its place is
//     free: with one buffer, when all work on the tile before it is done; with two, when that on
//     the one before that is;
//   * outputs go up when all work on their tile is done;
//   * a step of the multipliers takes a cycle and needs all its tiles.
// Simulated is the first instance of each level, which has most to do. Layers whose tiles do not
// overlap only (no windows), multicast and reduction along every axis: then words are products.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "accel/dimension.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel::test {

class CycleSimulator {
 public:
  CycleSimulator(const Layer& layer, const Machine& machine, const LoopNest& nest)
      : layer_(layer), machine_(machine), nest_(nest), levels_(machine.levels.size()) {
    plan(0, 0);
    for (std::size_t level = levels_; level-- > 1;) plan_drain(level);
    used_.resize(4 * levels_);
  }

  /// Cycles until the last job is done. The clock goes in small parts of a cycle, so that what is
  /// compared is not lost in rounding.
  double run() {
    for (std::size_t j = 0; j < jobs_.size(); ++j) {
      jobs_[j].waits_for = jobs_[j].after.size();
      for (const std::size_t other : jobs_[j].after) jobs_[other].before.push_back(j);
    }
    for (std::size_t j = 0; j < jobs_.size(); ++j)
      if (jobs_[j].waits_for == 0) ready_.insert(j);
    std::int64_t ticks = 0;
    for (; !ready_.empty(); ++ticks) tick();
    return static_cast<double>(ticks) / kTicks;
  }

  /// Words through one port of a level's first instance in the whole run.
  enum Port : std::size_t { read, write, shared, network };
  [[nodiscard]] double words(std::size_t level, Port port) const {
    double sum = 0;
    for (const Job& job : jobs_)
      for (const Demand& demand : job.demands)
        if (demand.port == 4 * level + port) sum += demand.words;
    return sum;
  }

 private:
  struct Demand {
    std::size_t port = 0;  ///< 4 * level + Port
    double words = 0;
  };
  struct Job {
    std::vector<std::size_t> after, before;  ///< jobs that must be done; that wait for this one
    std::vector<Demand> demands;
    bool is_step = false;       ///< of the multipliers: takes a cycle at least
    double left = 1;            ///< share of it
    std::size_t waits_for = 0;  ///< jobs of `after` that are not done
  };
  /// One tile, or set of tiles, that a level holds.
  struct Visit {
    std::size_t load = 0;                ///< job
    std::vector<std::size_t> work;       ///< jobs that must be done before it may leave
    std::vector<std::size_t> departure;  ///< drains of its outputs, if they leave with it
  };
  static constexpr std::size_t kNoJob = static_cast<std::size_t>(-1);
  using Key = std::vector<std::int64_t>;

  // ------------------------------------------------------------------------------------- planning

  /// Iterates the temporal loops from loop `i` of `level` on.
  void plan(std::size_t level, std::size_t i) {
    if (level == levels_) return plan_step();
    const auto& loops = nest_.levels[level].loops;
    if (i == loops.size()) return plan(level + 1, 0);
    if (loops[i].is_spatial()) {
      index_.push_back(0);
      plan(level, i + 1);
      index_.pop_back();
      return;
    }
    const std::int64_t bound = ceil_div(tile_above(level, i), loops[i].tile);
    for (std::int64_t index = 0; index < bound; ++index) {
      index_.push_back(index);
      plan(level, i + 1);
      index_.pop_back();
    }
  }

  [[nodiscard]] std::int64_t tile_above(std::size_t level, std::size_t i) const {
    const Dimension d = nest_.levels[level].loops[i].dimension;
    std::int64_t tile = extents_of(layer_)[index_of(d)];
    for (std::size_t l = 0; l <= level; ++l)
      for (std::size_t j = 0; j < (l == level ? i : nest_.levels[l].loops.size()); ++j)
        if (nest_.levels[l].loops[j].dimension == d) tile = nest_.levels[l].loops[j].tile;
    return tile;
  }

  /// Positions of dimension `d` that the present indices leave, spread over all children of levels
  /// from `spread` on and only the first of those above; cut by the loops above `level`.
  [[nodiscard]] std::int64_t positions(Dimension d, std::size_t level, std::size_t spread) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges{{0, extents_of(layer_)[index_of(d)]}};
    std::size_t position = 0;
    std::int64_t tile = extents_of(layer_)[index_of(d)];
    for (std::size_t l = 0; l < level; ++l)
      for (const Loop& loop : nest_.levels[l].loops) {
        const std::int64_t index = index_[position++];
        if (loop.dimension != d) continue;
        const bool all = loop.is_spatial() && l >= spread;
        const std::int64_t pieces = ceil_div(tile, loop.tile);
        std::vector<std::pair<std::int64_t, std::int64_t>> cut;
        for (const auto& [begin, end] : ranges)
          for (std::int64_t p = all ? 0 : index; p < (all ? pieces : index + 1); ++p)
            cut.emplace_back(begin + p * loop.tile, std::min(end, begin + (p + 1) * loop.tile));
        ranges = cut;
        tile = loop.tile;
      }
    std::int64_t sum = 0;
    for (const auto& [begin, end] : ranges) sum += std::max<std::int64_t>(0, end - begin);
    return sum;
  }

  [[nodiscard]] double tile_words(Tensor tensor, std::size_t level, std::size_t spread) const {
    double words = 1;
    for (const Dimension d : kAllDimensions)
      if (is_relevant(tensor, d)) words *= static_cast<double>(positions(d, level, spread));
    return words;
  }

  [[nodiscard]] bool has_work() const {
    return std::all_of(kAllDimensions.begin(), kAllDimensions.end(),
                       [&](Dimension d) { return positions(d, levels_, levels_) > 0; });
  }

  /// Indices of the temporal loops above `level` that move `tensor`.
  [[nodiscard]] Key key(Tensor tensor, std::size_t level) const {
    Key key;
    std::size_t position = 0;
    for (std::size_t l = 0; l < level; ++l)
      for (const Loop& loop : nest_.levels[l].loops) {
        const std::int64_t index = index_[position++];
        if (!loop.is_spatial() && is_relevant(tensor, loop.dimension)) key.push_back(index);
      }
    return key;
  }

  [[nodiscard]] bool keeps(std::size_t level, Tensor tensor) const {
    return level == 0 || nest_.levels[level].keep.has(tensor);
  }
  [[nodiscard]] std::size_t sender(std::size_t level, Tensor tensor) const {
    do --level;
    while (!keeps(level, tensor));
    return level;
  }

  static void demand(Job& job, std::size_t port, double words) {
    for (Demand& demand : job.demands)
      if (demand.port == port) {
        demand.words += words;
        return;
      }
    job.demands.push_back({port, words});
  }
  static void demand(Job& job, std::size_t level, Port direction, double words, bool from_below) {
    if (words == 0) return;
    demand(job, 4 * level + direction, words);
    demand(job, 4 * level + shared, words);
    if (from_below) demand(job, 4 * level + network, words);
  }

  void plan_step() {
    // What is inside goes up before what is outside can.
    for (std::size_t level = levels_; level-- > 1;)
      if (moves(level, Tensor::output)) plan_drain(level);
    for (std::size_t level = 1; level < levels_; ++level) exchange(level);
    if (has_work()) plan_multiplications();
  }

  void plan_multiplications() {
    Job step;
    step.is_step = true;
    if (last_step_ != kNoJob) step.after.push_back(last_step_);
    for (std::size_t level = 1; level < levels_; ++level) {
      if (visits_[level].empty()) continue;
      step.after.push_back(visits_[level].back().load);
      // The place of new outputs must be free.
      for (const std::size_t job : departed(level, visits_[level].size()))
        step.after.push_back(job);
    }
    for (const Tensor tensor : kTensors) {
      const std::size_t from = sender(levels_, tensor);
      const double words = tile_words(tensor, levels_, from);
      if (tensor != Tensor::output) {
        demand(step, from, read, words, true);
        continue;
      }
      demand(step, from, write, words, true);
      if (summed_before()) demand(step, from, read, words, true);
    }
    last_step_ = add(step);
    for (std::size_t level = 1; level < levels_; ++level)
      if (!visits_[level].empty()) visits_[level].back().work.push_back(last_step_);
  }

  /// Whether the outputs of this step have been added to before: then their sums are read.
  bool summed_before() {
    Key output;
    for (const Dimension d : kAllDimensions)
      if (is_relevant(Tensor::output, d)) output.push_back(first_position(d));
    return !summed_.insert(output).second;
  }
  [[nodiscard]] std::int64_t first_position(Dimension d) const {
    std::int64_t begin = 0;
    std::size_t position = 0;
    for (const LevelNest& level : nest_.levels)
      for (const Loop& loop : level.loops) {
        const std::int64_t index = index_[position++];
        if (loop.dimension == d) begin += index * loop.tile;
      }
    return begin;
  }

  /// Jobs that free the place of a level's visit number `number` (from 1; that now held is the
  /// last): drains of the visits that must be gone.
  [[nodiscard]] std::vector<std::size_t> departed(std::size_t level, std::size_t number) const {
    const auto buffers = static_cast<std::size_t>(machine_.levels[level].buffers);
    std::vector<std::size_t> jobs;
    if (number > buffers) jobs = visits_[level][number - buffers - 1].departure;
    return jobs;
  }

  /// New tiles for `level`, where any of its tensors moves at this step.
  void exchange(std::size_t level) {
    if (std::none_of(kTensors.begin(), kTensors.end(), [&](Tensor t) { return moves(level, t); }))
      return;
    plan_load(level);
    if (moves(level, Tensor::output)) remember_outputs(level);
    for (const Tensor tensor : kTensors)
      if (moves(level, tensor)) held_[{level, index_of(tensor)}] = key(tensor, level);
  }

  /// Whether the tile of `tensor` that `level` holds is not the one that this step needs. Steps
  /// without work along a dimension that does not move the tensor leave it alone.
  [[nodiscard]] bool moves(std::size_t level, Tensor tensor) const {
    if (!keeps(level, tensor)) return false;
    for (const Dimension d : kAllDimensions)
      if (!is_relevant(tensor, d) && positions(d, level, level) == 0) return false;
    const auto held = held_.find({level, index_of(tensor)});
    return held == held_.end() || held->second != key(tensor, level);
  }

  void plan_load(std::size_t level) {
    Job load;
    for (const Tensor tensor : kTensors) {
      if (!moves(level, tensor)) continue;
      const std::size_t from = sender(level, tensor);
      if (from > 0) load.after.push_back(visits_[from].back().load);
      const auto drained = drained_.find({level, key(tensor, level)});
      if (tensor == Tensor::output && drained == drained_.end()) continue;  // sums start from zero
      if (tensor == Tensor::output) load.after.push_back(drained->second);
      demand(load, from, read, tile_words(tensor, level, from), true);
      demand(load, level, write, tile_words(tensor, level, level), false);
    }
    const auto buffers = static_cast<std::size_t>(machine_.levels[level].buffers);
    const std::size_t number = visits_[level].size();
    if (number > 0) load.after.push_back(visits_[level].back().load);
    if (number >= buffers)
      for (const std::size_t job : visits_[level][number - buffers].work) load.after.push_back(job);
    visits_[level].push_back({.load = add(load), .work = {}, .departure = {}});
    for (std::size_t above = 1; above < level; ++above)
      if (!visits_[above].empty()) visits_[above].back().work.push_back(visits_[level].back().load);
  }

  /// What leaves when outputs move is what was held: its size is remembered from when they came.
  void remember_outputs(std::size_t level) {
    const std::size_t to = sender(level, Tensor::output);
    leaving_[level] = {.to = to,
                       .words_at_receiver = tile_words(Tensor::output, level, to),
                       .words_here = tile_words(Tensor::output, level, level),
                       .key = key(Tensor::output, level)};
  }

  struct Leaving {
    std::size_t to = 0;
    double words_at_receiver = 0, words_here = 0;
    Key key;
  };

  void plan_drain(std::size_t level) {
    const auto leaving = leaving_.find(level);
    if (leaving == leaving_.end() || visits_[level].empty()) return;
    // First what is inside must have gone up.
    Job drain;
    drain.after = visits_[level].back().work;
    demand(drain, level, read, leaving->second.words_here, false);
    demand(drain, leaving->second.to, write, leaving->second.words_at_receiver, true);
    const std::size_t job = add(drain);
    visits_[level].back().departure.push_back(job);
    drained_[{level, leaving->second.key}] = job;
    for (std::size_t above = 1; above < level; ++above)
      if (!visits_[above].empty()) visits_[above].back().work.push_back(job);
    leaving_.erase(leaving);
  }

  std::size_t add(const Job& job) {
    jobs_.push_back(job);
    return jobs_.size() - 1;
  }

  // -------------------------------------------------------------------------------------- running

  static constexpr double kTicks = 16;  ///< of a cycle

  [[nodiscard]] double bandwidth(std::size_t port) const {
    const StorageLevel& level = machine_.levels[port / 4];
    return std::array{level.read_bandwidth, level.write_bandwidth, level.shared_bandwidth,
                      level.network_bandwidth}[port % 4];
  }

  /// Ready jobs in their order share the ports; what they make ready starts with the next tick, or
  /// at once where the transfer took no time.
  void tick() {
    for (bool any = true; any;) {
      any = false;
      for (const std::size_t j : std::set<std::size_t>(ready_))
        if (takes_no_time(jobs_[j])) {
          finish(j);
          any = true;
        }
    }
    std::fill(used_.begin(), used_.end(), 0.0);
    for (const std::size_t j : std::set<std::size_t>(ready_)) {
      advance(jobs_[j]);
      if (jobs_[j].left <= 1e-9) finish(j);
    }
  }

  [[nodiscard]] bool takes_no_time(const Job& job) const {
    return !job.is_step &&
           std::all_of(job.demands.begin(), job.demands.end(),
                       [&](const Demand& d) { return bandwidth(d.port) == kUnlimited; });
  }

  void advance(Job& job) {
    double share = job.is_step ? std::min(job.left, 1 / kTicks) : job.left;
    for (const Demand& demand : job.demands)
      share =
          std::min(share, (bandwidth(demand.port) / kTicks - used_[demand.port]) / demand.words);
    if (share <= 0) return;
    for (const Demand& demand : job.demands) used_[demand.port] += share * demand.words;
    job.left -= share;
  }

  void finish(std::size_t j) {
    ready_.erase(j);
    for (const std::size_t other : jobs_[j].before)
      if (--jobs_[other].waits_for == 0) ready_.insert(other);
  }

  const Layer& layer_;
  const Machine& machine_;
  const LoopNest& nest_;
  std::size_t levels_;
  std::vector<std::int64_t> index_;  ///< of each loop of the nest so far
  std::array<std::vector<Visit>, kMostLevels> visits_;
  std::map<std::pair<std::size_t, std::size_t>, Key> held_;  ///< [level, tensor]
  std::map<std::size_t, Leaving> leaving_;                   ///< outputs that a level holds
  std::map<std::pair<std::size_t, Key>, std::size_t> drained_;
  std::set<Key> summed_;
  std::vector<Job> jobs_;
  std::size_t last_step_ = kNoJob;
  std::set<std::size_t> ready_;
  std::vector<double> used_;  ///< words through each port in this tick
};

}  // namespace cosearch::accel::test
