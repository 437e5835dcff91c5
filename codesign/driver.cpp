#include "codesign/driver.h"

#include <algorithm>
#include <cassert>
#include <chrono>

#include "codesign/ledger.h"

namespace cosearch::codesign {
namespace {

// How many designs to evaluate before looking up: about a tenth of a second's worth, so that a stop
// takes effect soon and little is lost. Where a batch is cut leaves no trace in a result.
class PartSize {
 public:
  // A design may take minutes: the first part is one for each thread.
  explicit PartSize(int jobs) : size_(static_cast<std::size_t>(jobs)) {}

  [[nodiscard]] std::size_t value() const { return size_; }

  void adapt(std::chrono::duration<double> taken, std::size_t most) {
    constexpr std::chrono::duration<double> kAim(0.1);
    constexpr double kMostGrowth = 4;
    const double growth = std::min(kMostGrowth, kAim / std::max(taken, kAim / 1000));
    const double wanted = std::max(1.0, static_cast<double>(size_) * growth);
    size_ = std::min(most, static_cast<std::size_t>(wanted));
  }

 private:
  std::size_t size_;
};

// Designs that may be asked for now, so that the budget cannot be overrun; 0 when it is spent.
std::size_t next_batch(const DriverOptions& options, const EvaluationCounts& counts) {
  if (options.max_hardware_evaluations == 0) return options.batch;
  if (counts.hardware >= options.max_hardware_evaluations) return 0;
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(options.batch, options.max_hardware_evaluations - counts.hardware));
}

// Requires that they are prepared.
void evaluate_into(std::span<Trial> trials, std::span<const Design> designs,
                   const Evaluator& evaluator, std::span<const Constraint> constraints,
                   Workers& workers) {
  workers.for_ranges(designs.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      trials[i] = evaluator.evaluate(designs[i]);
      trials[i].violation = violation(constraints, trials[i].metrics);
    }
  });
}

}  // namespace

std::vector<Trial> evaluate_all(std::span<const Design> designs, Evaluator& evaluator,
                                std::span<const Constraint> constraints, Workers& workers) {
  evaluator.prepare(designs);
  std::vector<Trial> trials(designs.size());
  evaluate_into(trials, designs, evaluator, constraints, workers);
  return trials;
}

namespace {

class Search {
 public:
  Search(SearchStrategy& strategy, const DesignSpace& space, Evaluator& evaluator,
         ParetoArchive& archive, Workers& workers, const DriverOptions& options)
      : strategy_(strategy),
        evaluator_(evaluator),
        archive_(archive),
        workers_(workers),
        options_(options),
        ledger_(space.network_count(), space.accelerator_count()),
        part_size_(workers.jobs()) {}

  SearchSummary run() {
    for (;; ++step_) {
      if (must_stop()) return {ledger_.counts(), StopCause::stopped};
      const std::size_t batch = next_batch(options_, ledger_.counts());
      if (batch == 0) return {ledger_.counts(), StopCause::exhausted};
      const std::vector<Design> designs = strategy_.ask(batch);
      if (designs.empty()) return {ledger_.counts(), StopCause::finished};
      std::vector<Trial> trials(designs.size());
      if (!evaluate(designs, trials)) return {ledger_.counts(), StopCause::stopped};
      strategy_.tell(trials);
      if (options_.sink) options_.sink(trials, ledger_.counts());
    }
  }

 private:
  // Part by part; false when it was cut short.
  bool evaluate(std::span<const Design> designs, std::span<Trial> trials) {
    for (std::size_t done = 0; done < designs.size();) {
      if (done > 0 && must_stop()) return false;
      std::size_t part = recall(designs.subspan(done), trials.subspan(done));
      const bool is_recalled = part > 0;
      if (!is_recalled) {
        if (is_past_limit()) return false;
        part = evaluate_part(designs.subspan(done), trials.subspan(done));
      }
      ledger_.set_layers(evaluator_.layer_evaluations());
      const std::span<const Trial> known = trials.subspan(done, part);
      archive_.insert(known);
      if (options_.record) options_.record({known, step_, is_recalled, ledger_.counts()});
      done += part;
    }
    return true;
  }

  std::size_t recall(std::span<const Design> designs, std::span<Trial> trials) {
    if (!options_.recall) return 0;
    const std::size_t count = options_.recall(ledger_.counts().trials, designs, trials);
    evaluator_.recall(designs.first(count));
    for (Trial& trial : trials.first(count)) {
      trial.violation = violation(archive_.question().constraints, trial.metrics);
      ledger_.enter(trial.design);
    }
    return count;
  }

  std::size_t evaluate_part(std::span<const Design> designs, std::span<Trial> trials) {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t count = evaluator_.prepare_some(designs.first(most_in_part(designs.size())));
    const std::span<const Design> part = designs.first(count);
    evaluate_into(trials, part, evaluator_, archive_.question().constraints, workers_);
    for (const Design& design : part) ledger_.enter(design);
    part_size_.adapt(std::chrono::steady_clock::now() - start, options_.batch);
    return count;
  }

  // Each design is one pair more at most, so the limit is not overrun.
  [[nodiscard]] std::size_t most_in_part(std::size_t left) const {
    const std::size_t most = std::min(part_size_.value(), left);
    if (options_.stop_after == 0) return most;
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(most, options_.stop_after - ledger_.counts().hardware));
  }

  [[nodiscard]] bool must_stop() const { return options_.stop && options_.stop(); }
  [[nodiscard]] bool is_past_limit() const {
    return options_.stop_after > 0 && ledger_.counts().hardware >= options_.stop_after;
  }

  SearchStrategy& strategy_;
  Evaluator& evaluator_;
  ParetoArchive& archive_;
  Workers& workers_;
  const DriverOptions& options_;
  Ledger ledger_;
  PartSize part_size_;
  std::uint64_t step_ = 0;
};

}  // namespace

SearchSummary run_search(SearchStrategy& strategy, const DesignSpace& space, Evaluator& evaluator,
                         ParetoArchive& archive, Workers& workers, const DriverOptions& options) {
  assert(options.batch > 0 && "a batch holds at least one design");
  return Search{strategy, space, evaluator, archive, workers, options}.run();
}

}  // namespace cosearch::codesign
