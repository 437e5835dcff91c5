// Every evaluated point of a study that is not yet in its HDF5 file, in an append-only file beside
// it that survives whatever happens to the writer. On-disk layout: datasets/FORMAT.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/descriptor.h"
#include "datasets/study_store.h"

namespace cosearch::datasets {

/// What a study is before its first point: all that a store needs to be made from a journal.
struct StudyStart {
  StudyHeader header;
  std::vector<MetricColumn> metrics;
  std::vector<NetworkRow> networks;
  AcceleratorTable accelerators;
  std::vector<std::string> objectives;  ///< names of metric columns
  /// The journal holds every point from the first on; else it goes on where the study file ends.
  bool is_whole = true;
};

/// What is acknowledged at once.
struct JournalBatch {
  PointBatch points;
  /// Why designs cannot run: every reason that the points name and no earlier batch listed, the
  /// first of them with the index `first_reason`.
  std::uint64_t first_reason = 0;
  std::vector<std::string> reasons;
  /// Costs of single layers computed by then.
  std::uint64_t layer_evaluations = 0;
  friend bool operator==(const JournalBatch&, const JournalBatch&) = default;
};

/// The journal beside the store at `store`.
[[nodiscard]] std::filesystem::path journal_of(const std::filesystem::path& store);

/// Appends; whoever writes holds the study's WriterLock. Every function throws FileError naming the
/// store when the file system refuses.
class JournalWriter {
 public:
  /// A new journal beside `store`, in place of what is there; none when it throws.
  static JournalWriter create(const std::filesystem::path& store, const StudyStart& start);
  /// Goes on after `end` (JournalReader::end), dropping what follows.
  static JournalWriter reopen(const std::filesystem::path& store, std::uint64_t end);

  /// When it returns, the batch is on the disk. When it throws, the batch is not in the journal.
  void append(const JournalBatch& batch);

  /// Bytes written so far.
  [[nodiscard]] std::uint64_t size() const { return end_; }

 private:
  JournalWriter(Descriptor file, std::uint64_t end) : file_(std::move(file)), end_(end) {}
  void append_frame(std::uint32_t kind, std::string_view payload);

  Descriptor file_;
  std::uint64_t end_ = 0;
  std::string payload_;  // kept for its memory
};

/// Part of a journal that holds no valid frame.
struct JournalDamage {
  std::uint64_t offset = 0, bytes = 0;
  /// Nothing valid follows: the writer died within its last frame, which it had not acknowledged.
  bool is_torn_end = false;
};

/// "out.h5.journal: 120 bytes at offset 4096 are damaged and left out; all before and after is
/// kept".
[[nodiscard]] std::string describe(const JournalDamage& damage,
                                   const std::filesystem::path& journal);

/// Reads every frame whose checksum holds, whatever stands between them.
class JournalReader {
 public:
  /// Throws UserError for a journal of a newer version, which it names, and for a file that is
  /// none; FileError when it cannot be read.
  explicit JournalReader(const std::filesystem::path& path);

  /// Nothing in a journal whose writer died before it was begun.
  [[nodiscard]] const std::optional<StudyStart>& start() const { return start_; }
  [[nodiscard]] const std::vector<JournalDamage>& damage() const { return damage_; }
  /// Just after the last valid frame.
  [[nodiscard]] std::uint64_t end() const { return end_; }

  /// In ascending order of their first ids.
  [[nodiscard]] std::size_t batch_count() const { return batches_.size(); }
  [[nodiscard]] JournalBatch batch(std::size_t index) const;
  [[nodiscard]] std::uint64_t point_count() const { return point_count_; }
  /// By PointBatch::reason, as far as points name them; empty where the batch that listed it is
  /// lost.
  [[nodiscard]] const std::vector<std::string>& reasons() const { return reasons_; }
  [[nodiscard]] std::uint64_t layer_evaluations() const { return layer_evaluations_; }

 private:
  struct Place {
    std::uint64_t first_id = 0, offset = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  void scan();
  void note(const JournalBatch& batch, std::uint64_t offset);
  [[nodiscard]] std::uint64_t accept_frame_at(std::uint64_t offset);
  [[nodiscard]] std::uint64_t next_magic_after(std::uint64_t offset) const;
  [[nodiscard]] bool may_be_unborn() const;

  Descriptor file_;
  std::uint64_t size_ = 0, end_ = 0, point_count_ = 0;
  std::optional<StudyStart> start_;
  std::vector<Place> batches_;
  std::vector<JournalDamage> damage_;
  std::vector<std::string> reasons_{""};
  std::uint64_t layer_evaluations_ = 0;
  std::string payload_;
};

}  // namespace cosearch::datasets
