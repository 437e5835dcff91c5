// The designs that nothing else beats, and what is worth saying when there are none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "codesign/blocked_front.h"
#include "codesign/metrics.h"

namespace cosearch::codesign {

/// True when `a` is nowhere above `b` and somewhere below it. Costs are minimised.
[[nodiscard]] bool dominates(std::span<const double> a, std::span<const double> b);

/// The non-dominated layer of each point, 0 for the front: layer k is the front once layers below k
/// are removed. `costs` holds `objectives` minimised, finite numbers per point, point by point.
/// Equal points share a layer. Source of the method: X. Zhang, Y. Tian, R. Cheng, Y. Jin, "An
/// efficient approach to nondominated sorting", IEEE Trans. Evol. Comput. 19(2), 2015 (ENS-BS).
[[nodiscard]] std::vector<std::uint32_t> nondominated_layers(std::span<const double> costs,
                                                             std::size_t objectives);

/// The design that comes closest to meeting a constraint when it is the only one.
struct ConstraintOutlook {
  Constraint constraint;
  /// Smallest relative violation by any design that runs; infinite when none has the metric.
  double least_violation = std::numeric_limits<double>::infinity();
  /// Where `least_violation` was seen; among equals the first by (network, accelerator).
  std::optional<Trial> closest;

  /// Some design meets this constraint, whatever it does to the others.
  [[nodiscard]] bool is_met_alone() const { return least_violation == 0; }
};

/// How many trials the archive has seen, by fate.
struct TrialCounts {
  std::uint64_t feasible = 0;
  /// Run, but break a constraint.
  std::uint64_t violating = 0;
  /// Cannot run at all (reason != 0).
  std::uint64_t failing = 0;
  /// Run, but an objective is NaN: a network asked about alone, or an unknown metric.
  std::uint64_t incomplete = 0;
};

/// The feasible, non-dominated trials among all that were inserted.
///
/// Of trials with equal objectives only the first by (network, accelerator) is kept, so that the
/// archive is the same whatever the order of insertion. Trials that do not run, break a constraint
/// or lack an objective never enter.
class ParetoArchive {
 public:
  /// Requires problems_in(question) to be empty.
  explicit ParetoArchive(SearchQuestion question);

  /// True when `trial` now belongs to the front. Its `violation` must have been set.
  bool insert(const Trial& trial);
  void insert(std::span<const Trial> trials);

  [[nodiscard]] const SearchQuestion& question() const { return question_; }

  /// The front, best first objective first; ties by the next objectives, then by design.
  [[nodiscard]] std::vector<Trial> front() const { return front_.members(); }
  [[nodiscard]] std::size_t size() const { return front_.size(); }

  [[nodiscard]] const TrialCounts& counts() const { return counts_; }

  /// The trial that runs with the smallest violation > 0 (ties: the first by design); empty when
  /// no trial with a finite violation broke a constraint.
  [[nodiscard]] const std::optional<Trial>& least_violating() const { return least_violating_; }

  /// One per constraint of the question, in its order.
  [[nodiscard]] const std::vector<ConstraintOutlook>& outlook() const { return outlook_; }

  /// Componentwise best and worst cost (minimised) over every feasible trial seen: the box in which
  /// hypervolumes are measured. Empty when nothing was feasible.
  [[nodiscard]] std::vector<double> ideal() const;
  [[nodiscard]] std::vector<double> worst() const;

 private:
  [[nodiscard]] Costs costs_of(const Metrics& metrics) const;
  void note_constraints(const Trial& trial);
  void note_range(const Costs& costs);

  SearchQuestion question_;
  std::size_t objectives_;
  BlockedFront front_;
  TrialCounts counts_;
  std::optional<Trial> least_violating_;
  std::vector<ConstraintOutlook> outlook_;
  Costs ideal_{};
  Costs worst_{};
};

}  // namespace cosearch::codesign
