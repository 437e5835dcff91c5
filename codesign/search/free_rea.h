// FreeREA: evolution that ranks networks by training-free scores, and trains none on its way.
// Source: N. Cavagnero, L. Robbiano, B. Caputo, G. Averta, "FreeREA: training-free evolution-based
// architecture search", WACV 2023, algorithm 1, with the details of the authors' released code.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codesign/search/staged_strategy.h"

namespace cosearch::codesign {

struct FreeReaOptions {
  /// Networks alive at once; the first ones are drawn at random.
  std::uint64_t population = 100;

  /// Contestants per choice of parents; the two best become parents.
  std::uint64_t tournament = 25;

  /// Distinct networks to score before the best is taken; fewer where a thousand steps in a row see
  /// no new one. The authors stop by a clock, after 45
  /// seconds of computing scores, by when their search has seen some 230 cells of NAS-Bench-201.
  std::uint64_t scored = 230;

  /// Scores whose sum ranks networks, separated by commas, each divided by the largest among the
  /// networks compared.
  std::string scores = "naswot,logsynflow,skip";

  /// Networks to evaluate in the end, the best by rank; 1 is the algorithm as published.
  std::uint64_t retained = 1;
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const FreeReaOptions& options,
                                                     const DesignSpace& space);

/// Each step: a tournament; one neighbour of each of its two best, and one network that crosses
/// them; death of the oldest, and of the worst beyond the population. Then the best of all that
/// were seen, on every accelerator (or alone, where there is none). Only these are evaluated: what
/// was seen cost scores, which the space gives for free.
///
/// A network without one of the scores gets nothing for it. Ties go to the network seen first.
class FreeRea final : public StagedStrategy {
 public:
  FreeRea(const SearchContext& context, const FreeReaOptions& options);

  [[nodiscard]] std::string name() const override { return "free-rea"; }
  [[nodiscard]] std::vector<std::pair<std::string, double>> findings() const override;

 protected:
  std::optional<std::vector<Design>> next_stage() override;
  void learn(const Trial& trial) override { static_cast<void>(trial); }

 private:
  struct Member {
    std::uint32_t network;
    std::uint64_t born;  ///< step at which it was last proposed
  };

  void search();
  void propose(std::uint32_t network, std::uint64_t step);
  void breed(std::uint64_t step);
  void bury();
  /// `networks` by falling sum of scores.
  [[nodiscard]] std::vector<std::uint32_t> ranked(std::vector<std::uint32_t> networks) const;

  const DesignSpace& space_;
  FreeReaOptions options_;
  std::vector<std::size_t> scores_;  // which of the space's
  std::uint64_t seed_;
  std::vector<Member> alive_;
  std::vector<std::uint32_t> seen_;  // in order
  std::set<std::uint32_t> seen_set_;
  std::vector<std::uint32_t> best_;
  bool is_done_ = false;
};

}  // namespace cosearch::codesign
