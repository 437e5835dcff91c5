#include "codesign/network_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/user_error.h"
#include "nas/space.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign {
namespace {

// `count` genotypes of `space`, drawn at random.
std::vector<TableEntry> drawn(const nas::NetworkSpace& space, std::uint64_t count) {
  std::vector<TableEntry> entries;
  for (std::uint64_t i = 0; i < count; ++i) {
    Random random(11, "entry", i);
    entries.push_back({.genotype = space.sample(random), .accuracy_percent = 50.0 + double(i)});
  }
  return entries;
}

TEST(LowerAll, NumbersLayersAlikeForAnyNumberOfJobs) {
  const std::shared_ptr<const nas::NetworkSpace> space = nas::make_space("nas-bench-201");
  Workers one(1), three(3);
  const NetworkSet a = lower_all(space, drawn(*space, 200), one);
  const NetworkSet b = lower_all(space, drawn(*space, 200), three);
  EXPECT_EQ(a.layers, b.layers);
  ASSERT_EQ(a.candidates.size(), b.candidates.size());
  for (std::size_t i = 0; i < a.candidates.size(); ++i) {
    ASSERT_EQ(a.candidates[i].layers.size(), b.candidates[i].layers.size());
    for (std::size_t j = 0; j < a.candidates[i].layers.size(); ++j) {
      EXPECT_EQ(a.candidates[i].layers[j].layer, b.candidates[i].layers[j].layer);
      EXPECT_EQ(a.candidates[i].layers[j].count, b.candidates[i].layers[j].count);
    }
  }
}

TEST(LowerAll, NumbersInOrderOfAppearanceAndEachShapeOnce) {
  const std::shared_ptr<const nas::NetworkSpace> space =
      nas::make_space("fashion-macro", {{"positions", 4}});
  Workers workers(2);
  const NetworkSet set = lower_all(space, drawn(*space, 30), workers);
  LayerId next = 0;
  for (const Candidate& candidate : set.candidates)
    for (const LayerCount& use : candidate.layers) {
      ASSERT_LE(use.layer, next);
      if (use.layer == next) ++next;
    }
  EXPECT_EQ(next, set.layers.size());
  for (std::size_t i = 0; i < set.layers.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(set.layers[i] == set.layers[j]);
}

TEST(LowerAll, CandidatesAddUpToTheirNetworks) {
  for (const char* name : {"fashion-macro", "nas-bench-201", "darts"}) {
    SCOPED_TRACE(name);
    const std::shared_ptr<const nas::NetworkSpace> space = nas::make_space(name);
    Workers workers(2);
    const NetworkSet set = lower_all(space, drawn(*space, 12), workers);
    for (const Candidate& candidate : set.candidates) {
      SCOPED_TRACE(candidate.genotype);
      const Network network = space->lower(candidate.genotype);
      std::vector<std::int64_t> counted(set.layers.size(), 0), given(set.layers.size(), 0);
      for (const LayerCount& use : candidate.layers) given[use.layer] += use.count;
      for (const NetworkNode& node : network.nodes())
        for (std::size_t id = 0; id < set.layers.size(); ++id)
          if (set.layers[id] == node.layer) counted[id] += node.multiplicity;
      EXPECT_EQ(given, counted);
      EXPECT_EQ(candidate.macs, network.macs());
      EXPECT_EQ(candidate.parameters, network.parameters());
      EXPECT_EQ(candidate.canonical, space->canonical(candidate.genotype));
    }
  }
}

TEST(LowerAll, RefusesAGenotypeThatDoesNotParse) {
  Workers workers(2);
  EXPECT_THAT(test::message_of([&] {
                static_cast<void>(lower_all(nas::make_space("fashion-macro", {{"positions", 4}}),
                                            {{.genotype = "0000"}, {.genotype = "03"}}, workers));
              }),
              testing::HasSubstr("'03'"));
}

TEST(Gather, SharesLayersBetweenNetworks) {
  Network a("a"), b("b");
  a.add({.name = "x", .layer = softmax(2, 3), .multiplicity = 2});
  a.add({.name = "y", .layer = softmax(2, 4)});
  a.add({.name = "z", .layer = softmax(2, 3)});
  b.add({.name = "x", .layer = softmax(2, 4), .multiplicity = 5});
  const NetworkSet set = gather({a, b});
  EXPECT_THAT(set.layers, testing::ElementsAre(softmax(2, 3), softmax(2, 4)));
  ASSERT_EQ(set.candidates[0].layers.size(), 2U);
  EXPECT_EQ(set.candidates[0].layers[0].count, 3);
  EXPECT_EQ(set.candidates[1].layers[0].layer, 1U);
  EXPECT_EQ(set.candidates[1].layers[0].count, 5);
}

TEST(MergeEquivalent, KeepsOneSpellingWithTheMeanOfWhatIsKnown) {
  const std::shared_ptr<const nas::NetworkSpace> space = nas::make_space("nas-bench-201");
  Workers workers(1);
  NetworkSet set = lower_all(space, drawn(*space, 400), workers);
  for (std::size_t i = 0; i < set.candidates.size(); i += 7)
    set.candidates[i].accuracy_percent = std::nan("");
  std::map<std::string, std::vector<double>> known;
  std::vector<std::string> order;
  for (const Candidate& candidate : set.candidates) {
    const auto [entry, is_new] = known.try_emplace(candidate.canonical);
    if (is_new) order.push_back(candidate.canonical);
    if (!std::isnan(candidate.accuracy_percent))
      entry->second.push_back(candidate.accuracy_percent);
  }
  ASSERT_LT(order.size(), 400U) << "the sample must hold two spellings of one network";
  merge_equivalent(set);
  ASSERT_EQ(set.candidates.size(), order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(set.candidates[i].canonical, order[i]);
    double sum = 0;
    for (const double accuracy : known[order[i]]) sum += accuracy;
    if (known[order[i]].empty())
      EXPECT_TRUE(std::isnan(set.candidates[i].accuracy_percent));
    else
      EXPECT_NEAR(set.candidates[i].accuracy_percent,
                  sum / static_cast<double>(known[order[i]].size()), 1e-9);
  }
}

}  // namespace
}  // namespace cosearch::codesign
