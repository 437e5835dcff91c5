#include "accel/tiling.h"

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

/// Calls visit(begin, end, starts_chain) for each array tile in order.
template <class Visit>
void for_each_array_tile(const DimensionTiling& t, Visit visit) {
  for (std::int64_t s = 0; s < t.extent; s += t.shared) {
    const std::int64_t end = std::min(s + t.shared, t.extent);
    for (std::int64_t a = s; a < end; a += t.array) visit(a, std::min(a + t.array, end), a == s);
  }
}

/// What a chain of output tiles fetches for one range of taps.
class Chain {
 public:
  Chain(const WindowAxis& axis, Halo halo, std::int64_t r0, std::int64_t r1)
      : axis_(axis), halo_(halo), r0_(r0), r1_(r1) {}

  void add(std::int64_t p0, std::int64_t p1, bool starts_shared_tile) {
    const std::int64_t whole = axis_.touched(p0, p1, r0_, r1_);
    const bool fresh =
        first_ || halo_ == Halo::none || (halo_ == Halo::within_shared && starts_shared_tile);
    // Old and new tile are neighbours: their union is the windows from one's start to the other's
    // end.
    sum_ += fresh ? whole : axis_.touched(last_p0_, p1, r0_, r1_) - last_whole_;
    first_ = false;
    last_p0_ = p0;
    last_whole_ = whole;
  }
  [[nodiscard]] std::int64_t sum() const { return sum_; }

 private:
  const WindowAxis& axis_;
  Halo halo_;
  std::int64_t r0_, r1_;
  std::int64_t sum_ = 0, last_p0_ = 0, last_whole_ = 0;
  bool first_ = true;
};

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

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
  if (taps == 1) return floor_div(to - low, stride) - floor_div(from - 1 - low, stride);
  std::int64_t count = 0;
  for (std::int64_t y = from; y <= to; ++y)
    for (std::int64_t r = r0; r < r1; ++r) {
      const std::int64_t offset = y + padding - r * dilation;
      if (offset % stride == 0 && offset >= p0 * stride && offset < p1 * stride) {
        ++count;
        break;
      }
    }
  return count;
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
    Chain chain(axis, halo, r, std::min(r + taps.shared, taps.extent));
    for (std::int64_t p = 0; p < outputs.extent; p += outputs.shared)
      chain.add(p, std::min(p + outputs.shared, outputs.extent), true);
    sum += chain.sum();
  }
  return sum;
}

std::int64_t fetched_by_array_tiles(const WindowAxis& axis, const DimensionTiling& outputs,
                                    const DimensionTiling& taps, Halo halo) {
  std::int64_t sum = 0;
  for_each_array_tile(taps, [&](std::int64_t r0, std::int64_t r1, bool) {
    Chain chain(axis, halo, r0, r1);
    for_each_array_tile(outputs, [&](std::int64_t p0, std::int64_t p1, bool starts_shared_tile) {
      chain.add(p0, p1, starts_shared_tile);
    });
    sum += chain.sum();
  });
  return sum;
}

std::int64_t fetched_by_pes(const WindowAxis& axis, const DimensionTiling& outputs,
                            const DimensionTiling& taps, Halo halo) {
  if (outputs.pe >= outputs.array && taps.pe >= taps.array)
    return fetched_by_array_tiles(axis, outputs, taps, halo);
  std::int64_t sum = 0;
  for_each_array_tile(taps, [&](std::int64_t r0, std::int64_t r1, bool) {
    for_each_array_tile(outputs, [&](std::int64_t p0, std::int64_t p1, bool) {
      for (std::int64_t r = r0; r < r1; r += taps.pe)
        for (std::int64_t p = p0; p < p1; p += outputs.pe)
          sum += axis.touched(p, std::min(p + outputs.pe, p1), r, std::min(r + taps.pe, r1));
    });
  });
  return sum;
}

}  // namespace cosearch::accel
