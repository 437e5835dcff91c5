#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "accel/access_counts.h"
#include "codesign/import/maestro_design.h"
#include "codesign/import/maestro_words.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using accel::index_of;
using accel::Loop;
using datasets::MaestroDirective;
using datasets::MaestroHardware;
using datasets::MaestroLayer;
using datasets::MaestroNetwork;

// MAESTRO's energy table: an access of L1 and of L2 in multiply-accumulates, and one of these in pJ
// (its CSV column multiplies by 0.00023 nJ). DRAM and network cost nothing there.
constexpr double kMacPj = 0.23, kL1Macs = 1.68, kL2Macs = 18.61;
// One element of MAESTRO is one word of ours; how wide does not matter to a count.
constexpr std::int32_t kElementBits = 8;

std::span<const MaestroWord> words_of(const std::string& type) {
  if (type == "GEMM") return kGemmWords;
  if (type == "DSCONV") return kDepthwiseWords;
  return kConvolutionWords;
}

/// Output positions of a window of `kernel` over `input`; one where it is larger.
std::int64_t positions(std::int64_t input, std::int64_t kernel, std::int64_t stride) {
  return input < kernel ? 1 : (input - kernel) / stride + 1;
}

Layer convolution_of(const MaestroLayer& from) {
  const auto extent = [&](std::string_view name) { return from.dimension(name).value_or(1); };
  Layer layer;
  layer.N = extent("N");
  const bool depthwise = from.type == "DSCONV";
  layer.G = depthwise ? extent("C") : extent("G");
  layer.K = extent("K");
  layer.C = depthwise ? 1 : extent("C");
  layer.R = extent("R");
  layer.S = extent("S");
  layer.stride_h = from.stride_y;
  layer.stride_w = from.stride_x;
  layer.input_h = extent("Y");
  layer.input_w = extent("X");
  layer.P = positions(layer.input_h, layer.R, layer.stride_h);
  layer.Q = positions(layer.input_w, layer.S, layer.stride_w);
  layer.pad_bottom = std::max<std::int64_t>(layer.R - layer.input_h, 0);
  layer.pad_right = std::max<std::int64_t>(layer.S - layer.input_w, 0);
  return layer;
}

/// Translates the directives of one layer, cluster by cluster, outermost first.
class DataflowReader {
 public:
  DataflowReader(const MaestroNetwork& network, const MaestroLayer& from, const Layer& layer,
                 std::int64_t num_pes)
      : network_(network), from_(from), tile_(accel::extents_of(layer)) {
    split_into_clusters();
    count_units(num_pes);
  }

  /// Loops of each cluster's level, and the units below it.
  struct Level {
    std::vector<Loop> loops;
    std::int64_t units = 1;
  };

  std::vector<Level> levels() {
    std::vector<Level> levels;
    for (std::size_t i = 0; i < clusters_.size(); ++i)
      levels.push_back({loops_of(clusters_[i], units_[i]), units_[i]});
    return levels;
  }

  /// What one processing element does, once levels() has been called.
  [[nodiscard]] std::vector<Loop> innermost_loops() const {
    std::vector<Loop> loops;
    for (const Dimension d : accel::kAllDimensions)
      if (tile_[index_of(d)] > 1) loops.push_back({d, 1, Loop::kTemporal});
    return loops;
  }

 private:
  using Directives = std::vector<const MaestroDirective*>;

  [[noreturn]] void fail(const MaestroDirective& directive, const std::string& why) const {
    throw UserError(network_.where(directive), fmt::format("{}: {}", directive.text, why));
  }

  void split_into_clusters() {
    clusters_.emplace_back();
    units_.push_back(1);
    for (const MaestroDirective& directive : from_.dataflow) {
      if (directive.kind != MaestroDirective::Kind::cluster) {
        clusters_.back().push_back(&directive);
        continue;
      }
      // DRAM, L2 and L1 are levels too.
      if (clusters_.size() + 2 == accel::kMostLevels)
        fail(directive, fmt::format("more than {} clusters in one another", clusters_.size() - 1));
      clusters_.emplace_back();
      units_.push_back(directive.size);
      innermost_cluster_ = &directive;
    }
  }

  /// The outermost level has as many units as the processing elements make clusters.
  void count_units(std::int64_t num_pes) {
    std::int64_t in_clusters = 1;
    for (const std::int64_t units : units_) in_clusters *= std::min(units, num_pes + 1);
    units_.front() = num_pes / in_clusters;
    if (units_.front() == 0)
      fail(*innermost_cluster_,
           fmt::format("the clusters of layer {} need more than the {} processing elements there "
                       "are",
                       from_.name, num_pes));
  }

  struct Target {
    Dimension dimension;
    bool is_window;  ///< in input coordinates
  };

  [[nodiscard]] Target target_of(const MaestroDirective& directive) const {
    const bool convolves = from_.type != "GEMM";
    if (convolves && directive.dimension == "Y") return {Dimension::P, true};
    if (convolves && directive.dimension == "X") return {Dimension::Q, true};
    for (const MaestroWord& word : words_of(from_.type))
      if (word.word == directive.dimension) return {word.dimension, false};
    fail(directive,
         fmt::format("a layer of type {} has no dimension {}", from_.type, directive.dimension));
  }

  static Dimension taps_of(Dimension window) {
    return window == Dimension::P ? Dimension::R : Dimension::S;
  }

  static bool is_spatial(const MaestroDirective& directive) {
    return directive.kind == MaestroDirective::Kind::spatial_map;
  }

  /// The directive for `dimension` in this cluster, or null.
  [[nodiscard]] const MaestroDirective* find(const Directives& cluster, Dimension dimension) const {
    const auto found = std::ranges::find_if(
        cluster, [&](const auto* d) { return target_of(*d).dimension == dimension; });
    return found == cluster.end() ? nullptr : *found;
  }

  std::vector<Loop> loops_of(const Directives& cluster, std::int64_t units) {
    check_one_each(cluster);
    check_spatial(cluster);
    accel::Extents next = tile_;
    for (const MaestroDirective* directive : cluster)
      next[index_of(target_of(*directive).dimension)] = tile_of(*directive, cluster);
    std::vector<Loop> in_time, over_units;
    for (const MaestroDirective* directive : cluster) {
      const Dimension d = target_of(*directive).dimension;
      const std::int64_t before = tile_[index_of(d)], after = next[index_of(d)];
      if (after == before) continue;
      if (!is_spatial(*directive)) {
        in_time.push_back({d, after, Loop::kTemporal});
        continue;
      }
      // More tiles than units: the whole array folds in time, where the directive stands.
      if (after * units < before) in_time.push_back({d, after * units, Loop::kTemporal});
      if (units > 1) over_units.push_back({d, after, 0});
    }
    tile_ = next;
    in_time.insert(in_time.end(), over_units.begin(), over_units.end());
    return in_time;
  }

  void check_one_each(const Directives& cluster) const {
    for (const MaestroDirective* directive : cluster)
      if (find(cluster, target_of(*directive).dimension) != directive)
        fail(*directive, fmt::format("{} is mapped twice in one cluster", directive->dimension));
  }

  void check_spatial(const Directives& cluster) const {
    const MaestroDirective* first = nullptr;
    int count = 0;
    for (const MaestroDirective* directive : cluster) {
      if (!is_spatial(*directive)) continue;
      if (++count > 2) fail(*directive, "a third spatial map in one cluster");
      if (first && !is_diagonal(*first, *directive) && !is_diagonal(*directive, *first))
        fail(*directive, fmt::format("a second spatial map in one cluster, after {}; only Y with R "
                                     "and X with S go together",
                                     first->text));
      first = directive;
    }
  }

  [[nodiscard]] bool is_diagonal(const MaestroDirective& window,
                                 const MaestroDirective& taps) const {
    const Target target = target_of(window);
    return target.is_window && taps_of(target.dimension) == target_of(taps).dimension;
  }

  [[nodiscard]] std::int64_t tile_of(const MaestroDirective& directive,
                                     const Directives& cluster) const {
    const Target target = target_of(directive);
    const std::int64_t extent = tile_[index_of(target.dimension)];
    if (target.is_window) return outputs_of(directive, cluster, target.dimension, extent);
    if (directive.size >= extent) return extent;
    check_step(directive, directive.size, "indices");
    return directive.size;
  }

  void check_step(const MaestroDirective& directive, std::int64_t size,
                  std::string_view things) const {
    if (directive.offset == size) return;
    fail(directive,
         fmt::format("tiles of {} {} that move by {} {}; only windows over Y and X may overlap, by "
                     "what the kernel needs",
                     size, things, directive.offset,
                     directive.offset < size ? "overlap" : "leave gaps"));
  }

  /// Outputs of a window over the input. Sizes count as if the stride were 1: MAESTRO rescales
  /// them.
  [[nodiscard]] std::int64_t outputs_of(const MaestroDirective& directive,
                                        const Directives& cluster, Dimension dimension,
                                        std::int64_t extent) const {
    const Dimension taps = taps_of(dimension);
    const MaestroDirective* on_taps = find(cluster, taps);
    const std::int64_t all_taps = tile_[index_of(taps)];
    const std::int64_t kernel = on_taps ? std::min(on_taps->size, all_taps) : all_taps;
    const std::int64_t outputs = directive.size - kernel + 1;
    const bool diagonal = is_spatial(directive) && on_taps && is_spatial(*on_taps);
    if (outputs < 1 && directive.size < kernel)
      fail(directive,
           fmt::format("a window of {} over {} is smaller than the {} of {} under it",
                       directive.size, directive.dimension, kernel, accel::name_of(taps)));
    if (diagonal) return diagonal_outputs(directive, *on_taps, outputs, extent);
    if (outputs >= extent) return extent;
    if (kernel != all_taps)
      fail(directive, fmt::format("{} is cut in the same cluster, so that the windows are none of "
                                  "whole outputs",
                                  accel::name_of(taps)));
    check_step(directive, outputs, "outputs");
    return outputs;
  }

  /// Rows and taps move together: unit i has taps i and the rows that they need for all outputs.
  [[nodiscard]] std::int64_t diagonal_outputs(const MaestroDirective& window,
                                              const MaestroDirective& taps, std::int64_t outputs,
                                              std::int64_t extent) const {
    if (window.offset != taps.offset || outputs < extent)
      fail(window,
           fmt::format("together with {} it must move by the same offset and leave each unit "
                       "all {} outputs",
                       taps.text, extent));
    return extent;
  }

  const MaestroNetwork& network_;
  const MaestroLayer& from_;
  accel::Extents tile_;
  std::vector<Directives> clusters_;
  std::vector<std::int64_t> units_;
  const MaestroDirective* innermost_cluster_ = nullptr;
};

double bandwidth_of(const std::optional<std::int64_t>& elements_per_cycle) {
  return elements_per_cycle ? static_cast<double>(*elements_per_cycle) : accel::kUnlimited;
}

accel::StorageLevel storage(std::string name, const std::optional<std::int64_t>& bandwidth,
                            double energy_macs) {
  accel::StorageLevel level;
  level.name = std::move(name);
  level.word_bits = kElementBits;
  level.capacity_bits = kNoLimitBits;
  level.read_bandwidth = level.write_bandwidth = bandwidth_of(bandwidth);
  level.read_energy_pj = level.write_energy_pj = energy_macs * kMacPj;
  return level;
}

accel::Machine machine_of(const MaestroHardware& hardware,
                          const std::vector<DataflowReader::Level>& clusters) {
  accel::Machine machine;
  machine.name = "maestro";
  machine.source = "MAESTRO's hardware file and energy table";
  machine.levels.push_back(storage("DRAM", hardware.offchip_bandwidth, 0));
  machine.levels.back().capacity_bits.reset();
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    // MAESTRO gives the network inside a cluster the bandwidth of the one between them.
    machine.levels.push_back(storage(i == 0 ? "L2" : fmt::format("cluster{}", i),
                                     hardware.noc_bandwidth, i == 0 ? kL2Macs : 0));
    if (clusters[i].units > 1)
      machine.levels.back().fanout.push_back({.axis = "X", .size = clusters[i].units});
  }
  machine.levels.push_back(storage("L1", std::nullopt, kL1Macs));
  machine.compute.mac_energy_pj = kMacPj;
  return machine;
}

void apply_capacities(const MaestroHardware& hardware, accel::Machine& machine) {
  if (hardware.l2_size) machine.levels[1].capacity_bits = *hardware.l2_size * kElementBits;
  if (hardware.l1_size) machine.levels.back().capacity_bits = *hardware.l1_size * kElementBits;
}

std::int64_t dram_traffic(const LayerDesign& design) {
  const accel::AccessCounts counts =
      count_accesses(design.layer, design.machine, design.nest, accel::Accounting::exact);
  std::int64_t values = 0;
  for (const accel::LevelAccesses& accesses : counts.levels[0])
    values += accesses.reads + accesses.updates;
  return values;
}

bool fits(const LayerDesign& design, std::size_t level) {
  const accel::StorageLevel& storage = design.machine.levels[level];
  std::int64_t words = 0;
  for (const std::int64_t tile : tile_words(design.nest, design.layer, design.machine, level))
    words += tile;
  return words * storage.buffers * storage.word_bits <= *storage.capacity_bits;
}

/// Moves outer loops in time from L2 to DRAM for as long as nothing is fetched twice for it: L2
/// then fills while the array works. Beyond that, as many as L2 needs to hold its tile.
void move_loops_to_dram(LayerDesign& design) {
  // The counts ask for a machine that has room.
  accel::Machine limited = design.machine;
  for (std::size_t i = 1; i < design.machine.levels.size(); ++i)
    design.machine.levels[i].capacity_bits = kNoLimitBits;
  if (!problems_in(design.nest, design.layer, design.machine).empty()) {
    design.machine = std::move(limited);
    return;  // larger than anything that can be counted: for the caller to find
  }
  const std::int64_t least = dram_traffic(design);
  while (!design.nest.levels[1].loops.empty()) {
    const Loop outermost = design.nest.levels[1].loops.front();
    if (outermost.is_spatial()) break;
    LayerDesign moved = design;
    moved.nest.levels[0].loops.push_back(outermost);
    moved.nest.levels[1].loops.erase(moved.nest.levels[1].loops.begin());
    std::swap(design.machine, limited);
    const bool must_move = !fits(design, 1);
    std::swap(design.machine, limited);
    if (!must_move && dram_traffic(moved) != least) break;
    design = std::move(moved);
  }
  design.machine = std::move(limited);
}

}  // namespace

Layer maestro_layer(const MaestroNetwork& network, const MaestroLayer& from) {
  static const std::vector<std::string> known{"CONV", "FC", "DSCONV", "NGCONV", "GEMM"};
  if (std::ranges::find(known, from.type) == known.end())
    throw UserError(
        {network.file, from.type_line, from.type_column},
        fmt::format("a layer of type {} is not translated: MAESTRO has no cost of its own "
                    "for it{}",
                    from.type, did_you_mean(from.type, known)));
  const auto extent = [&](std::string_view name) { return from.dimension(name).value_or(1); };
  const Layer layer =
      from.type == "GEMM" ? gemm(extent("M"), extent("N"), extent("K")) : convolution_of(from);
  if (const auto problems = problems_in(layer); !problems.empty())
    throw UserError(network.where(from), fmt::format("layer {}: {}", from.name, problems.front()));
  if (slides_too_far(layer))
    throw UserError(network.where(from),
                    fmt::format("layer {}: outputs times taps along one axis may be {} at most",
                                from.name, kMostWindowSteps));
  return layer;
}

Network maestro_layers(const MaestroNetwork& network) {
  Network layers(network.name);
  for (const MaestroLayer& from : network.layers) {
    NetworkNode node{.name = from.name, .layer = maestro_layer(network, from)};
    if (!layers.nodes().empty()) node.inputs = {layers.nodes().size() - 1};
    layers.add(std::move(node));
  }
  return layers;
}

LayerDesign import_maestro(const MaestroNetwork& network, const MaestroLayer& from,
                           const MaestroHardware& hardware, const MaestroOptions& options) {
  if (from.dataflow.empty())
    throw UserError(network.where(from), fmt::format("layer {} has no Dataflow", from.name));
  LayerDesign design;
  design.name = from.name;
  design.layer = maestro_layer(network, from);
  design.layer.input_bits = design.layer.weight_bits = design.layer.output_bits = kElementBits;
  design.layer.partial_sum_bits = kElementBits;
  DataflowReader reader(network, from, design.layer, hardware.num_pes);
  const std::vector<DataflowReader::Level> clusters = reader.levels();
  design.machine = machine_of(hardware, clusters);
  design.nest.levels.emplace_back();
  for (const DataflowReader::Level& cluster : clusters)
    design.nest.levels.push_back({.loops = cluster.loops});
  design.nest.levels.push_back({.loops = reader.innermost_loops()});
  if (options.capacities) apply_capacities(hardware, design.machine);
  move_loops_to_dram(design);
  return design;
}

}  // namespace cosearch::codesign
