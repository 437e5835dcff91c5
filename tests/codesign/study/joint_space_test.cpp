#include "codesign/joint_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "accel/machine_costs.h"
#include "accel/technology.h"
#include "core/random.h"
#include "core/user_error.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using test::StudyFolder;
using testing::HasSubstr;

std::vector<std::string> genotypes_of(const NetworkSet& set) {
  std::vector<std::string> genotypes;
  for (const Candidate& candidate : set.candidates) genotypes.push_back(candidate.genotype);
  return genotypes;
}

NetworkSet networks_of(const StudyFolder& folder, int jobs = 1) {
  Workers workers(jobs);
  return load_networks(folder.read(), workers);
}

NetworkSet networks_with_table(const std::string& csv, const std::string& more_keys = "") {
  const StudyFolder folder({{"accuracy: accuracy}", "accuracy: accuracy" + more_keys + "}"}});
  test::write_bytes(folder / "accuracies.csv", csv);
  return networks_of(folder);
}

std::string message_for_table(const std::string& csv, const std::string& more_keys = "") {
  return test::message_of([&] { static_cast<void>(networks_with_table(csv, more_keys)); });
}

JointSpace small_space(std::initializer_list<std::pair<std::string, std::string>> changes) {
  const StudyFolder folder(changes);
  return {networks_of(folder), load_accelerators(folder.read())};
}

TEST(LoadNetworks, KeepsTheRowsThatPassRequireAndWhere) {
  const std::string csv =
      "genotype,accuracy,kind,note\n"
      "0000,60,a,x\n0001,61,b,\n0002,62,c,x\n0010,63,a,\n0011,64,b,x\n";
  const auto kept = [&](const std::string& keys) {
    return genotypes_of(networks_with_table(csv, keys));
  };
  EXPECT_THAT(kept(""), testing::SizeIs(5));
  EXPECT_THAT(kept(", require: [note]"), testing::ElementsAre("0000", "0002", "0011"));
  EXPECT_THAT(kept(", where: {kind: [a, b]}"),
              testing::ElementsAre("0000", "0001", "0010", "0011"));
  EXPECT_THAT(kept(", require: [note], where: {kind: b, accuracy: 64}"),
              testing::ElementsAre("0011"));
}

TEST(LoadNetworks, RefusesAnEmptySet) {
  EXPECT_THAT(message_for_table("genotype,accuracy,kind\n0000,60,a\n", ", where: {kind: z}"),
              HasSubstr("accuracies.csv: no row is left after 'require' and 'where'"));
  EXPECT_THAT(message_for_table("genotype,accuracy\n"), HasSubstr("accuracies.csv"));
}

TEST(LoadNetworks, RefusesAGenotypeThatStandsTwice) {
  EXPECT_THAT(
      message_for_table("genotype,accuracy\n0000,60\n0001,61\n0000,60\n"),
      HasSubstr("accuracies.csv:4: genotype '0000' stands in two rows, here and at line 2"));
}

TEST(LoadNetworks, RefusesAccuraciesThatAreNone) {
  struct Case {
    const char *cell, *said;
  };
  for (const Case& c : {Case{"nan", "expected a finite number"},
                        {"", "empty cell"},
                        {"inf", "expected a finite number"},
                        {"good", "'good'"},
                        {"100.5", "accuracies are percentages in [0, 100]"},
                        {"-1", "accuracies are percentages in [0, 100]"}}) {
    SCOPED_TRACE(c.cell);
    const std::string message =
        message_for_table(fmt::format("genotype,accuracy\n0000,60\n0001,{}\n", c.cell));
    EXPECT_THAT(message, HasSubstr("accuracies.csv:3: "));
    EXPECT_THAT(message, HasSubstr(c.said));
  }
}

TEST(LoadNetworks, RefusesTheFirstGenotypeThatDoesNotParse) {
  EXPECT_THAT(
      message_for_table("genotype,accuracy\n0000,60\n00x1,61\n0y00,62\n"),
      testing::AllOf(HasSubstr("accuracies.csv:3: "), HasSubstr("genotype '00x1', character 3")));
}

TEST(LoadNetworks, SuggestsTheColumn) {
  EXPECT_THAT(message_for_table("genotype,acuracy\n0000,60\n"),
              testing::AllOf(HasSubstr("accuracies.csv"), HasSubstr("did you mean 'acuracy'?")));
}

TEST(LoadNetworks, TakesAWholeSpaceWithoutAccuracies) {
  const StudyFolder folder(
      {{"  table: {file: accuracies.csv, genotype: genotype, accuracy: accuracy}\n", ""}});
  const NetworkSet set = networks_of(folder);
  EXPECT_EQ(set.candidates.size(), 81U);
  EXPECT_TRUE(std::isnan(set.candidates.front().accuracy_percent));
}

TEST(LoadNetworks, SamplesASeededSubsetForAnyNumberOfJobs) {
  const std::string table = "accuracy: accuracy}";
  const auto sample = [&](const std::string& seed, int jobs) {
    return genotypes_of(networks_of(
        StudyFolder({{table, table + "\n  sample: 12"}, {"seed: 3", "seed: " + seed}}), jobs));
  };
  const std::vector<std::string> first = sample("3", 1);
  const std::set<std::string> distinct(first.begin(), first.end());
  EXPECT_EQ(distinct.size(), 12U);
  EXPECT_TRUE(std::ranges::is_sorted(first)) << "a sample keeps the order of the table";
  EXPECT_EQ(first, sample("3", 3));
  EXPECT_NE(first, sample("4", 1));
}

TEST(LoadNetworks, SamplesASpaceTooLargeToList) {
  const auto sample = [](int jobs) {
    StudyFolder folder;
    folder.write(
        "kind: study\nschema_version: 1\nname: n\nseed: 5\n"
        "networks: {space: alphanet, sample: 6}\n");
    return genotypes_of(networks_of(folder, jobs));
  };
  EXPECT_EQ(sample(1).size(), 6U);
  EXPECT_EQ(sample(1), sample(2));

  StudyFolder whole;
  whole.write("kind: study\nschema_version: 1\nname: n\nnetworks: {space: alphanet}\n");
  EXPECT_THAT(test::message_of([&] { static_cast<void>(networks_of(whole)); }),
              HasSubstr("'sample: COUNT' of 'networks'"));
}

TEST(LoadNetworks, RefusesASampleThatNoMemoryHolds) {
  StudyFolder folder;
  folder.write(
      "kind: study\nschema_version: 1\nname: n\nnetworks: {space: darts, sample: 100000000000}\n");
  EXPECT_THAT(test::message_of([&] { static_cast<void>(networks_of(folder)); }),
              HasSubstr("networks.sample = 100000000000"));
}

TEST(LoadNetworks, TakesNetworksByName) {
  StudyFolder folder;
  folder.write(
      "kind: study\nschema_version: 1\nname: n\nnetworks: {named: [resnet18, "
      "'fashion-macro:000000']}\n");
  const NetworkSet set = networks_of(folder);
  ASSERT_EQ(set.candidates.size(), 2U);
  EXPECT_EQ(set.candidates[0].genotype, "resnet18");
}

TEST(LoadAccelerators, ComesInTheOrderOfTheStudyWithNamesOfTheirOwn) {
  const StudyFolder folder({{"pe_buffer: 256B",
                             "pe_buffer: 256B\n      clock: [100MHz, 200MHz]\n      precision: [8, "
                             "16]\n      shared_buffer: [10000B, 10200B]"}});
  const std::vector<Accelerator> all = load_accelerators(folder.read()).list;
  ASSERT_EQ(all.size(), 1U + 4 * 8 + 4);
  EXPECT_EQ(all[0].machine.name, "xp-ws-64");
  EXPECT_EQ(all[1].family, "nvdla");
  EXPECT_EQ(all.back().family, "eyeriss");
  std::set<std::string> names;
  for (const Accelerator& accelerator : all) names.insert(accelerator.machine.name);
  EXPECT_EQ(names.size(), all.size());
}

TEST(LoadAccelerators, AMachineNamedTwiceIsOneCandidate) {
  const std::size_t once = load_accelerators(StudyFolder().read()).list.size();
  const StudyFolder twice({{"named: [xp-ws-64]", "named: [xp-ws-64, xp-ws-64]"}});
  EXPECT_EQ(load_accelerators(twice.read()).list.size(), once);
}

// A node or a path from the study's folder means one thing wherever it stands, and the study's
// holds for every template that has none of its own.
TEST(LoadAccelerators, ATechnologyMeansTheSameWhereverItStands) {
  const std::string grid = "  grids: [{template: nvdla, pe_rows: 16";
  const std::string machines = "  machines: ['nvdla:pe_rows=16";
  const auto area_under = [](const std::string& technology, const std::string& accelerators) {
    const StudyFolder folder;
    test::write_bytes(folder / "own.csv", test::replaced(std::string(accel::kTechnology45nm),
                                                         "mac_area_8bit,", "mac_area_8bit,1"));
    const std::string text = test::read_bytes(folder.study());
    const std::size_t begin = text.find("accelerators:\n"), end = text.find("objectives:");
    folder.write(text.substr(0, begin) + "accelerators:\n" + technology + accelerators +
                 text.substr(end));
    return accel::area_of(load_accelerators(folder.read()).list.at(0).machine).value;
  };
  const auto usual = area_under("", grid + "}]\n");
  for (const std::string technology : {"16nm", "own.csv"}) {
    SCOPED_TRACE(technology);
    const std::string of_study = "  technology: " + technology + "\n";
    const auto expected = area_under(of_study, grid + "}]\n");
    EXPECT_NE(expected, usual);
    EXPECT_EQ(area_under("", grid + ", technology: [" + technology + "]}]\n"), expected);
    EXPECT_EQ(area_under(of_study, machines + "']\n"), expected);
    EXPECT_EQ(area_under("", machines + ",technology=" + technology + "']\n"), expected);
    EXPECT_EQ(area_under(of_study, machines + ",technology=45nm']\n"), usual);
  }
}

TEST(LoadAccelerators, SamplesASeededSubsetInOrder) {
  const auto sample = [](const char* seed) {
    std::vector<std::string> names;
    for (const Accelerator& one :
         load_accelerators(StudyFolder({{"named: [xp-ws-64]", "named: [xp-ws-64]\n  sample: 4"},
                                        {"seed: 3", fmt::format("seed: {}", seed)}})
                               .read())
             .list)
      names.push_back(one.machine.name);
    return names;
  };
  std::vector<std::string> all;
  for (const Accelerator& one : load_accelerators(StudyFolder().read()).list)
    all.push_back(one.machine.name);
  const std::vector<std::string> first = sample("3");
  EXPECT_EQ(first.size(), 4U);
  EXPECT_EQ(first, sample("3"));
  EXPECT_NE(first, sample("5"));
  std::size_t position = 0;
  for (const std::string& name : first) {
    const auto found =
        std::find(all.begin() + static_cast<std::ptrdiff_t>(position), all.end(), name);
    ASSERT_NE(found, all.end()) << name;
    position = static_cast<std::size_t>(found - all.begin()) + 1;
  }
}

// 10 x 2 x 8 x 8 x 8 x 8 x 8 x 2 machines: more than a million.
const std::pair<std::string, std::string> kManyRows{
    "pe_rows: [4, 8]", "pe_rows: [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]"};
const std::pair<std::string, std::string> kManySizes{
    "pe_buffer: 256B",
    "pe_buffer: [64B, 128B, 256B, 512B, 1KiB, 2KiB, 4KiB, 8KiB]\n"
    "      shared_buffer: [16KiB, 32KiB, 64KiB, 128KiB, 256KiB, 512KiB, 1MiB, 2MiB]\n"
    "      noc_bandwidth: [8B/cycle, 16B/cycle, 24B/cycle, 32B/cycle, 40B/cycle, 48B/cycle, "
    "56B/cycle, 64B/cycle]\n"
    "      dram_bandwidth: [1B/cycle, 2B/cycle, 3B/cycle, 4B/cycle, 5B/cycle, 6B/cycle, 7B/cycle, "
    "8B/cycle]\n"
    "      clock: [100MHz, 200MHz, 300MHz, 400MHz, 500MHz, 600MHz, 700MHz, 800MHz]\n"
    "      precision: [8, 16]"};

TEST(LoadAccelerators, DrawsFromAGridTooLargeToBuild) {
  const StudyFolder folder(
      {kManyRows, kManySizes, {"named: [xp-ws-64]", "named: [xp-ws-64]\n  sample: 5"}});
  std::set<std::string> names;
  for (const Accelerator& accelerator : load_accelerators(folder.read()).list)
    names.insert(accelerator.machine.name);
  EXPECT_EQ(names.size(), 5U);
}

TEST(LoadAccelerators, RefusesAGridTooLargeToBuild) {
  const StudyFolder folder({kManyRows, kManySizes});
  EXPECT_THAT(test::message_of([&] { static_cast<void>(load_accelerators(folder.read())); }),
              HasSubstr("sample"));
}

const std::string kTableLine = "accuracy: accuracy}";
const std::string kScoresLine =
    kTableLine + "\n  scores: {file: scores.csv, network: genotype, columns: {naswot: n, zen: z}}";

JointSpace space_with_scores(const std::string& csv) {
  const StudyFolder folder({{kTableLine, kScoresLine}});
  test::write_bytes(folder / "scores.csv", csv);
  return {networks_of(folder), load_accelerators(folder.read())};
}

TEST(JointSpace, KnowsTheScoresOfItsTableAndThoseThatNeedNone) {
  const JointSpace space = space_with_scores("genotype,z,n\n0001,-3,4.5\n0000,,7\n");
  const std::vector<std::string> names = space.score_names();
  EXPECT_EQ(names, (std::vector<std::string>{"naswot", "zen", "parameters", "macs", "skip"}));
  EXPECT_EQ(space.networks().candidates[0].genotype, "0000");
  EXPECT_EQ(space.score(0, 0), 7);
  EXPECT_TRUE(std::isnan(space.score(0, 1))) << "an empty cell";
  EXPECT_EQ(space.score(1, 0), 4.5);
  EXPECT_EQ(space.score(1, 1), -3);
  EXPECT_TRUE(std::isnan(space.score(2, 0))) << "no row";
  EXPECT_EQ(space.score(2, 3), space.macs(2));
  EXPECT_TRUE(std::isnan(space.score(2, 4))) << "no skip connections to choose";
}

TEST(LoadNetworks, RefusesScoresOfOtherNetworks) {
  EXPECT_THAT(test::message_of([] { space_with_scores("genotype,n,z\n9,1,1\n"); }),
              HasSubstr("scores.csv:2: no row is of a network of the study"));
  EXPECT_THAT(test::message_of([] { space_with_scores("genotype,n,z\n0000,1,1\n0000,2,2\n"); }),
              HasSubstr("scores.csv:3: network '0000' stands in two rows"));
  EXPECT_THAT(test::message_of([] { space_with_scores("genotype,nn,z\n0000,1,1\n"); }),
              HasSubstr("did you mean 'nn'?"));
  EXPECT_THAT(test::message_of([] { space_with_scores("genotype,n,z\n0000,inf,1\n"); }),
              HasSubstr("scores.csv:2: "));
}

TEST(JointSpace, CrossesCandidatesOfASpace) {
  const JointSpace space = small_space({});
  Random random(1);
  for (int i = 0; i < 50; ++i) {
    const auto a = static_cast<std::uint32_t>(random.below(81));
    const auto b = static_cast<std::uint32_t>(random.below(81));
    const auto child = space.crossover(a, b, random);
    ASSERT_TRUE(child);
    for (std::size_t digit = 0; digit < 4; ++digit) {
      const char chosen = space.networks().candidates[*child].genotype[digit];
      EXPECT_TRUE(chosen == space.networks().candidates[a].genotype[digit] ||
                  chosen == space.networks().candidates[b].genotype[digit]);
    }
  }
}

TEST(JointSpace, NetworkNeighboursAreTheCandidatesOneChangeAway) {
  const JointSpace space =
      small_space({{"accuracy: accuracy}", "accuracy: accuracy}\n  sample: 40"}});
  for (std::uint32_t a = 0; a < space.network_count(); ++a) {
    std::set<std::uint32_t> expected;
    for (std::uint32_t b = 0; b < space.network_count(); ++b) {
      int differing = 0;
      for (std::size_t i = 0; i < 4; ++i)
        differing += space.networks().candidates[a].genotype[i] !=
                     space.networks().candidates[b].genotype[i];
      if (differing == 1) expected.insert(b);
    }
    const std::vector<std::uint32_t> neighbours = space.network_neighbours(a);
    EXPECT_EQ(std::set(neighbours.begin(), neighbours.end()), expected);
    EXPECT_EQ(neighbours.size(), expected.size());
  }
}

TEST(JointSpace, MergedNetworksStillHaveNeighbours) {
  const StudyFolder folder;
  folder.write(
      "kind: study\nschema_version: 1\nname: merged\n"
      "networks: {space: nas-bench-macro, merge_equivalent: true}\n");
  Workers workers(2);
  const JointSpace space(load_networks(folder.read(), workers), {});
  ASSERT_LT(space.network_count(), 6561U);  // some spellings are one network
  for (std::uint32_t network = 0; network < space.network_count(); network += 97) {
    const std::vector<std::uint32_t> neighbours = space.network_neighbours(network);
    const std::set<std::uint32_t> distinct(neighbours.begin(), neighbours.end());
    EXPECT_GE(neighbours.size(), 8U);  // at least one per position of the genotype
    EXPECT_EQ(distinct.size(), neighbours.size());
    EXPECT_FALSE(distinct.contains(network));
  }
}

TEST(JointSpace, NamedNetworksAreAllNeighbours) {
  const JointSpace space(gather({Network("a"), Network("b"), Network("c")}), {});
  EXPECT_THAT(space.network_neighbours(1), testing::ElementsAre(0U, 2U));
}

// Steps between two machines, counted in doublings of every parameter.
double distance(const Accelerator& a, const Accelerator& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.parameters.size(); ++i)
    sum += std::abs(std::log2(a.parameters[i]) - std::log2(b.parameters[i]));
  return sum;
}

TEST(JointSpace, AcceleratorNeighboursAreTheFourNearestOfEachTemplate) {
  const JointSpace space = small_space({{"pe_buffer: 256B", "pe_buffer: [64B, 256B]"}});
  for (std::uint32_t origin = 0; origin < space.accelerator_count(); ++origin) {
    SCOPED_TRACE(origin);
    const std::vector<std::uint32_t> neighbours = space.accelerator_neighbours(origin);
    std::map<std::string, std::vector<double>> all, taken;
    for (std::uint32_t other = 0; other < space.accelerator_count(); ++other) {
      if (other == origin) continue;
      const Accelerator& chip = space.accelerators()[other];
      const double d = distance(space.accelerators()[origin], chip);
      all[chip.family].push_back(d);
      if (std::ranges::count(neighbours, other) == 1) taken[chip.family].push_back(d);
    }
    std::size_t expected = 0;
    for (auto& [name, distances] : all) {
      std::ranges::sort(distances);
      distances.resize(std::min<std::size_t>(4, distances.size()));
      expected += distances.size();
      std::ranges::sort(taken[name]);
      ASSERT_EQ(taken[name].size(), distances.size());
      for (std::size_t i = 0; i < distances.size(); ++i)
        EXPECT_NEAR(taken[name][i], distances[i], 1e-9) << name;
    }
    EXPECT_EQ(neighbours.size(), expected);
    EXPECT_EQ(std::ranges::count(neighbours, origin), 0);
  }
}

TEST(JointSpace, AZeroIsAsFarAsADoublingFromEveryOtherValue) {
  AcceleratorSet set{.columns = {{"hops", ""}}, .list = {}, .files = {}};
  for (const double hops : {0., 1., 2., 4., 8., 16., 32.})
    set.list.push_back({{}, {}, {}, "own", {hops}});
  const JointSpace space(networks_of(StudyFolder()), set);
  EXPECT_THAT(space.accelerator_neighbours(5), testing::UnorderedElementsAre(0, 3, 4, 6));
  EXPECT_THAT(space.accelerator_neighbours(0), testing::UnorderedElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace cosearch::codesign
