// Counts of random nests, against a walk of each, and what must hold between counts.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "accel/access_counts.h"
#include "accel/nest_cost.h"
#include "core/random.h"
#include "tests/support/nest_case.h"
#include "tests/support/nest_walk.h"
#include "tests/support/oracle_cases.h"
#include "tests/support/random_nest.h"

namespace cosearch::accel::test {
namespace {

AccessCounts counts_of(const NestCase& test, Accounting accounting = Accounting::exact) {
  return count_accesses(test.layer, test.machine, test.nest, accounting);
}

/// Calls check(test, choices) for cases that `make` draws, and stops at the first failure, with its
/// seed. The choices are for what the check itself draws.
template <class Make, class Check>
void for_cases(const char* purpose, std::uint64_t cases, const Make& make, const Check& check) {
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    Choices choices{Random(seed, purpose)};
    const NestCase test = make(choices);
    std::ostringstream text;
    text << "seed " << seed << " of \"" << purpose << "\"\n" << test;
    SCOPED_TRACE(text.str());
    check(test, choices);
    if (testing::Test::HasFailure()) return;
  }
}

template <class Check>
void for_random_cases(const char* purpose, std::uint64_t cases, const Check& check) {
  for_cases(
      purpose, cases, [](Choices& choices) { return random_case(choices); }, check);
}

TEST(NestCost, IsTheSameInAUsedPlaceAsInAFreshOne) {
  // Machines of few and many levels, one after another. What Timeloop's accounting says of nests
  // that it does not cover means nothing, and must still be the same.
  NestCost used;
  for_random_cases("used place", 2000, [&](const NestCase& test, Choices& choices) {
    const auto accounting = choices.one_in(2) ? Accounting::timeloop : Accounting::exact;
    evaluate(test.layer, test.machine, test.nest, accounting, used);
    EXPECT_EQ(used, evaluate(test.layer, test.machine, test.nest, accounting));
  });
}

TEST(RandomNest, FitsItsLayerAndMachine) {
  for_random_cases("fits", 3000, [](const NestCase& test, Choices&) {
    EXPECT_EQ(problems_in(test.layer), std::vector<std::string>{});
    EXPECT_EQ(problems_in(test.nest, test.layer, test.machine), std::vector<std::string>{});
  });
}

void expect_equal_to_walk(const NestCase& test) {
  EXPECT_EQ(text_of(differences(walk(test.layer, test.machine, test.nest), counts_of(test))), "");
}

TEST(AccessCounts, EqualAWalkOfAnyNest) {
  for_random_cases("walk", cosearch::test::oracle_cases(12000),
                   [](const NestCase& test, Choices&) { expect_equal_to_walk(test); });
}

TEST(AccessCounts, EqualAWalkOfAnyWindowInPieces) {
  for_cases("window", cosearch::test::oracle_cases(30000), random_window_case,
            [](const NestCase& test, Choices&) { expect_equal_to_walk(test); });
}

TEST(AccessCounts, ConserveMultiplyAccumulates) {
  for_random_cases("conserve", 3000, [](const NestCase& test, Choices&) {
    const AccessCounts counts = counts_of(test);
    EXPECT_EQ(counts.macs, test.layer.macs());
    EXPECT_GE(counts.compute_cycles * counts.instances[test.machine.levels.size()], counts.macs);
  });
}

TEST(AccessCounts, ReadEveryTouchedOperandAndWriteEveryOutput) {
  for_random_cases("touch", 3000, [](const NestCase& test, Choices&) {
    const std::array<LevelAccesses, 3> dram = counts_of(test).levels[0];
    for (const Tensor tensor : {Tensor::input, Tensor::weights})
      EXPECT_GE(dram[index_of(tensor)].reads, distinct_words(test.layer, tensor));
    EXPECT_GE(dram[index_of(Tensor::output)].updates, distinct_words(test.layer, Tensor::output));
  });
}

/// A place before any loop of a level, or after the last.
struct Place {
  std::size_t level, loop;
};

Place random_place(const LoopNest& nest, Choices& choices) {
  Place place{};
  place.level =
      static_cast<std::size_t>(choices.below(static_cast<std::int64_t>(nest.levels.size())));
  const auto& loops = nest.levels[place.level].loops;
  place.loop = static_cast<std::size_t>(choices.below(static_cast<std::int64_t>(loops.size()) + 1));
  return place;
}

/// Length of a piece of `d` at `place`.
std::int64_t piece_at(const NestCase& test, Place place, Dimension d) {
  std::int64_t piece = extents_of(test.layer)[index_of(d)];
  for (std::size_t level = 0; level <= place.level; ++level) {
    const auto& loops = test.nest.levels[level].loops;
    for (std::size_t i = 0; i < (level < place.level ? loops.size() : place.loop); ++i)
      if (loops[i].dimension == d) piece = loops[i].tile;
  }
  return piece;
}

TEST(AccessCounts, AreBlindToLoopsOfOneStep) {
  for_random_cases("one step", 3000, [](const NestCase& test, Choices& choices) {
    NestCase more = test;
    for (int i = 0; i < 4; ++i) {
      const Place place = random_place(more.nest, choices);
      auto& loops = more.nest.levels[place.level].loops;
      const Dimension d = kAllDimensions[static_cast<std::size_t>(choices.below(kDimensions))];
      Loop loop{.dimension = d, .tile = piece_at(more, place, d)};
      // Temporal loops come before spatial ones.
      if (place.loop > 0 && loops[place.loop - 1].is_spatial())
        loop.axis = loops[place.loop - 1].axis;
      loops.insert(loops.begin() + static_cast<std::ptrdiff_t>(place.loop), loop);
    }
    EXPECT_EQ(text_of(differences(counts_of(test), counts_of(more))), "") << "\nwith " << more;
  });
}

/// Cuts one temporal loop into two that visit the same pieces in the same order; absent where no
/// loop can be cut.
std::optional<LoopNest> with_a_loop_in_two(const NestCase& test, Choices& choices) {
  LoopNest nest = test.nest;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const Place place = random_place(nest, choices);
    auto& loops = nest.levels[place.level].loops;
    if (place.loop == loops.size() || loops[place.loop].is_spatial()) continue;
    Loop outer = loops[place.loop];
    const std::int64_t pieces = piece_at(test, place, outer.dimension) / outer.tile;
    if (pieces < 2) continue;
    outer.tile *= choices.between(1, pieces);
    loops.insert(loops.begin() + static_cast<std::ptrdiff_t>(place.loop), outer);
    return nest;
  }
  return std::nullopt;
}

TEST(AccessCounts, OfWeightsAreBlindToALoopCutInTwo) {
  int cut = 0;
  for_random_cases("cut in two", 3000, [&](const NestCase& test, Choices& choices) {
    const auto nest = with_a_loop_in_two(test, choices);
    if (!nest) return;
    const NestCase more{test.layer, test.machine, *nest};
    const AccessCounts expected = counts_of(test), actual = counts_of(more);
    for (std::size_t level = 0; level < test.machine.levels.size(); ++level) {
      const std::size_t weights = index_of(Tensor::weights);
      EXPECT_EQ(expected.levels[level][weights], actual.levels[level][weights])
          << "\nwith " << more;
      EXPECT_EQ(expected.busiest[level][weights], actual.busiest[level][weights]);
    }
    EXPECT_EQ(expected.compute_cycles, actual.compute_cycles);
    ++cut;
  });
  EXPECT_GT(cut, 1000);
}

bool every_tile_divides(const NestCase& test) {
  Extents piece = extents_of(test.layer);
  for (const LevelNest& level : test.nest.levels)
    for (const Loop& loop : level.loops) {
      std::int64_t& outer = piece[index_of(loop.dimension)];
      if (outer % loop.tile != 0) return false;
      outer = loop.tile;
    }
  return true;
}

/// Tiles of weights, and of outputs that no window slides over, are equal or have nothing in
/// common, and there Timeloop's rules mean the same. Of the input no such bound holds: Timeloop
/// forgets a halo where these rules keep it, and keeps one between two loops over different
/// dimensions that happen to move the window equally far.
TEST(AccessCounts, AgreeWithTimeloopWhereTilesDoNotOverlap) {
  int compared = 0;
  for_random_cases("timeloop", 20000, [&](NestCase test, Choices&) {
    const Layer& layer = test.layer;
    const bool is_padded = layer.pad_front > 0 || layer.pad_back > 0 || layer.pad_top > 0 ||
                           layer.pad_bottom > 0 || layer.pad_left > 0 || layer.pad_right > 0;
    if (layer.transposed || is_padded || !every_tile_divides(test)) return;
    for (StorageLevel& level : test.machine.levels)
      for (Fanout& axis : level.fanout) axis.multicast = axis.reduction = true;
    const AccessCounts exact = counts_of(test), timeloop = counts_of(test, Accounting::timeloop);
    for (std::size_t level = 0; level < test.machine.levels.size(); ++level) {
      const auto of = [&](const AccessCounts& counts, Tensor tensor) {
        return counts.levels[level][index_of(tensor)];
      };
      EXPECT_EQ(of(exact, Tensor::weights), of(timeloop, Tensor::weights));
      EXPECT_EQ(of(exact, Tensor::output).updates, of(timeloop, Tensor::output).updates);
    }
    ++compared;
  });
  EXPECT_GT(compared, 500);
}

}  // namespace
}  // namespace cosearch::accel::test
