// Runs a study from its file to its store: what `cosearch run` does, as a call a test can make.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codesign/accuracies.h"
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
  /// compares cycles between accelerators of different clocks; and what Accuracies throws.
  StudySetting(Study study, int jobs, const AccuracyTools& tools = {});

  /// The strategy with its options resolved: names of networks and accelerators become indices.
  /// Throws UserError at the option's line.
  [[nodiscard]] std::unique_ptr<SearchStrategy> make(const StrategyChoice& choice) const;

  [[nodiscard]] SearchQuestion question() const { return {study.objectives, study.constraints}; }

  Study study;
  Workers workers;
  JointSpace space;
  Accuracies accuracies;
  ModelEvaluator evaluator;  ///< asks `accuracies`
};

struct RunOptions {
  /// The store to write; nothing may be there unless `overwrite`.
  std::filesystem::path output = {};
  bool overwrite = false;
  /// Goes on with what an earlier run of the study left there, and ends as if nothing had
  /// interrupted it; begins where there is nothing.
  bool resume = false;
  std::string command_line = {};
  /// Cuts the search short after so many hardware evaluations; the study's own budget gives way
  /// where it is smaller.
  std::optional<std::uint64_t> max_evaluations = {};
  /// Asked often (DriverOptions::stop), by several threads; true ends the search.
  std::function<bool()> stop = {};
  /// Told each time that points are on the disk.
  std::function<void(const EvaluationCounts& so_far, const ParetoArchive& archive)> progress = {};
  /// Told of each network whose accuracy took long to find.
  std::function<void(std::uint64_t done, std::uint64_t all, const std::string& last)> measured = {};
  /// Told what of the earlier run could not be read.
  std::function<void(const std::string& notice)> notice = {};
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
  /// False where the search was stopped while it still read back what an earlier run had found: the
  /// store is as that run left it.
  bool is_stored = true;
};

/// Searches and stores every evaluated point. On an exception, as when the process is killed, what
/// was at `output` stays, and its journal keeps every point that was evaluated, to be resumed.
[[nodiscard]] RunResult run_study(StudySetting& setting, const RunOptions& options);

/// A constraint that a design breaks: its value, and by what share of the bound it is off.
struct BrokenConstraint {
  Constraint constraint;
  double value = 0;
  double share = 0;
};

[[nodiscard]] std::vector<BrokenConstraint> broken_constraints(
    std::span<const Constraint> constraints, const Metrics& metrics);

/// Why nothing was feasible: the nearest design, and what each constraint alone would allow.
[[nodiscard]] std::string explain_infeasible(const StudySetting& setting,
                                             const ParetoArchive& archive);

}  // namespace cosearch::codesign
