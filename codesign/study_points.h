// Between the search's trials and the store's columns, both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codesign/driver.h"
#include "codesign/metrics.h"
#include "datasets/front_file.h"
#include "datasets/study_log.h"
#include "datasets/study_store.h"

namespace cosearch::codesign {

struct RunOptions;
struct RunResult;
struct StudySetting;

/// `batch`'s points as trials: all but the violations.
[[nodiscard]] std::vector<Trial> trials_of(const datasets::PointBatch& batch,
                                           const std::vector<datasets::MetricColumn>& metrics);

/// Who proposes points, by PointBatch::strategy: the study's strategy, and what measures its front,
/// whose points replace earlier ones of the same designs.
inline constexpr std::uint16_t kSearchProposer = 0, kFrontProposer = 1;
inline constexpr std::string_view kFrontProposerName = "front-measurement";

/// Writes a study's trials to a store, each on the disk as soon as it is recorded; and knows those
/// that an earlier run of the study recorded.
class PointWriter {
 public:
  /// Throws FileError when something is at the output and the options say neither to replace nor to
  /// resume it, when another process writes it, or when it cannot be written; UserError when what
  /// is to be resumed is another study, naming the keys that differ.
  PointWriter(const RunOptions& options, const StudySetting& setting, const std::string& strategy);

  /// Why designs could not run in the earlier run; empty where there was none.
  [[nodiscard]] std::vector<std::string> earlier_reasons() const;
  /// What of the earlier run could not be read, for people.
  [[nodiscard]] std::vector<std::string> notices() const;

  /// For DriverOptions.
  [[nodiscard]] std::size_t recall(std::uint64_t first, std::span<const Design> designs,
                                   std::span<Trial> trials);
  /// Ids count on from 0, in the order of the trials. `proposer`: who asked for them.
  void record(const TrialsPart& part, std::uint16_t proposer);
  /// The number of the batch after the last that was recorded.
  [[nodiscard]] std::uint64_t next_step() const { return next_step_; }

  /// Puts the store in its place. False, and everything is left as it was, when the search was
  /// stopped before it had come to the end of what the earlier run knew.
  bool finish(const RunResult& result);

 private:
  [[nodiscard]] bool has_more_earlier();

  const StudySetting& setting_;
  std::string name_;
  std::optional<datasets::EarlierPoints> earlier_;
  std::optional<datasets::StudyLog> log_;
  datasets::PointBatch run_;                     // of the earlier points, read ahead
  std::vector<Trial> run_trials_;                // the same
  std::size_t at_ = 0;                           // in them
  std::vector<std::uint16_t> recalled_sources_;  // of the trials that `record` gets next
  std::vector<double> recalled_spreads_;
  std::uint64_t next_step_ = 0;
  std::optional<std::size_t> measured_from_;  // in designs_
  std::vector<Design> designs_;               // by id
};

/// Where in `designs` each design of the front stands first; from `measured_from` on where it
/// stands there, for those were evaluated again.
[[nodiscard]] std::vector<std::uint64_t> places_of(const std::vector<Trial>& front,
                                                   const std::vector<Design>& designs,
                                                   std::size_t measured_from);

/// The front as it is stored, but for its ids and its hypervolume.
[[nodiscard]] datasets::StudyFront front_of(const ParetoArchive& archive);

/// Points as columns for people: every metric that is known, genotype, accelerator, its parameters.
[[nodiscard]] datasets::Columns columns_of(const datasets::PointBatch& points,
                                           const std::vector<datasets::MetricColumn>& metrics,
                                           const std::vector<datasets::NetworkRow>& networks,
                                           const datasets::AcceleratorTable& accelerators,
                                           const std::vector<std::string>& accuracy_sources);

/// The stored front, best first objective first, as the store has it.
[[nodiscard]] datasets::Columns front_columns(const datasets::StudyStore& store);

}  // namespace cosearch::codesign
