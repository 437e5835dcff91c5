// Regularised evolution: tournament selection, mutation only, and death by age rather than by rank.
// Source: E. Real, A. Aggarwal, Y. Huang, Q. V. Le, "Regularized evolution for image classifier
// architecture search", AAAI 2019, algorithm 1.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "codesign/search/index_permutation.h"
#include "codesign/search/strategy.h"

namespace cosearch::codesign {

struct RegularisedEvolutionOptions {
  /// Designs alive at once; the first ones are drawn at random. More explores wider and learns
  /// slower.
  std::uint64_t population = 100;

  /// Contestants per parent draw; 1 is random choice, more is greedier.
  std::uint64_t tournament = 25;

  /// Children proposed per ask, all from the same population; 1 is the algorithm as published.
  std::uint64_t batch = 20;

  /// Designs to evaluate in all, the first population included.
  std::uint64_t evaluations = 10'000;

  /// Probability that a mutation changes the network rather than the accelerator.
  double network_mutation = 0.5;
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const RegularisedEvolutionOptions& options,
                                                     const DesignSpace& space);

/// A tournament is won by constraint domination (K. Deb et al., "A fast and elitist multiobjective
/// genetic algorithm: NSGA-II", IEEE Trans. Evol. Comput. 6(2), 2002, section VI): the smaller
/// violation first; among feasible contestants the lower non-dominated layer within the living
/// population; then whoever was drawn first, so that all of a layer are equally likely. Designs
/// that do not run, or lack an objective, lose to all others.
///
/// A child is a neighbour of its parent in the network or in the accelerator. No design is asked
/// for twice: a child already seen is mutated further, and replaced by a random design when that
/// does not help.
class RegularisedEvolution final : public SearchStrategy {
 public:
  RegularisedEvolution(const SearchContext& context, const RegularisedEvolutionOptions& options);

  [[nodiscard]] std::string name() const override { return "regularised-evolution"; }
  [[nodiscard]] std::vector<Design> ask(std::size_t count) override;
  void tell(std::span<const Trial> trials) override;

 private:
  struct Member {
    Design design;
    std::vector<double> costs;
    double violation = 0;
    std::uint32_t layer = 0;
  };

  [[nodiscard]] Member member_of(const Trial& trial) const;
  void rank_members();
  [[nodiscard]] Design child(std::uint64_t number);
  [[nodiscard]] const Member& tournament_winner(Random& random) const;
  [[nodiscard]] Design mutated(Design design, Random& random) const;
  [[nodiscard]] Design next_unseen();

  const DesignSpace& space_;
  SearchQuestion question_;
  std::uint64_t seed_;
  RegularisedEvolutionOptions options_;
  IndexPermutation random_order_;
  std::uint64_t evaluations_;
  std::uint64_t drawn_ = 0;
  std::set<Design> asked_;
  std::deque<Member> alive_;  // oldest first
};

}  // namespace cosearch::codesign
