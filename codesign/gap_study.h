// Runs the strategies of a study's `gap` section against the exhaustive optimum.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "codesign/gap_report.h"
#include "codesign/run_study.h"

namespace cosearch::codesign {

struct StrategyGap {
  std::string label;  ///< name and options
  EvaluationCounts counts;
  GapReport joint;       ///< a design may sit on any accelerator
  GapReport per_target;  ///< each accelerator served by its own designs
};

struct GapComparison {
  std::uint64_t networks = 0, accelerators = 0;
  std::size_t latency_limits = 0, energy_limits = 0;
  EvaluationCounts exhaustive;
  std::vector<StrategyGap> strategies;
};

/// A strategy named "random-retained" without `retained` keeps as many networks as the
/// semi-decoupled strategy before it, so that the two differ in what they keep only.
/// Every strategy starts with an empty cache of layer costs, so that its layer evaluations are its
/// own. Throws UserError when the study has no `gap` section or its networks no accuracy.
[[nodiscard]] GapComparison compare_gaps(
    StudySetting& setting,
    const std::function<void(std::uint64_t done, const std::string& strategy)>& progress);

}  // namespace cosearch::codesign
