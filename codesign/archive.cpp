#include "codesign/archive.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <tuple>

namespace cosearch::codesign {
namespace {

// True when `a` is nowhere above `b`: it dominates b or equals it.
bool not_worse(const double* a, const double* b, std::size_t objectives) {
  for (std::size_t k = 0; k < objectives; ++k) {
    if (a[k] > b[k]) return false;
  }
  return true;
}

// Whether some member of `layer` dominates `point`. Members come in lexicographic order; the most
// recent are the most alike, hence the walk from the back.
bool layer_dominates(const std::vector<std::uint32_t>& layer, std::span<const double> costs,
                     std::span<const double> point) {
  const std::size_t objectives = point.size();
  return std::any_of(layer.rbegin(), layer.rend(), [&](std::uint32_t member) {
    return dominates(costs.subspan(member * objectives, objectives), point);
  });
}

}  // namespace

bool dominates(std::span<const double> a, std::span<const double> b) {
  return not_worse(a.data(), b.data(), a.size()) && !std::equal(a.begin(), a.end(), b.begin());
}

std::vector<std::uint32_t> nondominated_layers(std::span<const double> costs,
                                               std::size_t objectives) {
  assert(objectives > 0 && costs.size() % objectives == 0);
  const std::size_t count = costs.size() / objectives;
  const auto point = [&](std::uint32_t i) { return costs.subspan(i * objectives, objectives); };

  // In lexicographic order nothing is dominated by a later point, so each can be placed for good.
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto pa = point(a), pb = point(b);
    return std::lexicographical_compare(pa.begin(), pa.end(), pb.begin(), pb.end());
  });

  std::vector<std::vector<std::uint32_t>> layers;
  std::vector<std::uint32_t> layer_of(count);
  for (const std::uint32_t i : order) {
    // What some layer dominates, every layer before it dominates too: binary search.
    const auto place = std::partition_point(layers.begin(), layers.end(), [&](const auto& layer) {
      return layer_dominates(layer, costs, point(i));
    });
    layer_of[i] = static_cast<std::uint32_t>(place - layers.begin());
    if (place == layers.end()) layers.emplace_back();
    layers[layer_of[i]].push_back(i);
  }
  return layer_of;
}

ParetoArchive::ParetoArchive(SearchQuestion question)
    : question_(std::move(question)),
      objectives_(question_.objectives.size()),
      front_(objectives_) {
  assert(problems_in(question_).empty());
  for (const Constraint& constraint : question_.constraints) {
    outlook_.push_back({.constraint = constraint, .closest = {}});
  }
  ideal_.fill(std::numeric_limits<double>::infinity());
  worst_.fill(-std::numeric_limits<double>::infinity());
}

bool ParetoArchive::insert(const Trial& trial) {
  if (!trial.runs()) {
    ++counts_.failing;
    return false;
  }
  note_constraints(trial);
  if (!has_objectives(question_.objectives, trial)) {
    ++counts_.incomplete;
    return false;
  }
  if (!trial.is_feasible()) {
    ++counts_.violating;
    return false;
  }
  ++counts_.feasible;
  const Costs costs = costs_of(trial.metrics);
  note_range(costs);
  return front_.insert(costs, trial);
}

void ParetoArchive::insert(std::span<const Trial> trials) {
  for (const Trial& trial : trials) insert(trial);
}

Costs ParetoArchive::costs_of(const Metrics& metrics) const {
  Costs costs{};
  for (std::size_t k = 0; k < objectives_; ++k)
    costs[k] = cost_of(question_.objectives[k], metrics);
  return costs;
}

void ParetoArchive::note_constraints(const Trial& trial) {
  for (ConstraintOutlook& outlook : outlook_) {
    const double here = violation(outlook.constraint, trial.metrics);
    if (std::isinf(here)) continue;
    if (!outlook.closest ||
        std::tie(here, trial.design) < std::tie(outlook.least_violation, outlook.closest->design)) {
      outlook.least_violation = here;
      outlook.closest = trial;
    }
  }
  if (trial.violation == 0 || std::isinf(trial.violation)) return;
  if (!least_violating_ || std::tie(trial.violation, trial.design) <
                               std::tie(least_violating_->violation, least_violating_->design))
    least_violating_ = trial;
}

void ParetoArchive::note_range(const Costs& costs) {
  for (std::size_t k = 0; k < objectives_; ++k) {
    ideal_[k] = std::min(ideal_[k], costs[k]);
    worst_[k] = std::max(worst_[k], costs[k]);
  }
}

std::vector<double> ParetoArchive::ideal() const {
  if (counts_.feasible == 0) return {};
  return {ideal_.begin(), ideal_.begin() + static_cast<std::ptrdiff_t>(objectives_)};
}

std::vector<double> ParetoArchive::worst() const {
  if (counts_.feasible == 0) return {};
  return {worst_.begin(), worst_.begin() + static_cast<std::ptrdiff_t>(objectives_)};
}

}  // namespace cosearch::codesign
