// Runs a study from its file to its store: what `cosearch run` does, as a call a test can make.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codesign/archive.h"
#include "codesign/driver.h"
#include "codesign/joint_space.h"
#include "codesign/model_evaluator.h"
#include "codesign/rank_study.h"
#include "codesign/study.h"

namespace cosearch::codesign {

/// Everything a search over a study needs, built once.
struct StudySetting {
  /// Throws UserError for a space that is empty, a study without accelerators, and one that
  /// compares cycles between accelerators of different clocks.
  StudySetting(Study study, int jobs);

  /// The strategy with its options resolved: names of networks and accelerators become indices.
  /// Throws UserError at the option's line.
  [[nodiscard]] std::unique_ptr<SearchStrategy> make(const StrategyChoice& choice) const;

  [[nodiscard]] SearchQuestion question() const { return {study.objectives, study.constraints}; }

  Study study;
  Workers workers;
  JointSpace space;
  ModelEvaluator evaluator;
};

struct RunOptions {
  /// The store to write; nothing may be there unless `overwrite`.
  std::filesystem::path output = {};
  bool overwrite = false;
  std::string command_line = {};
  /// Replaces the study's budget where given; ending on it counts as stopped, not finished.
  std::optional<std::uint64_t> max_evaluations = {};
  /// Asked between batches; true ends the search.
  std::function<bool()> stop = {};
  /// Told after each batch.
  std::function<void(const EvaluationCounts& so_far, const ParetoArchive& archive)> progress = {};
};

struct RunResult {
  SearchSummary summary;
  std::vector<Trial> front;
  ParetoArchive archive;
  double hypervolume = 0;  ///< share of the box between the best and worst feasible costs seen
  std::vector<std::pair<std::string, double>> findings = {};
  /// For semi-decoupled: how the networks that were tried on every accelerator rank there, which is
  /// what the method rests on, with its MACs-only control.
  std::vector<RankMatrix> rank_agreement = {};
};

/// Searches and stores every evaluated point. On an exception nothing is left at `output`.
[[nodiscard]] RunResult run_study(StudySetting& setting, const RunOptions& options);

/// Why nothing was feasible: the nearest design, and what each constraint alone would allow.
[[nodiscard]] std::string explain_infeasible(const StudySetting& setting,
                                             const ParetoArchive& archive);

}  // namespace cosearch::codesign
