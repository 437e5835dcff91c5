#include "codesign/open_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "codesign/archive.h"
#include "codesign/hypervolume.h"
#include "codesign/ledger.h"
#include "codesign/study_points.h"
#include "core/user_error.h"
#include "datasets/partial_file.h"
#include "datasets/study_log.h"

namespace cosearch::codesign {
namespace {

SearchQuestion question_of(const datasets::StudyStart& start) {
  SearchQuestion question;
  for (const std::string& name : start.objectives)
    if (const std::optional<Metric> metric = metric_named(name))
      question.objectives.push_back({*metric});
  if (!problems_in(question).empty())
    throw UserError("the journal's objectives are none that this program knows");
  return question;
}

// What the study would have said of itself had it been stopped after its last point.
class Fold {
 public:
  explicit Fold(datasets::EarlierPoints& earlier)
      : earlier_(earlier),
        is_mixed_(std::ranges::count(earlier.start().header.strategies, kFrontProposerName) > 0),
        archive_(question_of(earlier.start())),
        ledger_(static_cast<std::uint32_t>(earlier.start().networks.size()),
                static_cast<std::uint32_t>(earlier.start().accelerators.rows.size())) {}

  std::uint64_t into(datasets::StudyLog& log) {
    for (datasets::PointBatch run = earlier_.next(); run.size() > 0; run = earlier_.next()) {
      log.copy(run);
      add(run);
    }
    if (is_mixed_) insert_latest();
    log.finish(result());
    return ids_.size();
  }

 private:
  // What the front's measurement evaluated again counts instead of what came before it.
  void insert_latest() {
    const std::size_t from = measured_from_.value_or(trials_.size());
    std::set<Design> again;
    for (std::size_t i = from; i < trials_.size(); ++i) again.insert(trials_[i].design);
    for (std::size_t i = 0; i < trials_.size(); ++i)
      if (i >= from || !again.contains(trials_[i].design)) archive_.insert(trials_[i]);
  }

  void add(const datasets::PointBatch& run) {
    std::vector<Trial> trials = trials_of(run, earlier_.start().metrics);
    for (std::size_t i = 0; i < trials.size(); ++i) {
      trials[i].violation = run.feasible[i] == 1 ? 0 : 1;
      if (run.strategy[i] == kFrontProposer)
        measured_from_ = std::min(measured_from_.value_or(designs_.size()), designs_.size());
      ledger_.enter(trials[i].design);
      designs_.push_back(trials[i].design);
      ids_.push_back(run.id[i]);
    }
    if (is_mixed_)
      trials_.insert(trials_.end(), trials.begin(), trials.end());
    else
      archive_.insert(trials);
  }

  [[nodiscard]] datasets::StudyResult result() const {
    const std::vector<Trial> members = archive_.front();
    datasets::StudyResult result;
    result.front = front_of(archive_);
    for (const std::uint64_t place :
         places_of(members, designs_, measured_from_.value_or(designs_.size())))
      result.front.ids.push_back(ids_[place]);
    result.front.hypervolume = normalised_hypervolume(members, archive_.question().objectives,
                                                      archive_.ideal(), archive_.worst());
    const EvaluationCounts& counts = ledger_.counts();
    result.counts = {counts.trials, counts.networks, counts.hardware, earlier_.layer_evaluations()};
    result.reasons = earlier_.reasons();
    result.complete = false;
    return result;
  }

  datasets::EarlierPoints& earlier_;
  bool is_mixed_;  // points of the search may be replaced by later ones
  ParetoArchive archive_;
  Ledger ledger_;
  std::vector<Design> designs_;
  std::vector<Trial> trials_;  // of a mixed study
  std::optional<std::size_t> measured_from_;
  std::vector<std::uint64_t> ids_;
};

void fold_journal(const std::filesystem::path& store,
                  const std::function<void(const std::string&)>& notice) {
  datasets::WriterLock lock(store);
  datasets::EarlierPoints earlier(store);
  if (earlier.is_empty()) return;
  if (notice)
    for (const std::string& text : earlier.notices()) notice(text);
  datasets::StudyLog log(std::move(lock), earlier);
  const std::uint64_t points = Fold(earlier).into(log);
  if (notice)
    notice(fmt::format("{}: a search was cut off here; the store now holds its {} points",
                       store.string(), points));
}

}  // namespace

datasets::StudyStore open_study(const std::filesystem::path& store,
                                const std::function<void(const std::string&)>& notice) {
  if (std::filesystem::exists(datasets::journal_of(datasets::replaceable_file(store))))
    fold_journal(store, notice);
  return datasets::StudyStore::open(store);
}

}  // namespace cosearch::codesign
