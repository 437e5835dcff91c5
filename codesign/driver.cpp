#include "codesign/driver.h"

#include <algorithm>
#include <cassert>
#include <unordered_set>

namespace cosearch::codesign {
namespace {

// Counts distinct pairs: by one bit per pair, or by a hash set where the space is too big for that.
class DistinctPairs {
 public:
  explicit DistinctPairs(const DesignSpace& space) : accelerators_(space.accelerator_count()) {
    // 2^31 bits are 256 MiB.
    constexpr std::uint64_t kMostBits = std::uint64_t{1} << 31;
    const std::uint64_t pairs = std::uint64_t{space.network_count()} * accelerators_;
    if (pairs <= kMostBits) seen_.resize(pairs, false);
  }

  void add(const Design& design) {
    const std::uint64_t index = std::uint64_t{design.network} * accelerators_ + design.accelerator;
    if (seen_.empty()) {
      count_ += seen_sparsely_.insert(index).second ? 1 : 0;
    } else if (!seen_[index]) {
      seen_[index] = true;
      ++count_;
    }
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t accelerators_;
  std::uint64_t count_ = 0;
  std::vector<bool> seen_;
  std::unordered_set<std::uint64_t> seen_sparsely_;  // only asked about membership, never walked
};

class Ledger {
 public:
  explicit Ledger(const DesignSpace& space)
      : pairs_(space), network_seen_(space.network_count(), false) {}

  void enter(std::span<const Design> designs, const Evaluator& evaluator) {
    for (const Design& design : designs) {
      if (!network_seen_[design.network]) {
        network_seen_[design.network] = true;
        ++counts_.networks;
      }
      if (design.has_accelerator()) pairs_.add(design);
    }
    counts_.trials += designs.size();
    counts_.hardware = pairs_.count();
    counts_.layers = evaluator.layer_evaluations();
  }

  [[nodiscard]] const EvaluationCounts& counts() const { return counts_; }

 private:
  DistinctPairs pairs_;
  std::vector<bool> network_seen_;
  EvaluationCounts counts_;
};

// Designs that may be asked for now, so that the budget cannot be overrun; 0 when it is spent.
std::size_t next_batch(const DriverOptions& options, const EvaluationCounts& counts) {
  if (options.max_hardware_evaluations == 0) return options.batch;
  if (counts.hardware >= options.max_hardware_evaluations) return 0;
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(options.batch, options.max_hardware_evaluations - counts.hardware));
}

}  // namespace

std::vector<Trial> evaluate_all(std::span<const Design> designs, Evaluator& evaluator,
                                std::span<const Constraint> constraints, Workers& workers) {
  evaluator.prepare(designs);
  std::vector<Trial> trials(designs.size());
  workers.for_ranges(designs.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      trials[i] = evaluator.evaluate(designs[i]);
      trials[i].violation = violation(constraints, trials[i].metrics);
    }
  });
  return trials;
}

SearchSummary run_search(SearchStrategy& strategy, const DesignSpace& space, Evaluator& evaluator,
                         ParetoArchive& archive, Workers& workers, const DriverOptions& options) {
  assert(options.batch > 0 && "a batch holds at least one design");
  Ledger ledger(space);
  for (;;) {
    if (options.stop && options.stop()) return {ledger.counts(), StopCause::stopped};
    const std::size_t batch = next_batch(options, ledger.counts());
    if (batch == 0) return {ledger.counts(), StopCause::exhausted};
    const std::vector<Design> designs = strategy.ask(batch);
    if (designs.empty()) return {ledger.counts(), StopCause::finished};

    const std::vector<Trial> trials =
        evaluate_all(designs, evaluator, archive.question().constraints, workers);
    ledger.enter(designs, evaluator);
    strategy.tell(trials);
    archive.insert(trials);
    if (options.sink) options.sink(trials, ledger.counts());
  }
}

}  // namespace cosearch::codesign
