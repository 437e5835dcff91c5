// A study while it is written, of which nothing that was acknowledged is ever lost: the HDF5 file
// in the making, and the journal that is the truth until that file stands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/journal.h"
#include "datasets/study_store.h"
#include "datasets/writer_lock.h"

namespace cosearch::datasets {

/// What an earlier run left at a store's path: the study file, its journal, or both.
class EarlierPoints {
 public:
  /// Throws what StudyStore::open and JournalReader throw, and FileError when the two belong to
  /// different studies. A journal that replaces the study file (`run --force`) hides it.
  explicit EarlierPoints(const std::filesystem::path& store);

  /// Nothing was left, or nothing but the beginning of a journal.
  [[nodiscard]] bool is_empty() const { return !start_; }
  [[nodiscard]] const StudyStart& start() const { return *start_; }
  /// By PointBatch::reason; those that were lost are empty.
  [[nodiscard]] const std::vector<std::string>& reasons() const { return reasons_; }
  [[nodiscard]] std::uint64_t layer_evaluations() const { return layer_evaluations_; }
  /// The study file's last words; false where there is a journal.
  [[nodiscard]] bool is_complete() const { return is_complete_; }
  /// What had to be left out, for people.
  [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

  /// The next points in the order of their ids, each once; empty at the end.
  [[nodiscard]] PointBatch next();

  /// Where a writer goes on in the journal; nothing when there is no journal of this study.
  [[nodiscard]] std::optional<std::uint64_t> journal_end() const;

 private:
  void read_store(const std::filesystem::path& store);
  void read_journal(const std::filesystem::path& store);
  void refill();

  std::optional<StudyStart> start_;
  std::optional<StudyStore> store_;
  std::optional<JournalReader> journal_;
  std::vector<std::string> reasons_, notices_;
  std::uint64_t layer_evaluations_ = 0;
  bool is_complete_ = false;

  PointBatch stored_, journalled_;  // the runs that are merged
  std::uint64_t next_stored_ = 0;
  std::size_t next_batch_ = 0;
  std::uint64_t next_id_ = 0;  // ids below were given out
};

/// Protocol: construct (append | copy)* finish. Ids ascend over all calls. Destroyed before
/// `finish` it leaves the study file as it was, and the journal with everything that was appended.
class StudyLog {
 public:
  /// What is at the lock's store is replaced in `finish`, its journal by the first `append`.
  StudyLog(WriterLock lock, const StudyStart& start);
  /// The same with `earlier`'s journal kept and continued. Requires that `earlier`, read under this
  /// lock, is not empty.
  StudyLog(WriterLock lock, const EarlierPoints& earlier);

  /// When it returns, the points are on the disk. `reasons`: all so far. Throws what JournalWriter
  /// and StudyStore::append throw.
  void append(const PointBatch& points, const std::vector<std::string>& reasons,
              std::uint64_t layer_evaluations);
  /// Takes over points of the earlier run, which the old files hold until `finish`.
  void copy(const PointBatch& points);
  /// Puts the study file in its place; only when it is durable does the journal go.
  void finish(const StudyResult& result);

 private:
  WriterLock lock_;
  StudyStart start_;
  std::optional<JournalWriter> journal_;
  std::uint64_t known_reasons_ = 1;  // entry 0 means that a design runs
  StudyStore store_;
};

}  // namespace cosearch::datasets
