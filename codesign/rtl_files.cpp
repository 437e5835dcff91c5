// The files of runs of Gemmini's RTL: columns, mapping strings, and what the runs did with them.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <map>
#include <sstream>
#include <tuple>

#include "codesign/rtl_calibration.h"
#include "core/user_error.h"
#include "datasets/table.h"

namespace cosearch::codesign {
namespace {

using namespace accel;
using datasets::Table;

// Levels of the mappings, outermost first.
constexpr std::size_t kDram = 0, kScratchpad = 1, kAccumulator = 2, kRegisters = 3;
constexpr std::array<std::string_view, 4> kLevelMarks{"L3[WIO]", "L2[WI]", "L1[O]", "L0[W]"};

/// Gemmini as Timeloop was told about it. Bandwidths in words per cycle: README of the data.
Machine gemmini(std::int64_t side) {
  Machine machine;
  machine.name = "gemmini";
  machine.source = "DOSA's Gemmini for Timeloop";
  const Fanout axis{.axis = "X", .size = side};
  StorageLevel dram, scratchpad, accumulator, registers;
  dram.name = "dram", dram.shared_bandwidth = 8;
  scratchpad.name = "scratchpad", scratchpad.fanout = {axis};
  scratchpad.shared_bandwidth = 2 * static_cast<double>(side);
  accumulator.name = "accumulator", accumulator.fanout = {axis};
  accumulator.word_bits = 32, accumulator.shared_bandwidth = 2;
  registers.name = "registers";
  machine.levels = {dram, scratchpad, accumulator, registers};
  return machine;
}

/// "K16X": 16 pieces of K side by side; without X one after the other.
struct MappingLoop {
  Dimension dimension = Dimension::N;
  std::int64_t bound = 1;
  bool spatial = false;
};

std::optional<MappingLoop> parse_loop(std::string word) {
  constexpr std::string_view letters = "NKCPQRS";
  constexpr std::array dimensions{Dimension::N, Dimension::K, Dimension::C, Dimension::P,
                                  Dimension::Q, Dimension::R, Dimension::S};
  MappingLoop loop;
  loop.spatial = word.size() > 2 && word.back() == 'X';
  if (loop.spatial) word.pop_back();
  const std::size_t letter = word.empty() ? letters.npos : letters.find(word[0]);
  if (letter == letters.npos) return std::nullopt;
  loop.dimension = dimensions[letter];
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data() + 1, end, loop.bound);
  if (error != std::errc{} || stop != end || loop.bound < 1) return std::nullopt;
  return loop;
}

using MappingLevels = std::array<std::vector<MappingLoop>, 4>;

/// "L3[WIO] K8 Q2 - L2[WI] K16X - L1[O] S3 C16X - L0[W] P16"; nothing where it reads otherwise.
std::optional<MappingLevels> parse_mapping(const std::string& text) {
  MappingLevels levels;
  std::istringstream in(text);
  std::size_t level = 0;
  bool marked = false;
  for (std::string word; in >> word;) {
    if (word == "-") {
      if (!marked || ++level == levels.size()) return std::nullopt;
      marked = false;
    } else if (!marked) {
      if (word != kLevelMarks[level]) return std::nullopt;
      marked = true;
    } else if (const auto loop = parse_loop(word)) {
      levels[level].push_back(*loop);
    } else {
      return std::nullopt;
    }
  }
  if (!marked || level + 1 != levels.size()) return std::nullopt;
  return levels;
}

/// Nothing when the loops do not divide the layer's extents down to 1.
std::optional<LoopNest> nest_of(const MappingLevels& levels, const Layer& layer) {
  constexpr std::array<TensorSet, 4> keep{TensorSet::all(),
                                          TensorSet{Tensor::input, Tensor::weights},
                                          TensorSet{Tensor::output}, TensorSet{Tensor::weights}};
  LoopNest nest;
  Extents piece = extents_of(layer);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    LevelNest level{.keep = keep[i], .loops = {}};
    for (const bool spatial : {false, true})  // ours want temporal loops first
      for (const MappingLoop& loop : levels[i]) {
        if (loop.spatial != spatial) continue;
        std::int64_t& whole = piece[index_of(loop.dimension)];
        if (whole % loop.bound != 0) return std::nullopt;
        whole /= loop.bound;
        const std::int8_t axis = spatial ? 0 : Loop::kTemporal;
        level.loops.push_back({loop.dimension, whole, axis});
      }
    nest.levels.push_back(level);
  }
  if (std::any_of(piece.begin(), piece.end(), [](std::int64_t e) { return e != 1; }))
    return std::nullopt;
  return nest;
}

std::int64_t spread(const MappingLevels& levels, std::size_t level, Dimension dimension) {
  std::int64_t spread = 1;
  for (const MappingLoop& loop : levels[level])
    if (loop.spatial && loop.dimension == dimension) spread *= loop.bound;
  return spread;
}

/// Extents of what a call works on: all loops below DRAM.
Extents tile_of(const MappingLevels& levels) {
  Extents tile;
  tile.fill(1);
  for (std::size_t i = kScratchpad; i <= kRegisters; ++i)
    for (const MappingLoop& loop : levels[i]) tile[index_of(loop.dimension)] *= loop.bound;
  return tile;
}

bool is_matrix_product(const Layer& layer) { return layer.Q == 1 && layer.R == 1 && layer.S == 1; }

/// What the test programs made of a layer and a tile (gemmini-data-collection in the public
/// repository ucb-bar/gemmini-rocc-tests, files extract_data_csv.py and gemmini.h):
///   * Convolutions know one output extent, P, and pad by half the window: for even windows that
///     leaves one output more.
///   * Matrix products count tiles in blocks of the array: 1/16 of the extents, at least 1 block.
ArrayWork work_of_run(const Layer& layer, Extents tile, std::int64_t side) {
  using enum Dimension;
  if (!is_matrix_product(layer)) {
    const Layer ran = convolution({.in_channels = layer.C,
                                   .out_channels = layer.K,
                                   .height = layer.P * layer.stride_h,
                                   .width = layer.P * layer.stride_h,
                                   .kernel_h = layer.R,
                                   .kernel_w = layer.R,
                                   .stride = layer.stride_h,
                                   .pad_h = layer.R / 2,
                                   .pad_w = layer.R / 2});
    return array_work(ran, tile, side);
  }
  for (const Dimension d : {P, K, C})
    tile[index_of(d)] = std::max<std::int64_t>(1, tile[index_of(d)] / 16) * side;
  return array_work(gemm(layer.P, layer.K, layer.C), tile, side);
}

class Reader {
 public:
  RtlFile read(const std::filesystem::path& path) {
    const Table table = Table::read(path);
    RtlFile file{.name = path.stem().string(), .runs = {}};
    for (std::size_t row = 0; row < table.rows(); ++row) file.runs.push_back(run_of(table, row));
    return file;
  }

 private:
  static Layer layer_of(const Table& table, std::size_t row) {
    const auto at = [&](const char* name) {
      return static_cast<std::int64_t>(table.number(row, table.column(name)));
    };
    Layer layer;
    layer.C = at("prob.C"), layer.K = at("prob.K"), layer.P = at("prob.P");
    layer.Q = at("prob.Q"), layer.R = at("prob.R"), layer.S = at("prob.S");
    layer.stride_h = at("prob.Wstride"), layer.stride_w = at("prob.Hstride");
    layer.input_h = (layer.P - 1) * layer.stride_h + layer.R;
    layer.input_w = (layer.Q - 1) * layer.stride_w + layer.S;
    const auto problems = problems_in(layer);
    if (!problems.empty()) throw UserError(table.where(row), "prob: " + problems.front());
    return layer;
  }

  std::size_t shape_of(const Layer& layer) {
    const auto key = std::tuple(layer.C, layer.K, layer.P, layer.Q, layer.R, layer.S,
                                layer.stride_h, layer.stride_w);
    return shapes_.try_emplace(key, shapes_.size()).first->second;
  }

  RtlRun run_of(const Table& table, std::size_t row) {
    RtlRun run;
    run.layer = layer_of(table, row);
    run.shape = shape_of(run.layer);
    run.mapping = table.text(row, table.column("mapping.mapping"));
    run.cycles = table.number(row, table.column("target.gemmini_cycle"));
    const auto levels = parse_mapping(run.mapping);
    const auto nest = levels ? nest_of(*levels, run.layer) : std::nullopt;
    if (!nest)
      throw UserError(table.where(row), "mapping.mapping: '" + run.mapping +
                                            "' is no mapping of this layer on Gemmini's levels");
    run.nest = *nest;
    const auto& columns = table.columns();
    const bool has_buffers =
        std::find(columns.begin(), columns.end(), "arch.mem1_entries") != columns.end();
    const std::int64_t widest = std::max(spread(*levels, kScratchpad, Dimension::K),
                                         spread(*levels, kAccumulator, Dimension::C));
    // Files without buffer sizes: a machine of 128 x 128, each mapping on the power of two it needs
    // (function per_pe_dim of gemmini_data_collection.py); the least RTL cycles per instruction and
    // per row of each mapping agree with that array and no other.
    const std::int64_t side = has_buffers
                                  ? 16
                                  : static_cast<std::int64_t>(std::bit_ceil(std::max<std::uint64_t>(
                                        2, static_cast<std::uint64_t>(widest))));
    run.machine = gemmini(has_buffers ? 16 : 128);
    if (has_buffers) run.timeloop_cycles = table.number(row, table.column("target.cycle"));
    run.work = work_of_run(run.layer, tile_of(*levels), side);
    return run;
  }

  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                      std::int64_t, std::int64_t, std::int64_t>,
           std::size_t>
      shapes_;
};

}  // namespace

std::vector<RtlFile> read_rtl_files(std::span<const std::filesystem::path> paths) {
  Reader reader;
  std::vector<RtlFile> files;
  for (const auto& path : paths) files.push_back(reader.read(path));
  return files;
}

}  // namespace cosearch::codesign
