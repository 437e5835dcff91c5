#include "accel/window_axes.h"

#include <algorithm>
#include <numeric>

namespace cosearch::accel {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

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

}  // namespace cosearch::accel
