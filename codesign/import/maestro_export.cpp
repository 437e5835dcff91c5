#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

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
using Kind = MaestroDirective::Kind;

/// Loops of one of MAESTRO's clusters: in time, then at most one over its units.
struct Cluster {
  std::string level;  ///< where its last loop stands, for messages
  std::vector<Loop> in_time;
  std::optional<Loop> over_units;
  std::int64_t units = 1;
};

std::string type_of(const Layer& layer) {
  if (layer.kind == LayerKind::gemm) return "GEMM";
  if (layer.is_depthwise()) return "DSCONV";
  return layer.G > 1 ? "NGCONV" : "CONV";
}

std::span<const MaestroWord> words_of(const Layer& layer) {
  if (layer.kind == LayerKind::gemm) return kGemmWords;
  if (layer.is_depthwise()) return kDepthwiseWords;
  return kConvolutionWords;
}

std::string word_of(const Layer& layer, Dimension dimension) {
  for (const MaestroWord& word : words_of(layer))
    if (word.dimension == dimension) return std::string(word.word);
  throw UserError(fmt::format("MAESTRO has no dimension for {} of {}", accel::name_of(dimension),
                              describe(layer)));
}

void check_layer(const std::string& name, const Layer& layer) {
  const auto fail = [&](std::string_view what) {
    throw UserError(fmt::format("layer {}: MAESTRO has no {}", name, what));
  };
  if (layer.is_memory_bound()) fail(fmt::format("layers of kind {}", name_of(layer.kind)));
  if (layer.transposed) fail("transposed convolutions (it costs TRCONV as CONV)");
  if (layer.D != 1 || layer.T != 1) fail("3-D convolutions");
  if (layer.dilation_h != 1 || layer.dilation_w != 1) fail("dilation");
  if (layer.kind == LayerKind::gemm && layer.G != 1) fail("batches of GEMM");
}

MaestroLayer layer_of(const std::string& name, const Layer& layer) {
  MaestroLayer to;
  to.name = name.empty() ? "layer" : name;
  // A name ends at a space or a brace.
  std::ranges::replace_if(
      to.name, [](unsigned char c) { return c <= ' ' || c == '{' || c == '}'; }, '_');
  to.type = type_of(layer);
  const auto set = [&](std::string_view dimension, std::int64_t value) {
    const auto at = std::ranges::find(datasets::kMaestroDimensions, dimension);
    to.dimensions.at(static_cast<std::size_t>(at - datasets::kMaestroDimensions.begin())) = value;
  };
  const accel::Extents extents = accel::extents_of(layer);
  for (const MaestroWord& word : words_of(layer))
    if (word.word.size() == 1) set(word.word, extents[index_of(word.dimension)]);
  if (layer.kind == LayerKind::gemm) return to;
  if (layer.G == 1) set("G", 1);
  to.stride_y = layer.stride_h;
  to.stride_x = layer.stride_w;
  const Layer padded = with_padding_as_input(layer);
  set("Y", padded.input_h);
  set("X", padded.input_w);
  return to;
}

/// Cuts a nest into MAESTRO's clusters: one for each axis of a fan-out.
class ClusterCutter {
 public:
  explicit ClusterCutter(const LayerDesign& design) : design_(design) {
    find_innermost();
    check_kept();
    for (std::size_t i = 0; i < innermost_; ++i) add_level(i);
    if (!open_.in_time.empty() || clusters_.empty()) close();
  }

  [[nodiscard]] const std::vector<Cluster>& clusters() const { return clusters_; }
  /// The outermost level that lies in a processing element: below the last fan-out.
  [[nodiscard]] std::size_t innermost() const { return innermost_; }

 private:
  void find_innermost() {
    const std::size_t levels = design_.machine.levels.size();
    innermost_ = levels - 1;
    for (std::size_t i = 0; i < levels; ++i)
      if (design_.machine.levels[i].children() > 1) innermost_ = i + 1;
    if (innermost_ == levels)
      throw UserError(
          fmt::format("level {} feeds several multipliers; a processing element of MAESTRO has one "
                      "buffer and one "
                      "multiplier",
                      design_.machine.levels.back().name));
  }

  void check_kept() const {
    accel::TensorSet inside;
    for (std::size_t i = 0; i < design_.nest.levels.size(); ++i) {
      const accel::TensorSet keep = design_.nest.levels[i].keep;
      for (const Tensor tensor : kTensors)
        if (i >= innermost_ && keep.has(tensor)) inside.add(tensor);
      // A level that keeps nothing is a wire, of which MAESTRO has as many as one likes.
      if (i < innermost_ && !keep.empty()) check_all(i, keep);
    }
    check_all(innermost_, inside);
  }

  void check_all(std::size_t level, accel::TensorSet keep) const {
    for (const Tensor tensor : kTensors)
      if (!keep.has(tensor))
        throw UserError(
            fmt::format("level {}: {} passes by, but every buffer of MAESTRO keeps every tensor",
                        design_.machine.levels[level].name, name_of(tensor)));
  }

  void close() {
    open_.level = level_name_;
    clusters_.push_back(std::move(open_));
    open_ = Cluster{};
  }

  void add_level(std::size_t i) {
    const accel::StorageLevel& level = design_.machine.levels[i];
    level_name_ = level.name;
    std::vector<int> uses(level.fanout.size(), 0);
    for (const Loop& loop : design_.nest.levels[i].loops)
      if (loop.is_spatial()) ++uses[static_cast<std::size_t>(loop.axis)];
    for (const Loop& loop : design_.nest.levels[i].loops) {
      if (!loop.is_spatial()) {
        add_in_time(loop);
        continue;
      }
      const auto axis = static_cast<std::size_t>(loop.axis);
      open_.over_units = loop;
      // Loops that share an axis get a cluster each, as large as they need.
      open_.units = uses[axis] == 1 ? level.fanout[axis].size : 0;
      close();
    }
    for (std::size_t axis = 0; axis < uses.size(); ++axis) {
      if (uses[axis] != 0 || level.fanout[axis].size == 1) continue;
      open_.units = level.fanout[axis].size;
      close();
    }
  }

  /// Two cuts of one dimension in a row are the inner one, if it divides the outer one.
  void add_in_time(const Loop& loop) {
    std::vector<Loop>& loops = open_.in_time;
    const auto same = std::ranges::find(loops, loop.dimension, &Loop::dimension);
    if (same == loops.end()) {
      loops.push_back(loop);
    } else if (same + 1 == loops.end() && same->tile % loop.tile == 0) {
      same->tile = loop.tile;
    } else {
      throw UserError(fmt::format(
          "level {}: {} is cut into tiles of {} and of {} with other loops between, or not evenly; "
          "MAESTRO cuts a dimension once in each cluster",
          level_name_, accel::name_of(loop.dimension), same->tile, loop.tile));
    }
  }

  const LayerDesign& design_;
  std::size_t innermost_ = 0;
  std::string level_name_;
  Cluster open_;
  std::vector<Cluster> clusters_;
};

/// The directives of all clusters, and how many processing elements they need.
class DataflowWriter {
 public:
  DataflowWriter(const Layer& layer, const std::vector<Cluster>& clusters)
      : layer_(layer), tile_(accel::extents_of(layer)) {
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      const std::size_t start = directives_.size();
      const std::int64_t units = write_cluster(clusters[i]);
      num_pes_ *= units;
      // MAESTRO refuses a mapping whose outermost level leaves the kernel open.
      if (i == 0) write_whole_kernel();
      if (i == 0) continue;
      add(Kind::cluster, units, units, "P");
      std::rotate(directives_.begin() + static_cast<std::ptrdiff_t>(start), directives_.end() - 1,
                  directives_.end());
    }
  }

  [[nodiscard]] const std::vector<MaestroDirective>& directives() const { return directives_; }
  [[nodiscard]] std::int64_t num_pes() const { return num_pes_; }

 private:
  void add(Kind kind, std::int64_t size, std::int64_t offset, std::string dimension) {
    MaestroDirective directive;
    directive.kind = kind;
    directive.size = size;
    directive.offset = offset;
    directive.dimension = std::move(dimension);
    directives_.push_back(std::move(directive));
  }

  /// Returns the units of the cluster.
  std::int64_t write_cluster(const Cluster& cluster) {
    if (!cluster.over_units) {
      for (const Loop& loop : cluster.in_time) write_temporal(loop);
      write_idle_units(cluster);
      return std::max<std::int64_t>(cluster.units, 1);
    }
    const Loop& over_units = *cluster.over_units;
    std::int64_t units = cluster.units;
    if (units == 0) units = ceil_div(tile_[index_of(over_units.dimension)], over_units.tile);
    bool folded = false;
    for (const Loop& loop : cluster.in_time) {
      if (loop.dimension != over_units.dimension) {
        write_temporal(loop);
        continue;
      }
      units = units_of_fold(cluster, loop);
      folded = true;
      write_spatial(cluster);
    }
    if (!folded) write_spatial(cluster);
    return units;
  }

  void write_temporal(const Loop& loop) {
    tile_[index_of(loop.dimension)] = loop.tile;
    add(Kind::temporal_map, loop.tile, loop.tile, word_of(layer_, loop.dimension));
  }

  /// Each cluster of MAESTRO needs a spatial map: one that leaves all but one unit idle.
  void write_idle_units(const Cluster& cluster) {
    for (const MaestroWord& word : words_of(layer_)) {
      if (std::ranges::count(cluster.in_time, word.dimension, &Loop::dimension) != 0) continue;
      const std::int64_t whole = tile_[index_of(word.dimension)];
      return add(Kind::spatial_map, whole, whole, std::string(word.word));
    }
  }

  /// A loop in time over as many tiles as there are units, around the one over the units.
  std::int64_t units_of_fold(const Cluster& cluster, const Loop& in_time) const {
    const std::int64_t tile = cluster.over_units->tile;
    if (in_time.tile % tile != 0)
      throw UserError(fmt::format(
          "level {}: tiles of {} {} over units that get {} each; MAESTRO folds whole tiles only",
          cluster.level, in_time.tile, accel::name_of(in_time.dimension), tile));
    return in_time.tile / tile;
  }

  void write_spatial(const Cluster& cluster) {
    const Loop& loop = *cluster.over_units;
    if (loop.dimension == Dimension::R || loop.dimension == Dimension::S) {
      // Rows move with the taps, so that every unit works on the same outputs.
      const Dimension window = loop.dimension == Dimension::R ? Dimension::P : Dimension::Q;
      if (std::ranges::count(cluster.in_time, window, &Loop::dimension) != 0)
        throw UserError(
            fmt::format("level {}: MAESTRO cannot cut {} in the cluster that spreads {}",
                        cluster.level, accel::name_of(window), accel::name_of(loop.dimension)));
      add(Kind::spatial_map, tile_[index_of(window)] + loop.tile - 1, loop.tile,
          window == Dimension::P ? "Y" : "X");
    }
    add(Kind::spatial_map, loop.tile, loop.tile, word_of(layer_, loop.dimension));
    tile_[index_of(loop.dimension)] = loop.tile;
  }

  void write_whole_kernel() {
    if (layer_.kind == LayerKind::gemm) return;
    for (const Dimension d : {Dimension::R, Dimension::S})
      if (std::ranges::count(directives_, accel::name_of(d), &MaestroDirective::dimension) == 0)
        add(Kind::temporal_map, tile_[index_of(d)], tile_[index_of(d)],
            std::string(accel::name_of(d)));
  }

  const Layer& layer_;
  accel::Extents tile_;
  std::vector<MaestroDirective> directives_;
  std::int64_t num_pes_ = 1;
};

std::optional<std::int64_t> whole_bandwidth(const accel::StorageLevel& level) {
  const double words =
      std::min({level.read_bandwidth, level.write_bandwidth, level.shared_bandwidth});
  if (words == accel::kUnlimited) return std::nullopt;
  return std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(words)), 1);
}

std::optional<std::int64_t> whole_size(const accel::StorageLevel& level) {
  if (!level.capacity_bits || *level.capacity_bits == kNoLimitBits) return std::nullopt;
  return std::max<std::int64_t>(*level.capacity_bits / level.word_bits, 1);
}

/// MAESTRO's L2 is what feeds the outermost clusters.
MaestroHardware hardware_of(const accel::Machine& machine, std::size_t innermost,
                            std::int64_t num_pes) {
  std::size_t shared = 0;
  while (shared + 1 < innermost && machine.levels[shared].children() == 1) ++shared;
  MaestroHardware hardware;
  hardware.num_pes = num_pes;
  hardware.l1_size = whole_size(machine.levels[innermost]);
  hardware.l2_size = whole_size(machine.levels[shared]);
  hardware.noc_bandwidth = whole_bandwidth(machine.levels[shared]);
  if (shared > 0) hardware.offchip_bandwidth = whole_bandwidth(machine.levels[0]);
  return hardware;
}

}  // namespace

MaestroFiles export_maestro(const LayerDesign& design) {
  check_layer(design.name, design.layer);
  const ClusterCutter cutter(design);
  const DataflowWriter dataflow(design.layer, cutter.clusters());
  MaestroFiles files;
  files.network.name = "exported";
  files.network.layers.push_back(layer_of(design.name, design.layer));
  files.network.layers.back().dataflow = dataflow.directives();
  files.hardware = hardware_of(design.machine, cutter.innermost(), dataflow.num_pes());
  return files;
}

}  // namespace cosearch::codesign
