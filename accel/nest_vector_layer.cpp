#include "accel/nest_vector_layer.h"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "accel/vector_work.h"
#include "accel/word_counts.h"

namespace cosearch::accel {
namespace {

/// Words of a level per direction, or what takes them.
struct Moved {
  double reads = 0, writes = 0;
  Moved& operator+=(Moved other) {
    reads += other.reads;
    writes += other.writes;
    return *this;
  }
};

class VectorLayer {
 public:
  VectorLayer(const Layer& layer, const Machine& machine)
      : layer_(layer), machine_(machine), work_(vector_work_of(layer)) {
    result_.operations = work_.operations;
    result_.nest.levels.resize(machine.levels.size());
    for (LevelNest& level : result_.nest.levels) level.keep = {};
    input_path_ = path_of(Tensor::input);
    output_path_ = path_of(Tensor::output);
  }

  std::variant<Infeasible, VectorLayerCost> run() {
    const std::string shortage = shortage_of(work_.inputs_at_once, work_.outputs_at_once);
    if (!shortage.empty() && !work_.rereads_dram) return Infeasible{shortage};
    if (!shortage.empty())
      if (const std::string least = shortage_of(1, 1); !least.empty()) return Infeasible{least};
    count(shortage.empty() ? 1 : work_.passes);
    const ValueWidths widths(layer_, machine_, result_.nest, cost().counts, Accounting::exact);
    time(widths);
    add_energy(cost().counts, machine_, widths, Accounting::exact, cost().energy);
    cost().energy.vector_pj =
        static_cast<double>(work_.operations) * machine_.compute.vector_energy_pj;
    add_leakage(cost().energy, machine_, cost().cycles());
    return std::move(result_);
  }

 private:
  NestCost& cost() { return result_.cost; }

  /// Level 0, the outermost other level that may keep `tensor`, and further ones that must.
  std::vector<std::size_t> path_of(Tensor tensor) {
    std::vector<std::size_t> path{0};
    for (std::size_t i = 1; i < machine_.levels.size(); ++i) {
      const StorageLevel& level = machine_.levels[i];
      const bool must = level.must_keep.has(tensor);
      if (must || (path.size() == 1 && level.may_keep.has(tensor))) path.push_back(i);
    }
    for (const std::size_t i : path) result_.nest.levels[i].keep.add(tensor);
    return path;
  }

  /// Bits of `values` of a tensor at level `i`, all its buffers together.
  [[nodiscard]] std::int64_t bits_of(std::size_t i, Tensor tensor, std::int64_t values) const {
    const StorageLevel& level = machine_.levels[i];
    const bool sums_up = tensor == Tensor::output && i == output_path_.back();
    const std::int64_t width = sums_up ? layer_.partial_sum_bits : layer_.bits(tensor);
    return level.buffers * values * ceil_div(width, level.word_bits) * level.word_bits;
  }

  /// What is too small when the outermost levels hold so many values, further ones one each; empty
  /// when nothing is.
  [[nodiscard]] std::string shortage_of(std::int64_t inputs, std::int64_t outputs) const {
    std::string text;
    for (std::size_t i = 1; i < machine_.levels.size(); ++i) {
      std::int64_t shared = 0;
      std::string parts;
      for (const auto& [tensor, path, at_once] : {std::tuple{Tensor::input, &input_path_, inputs},
                                                  {Tensor::output, &output_path_, outputs}}) {
        if (!result_.nest.levels[i].keep.has(tensor)) continue;
        const std::int64_t bits = bits_of(i, tensor, i == (*path)[1] ? at_once : 1);
        const std::string part = std::string(name_of(tensor)) + " " + std::to_string(bits);
        if (const auto room = machine_.levels[i].partition_bits[index_of(tensor)]) {
          add(text, missing(i, bits, *room, part));
          continue;
        }
        shared += bits;
        parts += (parts.empty() ? "" : ", ") + part;
      }
      if (const auto room = machine_.levels[i].capacity_bits)
        add(text, missing(i, shared, *room, parts));
    }
    return text;
  }

  static void add(std::string& text, const std::string& shortage) {
    if (!text.empty() && !shortage.empty()) text += "; ";
    text += shortage;
  }

  [[nodiscard]] std::string missing(std::size_t i, std::int64_t need, std::int64_t have,
                                    const std::string& parts) const {
    if (need <= have) return "";
    return "level " + machine_.levels[i].name + " is " + std::to_string(need - have) +
           " bits too small for " + describe(layer_) + ": it needs " + std::to_string(need) +
           " of " + std::to_string(have) + " bits (" + parts + ")";
  }

  void count(std::int64_t dram_passes) {
    AccessCounts& counts = cost().counts;
    for (std::size_t i = 0; i <= machine_.levels.size(); ++i)
      counts.instances[i] = machine_.instances(i);
    counts.compute_cycles = ceil_div(work_.operations, machine_.multipliers());
    count_inputs(dram_passes);
    count_outputs();
    for (std::size_t i = 0; i < machine_.levels.size(); ++i)
      for (const Tensor tensor : kTensors) {
        const LevelAccesses& all = counts.levels[i][index_of(tensor)];
        const auto share = [&](std::int64_t values) {
          return ceil_div(values, counts.instances[i]);
        };
        counts.busiest[i][index_of(tensor)] = {share(all.reads), share(all.fills),
                                               share(all.updates), share(all.drains)};
      }
  }

  void count_inputs(std::int64_t dram_passes) {
    AccessCounts& counts = cost().counts;
    const std::int64_t inputs = layer_.elements(Tensor::input);
    constexpr std::size_t t = index_of(Tensor::input);
    for (std::size_t j = 0; j < input_path_.size(); ++j) {
      const std::size_t i = input_path_[j];
      const bool innermost = j + 1 == input_path_.size();
      const std::int64_t passes = j == 0 ? dram_passes : work_.passes;
      const std::int64_t sent = innermost ? work_.operations : passes * inputs;
      counts.levels[i][t].reads = sent;
      if (j > 0) counts.levels[i][t].fills = counts.levels[input_path_[j - 1]][t].reads;
      counts.links[i][t] = {.down = sent, .down_copies = sent};
    }
  }

  void count_outputs() {
    AccessCounts& counts = cost().counts;
    const std::int64_t outputs = layer_.elements(Tensor::output);
    constexpr std::size_t t = index_of(Tensor::output);
    for (const std::size_t i : output_path_) {
      counts.levels[i][t].updates = outputs;
      if (i > 0) counts.levels[i][t].reads = counts.levels[i][t].drains = outputs;
      counts.links[i][t] = {.up = outputs, .up_copies = outputs};
    }
  }

  void time(const ValueWidths& widths) {
    NestLatency& latency = cost().latency;
    latency.compute = latency.steady = static_cast<double>(cost().counts.compute_cycles);
    add_edges(widths, latency);
    for (std::size_t i = 0; i < machine_.levels.size(); ++i) {
      latency.ports[i] = port_times(widths, i);
      latency.steady = std::max(latency.steady, latency.ports[i].longest() - edges_[i]);
    }
  }

  [[nodiscard]] PortTimes port_times(const ValueWidths& widths, std::size_t i) const {
    Moved all;
    for (const Tensor tensor : {Tensor::input, Tensor::output})
      all += moved(widths, i, tensor, result_.cost.counts.busiest[i][index_of(tensor)]);
    Moved below = moved(widths, i, Tensor::input,
                        {.reads = result_.cost.counts.busiest[i][index_of(Tensor::input)].reads});
    below += moved(widths, i, Tensor::output,
                   {.updates = result_.cost.counts.busiest[i][index_of(Tensor::output)].updates});
    PortTimes times = times_of(machine_.levels[i], all);
    times.network = (below.reads + below.writes) / machine_.levels[i].network_bandwidth;
    return times;
  }

  [[nodiscard]] static Moved moved(const ValueWidths& widths, std::size_t i, Tensor tensor,
                                   const LevelAccesses& of) {
    const WordCounts words = widths.words(i, tensor, of);
    return {static_cast<double>(words.reads), static_cast<double>(words.writes)};
  }

  [[nodiscard]] static PortTimes times_of(const StorageLevel& level, Moved words) {
    return {.read = words.reads / level.read_bandwidth,
            .write = words.writes / level.write_bandwidth,
            .shared = (words.reads + words.writes) / level.shared_bandwidth};
  }

  /// The first words go down every link of their path, the last ones up theirs.
  void add_edges(const ValueWidths& widths, NestLatency& latency) {
    const auto first = [&](std::size_t i, Tensor tensor) {
      const std::int64_t at_once = std::min(machine_.multipliers(), layer_.elements(tensor));
      return ceil_div(at_once, machine_.instances(i));
    };
    for (std::size_t j = 0; j < input_path_.size(); ++j) {
      const std::size_t upper = input_path_[j];
      double slowest = edge(widths, upper, Tensor::input, {.reads = first(upper, Tensor::input)});
      if (j + 1 < input_path_.size()) {
        const std::size_t lower = input_path_[j + 1];
        slowest = std::max(
            slowest, edge(widths, lower, Tensor::input, {.fills = first(lower, Tensor::input)}));
      }
      latency.fill += slowest;
    }
    for (std::size_t j = 0; j < output_path_.size(); ++j) {
      const std::size_t upper = output_path_[j];
      double slowest =
          edge(widths, upper, Tensor::output, {.updates = first(upper, Tensor::output)});
      if (j + 1 < output_path_.size()) {
        const std::size_t lower = output_path_[j + 1];
        slowest = std::max(
            slowest, edge(widths, lower, Tensor::output, {.reads = first(lower, Tensor::output)}));
      }
      latency.drain += slowest;
    }
  }

  /// Cycles of `first` at level `i`, kept as part of what its ports do in all.
  double edge(const ValueWidths& widths, std::size_t i, Tensor tensor, const LevelAccesses& first) {
    const StorageLevel& level = machine_.levels[i];
    const Moved words = moved(widths, i, tensor, first);
    PortTimes times = times_of(level, words);
    const bool is_below = first.fills == 0 && (tensor == Tensor::input || first.reads == 0);
    if (is_below) times.network = (words.reads + words.writes) / level.network_bandwidth;
    edges_[i] += times.longest();
    return times.longest();
  }

  const Layer& layer_;
  const Machine& machine_;
  VectorWork work_;
  std::vector<std::size_t> input_path_, output_path_;
  std::array<double, kMostLevels> edges_{};  ///< cycles of each level's ports in fill and drain
  VectorLayerCost result_;
};

}  // namespace

double VectorLayerCost::utilisation(const Machine& machine) const {
  return static_cast<double>(operations) /
         (static_cast<double>(machine.multipliers()) * static_cast<double>(cost.cycles().value));
}

std::variant<Infeasible, VectorLayerCost> vector_layer_cost(const Layer& layer,
                                                            const Machine& machine) {
  return VectorLayer(layer, machine).run();
}

}  // namespace cosearch::accel
