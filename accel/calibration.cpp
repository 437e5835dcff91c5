#include "accel/calibration.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace cosearch::accel {
namespace {

/// Writes to the accumulator at one address must lie at least so many cycles apart
/// (ExecuteController.scala).
constexpr std::int64_t kLeastRows = 4;

/// Tiles that are alike along one axis of the window.
struct AxisTiles {
  std::int64_t outputs = 1, taps = 1;
  std::int64_t inputs = 1;  ///< stored positions loaded: padding is filled in on chip
  bool last_taps = true;    ///< no further taps follow: outputs may be complete
  double count = 0;
  [[nodiscard]] bool is_like(const AxisTiles& other) const {
    return outputs == other.outputs && taps == other.taps && inputs == other.inputs &&
           last_taps == other.last_taps;
  }
};

struct WindowGeometry {
  std::int64_t outputs, taps, stride, padding, stored;
};

void count_in(std::vector<AxisTiles>& kinds, const AxisTiles& tile) {
  const auto same = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const AxisTiles& kind) { return kind.is_like(tile); });
  (same == kinds.end() ? kinds.emplace_back(tile) : *same).count += 1;
}

std::vector<AxisTiles> axis_tiles(const WindowGeometry& axis, std::int64_t outputs,
                                  std::int64_t taps) {
  std::vector<AxisTiles> kinds;
  for (std::int64_t p = 0; p < axis.outputs; p += outputs)
    for (std::int64_t r = 0; r < axis.taps; r += taps) {
      AxisTiles tile;
      tile.outputs = std::min(outputs, axis.outputs - p);
      tile.taps = std::min(taps, axis.taps - r);
      // The loader takes stride * outputs + taps - 1 positions, up to the edge of the input.
      const std::int64_t begin = p * axis.stride + r - axis.padding;
      const std::int64_t end = begin + tile.outputs * axis.stride + tile.taps - 1;
      tile.inputs =
          std::max<std::int64_t>(0, std::min(end, axis.stored) - std::max<std::int64_t>(begin, 0));
      tile.last_taps = r + taps >= axis.taps;
      count_in(kinds, tile);
    }
  return kinds;
}

/// Full tiles and the rest of a dimension without window.
std::vector<AxisTiles> plain_tiles(std::int64_t extent, std::int64_t tile) {
  std::vector<AxisTiles> kinds;
  for (std::int64_t i = 0; i < extent; i += tile)
    count_in(kinds, {.outputs = std::min(tile, extent - i)});
  return kinds;
}

/// Cycles in which one block of weights meets all outputs of a call. The first piece shares the
/// array with the next weights moving in, which takes `side` cycles.
double block_cycles(std::int64_t rows, std::int64_t columns, std::int64_t side) {
  const std::int64_t full = columns / side, rest = columns % side;
  const std::int64_t row =
      full * std::max(side, kLeastRows) + (rest > 0 ? std::max(rest, kLeastRows) : 0);
  const std::int64_t first = std::max(std::min(columns, side), kLeastRows);
  return static_cast<double>(std::max(rows * row - first + side, side));
}

/// `share`: of these calls, those that store their outputs.
ArrayWork call_work(const AxisTiles& along, const AxisTiles& down, std::int64_t kernels,
                    std::int64_t channels, double share, std::int64_t side) {
  const auto product = [](auto... factors) { return (1.0 * ... * static_cast<double>(factors)); };
  const double blocks =
      product(ceil_div(kernels, side), ceil_div(channels, side), along.taps, down.taps);
  const double weight_rows = product(channels, along.taps, down.taps);
  const double pixels = product(along.inputs, down.inputs);
  const double stored = product(along.outputs, down.outputs) * share;
  ArrayWork work;
  work.calls = 1;
  work.array_cycles = blocks * block_cycles(down.outputs, along.outputs, side);
  work.instruction_sides = blocks * product(down.outputs, ceil_div(along.outputs, side), side);
  work.requests = pixels * product(ceil_div(channels, kRequestBytes)) +
                  weight_rows * product(ceil_div(kernels, kRequestBytes)) +
                  stored * product(ceil_div(kernels, side));
  work.bytes = pixels * product(channels) + (weight_rows + stored) * product(kernels);
  return work;
}

/// Cycles that each of kLimits would take by itself.
std::array<double, 4> parts_of(const ArrayWork& work, const ArrayConstants& constants) {
  return {work.array_cycles, constants.instruction_spacing * work.instruction_sides,
          constants.call_cycles * work.calls,
          constants.request_cycles * work.requests + constants.byte_cycles * work.bytes};
}

}  // namespace

ArrayWork& ArrayWork::operator+=(const ArrayWork& other) {
  array_cycles += other.array_cycles;
  instruction_sides += other.instruction_sides;
  calls += other.calls;
  requests += other.requests;
  bytes += other.bytes;
  return *this;
}

ArrayWork operator*(double times, const ArrayWork& work) {
  return {times * work.array_cycles, times * work.instruction_sides, times * work.calls,
          times * work.requests, times * work.bytes};
}

double calibrated_cycles(const ArrayWork& work, const ArrayConstants& constants) {
  const auto parts = parts_of(work, constants);
  const double on_chip = std::max({parts[0], parts[1], parts[2]}), transfers = parts[3];
  return constants.start_cycles + std::max(on_chip, transfers) +
         constants.unhidden * std::min(on_chip, transfers);
}

std::string_view name_of(Limit limit) {
  constexpr std::array<std::string_view, 4> names{"array", "instructions", "host", "transfers"};
  return names[static_cast<std::size_t>(limit)];
}

Limit limit_of(const ArrayWork& work, const ArrayConstants& constants) {
  const auto parts = parts_of(work, constants);
  return kLimits[static_cast<std::size_t>(std::max_element(parts.begin(), parts.end()) -
                                          parts.begin())];
}

ArrayWork array_work(const Layer& layer, const Extents& tile, std::int64_t side) {
  using enum Dimension;
  assert(layer.G == 1 && layer.N == 1 && layer.D == 1 && layer.T == 1);
  const auto at = [&](Dimension d) { return tile[index_of(d)]; };
  const auto along =
      axis_tiles({layer.P, layer.R, layer.stride_h, layer.pad_top, layer.input_h}, at(P), at(R));
  const auto down =
      axis_tiles({layer.Q, layer.S, layer.stride_w, layer.pad_left, layer.input_w}, at(Q), at(S));
  const auto kernels = plain_tiles(layer.K, at(K)), channels = plain_tiles(layer.C, at(C));
  const auto channel_tiles = static_cast<double>(ceil_div(layer.C, at(C)));
  ArrayWork work;
  for (const AxisTiles& a : along)
    for (const AxisTiles& d : down)
      for (const AxisTiles& k : kernels)
        for (const AxisTiles& c : channels) {
          const double share = a.last_taps && d.last_taps ? 1 / channel_tiles : 0;
          work += a.count * d.count * k.count * c.count *
                  call_work(a, d, k.outputs, c.outputs, share, side);
        }
  if (layer.kind == LayerKind::convolution) work.calls *= 2;
  return work;
}

}  // namespace cosearch::accel
