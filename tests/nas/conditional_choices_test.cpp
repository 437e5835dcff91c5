// Counting, enumeration, sampling and neighbourhood of conditional choices, against lists of all
// combinations.
#include "nas/conditional_choices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

/// A condition that looks its answer up by the values of the choices it reads; kIdle counts too.
ChoiceCondition random_condition(const std::vector<std::size_t>& candidates, Random& random) {
  std::vector<std::size_t> read;
  for (const std::size_t candidate : candidates)
    if (random.below(3) == 0 && read.size() < 3) read.push_back(candidate);
  const std::uint64_t key = random.bits64();
  return {read, [read, key](const Choices& choices) {
            std::uint64_t mixed = key;
            for (const std::size_t position : read)
              mixed = (mixed ^ (choices[position] + 1)) * 0x9e3779b97f4a7c15ULL;
            return (mixed >> 40) % 3 != 0;
          }};
}

struct RandomCase {
  std::vector<ConditionalChoice> choices;
  std::vector<ChoiceCondition> requirements;
};

/// Conditions read choices before and after them in the list, but along no circle.
RandomCase random_case(std::uint64_t seed) {
  Random random(seed, "conditional choices");
  RandomCase result;
  const std::size_t count = 1 + random.below(6);
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  random.shuffle(std::span(order));
  result.choices.resize(count);
  std::vector<std::size_t> earlier;
  for (const std::size_t i : order) {
    result.choices[i] = {"c" + std::to_string(i), static_cast<std::uint32_t>(1 + random.below(3)),
                         std::nullopt};
    if (random.below(2) == 0) result.choices[i].when = random_condition(earlier, random);
    earlier.push_back(i);
  }
  if (random.below(3) == 0) result.requirements.push_back(random_condition(earlier, random));
  return result;
}

bool is_combination(const RandomCase& given, const Choices& choices) {
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const auto& when = given.choices[i].when;
    if ((choices[i] != kIdle) != (!when || when->holds(choices))) return false;
  }
  return std::ranges::all_of(given.requirements,
                             [&](const ChoiceCondition& one) { return one.holds(choices); });
}

std::set<Choices> all_combinations(const RandomCase& given) {
  std::set<Choices> all;
  Choices choices(given.choices.size(), kIdle);
  while (true) {
    if (is_combination(given, choices)) all.insert(choices);
    std::size_t i = 0;
    for (; i < choices.size(); ++i) {
      choices[i] = choices[i] == kIdle ? 0 : choices[i] + 1;
      if (choices[i] < given.choices[i].alternatives) break;
      choices[i] = kIdle;
    }
    if (i == choices.size()) return all;
  }
}

template <class Use>
int for_random_cases(Use use) {
  int used = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const RandomCase given = random_case(seed);
    const std::set<Choices> all = all_combinations(given);
    if (all.empty()) {
      EXPECT_THROW(ConditionalChoices(given.choices, given.requirements), UserError);
      continue;
    }
    use(given, all, ConditionalChoices(given.choices, given.requirements));
    ++used;
  }
  return used;
}

TEST(ConditionalChoices, CountsAndListsWhatBruteForceFinds) {
  const int used = for_random_cases(
      [](const RandomCase&, const std::set<Choices>& all, const ConditionalChoices& choices) {
        ASSERT_EQ(choices.size(), all.size());
        std::set<Choices> listed;
        for (std::size_t i = 0; i < all.size(); ++i) listed.insert(choices.at(i));
        EXPECT_EQ(listed, all);
      });
  EXPECT_GT(used, 300);
}

/// Whether the two differ in one choice that both make, and otherwise only in what one of them
/// makes.
bool are_one_change_apart(const Choices& a, const Choices& b) {
  int changed = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != kIdle && b[i] != kIdle && a[i] != b[i]) ++changed;
  return changed == 1;
}

TEST(ConditionalChoices, HaveTheNeighboursThatDifferInOneChoice) {
  for_random_cases(
      [](const RandomCase&, const std::set<Choices>& all, const ConditionalChoices& choices) {
        for (const Choices& here : all) {
          std::set<Choices> expected;
          for (const Choices& there : all)
            if (are_one_change_apart(here, there)) expected.insert(there);
          const std::vector<Choices> neighbours = choices.neighbours(here);
          EXPECT_EQ(std::set(neighbours.begin(), neighbours.end()), expected);
          EXPECT_EQ(neighbours.size(), expected.size());
        }
      });
}

TEST(ConditionalChoices, CrossOverWithinTheSpaceTakingWhatAParentHas) {
  Random random(3, "crossover");
  for_random_cases(
      [&](const RandomCase&, const std::set<Choices>& all, const ConditionalChoices& choices) {
        const Choices first = choices.sample(random), second = choices.sample(random);
        const Choices child = choices.crossover(first, second, random);
        EXPECT_TRUE(all.contains(child));
        for (std::size_t i = 0; i < child.size(); ++i)
          if (child[i] != kIdle && (first[i] != kIdle || second[i] != kIdle)) {
            EXPECT_TRUE(child[i] == first[i] || child[i] == second[i]);
          }
      });
}

/// One choice of two; its second value asks for two more.
std::vector<ConditionalChoice> nested() {
  const ChoiceCondition second{{0}, [](const Choices& choices) { return choices[0] == 1; }};
  return {{"kind", 2, std::nullopt}, {"a", 3, second}, {"b", 3, second}};
}

TEST(ConditionalChoices, AreSampledUniformly) {
  const ConditionalChoices choices(nested(), {});
  ASSERT_EQ(choices.size(), 10);
  constexpr int kDraws = 20000;
  std::map<Choices, int> drawn;
  Random random(7, "uniform");
  for (int i = 0; i < kDraws; ++i) ++drawn[choices.sample(random)];
  ASSERT_EQ(drawn.size(), 10U);
  double chi_squared = 0;
  for (const auto& [combination, count] : drawn)
    chi_squared += (count - kDraws / 10.0) * (count - kDraws / 10.0) / (kDraws / 10.0);
  EXPECT_LT(chi_squared, 27.9);  // 9 degrees of freedom, 0.1 %
}

/// `count` choices of three between two kinds, of which one has two choices of its own, in a row.
std::vector<ConditionalChoice> row_of_nested(std::size_t count) {
  std::vector<ConditionalChoice> choices;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t kind = choices.size();
    const ChoiceCondition second{{kind}, [kind](const Choices& all) { return all[kind] == 1; }};
    choices.push_back({"kind" + std::to_string(i), 2, std::nullopt});
    choices.push_back({"a" + std::to_string(i), 3, second});
    choices.push_back({"b" + std::to_string(i), 3, second});
  }
  return choices;
}

TEST(ConditionalChoices, AreCountedExactlyBeyondSixtyFourBits) {
  const ConditionalChoices choices(row_of_nested(100), {});
  EXPECT_EQ(choices.size(), boost::multiprecision::pow(WholeNumber(10), 100));
  Random random(1, "googol");
  for (int i = 0; i < 20; ++i) {
    const Choices drawn = choices.sample(random);
    for (std::size_t kind = 0; kind < drawn.size(); kind += 3)
      EXPECT_EQ(drawn[kind + 1] != kIdle, drawn[kind] == 1);
  }
  Choices last;
  for (int i = 0; i < 100; ++i) last.insert(last.end(), {1, 2, 2});
  EXPECT_EQ(choices.at(choices.size() - 1), last);
}

/// One choice that asks for five others of three values: 243 combinations appear at once.
TEST(ConditionalChoices, OfferTheFirstOfTooManyNewCombinations) {
  const ChoiceCondition second{{0}, [](const Choices& choices) { return choices[0] == 1; }};
  std::vector<ConditionalChoice> list{{"kind", 2, std::nullopt}};
  for (int i = 0; i < 5; ++i) list.push_back({"inner" + std::to_string(i), 3, second});
  const ConditionalChoices choices(list, {});
  const Choices plain{0, kIdle, kIdle, kIdle, kIdle, kIdle}, first{1, 0, 0, 0, 0, 0},
      other{1, 0, 0, 1, 0, 0};
  EXPECT_EQ(choices.neighbours(plain), std::vector<Choices>{first});
  const auto of_first = choices.neighbours(first), of_other = choices.neighbours(other);
  EXPECT_EQ(std::ranges::count(of_first, plain), 1);
  EXPECT_EQ(std::ranges::count(of_other, plain), 0);
}

std::string message_of_making(const std::vector<ConditionalChoice>& choices,
                              const std::vector<ChoiceCondition>& requirements = {}) {
  try {
    const ConditionalChoices made(choices, requirements);
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was wrong";
}

TEST(ConditionalChoices, RefuseWhatCannotBeDecidedCountedOrMet) {
  const auto reads = [](std::size_t position) {
    return ChoiceCondition{{position}, [](const Choices&) { return true; }};
  };
  EXPECT_EQ(message_of_making({{"a", 2, reads(1)}, {"b", 2, reads(0)}}),
            "whether 'a' is used depends on choices that depend on 'a': make one of them outside "
            "the conditions");
  EXPECT_EQ(
      message_of_making({{"a", 2, std::nullopt}}, {{{0}, [](const Choices&) { return false; }}}),
      "no combination of choices meets all requirements");
  std::vector<ConditionalChoice> many;
  ChoiceCondition all{{}, [](const Choices&) { return true; }};
  for (std::size_t i = 0; i < 20; ++i) {
    many.push_back({"a" + std::to_string(i), 3, std::nullopt});
    all.positions.push_back(i);
  }
  many.push_back({"last", 2, all});
  EXPECT_EQ(message_of_making(many).substr(0, 60),
            "too many choices decide together over what else is chosen: m");
}

}  // namespace
}  // namespace cosearch::nas
