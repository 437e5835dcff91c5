#include "datasets/study_log.h"

#include <algorithm>
#include <utility>

#include "core/user_error.h"
#include "datasets/partial_file.h"

namespace cosearch::datasets {
namespace {

constexpr std::uint64_t kReadRows = 65'536;

// Rows [first, last) of `batch`.
PointBatch rows_of(const PointBatch& batch, std::size_t first, std::size_t last) {
  const auto part = [&](const auto& column) {
    const auto begin = column.begin();
    return std::decay_t<decltype(column)>(begin + static_cast<std::ptrdiff_t>(first),
                                          begin + static_cast<std::ptrdiff_t>(last));
  };
  PointBatch rows{part(batch.id),
                  part(batch.network),
                  part(batch.accelerator),
                  {},
                  part(batch.feasible),
                  part(batch.reason),
                  part(batch.strategy),
                  part(batch.step),
                  part(batch.accuracy_source),
                  part(batch.accuracy_spread)};
  for (const std::vector<double>& metric : batch.metrics) rows.metrics.push_back(part(metric));
  return rows;
}

// Takes the rows with ids below `end` from the front of `batch`.
PointBatch take_below(PointBatch& batch, std::uint64_t end) {
  if (batch.size() == 0 || batch.id.back() < end) return std::exchange(batch, {});
  const auto cut = static_cast<std::size_t>(
      std::lower_bound(batch.id.begin(), batch.id.end(), end) - batch.id.begin());
  PointBatch front = rows_of(batch, 0, cut);
  batch = rows_of(batch, cut, batch.size());
  return front;
}

// What a writer that was killed left half-done. Called by the holder of the study's lock only.
void remove_partial_files(const std::filesystem::path& store) {
  const std::string beginning = store.filename().string() + ".partial-";
  const std::filesystem::path folder = store.has_parent_path() ? store.parent_path() : ".";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().filename().string().starts_with(beginning))
      std::filesystem::remove(entry.path(), ignored);
}

StudyStore create(const std::filesystem::path& store, const StudyStart& start) {
  remove_partial_files(store);
  return StudyStore::create(store, start.header, start.metrics, start.networks, start.accelerators);
}

}  // namespace

EarlierPoints::EarlierPoints(const std::filesystem::path& store) {
  read_journal(replaceable_file(store));
  read_store(replaceable_file(store));
}

void EarlierPoints::read_journal(const std::filesystem::path& store) {
  const std::filesystem::path path = journal_of(store);
  if (!std::filesystem::exists(path)) return;
  journal_.emplace(path);
  for (const JournalDamage& damage : journal_->damage()) notices_.push_back(describe(damage, path));
  if (journal_->start())
    start_ = journal_->start();
  else
    journal_.reset();  // its writer had not come to the first point
}

void EarlierPoints::read_store(const std::filesystem::path& store) {
  const bool is_there = std::filesystem::exists(store);
  if (journal_) {
    reasons_ = journal_->reasons();
    layer_evaluations_ = journal_->layer_evaluations();
  }
  if (!is_there) return;
  StudyStore opened = StudyStore::open(store);
  if (journal_ && opened.header() != start_->header) {
    if (start_->is_whole) return;
    throw FileError({store.string()}, "is not the study that its journal belongs to (" +
                                          journal_of(store).string() +
                                          "); put the right file there, or move the journal away");
  }
  if (!journal_) {
    start_ = StudyStart{opened.header(),       opened.metrics(),          opened.networks(),
                        opened.accelerators(), opened.front().objectives, false};
    is_complete_ = opened.result().complete;
  }
  const std::vector<std::string>& stored = opened.result().reasons;
  reasons_.resize(std::max(reasons_.size(), stored.size()));
  std::copy(stored.begin(), stored.end(), reasons_.begin());
  layer_evaluations_ = std::max(layer_evaluations_, opened.result().counts.layers);
  store_.emplace(std::move(opened));
}

void EarlierPoints::refill() {
  while (store_ && stored_.size() == 0 && next_stored_ < store_->point_count()) {
    stored_ = store_->points(next_stored_, kReadRows);
    next_stored_ += stored_.size();
    take_below(stored_, next_id_);
  }
  while (journal_ && journalled_.size() == 0 && next_batch_ < journal_->batch_count()) {
    journalled_ = journal_->batch(next_batch_++).points;
    take_below(journalled_, next_id_);
  }
}

PointBatch EarlierPoints::next() {
  refill();
  PointBatch* first = &stored_;
  PointBatch* other = &journalled_;
  if (first->size() == 0 || (other->size() > 0 && other->id.front() < first->id.front()))
    std::swap(first, other);
  if (first->size() == 0) return {};
  // Where both have a point it is the same one: the fold was cut short before the journal went.
  if (other->size() > 0 && other->id.front() == first->id.front())
    take_below(*other, other->id.front() + 1);
  refill();
  PointBatch run =
      other->size() > 0 ? take_below(*first, other->id.front()) : std::exchange(*first, {});
  next_id_ = run.id.back() + 1;
  return run;
}

std::optional<std::uint64_t> EarlierPoints::journal_end() const {
  if (!journal_) return std::nullopt;
  return journal_->end();
}

StudyLog::StudyLog(WriterLock lock, const StudyStart& start)
    : lock_(std::move(lock)), start_(start), store_(create(lock_.store(), start)) {}

StudyLog::StudyLog(WriterLock lock, const EarlierPoints& earlier)
    : lock_(std::move(lock)),
      start_(earlier.start()),
      known_reasons_(earlier.reasons().size()),
      store_(create(lock_.store(), start_)) {
  if (earlier.journal_end())
    journal_ = JournalWriter::reopen(lock_.store(), *earlier.journal_end());
}

void StudyLog::append(const PointBatch& points, const std::vector<std::string>& reasons,
                      std::uint64_t layer_evaluations) {
  if (points.size() == 0) return;
  if (!journal_) journal_ = JournalWriter::create(lock_.store(), start_);
  JournalBatch batch{points, known_reasons_, {}, layer_evaluations};
  if (reasons.size() > known_reasons_)
    batch.reasons.assign(reasons.begin() + static_cast<std::ptrdiff_t>(known_reasons_),
                         reasons.end());
  journal_->append(batch);
  known_reasons_ = std::max<std::uint64_t>(known_reasons_, reasons.size());
  store_.append(points);
}

void StudyLog::copy(const PointBatch& points) { store_.append(points); }

void StudyLog::finish(const StudyResult& result) {
  store_.finish(result);
  // The study file is durable: PartialFile::commit synchronises it and its folder.
  journal_.reset();
  std::error_code ignored;
  std::filesystem::remove(journal_of(lock_.store()), ignored);
}

}  // namespace cosearch::datasets
