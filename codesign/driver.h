// Runs a search: asks the strategy, evaluates, tells, keeps the archive, counts what was spent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "codesign/archive.h"
#include "codesign/metrics.h"
#include "codesign/search/strategy.h"
#include "codesign/workers.h"

namespace cosearch::codesign {

/// Says what designs cost. Knows nothing of objectives or constraints.
class Evaluator {
 public:
  virtual ~Evaluator() = default;

  /// Fills the caches that `evaluate` will read, for designs from the front of `designs` on, until
  /// about a tenth of a second has passed; for how many: at least one. Called by one thread.
  [[nodiscard]] virtual std::size_t prepare_some(std::span<const Design> designs) {
    return designs.size();
  }
  /// The same for all of them, however long it takes.
  void prepare(std::span<const Design> designs) {
    for (std::size_t done = 0; done < designs.size();) done += prepare_some(designs.subspan(done));
  }

  /// The metrics of `design`, or the reason why it cannot run; `violation` is left at 0. Called
  /// from many threads at once after `prepare`.
  [[nodiscard]] virtual Trial evaluate(Design design) const = 0;

  /// Counts what `designs` took in an earlier run of the same search, without doing it again.
  virtual void recall(std::span<const Design> designs) { static_cast<void>(designs); }

  /// Layer costs computed so far (those found in a cache are not counted again).
  [[nodiscard]] virtual std::uint64_t layer_evaluations() const { return 0; }
};

/// What a search has spent. A design asked for again is not counted again.
struct EvaluationCounts {
  /// Designs evaluated, repeats included.
  std::uint64_t trials = 0;
  /// Distinct networks asked about: each needs its accuracy once.
  std::uint64_t networks = 0;
  /// Distinct (network, accelerator) pairs.
  std::uint64_t hardware = 0;
  std::uint64_t layers = 0;

  friend bool operator==(const EvaluationCounts&, const EvaluationCounts&) = default;
};

enum class StopCause : std::uint8_t {
  finished,   // the strategy had nothing more to ask
  exhausted,  // the budget of hardware evaluations is spent
  stopped,    // the stop callback or `stop_after` said so
};

/// Trials as they come: a part of a batch that was just evaluated, or recalled.
struct TrialsPart {
  std::span<const Trial> trials;
  std::uint64_t step = 0;  ///< their batch, from 0
  bool is_recalled = false;
  const EvaluationCounts& so_far;
};

struct DriverOptions {
  /// Designs per ask at most. The same for any number of jobs, so that it cannot change a result.
  std::size_t batch = 65'536;

  /// Distinct (network, accelerator) pairs that may be evaluated; 0 for no limit. The strategy is
  /// not asked for more: this is how the search is meant to end.
  std::uint64_t max_hardware_evaluations = 0;

  /// Pairs after which the search is cut short, wherever it is: what was evaluated by then is what
  /// the same search without this limit evaluates first. 0 for no limit.
  std::uint64_t stop_after = 0;

  /// Asked between batches and between the parts of one, every tenth of a second or so; true ends
  /// the search. Empty: never.
  std::function<bool()> stop = nullptr;

  /// What an earlier run of the same search knows of the trials numbered from `first` on: fills the
  /// front of `trials` (all but `violation`) and returns how many. May be empty.
  std::function<std::size_t(std::uint64_t first, std::span<const Design> designs,
                            std::span<Trial> trials)>
      recall = nullptr;

  /// Gets every trial as soon as it is known, in order, before the strategy does. May be empty.
  std::function<void(const TrialsPart& part)> record = nullptr;

  /// Gets each batch whole, in order, after strategy and archive have seen it. May be empty.
  std::function<void(std::span<const Trial> trials, const EvaluationCounts& so_far)> sink = nullptr;
};

struct SearchSummary {
  EvaluationCounts counts;
  StopCause cause = StopCause::finished;
};

/// Prepares and evaluates `designs` on `workers`; slot i belongs to design i, so the order cannot
/// depend on threads. Sets each trial's violation of `constraints`.
[[nodiscard]] std::vector<Trial> evaluate_all(std::span<const Design> designs, Evaluator& evaluator,
                                              std::span<const Constraint> constraints,
                                              Workers& workers);

/// The ask-and-tell loop. Every trial goes to `archive` and `options.record`; every batch that was
/// not cut short then to `strategy` and `options.sink`. The question is the archive's. Same
/// arguments, same trials, for any number of workers.
SearchSummary run_search(SearchStrategy& strategy, const DesignSpace& space, Evaluator& evaluator,
                         ParetoArchive& archive, Workers& workers, const DriverOptions& options);

}  // namespace cosearch::codesign
