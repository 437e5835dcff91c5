// Small synthetic spaces and evaluators for the tests of search.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codesign/driver.h"
#include "core/random.h"

namespace cosearch::codesign::test {

/// Networks and accelerators on a line: neighbours are one step away.
class LineSpace final : public DesignSpace {
 public:
  LineSpace(std::uint32_t networks, std::uint32_t accelerators)
      : networks_(networks), accelerators_(accelerators) {}

  std::uint32_t network_count() const override { return networks_; }
  std::uint32_t accelerator_count() const override { return accelerators_; }
  std::vector<std::uint32_t> network_neighbours(std::uint32_t i) const override {
    return neighbours(i, networks_);
  }
  std::vector<std::uint32_t> accelerator_neighbours(std::uint32_t i) const override {
    return neighbours(i, accelerators_);
  }
  /// Anywhere between the two.
  std::optional<std::uint32_t> crossover(std::uint32_t a, std::uint32_t b,
                                         Random& random) const override {
    const auto [low, high] = std::minmax(a, b);
    return low + static_cast<std::uint32_t>(random.below(high - low + 1));
  }
  double macs(std::uint32_t network) const override { return 100.0 + network; }
  std::vector<std::string> score_names() const override { return {"naswot", "logsynflow", "skip"}; }
  /// Rising along the line, at different paces.
  double score(std::uint32_t network, std::size_t which) const override {
    return std::pow(network, 1.0 + static_cast<double>(which));
  }

 private:
  static std::vector<std::uint32_t> neighbours(std::uint32_t i, std::uint32_t count) {
    std::vector<std::uint32_t> found;
    if (i > 0) found.push_back(i - 1);
    if (i + 1 < count) found.push_back(i + 1);
    return found;
  }

  std::uint32_t networks_, accelerators_;
};

/// Any function of the design as its cost.
class FunctionEvaluator final : public Evaluator {
 public:
  explicit FunctionEvaluator(std::function<Trial(Design)> cost) : cost_(std::move(cost)) {}

  Trial evaluate(Design design) const override { return cost_(design); }

 private:
  std::function<Trial(Design)> cost_;
};

inline Trial trial_of(Design design, double accuracy, double latency, double energy) {
  Trial trial{.design = design, .metrics = {}};
  trial.metrics[Metric::accuracy] = accuracy;
  if (!design.has_accelerator()) return trial;
  trial.metrics[Metric::latency] = latency;
  trial.metrics[Metric::energy] = energy;
  trial.metrics = with_edp(trial.metrics);
  return trial;
}

/// A number in [0, `distinct`) fixed by its arguments: small integers make ties common.
inline double tied_number(std::uint64_t seed, std::uint64_t distinct, std::uint32_t a,
                          std::uint32_t b = 0) {
  Random random(seed, "test metric", std::uint64_t{a} << 32 | b);
  return static_cast<double>(random.below(distinct));
}

/// Accuracy of the network; latency and energy of the pair; all small integers. One design in ten
/// does not run.
inline Trial tangled_cost(std::uint64_t seed, Design design) {
  const std::uint32_t n = design.network, a = design.accelerator;
  Trial trial = trial_of(design, tied_number(seed, 12, n), 1 + tied_number(seed + 1, 15, n, a),
                         1 + tied_number(seed + 2, 15, n, a));
  if (design.has_accelerator() && tied_number(seed + 3, 10, n, a) == 0) {
    trial.metrics = {};
    trial.metrics[Metric::accuracy] = tied_number(seed, 12, n);
    trial.reason = 1;
  }
  return trial;
}

/// Every accelerator orders the networks alike, in latency and in energy: the premise under which
/// semi-decoupled search loses nothing.
inline Trial monotone_cost(std::uint64_t seed, Design design) {
  const double work = 1 + tied_number(seed, 1000, design.network) / 7;
  const double traffic = 1 + tied_number(seed + 1, 1000, design.network) / 7;
  const double speed = 1 + tied_number(seed + 2, 9, design.accelerator);
  const double thrift = 1 + tied_number(seed + 3, 9, design.accelerator);
  return trial_of(design, tied_number(seed + 4, 50, design.network), std::pow(work, 1.5) / speed,
                  (traffic + 3) / thrift);
}

inline SearchQuestion accuracy_latency_energy() {
  return {{{Metric::accuracy}, {Metric::latency}, {Metric::energy}}, {}};
}

/// Every trial of a search, in order.
struct Recorded {
  std::vector<Trial> trials;
  SearchSummary summary;
  std::vector<Trial> front;
};

inline Recorded run(SearchStrategy& strategy, const DesignSpace& space, Evaluator& evaluator,
                    const SearchQuestion& question = accuracy_latency_energy(), int jobs = 1,
                    DriverOptions options = {.batch = 64}) {
  Recorded recorded;
  options.sink = [&](std::span<const Trial> trials, const EvaluationCounts&) {
    recorded.trials.insert(recorded.trials.end(), trials.begin(), trials.end());
  };
  ParetoArchive archive(question);
  Workers workers(jobs);
  recorded.summary = run_search(strategy, space, evaluator, archive, workers, options);
  recorded.front = archive.front();
  return recorded;
}

inline std::vector<Design> designs_of(const std::vector<Trial>& trials) {
  std::vector<Design> designs;
  for (const Trial& trial : trials) designs.push_back(trial.design);
  return designs;
}

/// Compares bit by bit what has a value, so that NaN equals NaN.
inline void expect_same_trials(const std::vector<Trial>& a, const std::vector<Trial>& b) {
  ASSERT_EQ(designs_of(a), designs_of(b));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].reason, b[i].reason);
    EXPECT_EQ(a[i].violation, b[i].violation);
    for (const Metric metric : kMetrics) {
      const double x = a[i].metrics[metric], y = b[i].metrics[metric];
      EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y)));
    }
  }
}

}  // namespace cosearch::codesign::test

namespace cosearch::codesign {
inline void PrintTo(const Design& design, std::ostream* out) {
  *out << "(network " << design.network << ", accelerator " << design.accelerator << ")";
}
}  // namespace cosearch::codesign
