#include "codesign/hypervolume.h"

#include <gtest/gtest.h>

#include <cmath>

#include "codesign/archive.h"
#include "search_support.h"

namespace cosearch::codesign {
namespace {

// With integer coordinates in [0, side) and the reference at `side`, the volume is the number of
// unit cells whose lower corner some point does not exceed.
double volume_by_counting(const std::vector<double>& costs, std::size_t objectives, int side) {
  double volume = 0;
  const auto cells = static_cast<std::size_t>(std::pow(side, objectives));
  for (std::size_t cell = 0; cell < cells; ++cell) {
    bool is_covered = false;
    for (std::size_t i = 0; i < costs.size(); i += objectives) {
      bool covers = true;
      for (std::size_t k = 0, rest = cell; k < objectives; ++k, rest /= side)
        covers &= costs[i + k] <= static_cast<double>(rest % side);
      is_covered |= covers;
    }
    volume += is_covered ? 1 : 0;
  }
  return volume;
}

TEST(Hypervolume, EqualsTheCountOfCoveredCells) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::size_t objectives = 1 + random.below(4);
    constexpr int kSide = 6;
    std::vector<double> costs(objectives * (1 + random.below(15)));
    // Up to kSide: some points lie on the reference and must add nothing.
    for (double& cost : costs) cost = static_cast<double>(random.below(kSide + 1));
    EXPECT_DOUBLE_EQ(hypervolume(costs, std::vector<double>(objectives, kSide)),
                     volume_by_counting(costs, objectives, kSide));
  }
}

TEST(Hypervolume, OfNothingIsZero) { EXPECT_EQ(hypervolume({}, std::vector<double>{1, 1}), 0); }

TEST(NormalisedHypervolume, IsTheCoveredShareOfTheBox) {
  const std::vector<Objective> objectives{{Metric::accuracy}, {Metric::latency}};
  const std::vector<Trial> front{test::trial_of({0, 0}, 90, 50, 0),
                                 test::trial_of({1, 0}, 80, 0, 0)};
  // Box: accuracy 70 to 90, latency 0 to 100. Points at (0, 0.5) and (0.5, 0): 1 - 0.5 * 0.5.
  const std::vector<double> ideal{-90, 0}, reference{-70, 100};
  EXPECT_DOUBLE_EQ(normalised_hypervolume(front, objectives, ideal, reference), 0.75);
  EXPECT_EQ(normalised_hypervolume({}, objectives, ideal, reference), 0);
  // A side without extent is left out.
  EXPECT_DOUBLE_EQ(normalised_hypervolume(front, objectives, ideal, std::vector<double>{-70, 0}),
                   1);
}

TEST(NormalisedHypervolume, GrowsWithTheFrontUpToOne) {
  const SearchQuestion question = test::accuracy_latency_energy();
  std::vector<Trial> trials;
  for (std::uint32_t n = 0; n < 60; ++n) trials.push_back(test::tangled_cost(4, {n, 0}));
  ParetoArchive all(question);
  all.insert(trials);
  ParetoArchive half(question);
  half.insert(std::span(trials).first(30));
  const auto share = [&](const ParetoArchive& archive) {
    return normalised_hypervolume(archive.front(), question.objectives, all.ideal(), all.worst());
  };
  EXPECT_GT(share(half), 0);
  EXPECT_GE(share(all), share(half));
  EXPECT_LE(share(all), 1);
}

}  // namespace
}  // namespace cosearch::codesign
