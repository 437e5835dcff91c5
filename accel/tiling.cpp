#include "accel/tiling.h"

#include <algorithm>
#include <numeric>

namespace cosearch::accel {
namespace {

/// Sum of `of(length)` over the array tiles of `t`: all but the last are alike in each shared tile.
template <class Of>
std::int64_t sum_over_array_tiles(const DimensionTiling& t, Of of) {
  const auto within = [&](std::int64_t length) {
    const std::int64_t rest = length % t.array;
    return length / t.array * of(t.array) + (rest > 0 ? of(rest) : 0);
  };
  return (t.shared_tiles() - 1) * within(t.shared) + within(t.last_shared_extent());
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

/// Calls visit(begin, end) for each array tile in order.
template <class Visit>
void for_each_array_tile(const DimensionTiling& t, Visit visit) {
  for (std::int64_t s = 0; s < t.extent; s += t.shared) {
    const std::int64_t end = std::min(s + t.shared, t.extent);
    for (std::int64_t a = s; a < end; a += t.array) visit(a, std::min(a + t.array, end));
  }
}

/// What output tiles in increasing order fetch for one range of taps.
class Chain {
 public:
  Chain(const WindowAxis& axis, bool shares_overlap, std::int64_t r0, std::int64_t r1)
      : axis_(axis), shares_overlap_(shares_overlap), r0_(r0), r1_(r1) {}

  /// The next tile has nothing to share with the last.
  void restart() { linked_ = false; }

  /// Outputs [p0, p1) in tiles of `length`. Tiles whose windows, and whose predecessor's, lie
  /// wholly inside the stored tensor fetch alike: one stands for all of them.
  void add(std::int64_t p0, std::int64_t p1, std::int64_t length) {
    while (p0 < p1) {
      const std::int64_t end = std::min(p0 + length, p1);
      const std::int64_t alike = linked_ ? alike_from(p0, p1, length) : 1;
      add_alike(p0, end, alike);
      p0 += alike * length;
    }
  }
  [[nodiscard]] std::int64_t sum() const { return sum_; }

 private:
  /// How many full tiles from `p0` on fetch as the first of them does; at least 1.
  [[nodiscard]] std::int64_t alike_from(std::int64_t p0, std::int64_t p1,
                                        std::int64_t length) const {
    const std::int64_t before = last_p0_ * axis_.stride + r0_ * axis_.dilation - axis_.padding;
    if (last_p0_ != p0 - length || before < 0) return 1;
    const std::int64_t last_stored = axis_.stored - 1 + axis_.padding - (r1_ - 1) * axis_.dilation;
    const std::int64_t inside = floor_div(last_stored, axis_.stride) + 1;
    return std::max<std::int64_t>(1, (std::min(p1, inside) - p0) / length);
  }

  void add_alike(std::int64_t p0, std::int64_t end, std::int64_t times) {
    const std::int64_t whole = axis_.touched(p0, end, r0_, r1_);
    // Old and new tile are neighbours: their union is the windows from one's start to the other's
    // end.
    const std::int64_t fetched =
        linked_ && shares_overlap_ ? axis_.touched(last_p0_, end, r0_, r1_) - last_whole_ : whole;
    sum_ += times * fetched;
    linked_ = true;
    last_p0_ = p0 + (times - 1) * (end - p0);
    last_whole_ = whole;
  }

  const WindowAxis& axis_;
  bool shares_overlap_;
  std::int64_t r0_, r1_;
  std::int64_t sum_ = 0, last_p0_ = 0, last_whole_ = 0;
  bool linked_ = false;
};

/// Numbers p * major + r * minor for p of [p0, p0 + length) and r of [r0, r0 + teeth).
struct Comb {
  std::int64_t major, minor, p0, length, r0, teeth;

  /// How many there are from `low` to `high`, each once. `r` and `r + major / gcd` leave the same
  /// remainder modulo `major`: together they are blocks of `length` that start minor / gcd apart.
  [[nodiscard]] std::int64_t count(std::int64_t low, std::int64_t high) const {
    const std::int64_t common = std::gcd(major, minor);
    const std::int64_t period = major / common, step = minor / common;
    std::int64_t sum = 0;
    for (std::int64_t first = 0; first < std::min(period, teeth); ++first) {
      const std::int64_t blocks = ceil_div(teeth - first, period);
      const std::int64_t base = (r0 + first) * minor;
      sum += up_to(floor_div(high - base, major) - p0, blocks, step) -
             up_to(floor_div(low - 1 - base, major) - p0, blocks, step);
    }
    return sum;
  }

 private:
  /// Members of the blocks at 0, step, 2 step, ... that are at most `last`.
  [[nodiscard]] std::int64_t up_to(std::int64_t last, std::int64_t blocks,
                                   std::int64_t step) const {
    if (last < 0) return 0;
    if (step <= length) return std::min(last + 1, length + (blocks - 1) * step);
    const std::int64_t whole = std::min(last / step, blocks - 1);
    return whole * length + std::min(last - whole * step + 1, length);
  }
};

}  // namespace

std::int64_t DimensionTiling::array_tiles() const {
  return sum_over_array_tiles(*this, [](std::int64_t) { return std::int64_t{1}; });
}
std::int64_t DimensionTiling::busiest_pe_iterations() const {
  return sum_over_array_tiles(*this, [&](std::int64_t length) { return std::min(pe, length); });
}
std::int64_t DimensionTiling::active_pes() const {
  return sum_over_array_tiles(*this, [&](std::int64_t length) { return ceil_div(length, pe); });
}
std::int64_t DimensionTiling::active_pes_first_array_tiles() const {
  const auto first = [&](std::int64_t length) { return ceil_div(std::min(length, array), pe); };
  return (shared_tiles() - 1) * first(shared) + first(last_shared_extent());
}
std::int64_t DimensionTiling::active_pes_first_tile() const {
  return ceil_div(first_array_extent(), pe);
}
std::int64_t DimensionTiling::last_array_extent() const {
  const std::int64_t last = last_shared_extent();
  return last - (ceil_div(last, array) - 1) * array;
}

std::int64_t WindowAxis::touched(std::int64_t p0, std::int64_t p1, std::int64_t r0,
                                 std::int64_t r1) const {
  const std::int64_t outputs = p1 - p0, taps = r1 - r0;
  const std::int64_t low = p0 * stride + r0 * dilation - padding;
  const std::int64_t high = (p1 - 1) * stride + (r1 - 1) * dilation - padding;
  const std::int64_t from = std::max<std::int64_t>(low, 0), to = std::min(high, stored - 1);
  if (to < from) return 0;
  const bool dense = (outputs == 1 && taps == 1) || (outputs == 1 && dilation == 1) ||
                     (taps == 1 && stride == 1) || (dilation == 1 && stride <= taps) ||
                     (stride == 1 && dilation <= outputs);
  if (dense) return to - from + 1;
  // Words p * stride + r * dilation, counted by their remainder modulo the stride, or, with windows
  // and taps in each other's place, modulo the dilation: whichever has fewer.
  const std::int64_t common = std::gcd(stride, dilation);
  const Comb by_stride{stride, dilation, p0, outputs, r0, taps};
  const Comb by_dilation{dilation, stride, r0, taps, p0, outputs};
  const bool fewer_by_stride =
      std::min(stride / common, taps) <= std::min(dilation / common, outputs);
  return (fewer_by_stride ? by_stride : by_dilation).count(from + padding, to + padding);
}

std::int64_t WindowAxis::most_touched(std::int64_t outputs, std::int64_t taps) const {
  const std::int64_t span = (outputs - 1) * stride + (taps - 1) * dilation + 1;
  const WindowAxis endless{stride, dilation, 0, span};
  return std::min(endless.touched(0, outputs, 0, taps), stored);
}

WindowAxis vertical_axis(const Layer& layer) {
  return {layer.stride_h, layer.dilation_h, layer.pad_top, layer.input_h};
}
WindowAxis horizontal_axis(const Layer& layer) {
  return {layer.stride_w, layer.dilation_w, layer.pad_left, layer.input_w};
}

std::int64_t fetched_by_shared_tiles(const WindowAxis& axis, const DimensionTiling& outputs,
                                     const DimensionTiling& taps, Halo halo) {
  std::int64_t sum = 0;
  for (std::int64_t r = 0; r < taps.extent; r += taps.shared) {
    Chain chain(axis, halo == Halo::throughout, r, std::min(r + taps.shared, taps.extent));
    chain.add(0, outputs.extent, outputs.shared);
    sum += chain.sum();
  }
  return sum;
}

std::int64_t fetched_by_array_tiles(const WindowAxis& axis, const DimensionTiling& outputs,
                                    const DimensionTiling& taps, Halo halo) {
  std::int64_t sum = 0;
  for_each_array_tile(taps, [&](std::int64_t r0, std::int64_t r1) {
    Chain chain(axis, halo != Halo::none, r0, r1);
    for (std::int64_t s = 0; s < outputs.extent; s += outputs.shared) {
      if (halo == Halo::within_shared) chain.restart();
      chain.add(s, std::min(s + outputs.shared, outputs.extent), outputs.array);
    }
    sum += chain.sum();
  });
  return sum;
}

std::int64_t fetched_by_pes(const WindowAxis& axis, const DimensionTiling& outputs,
                            const DimensionTiling& taps, Halo halo) {
  if (outputs.pe >= outputs.array && taps.pe >= taps.array)
    return fetched_by_array_tiles(axis, outputs, taps, halo);
  std::int64_t sum = 0;
  for_each_array_tile(taps, [&](std::int64_t r0, std::int64_t r1) {
    for (std::int64_t r = r0; r < r1; r += taps.pe) {
      Chain chain(axis, false, r, std::min(r + taps.pe, r1));
      for_each_array_tile(outputs,
                          [&](std::int64_t p0, std::int64_t p1) { chain.add(p0, p1, outputs.pe); });
      sum += chain.sum();
    }
  });
  return sum;
}

}  // namespace cosearch::accel
