#include "predictors/rank_correlation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/random.h"

namespace cosearch::predictors {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

std::vector<std::size_t> ascending_order(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

// Pairs among `count` things.
double pairs_among(std::size_t count) {
  return static_cast<double>(count) * (static_cast<double>(count) - 1) / 2;
}

// Pairs of neighbours in [0, count) that `same` calls equal, for things sorted so that equals
// touch.
template <class Same>
double tied_pairs(std::size_t count, const Same& same) {
  double pairs = 0;
  for (std::size_t begin = 0; begin < count;) {
    std::size_t end = begin + 1;
    while (end < count && same(begin, end)) ++end;
    pairs += pairs_among(end - begin);
    begin = end;
  }
  return pairs;
}

// Sorts [begin, end) of `values` and returns how many pairs stood in strictly descending order.
double sort_counting_inversions(std::vector<double>& values, std::vector<double>& scratch,
                                std::size_t begin, std::size_t end) {
  if (end - begin < 2) return 0;
  const std::size_t middle = begin + (end - begin) / 2;
  double inversions = sort_counting_inversions(values, scratch, begin, middle) +
                      sort_counting_inversions(values, scratch, middle, end);
  std::size_t left = begin, right = middle;
  for (std::size_t out = begin; out < end; ++out) {
    const bool take_right = left == middle || (right < end && values[right] < values[left]);
    if (take_right) inversions += static_cast<double>(middle - left);
    scratch[out] = take_right ? values[right++] : values[left++];
  }
  std::copy(scratch.begin() + static_cast<std::ptrdiff_t>(begin),
            scratch.begin() + static_cast<std::ptrdiff_t>(end),
            values.begin() + static_cast<std::ptrdiff_t>(begin));
  return inversions;
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool is_constant(std::span<const double> values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

}  // namespace

std::vector<double> average_ranks(std::span<const double> values) {
  const std::vector<std::size_t> order = ascending_order(values);
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double shared = static_cast<double>(begin + 1 + end) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = shared;
    begin = end;
  }
  return ranks;
}

double pearson(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  // Asked of the values: rounding in the mean would leave a constant list a tiny variance.
  if (x.size() < 2 || is_constant(x) || is_constant(y)) return kUndefined;
  const double mean_x = mean_of(x), mean_y = mean_of(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x, dy = y[i] - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

double spearman(std::span<const double> x, std::span<const double> y) {
  return pearson(average_ranks(x), average_ranks(y));
}

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  const std::size_t count = x.size();
  std::vector<std::pair<double, double>> pairs(count);
  for (std::size_t i = 0; i < count; ++i) pairs[i] = {x[i], y[i]};
  std::sort(pairs.begin(), pairs.end());
  const double tied_x =
      tied_pairs(count, [&](auto a, auto b) { return pairs[a].first == pairs[b].first; });
  const double tied_both = tied_pairs(count, [&](auto a, auto b) { return pairs[a] == pairs[b]; });

  // Sorted by x then y, a pair is discordant exactly when its y values stand in descending order.
  std::vector<double> second(count), scratch(count);
  for (std::size_t i = 0; i < count; ++i) second[i] = pairs[i].second;
  const double discordant = sort_counting_inversions(second, scratch, 0, count);
  const double tied_y = tied_pairs(count, [&](auto a, auto b) { return second[a] == second[b]; });

  const double all = pairs_among(count);
  if (all == tied_x || all == tied_y) return kUndefined;
  const double concordant = all - tied_x - tied_y + tied_both - discordant;
  return (concordant - discordant) / (std::sqrt(all - tied_x) * std::sqrt(all - tied_y));
}

double quantile(std::span<double> values, double q) {
  assert(!values.empty() && q >= 0 && q <= 1);
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto here = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), here, values.end());
  const double share = position - static_cast<double>(below);
  if (share == 0) return *here;
  const double next = *std::min_element(here + 1, values.end());
  return *here + share * (next - *here);
}

double quantile_of_sorted(std::span<const double> ascending, double q) {
  assert(!ascending.empty() && q >= 0 && q <= 1);
  const double position = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const double share = position - static_cast<double>(below);
  if (share == 0) return ascending[below];
  return ascending[below] + share * (ascending[below + 1] - ascending[below]);
}

namespace {

template <class Coefficient>
Interval bootstrap_interval(std::span<const double> x, std::span<const double> y,
                            const BootstrapOptions& options, std::string_view purpose,
                            Coefficient coefficient_of) {
  assert(x.size() == y.size());
  std::vector<double> coefficients;
  std::vector<double> drawn_x(x.size()), drawn_y(y.size());
  for (std::size_t resample = 0; resample < options.resamples && !x.empty(); ++resample) {
    Random random(options.seed, purpose, resample);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t drawn = random.below(x.size());
      drawn_x[i] = x[drawn];
      drawn_y[i] = y[drawn];
    }
    const double coefficient = coefficient_of(drawn_x, drawn_y);
    if (!std::isnan(coefficient)) coefficients.push_back(coefficient);
  }
  if (coefficients.empty()) return {kUndefined, kUndefined};
  const double tail = (1 - options.confidence) / 2;
  return {quantile(coefficients, tail), quantile(coefficients, 1 - tail)};
}

}  // namespace

Interval spearman_interval(std::span<const double> x, std::span<const double> y,
                           const BootstrapOptions& options) {
  return bootstrap_interval(x, y, options, "spearman bootstrap", spearman);
}

Interval kendall_interval(std::span<const double> x, std::span<const double> y,
                          const BootstrapOptions& options) {
  return bootstrap_interval(x, y, options, "kendall bootstrap", kendall_tau_b);
}

}  // namespace cosearch::predictors
