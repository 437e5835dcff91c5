// Between the search's trials and the store's columns, both ways.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "codesign/metrics.h"
#include "datasets/front_file.h"
#include "datasets/study_store.h"

namespace cosearch::codesign {

struct RunResult;
struct StudySetting;

/// Writes a study's trials to a store; nothing stands at the path before `finish`.
class PointWriter {
 public:
  /// Throws FileError when something is at `path` and `overwrite` is false, or it cannot be
  /// written.
  PointWriter(const std::filesystem::path& path, bool overwrite, const StudySetting& setting,
              const std::string& strategy, const std::string& command_line);

  /// Ids count on from 0, in the order of the trials.
  void append(std::span<const Trial> trials);
  void finish(const RunResult& result);

 private:
  [[nodiscard]] std::vector<std::uint64_t> ids_of(const std::vector<Trial>& front) const;

  const StudySetting& setting_;
  datasets::StudyStore store_;
  std::vector<Design> designs_;  // by id
  std::uint64_t step_ = 0;
};

/// The stored front as columns for people: genotype, accelerator, its parameters and every metric
/// that is known, best first objective first, as the store has it.
[[nodiscard]] datasets::Columns front_columns(const datasets::StudyStore& store);

}  // namespace cosearch::codesign
