// Between the search's trials and the store's columns, both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
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
  /// Ids count on from 0, in the order of the trials.
  void record(const TrialsPart& part);

  /// Puts the store in its place. False, and everything is left as it was, when the search was
  /// stopped before it had come to the end of what the earlier run knew.
  bool finish(const RunResult& result);

 private:
  [[nodiscard]] bool has_more_earlier();

  const StudySetting& setting_;
  std::string name_;
  std::optional<datasets::EarlierPoints> earlier_;
  std::optional<datasets::StudyLog> log_;
  datasets::PointBatch run_;       // of the earlier points, read ahead
  std::vector<Trial> run_trials_;  // the same
  std::size_t at_ = 0;             // in them
  std::vector<Design> designs_;    // by id
};

/// Where in `designs` each design of the front stands first.
[[nodiscard]] std::vector<std::uint64_t> places_of(const std::vector<Trial>& front,
                                                   const std::vector<Design>& designs);

/// The front as it is stored, but for its ids and its hypervolume.
[[nodiscard]] datasets::StudyFront front_of(const ParetoArchive& archive);

/// Points as columns for people: every metric that is known, genotype, accelerator, its parameters.
[[nodiscard]] datasets::Columns columns_of(const datasets::PointBatch& points,
                                           const std::vector<datasets::MetricColumn>& metrics,
                                           const std::vector<datasets::NetworkRow>& networks,
                                           const datasets::AcceleratorTable& accelerators);

/// The stored front, best first objective first, as the store has it.
[[nodiscard]] datasets::Columns front_columns(const datasets::StudyStore& store);

}  // namespace cosearch::codesign
