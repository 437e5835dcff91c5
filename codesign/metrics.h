// What is known of an evaluated design (metrics), and what is asked of it (objectives,
// constraints).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codesign/design.h"

namespace cosearch::codesign {

enum class Metric : std::uint8_t {
  accuracy,
  latency,
  energy,
  area,
  macs,
  parameters,
  edp,
  time,
  score,  ///< training-free, of studies that go by one; its unit is its own
};
inline constexpr std::size_t kMetricCount = 9;
inline constexpr std::array<Metric, kMetricCount> kMetrics{
    Metric::accuracy,   Metric::latency, Metric::energy, Metric::area, Metric::macs,
    Metric::parameters, Metric::edp,     Metric::time,   Metric::score};

enum class Direction : std::uint8_t { minimise, maximise };

struct MetricInfo {
  std::string_view name;
  /// Empty for a plain number.
  std::string_view unit;
  Direction direction;
  /// True when the metric depends on the accelerator.
  bool of_hardware;
};

[[nodiscard]] const MetricInfo& info_of(Metric metric);
[[nodiscard]] std::optional<Metric> metric_named(std::string_view name);
/// In the order of `kMetrics`.
[[nodiscard]] std::vector<std::string> metric_names();

/// One number per metric; NaN where it is not known for this design.
struct Metrics {
  std::array<double, kMetricCount> value;

  constexpr Metrics() : value{} { value.fill(std::numeric_limits<double>::quiet_NaN()); }

  [[nodiscard]] constexpr double operator[](Metric metric) const {
    return value[static_cast<std::size_t>(metric)];
  }
  constexpr double& operator[](Metric metric) { return value[static_cast<std::size_t>(metric)]; }
};

/// `metrics` with edp = latency * energy (pJ*cycles); NaN when either is.
[[nodiscard]] Metrics with_edp(Metrics metrics);

/// A metric to make as good as possible, in the direction its table row gives.
struct Objective {
  Metric metric = Metric::accuracy;
  friend bool operator==(const Objective&, const Objective&) = default;
};

/// The objective as a number to minimise: `metrics[objective.metric]`, negated when the metric is
/// maximised.
[[nodiscard]] double cost_of(const Objective& objective, const Metrics& metrics);

/// `metric <= bound` (at_most) or `metric >= bound`.
struct Constraint {
  Metric metric = Metric::latency;
  double bound = 0;
  bool at_most = true;
  friend bool operator==(const Constraint&, const Constraint&) = default;
};

/// "latency <= 1e+06 cycles".
[[nodiscard]] std::string describe(const Constraint& constraint);

/// By how much `metrics` breaks `constraint`, as a share of |bound| (or plainly when the bound is
/// 0): 0 when it is met, infinite when the metric is not known.
[[nodiscard]] double violation(const Constraint& constraint, const Metrics& metrics);
/// Sum over `constraints`: 0 when all are met.
[[nodiscard]] double violation(std::span<const Constraint> constraints, const Metrics& metrics);

/// What a search is asked: objectives to trade off, constraints that every answer meets.
struct SearchQuestion {
  std::vector<Objective> objectives;
  std::vector<Constraint> constraints;
};

/// Everything wrong with `question`: no objective, an objective twice, a bound that is not finite.
[[nodiscard]] std::vector<std::string> problems_in(const SearchQuestion& question);

/// One evaluated design. Kept small and free of pointers: a study holds millions.
struct Trial {
  Design design;
  Metrics metrics;
  /// 0 when the design runs; else why it cannot, as an index into the evaluator's list of reasons.
  std::uint16_t reason = 0;
  /// Sum of relative constraint violations; 0 when all are met. Set by the driver.
  double violation = 0;

  [[nodiscard]] bool runs() const { return reason == 0; }
  /// Runs and meets every constraint.
  [[nodiscard]] bool is_feasible() const { return reason == 0 && violation == 0; }
};
static_assert(sizeof(Trial) <= 96);

/// True when no objective of `trial` is NaN.
[[nodiscard]] bool has_objectives(std::span<const Objective> objectives, const Trial& trial);

}  // namespace cosearch::codesign
