// How much accuracy a strategy gives away against the exhaustive optimum, over a grid of limits.
//
// For every pair of a latency limit and an energy limit (a cell): the best accuracy among the
// exhaustive search's designs within both limits, against the best among the strategy's. Protocol:
// B. Lu, Z. Yan, Y. Shi, S. Ren, "A semi-decoupled approach to fast and optimal hardware-software
// co-design of neural accelerators", tinyML Research Symposium 2022.
//
// A trial counts when it is feasible (runs, meets the study's own constraints) and its accuracy,
// latency and energy are known; all others are passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codesign/metrics.h"

namespace cosearch::codesign {

/// Limits in ascending order; a design is within a limit when it is not above it.
struct GapGrid {
  std::vector<double> latency_limits;  // cycles
  std::vector<double> energy_limits;   // pJ

  [[nodiscard]] std::size_t cell_count() const {
    return latency_limits.size() * energy_limits.size();
  }
};

struct GapGridOptions {
  std::size_t latency_limits = 20;
  std::size_t energy_limits = 5;
  /// Limits lie at evenly spaced quantiles from the lowest to the highest, both included.
  double lowest_quantile = 0.05;
  double highest_quantile = 0.95;
};

/// Everything wrong with `options`; empty when valid.
[[nodiscard]] std::vector<std::string> problems_in(const GapGridOptions& options);

/// Limits at quantiles of these values (reordered in place). Requires both to be non-empty and the
/// options to be valid. A single limit lies at the highest quantile.
[[nodiscard]] GapGrid quantile_grid(std::span<double> latencies, std::span<double> energies,
                                    const GapGridOptions& options);

/// Best accuracy within each cell of a grid, gathered from a stream of trials in any order.
class CellBests {
 public:
  explicit CellBests(GapGrid grid);

  /// O(log limits).
  void add(double latency, double energy, double accuracy);

  [[nodiscard]] const GapGrid& grid() const { return grid_; }

  /// Row-major [latency limit][energy limit]; -infinity where no design is within both limits.
  [[nodiscard]] std::vector<double> bests() const;

 private:
  GapGrid grid_;
  /// Best among designs for which this is the tightest cell that holds them.
  std::vector<double> tightest_;
};

/// Accuracy given away, in the accuracy's own unit (percentage points). Shares are of `cells`;
/// mean, 95th percentile and worst are over the cells where the strategy has a design, NaN when
/// there is none.
struct GapReport {
  /// Cells where the exhaustive search has a design.
  std::uint64_t cells = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  double percentile_95 = std::numeric_limits<double>::quiet_NaN();
  double worst = std::numeric_limits<double>::quiet_NaN();
  /// Cells where the strategy's best equals the optimum.
  double share_exact = std::numeric_limits<double>::quiet_NaN();
  /// Cells where the strategy has no design although one exists.
  double share_infeasible = std::numeric_limits<double>::quiet_NaN();
};

/// The report over one grid: `exhaustive` and `strategy` as from CellBests::bests().
[[nodiscard]] GapReport gap_report(std::span<const double> exhaustive,
                                   std::span<const double> strategy);

/// The exhaustive side, kept once; then any number of strategies are measured against it.
/// Call order: add* close (joint_report | target_report)*.
class GapStudy {
 public:
  /// Requires problems_in(options) to be empty.
  explicit GapStudy(GapGridOptions options = {});

  /// Adds trials of the exhaustive search, in any order and any number of calls. Holds 32 bytes per
  /// trial that counts, until `close`.
  void add(std::span<const Trial> trials);

  /// Settles the limits and the optimum of every cell, and forgets the trials.
  void close();

  /// Over all accelerators together: limits at quantiles of all exhaustive points, and a design may
  /// sit on any accelerator. `trials` are the strategy's.
  [[nodiscard]] GapReport joint_report(std::span<const Trial> trials) const;

  /// Per target accelerator: each has limits at quantiles of its own latencies and energies, and
  /// must be served by designs on itself; the cells of all targets are pooled. `skipped` leaves one
  /// accelerator out, such as the proxy, which the strategy has searched exhaustively.
  [[nodiscard]] GapReport target_report(std::span<const Trial> trials,
                                        std::optional<std::uint32_t> skipped = {}) const;

 private:
  struct Point {
    std::uint32_t accelerator;
    double latency, energy, accuracy;
  };
  struct Optimum {
    GapGrid grid;
    std::vector<double> bests;
  };

  [[nodiscard]] Optimum optimum_of(std::span<const Point> points) const;

  GapGridOptions options_;
  std::vector<Point> points_;
  bool closed_ = false;
  Optimum joint_;
  std::map<std::uint32_t, Optimum> targets_;
};

}  // namespace cosearch::codesign
