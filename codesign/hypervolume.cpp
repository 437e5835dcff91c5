#include "codesign/hypervolume.h"

#include <algorithm>
#include <cassert>
#include <pagmo/utils/hypervolume.hpp>

namespace cosearch::codesign {

double hypervolume(std::span<const double> costs, std::span<const double> reference) {
  const std::size_t objectives = reference.size();
  assert(objectives > 0 && costs.size() % objectives == 0);
  std::vector<std::vector<double>> inside;
  for (std::size_t i = 0; i < costs.size(); i += objectives) {
    const std::span<const double> point = costs.subspan(i, objectives);
    // pagmo refuses points on or beyond the reference; they cover nothing.
    if (std::equal(point.begin(), point.end(), reference.begin(), std::less<>()))
      inside.emplace_back(point.begin(), point.end());
  }
  if (inside.empty()) return 0;
  if (objectives == 1) return reference[0] - std::min_element(inside.begin(), inside.end())->at(0);
  return pagmo::hypervolume(inside).compute({reference.begin(), reference.end()});
}

double normalised_hypervolume(std::span<const Trial> front, std::span<const Objective> objectives,
                              std::span<const double> ideal, std::span<const double> reference) {
  if (front.empty()) return 0;  // there may be no box either: nothing was feasible
  assert(ideal.size() == objectives.size() && reference.size() == objectives.size());
  std::vector<std::size_t> sides;
  for (std::size_t k = 0; k < objectives.size(); ++k) {
    if (ideal[k] < reference[k]) sides.push_back(k);
  }
  if (sides.empty()) return 0;
  std::vector<double> costs;
  for (const Trial& trial : front) {
    for (const std::size_t k : sides) {
      const double cost = cost_of(objectives[k], trial.metrics);
      // A front better than the box's ideal still covers at most the whole box.
      costs.push_back(std::max(0.0, (cost - ideal[k]) / (reference[k] - ideal[k])));
    }
  }
  return hypervolume(costs, std::vector<double>(sides.size(), 1.0));
}

}  // namespace cosearch::codesign
