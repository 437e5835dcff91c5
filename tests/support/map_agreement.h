// Whether the optimal mapper finds what enumeration finds, over many random map spaces.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "accel/map_space.h"
#include "accel/optimal_mapper.h"
#include "tests/support/map_enumeration.h"
#include "tests/support/random_map_space.h"

namespace cosearch::accel::test {

/// Bounds and costs add up the same numbers in different orders.
inline constexpr double kRoundingError = 1e-8;

inline void expect_best(const MapCase& made, const Enumerated& expected) {
  const auto mapped = optimal_mapping(made.layer, made.machine, made.constraints, made.options);
  if (expected.mappings == 0) {
    EXPECT_TRUE(std::holds_alternative<Infeasible>(mapped)) << made;
    return;
  }
  ASSERT_TRUE(std::holds_alternative<MappedLayer>(mapped))
      << std::get<Infeasible>(mapped).reason << '\n'
      << made << text_of(expected.best);
  const MappedLayer& best = std::get<MappedLayer>(mapped);
  if (made.options.accounting == Accounting::exact) {
    EXPECT_EQ(problems_in(best.nest, made.layer, made.machine), std::vector<std::string>{});
  }
  EXPECT_EQ(violations_of(made.constraints, best.nest, made.layer, made.machine),
            std::vector<std::string>{});
  const double value = made.options.objective.value(static_cast<double>(best.cost.cycles().value),
                                                    best.cost.total_energy().value);
  EXPECT_NEAR(value / expected.value, 1, kRoundingError)
      << made << "\nfound" << text_of(best.nest) << "\nbetter" << text_of(expected.best);
  EXPECT_EQ(best.certificate.lower_bound, value);
  EXPECT_GE(best.certificate.space_size, static_cast<double>(expected.mappings));
}

inline void expect_front(const MapCase& made, const Enumerated& expected) {
  const auto mapped = pareto_mappings(made.layer, made.machine, made.constraints,
                                      made.options.accounting, made.options.factors);
  if (expected.mappings == 0) {
    EXPECT_TRUE(std::holds_alternative<Infeasible>(mapped)) << made;
    return;
  }
  ASSERT_TRUE(std::holds_alternative<std::vector<MappedLayer>>(mapped));
  const auto& front = std::get<std::vector<MappedLayer>>(mapped);
  ASSERT_EQ(front.size(), expected.front.size()) << made;
  for (std::size_t i = 0; i < front.size(); ++i) {
    EXPECT_EQ(static_cast<double>(front[i].cost.cycles().value), expected.front[i].first) << made;
    EXPECT_NEAR(front[i].cost.total_energy().value / expected.front[i].second, 1, kRoundingError)
        << made;
  }
}

/// How much of the objective imperfect factors save, as a share of what dividing ones find. They
/// include those, so they are never worse.
inline double gain_of_imperfect(const MapCase& made, const Enumerated& imperfect) {
  MapperOptions dividing = made.options;
  dividing.factors = Factors::dividing;
  const auto mapped = optimal_mapping(made.layer, made.machine, made.constraints, dividing);
  const auto* best = std::get_if<MappedLayer>(&mapped);
  if (best == nullptr) return 0;
  const double gain = 1 - imperfect.value / best->certificate.lower_bound;
  EXPECT_GE(gain, -kRoundingError) << made;
  return gain;
}

struct AgreementOptions {
  MapperOptions ways;  ///< but for the objective
  std::uint64_t first_seed = 0;
  std::size_t cases = 100;
  std::size_t least_mappings = 0;
  /// Larger spaces are passed over.
  std::size_t most_steps = 1000;
};

struct Agreement {
  std::size_t cases = 0, empty = 0, mappings = 0;
  std::size_t improved = 0;  ///< by imperfect factors
};

/// Best mappings and fronts of random spaces; stops at the first that differ.
inline Agreement compare_with_enumeration(const AgreementOptions& options) {
  Agreement agreement;
  for (std::uint64_t seed = options.first_seed; agreement.cases < options.cases; ++seed) {
    const MapCase made = RandomMapCase(seed, options.ways).build();
    if (!problems_in(made.constraints, made.machine).empty()) continue;
    const MapSpace space(made.layer, made.machine, made.constraints, options.ways.accounting,
                         options.ways.factors);
    if (space.size() > 100.0 * static_cast<double>(options.most_steps)) continue;
    const Enumerated expected = enumerate(made, options.most_steps);
    if (!expected.complete || expected.mappings < options.least_mappings) continue;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ++agreement.cases;
    agreement.mappings += expected.mappings;
    if (expected.mappings == 0) ++agreement.empty;
    if (made.options.factors != Factors::dividing && gain_of_imperfect(made, expected) > 1e-6)
      ++agreement.improved;
    expect_best(made, expected);
    expect_front(made, expected);
    if (testing::Test::HasFailure()) break;
  }
  std::cout << agreement.cases << " spaces with " << agreement.mappings << " mappings; in "
            << agreement.empty << " nothing fits, in " << agreement.improved
            << " imperfect factors pay\n";
  return agreement;
}

}  // namespace cosearch::accel::test
