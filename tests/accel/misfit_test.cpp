// What is said of layers that fit nowhere, put to the test: with as much room as is said to be
// missing, and with a bit less.
#include "accel/misfit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>

#include "accel/map_space.h"
#include "accel/optimal_mapper.h"
#include "tests/support/random_map_space.h"

namespace cosearch::accel::test {
namespace {

/// Why the layer has no mapping; nothing when it has one.
std::optional<std::string> misfit_of(const MapCase& made) {
  const auto mapped = optimal_mapping(made.layer, made.machine, made.constraints, made.options);
  const auto* infeasible = std::get_if<Infeasible>(&mapped);
  return infeasible != nullptr ? std::optional(infeasible->reason) : std::nullopt;
}

struct Said {
  std::size_t level = 0;
  std::int64_t bits = 0;
};

/// "level L2 is at least 40 bits ..."
std::optional<Said> said_in(const std::string& reason) {
  if (!reason.starts_with("level L")) return std::nullopt;
  const std::string at_least = "is at least ";
  return Said{std::stoul(reason.substr(7)),
              std::stoll(reason.substr(reason.find(at_least) + at_least.size()))};
}

/// No partitions: what a level misses is one number then.
MapCase cramped_case(std::uint64_t seed) {
  MapCase made = RandomMapCase(seed, MapperOptions{}).build();
  for (std::size_t i = 1; i < made.machine.levels.size(); ++i) {
    StorageLevel& level = made.machine.levels[i];
    level.partition_bits = {};
    level.capacity_bits = std::max<std::int64_t>(8, *level.capacity_bits / 6);
  }
  return made;
}

void enlarge(MapCase& made, std::size_t level, std::int64_t bits) {
  *made.machine.levels[level].capacity_bits += bits;
}

TEST(Misfit, IsCuredByWhatIsMissingAndByNothingLess) {
  std::size_t cured = 0, elsewhere = 0, without_place = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const MapCase made = cramped_case(seed);
    if (!problems_in(made.constraints, made.machine).empty()) continue;
    const MapSpace space(made.layer, made.machine, made.constraints, Accounting::exact);
    if (space.size() > 1e6) continue;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const auto reason = misfit_of(made);
    if (!reason) continue;
    const auto said = said_in(*reason);
    if (!said) {
      // No loop may take some factor: room does not help.
      MapCase roomy = made;
      for (std::size_t i = 1; i < made.machine.levels.size(); ++i)
        enlarge(roomy, i, std::int64_t{1} << 40);
      EXPECT_TRUE(misfit_of(roomy)) << *reason << '\n' << made;
      ++without_place;
      continue;
    }
    MapCase enough = made, too_little = made;
    enlarge(enough, said->level, said->bits);
    const auto next = misfit_of(enough);
    next ? ++elsewhere : ++cured;
    if (next) {
      ASSERT_TRUE(said_in(*next)) << *next;
      EXPECT_NE(said_in(*next)->level, said->level) << *reason << '\n' << *next;
    }
    // Every mapping misses as much somewhere.
    for (std::size_t i = 1; i < made.machine.levels.size(); ++i)
      enlarge(too_little, i, said->bits - 1);
    EXPECT_TRUE(misfit_of(too_little)) << *reason << '\n' << made;
  }
  EXPECT_GT(cured, 50U);
  std::cout << cured << " cured, " << elsewhere << " too small elsewhere, " << without_place
            << " without a place for some factor\n";
}

}  // namespace
}  // namespace cosearch::accel::test
