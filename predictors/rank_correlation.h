// How well one list of numbers predicts the order of another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cosearch::predictors {

/// Ranks from 1; equal values share the average of the ranks they span. Requires no NaN.
[[nodiscard]] std::vector<double> average_ranks(std::span<const double> values);

/// Product-moment correlation in [-1, 1]. All coefficients here require lists of equal length
/// without NaN, and are NaN when fewer than two pairs are given or a list is constant: there is no
/// order to agree with.
[[nodiscard]] double pearson(std::span<const double> x, std::span<const double> y);

/// Spearman's rho: Pearson's coefficient of the average ranks. O(n log n).
[[nodiscard]] double spearman(std::span<const double> x, std::span<const double> y);

/// Kendall's tau-b, corrected for ties in either list. O(n log n). Source: W. R. Knight, "A
/// computer method for calculating Kendall's tau with ungrouped data", JASA 61(314), 1966.
[[nodiscard]] double kendall_tau_b(std::span<const double> x, std::span<const double> y);

/// The value below which a share `q` in [0, 1] lies, interpolated linearly between order
/// statistics (Hyndman and Fan's type 7, the default of NumPy and R). Reorders `values`, which must
/// not be empty or hold NaN.
[[nodiscard]] double quantile(std::span<double> values, double q);

/// The same of values in ascending order, in O(1).
[[nodiscard]] double quantile_of_sorted(std::span<const double> ascending, double q);

struct Interval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  /// Resamples of the pairs. More settles the ends of the interval.
  std::size_t resamples = 1000;
  /// Probability mass inside the interval.
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

/// Percentile-bootstrap confidence interval of Spearman's rho: pairs are drawn with replacement.
/// Resamples in which a list is constant are passed over; both ends are NaN when all are.
[[nodiscard]] Interval spearman_interval(std::span<const double> x, std::span<const double> y,
                                         const BootstrapOptions& options = {});
/// The same of Kendall's tau-b.
[[nodiscard]] Interval kendall_interval(std::span<const double> x, std::span<const double> y,
                                        const BootstrapOptions& options = {});

}  // namespace cosearch::predictors
