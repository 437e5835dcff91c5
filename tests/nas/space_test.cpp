// What every network space promises, checked on all of them.
#include "nas/space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "core/user_error.h"
#include "nas/fashion_macro.h"

namespace cosearch::nas {
namespace {

constexpr std::uint64_t kSeed = 11;
constexpr int kSamples = 25;

std::vector<std::string> samples_of(const NetworkSpace& space, int count = kSamples) {
  Random random(kSeed, "space test");
  std::vector<std::string> genotypes;
  for (int i = 0; i < count; ++i) genotypes.push_back(space.sample(random));
  return genotypes;
}

/// Words and numbers between punctuation; single digits for the macro spaces.
std::vector<std::string> tokens_of(const std::string& genotype) {
  const bool macro = genotype.find_first_not_of("012") == std::string::npos;
  std::vector<std::string> tokens(1);
  for (const char letter : genotype) {
    if (macro || std::string("|+~;").find(letter) != std::string::npos) tokens.emplace_back();
    tokens.back() += letter;
  }
  return tokens;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was wrong";
}

class EverySpace : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<NetworkSpace> space = make_space(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Spaces, EverySpace, testing::ValuesIn(space_names()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EverySpace, SamplesGenotypesOfItsOwn) {
  EXPECT_EQ(space->name(), GetParam());
  for (const std::string& genotype : samples_of(*space))
    EXPECT_TRUE(space->contains(genotype)) << genotype;
}

TEST_P(EverySpace, SamplesTheSameForTheSameSeed) {
  EXPECT_EQ(samples_of(*space), samples_of(*make_space(GetParam())));
}

TEST_P(EverySpace, HasSymmetricNeighboursInTheSpace) {
  for (const std::string& genotype : samples_of(*space, 5)) {
    SCOPED_TRACE(genotype);
    const auto neighbours = space->neighbours(genotype);
    EXPECT_EQ(std::set<std::string>(neighbours.begin(), neighbours.end()).size(),
              neighbours.size());
    for (const std::string& neighbour : neighbours) {
      EXPECT_TRUE(space->contains(neighbour)) << neighbour;
      const auto back = space->neighbours(neighbour);
      EXPECT_EQ(std::count(back.begin(), back.end(), genotype), 1) << neighbour;
    }
  }
}

/// Whether exactly one token differs, or two adjacent edges have swapped their inputs.
bool is_one_change(const std::string& from, const std::string& to) {
  const auto before = tokens_of(from), after = tokens_of(to);
  if (before.size() != after.size()) return false;
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i] != after[i]) changed.push_back(i);
  if (changed.size() == 1) return true;
  return changed.size() == 2 && before[changed[0]] == after[changed[1]] &&
         before[changed[1]] == after[changed[0]] && before[changed[0]].front() == '~';
}

TEST_P(EverySpace, ChangesOneThingPerNeighbour) {
  for (const std::string& genotype : samples_of(*space, 5))
    for (const std::string& neighbour : space->neighbours(genotype))
      EXPECT_TRUE(is_one_change(genotype, neighbour)) << genotype << " to " << neighbour;
}

TEST(Spaces, OfferAsManyNeighboursAsThereAreChanges) {
  const auto count = [](const std::string& name) {
    const auto space = make_space(name);
    return space->neighbours(samples_of(*space, 1).front()).size();
  };
  EXPECT_EQ(count("nas-bench-201"), 6 * 4U);
  EXPECT_EQ(count("nas-bench-macro"), 8 * 2U);
  EXPECT_EQ(count("fashion-macro"), 6 * 2U);
  EXPECT_EQ(count("alphanet"), 3 + 15 * 2U);
  EXPECT_EQ(count("resnet-9"), 3 + 3 * (4 + 2U));
  EXPECT_EQ(count("unet"), 6 * 4U);
  EXPECT_EQ(count("ofa-mobilenet-v3"), 24 + (5 + 20 + 20) * 2U);
  EXPECT_EQ(count("ofa-resnet-50"), 8 + 1 + (4 + 6 + 18) * 2U);
  // Per cell: 8 operations, 6 others each; a node of n inputs has 2 (n - 2) single changes of its
  // pair and one swap: 1 + 3 + 5 + 7.
  EXPECT_EQ(count("darts"), 2 * (8 * 6 + 16U));
}

std::map<std::uint64_t, std::int64_t> layer_counts(const Network& network) {
  std::map<std::uint64_t, std::int64_t> counts;
  for (const auto& [layer, count] : network.distinct_layers()) counts[hash_of(layer)] += count;
  return counts;
}

TEST_P(EverySpace, KeepsNetworkAndSpellingUnderRepeatedCanonicalisation) {
  for (const std::string& genotype : samples_of(*space)) {
    SCOPED_TRACE(genotype);
    const std::string canonical = space->canonical(genotype);
    EXPECT_TRUE(space->contains(canonical)) << canonical;
    EXPECT_EQ(space->canonical(canonical), canonical);
    const Network spelled = space->lower(genotype), rewritten = space->lower(canonical);
    EXPECT_EQ(layer_counts(spelled), layer_counts(rewritten));
    EXPECT_EQ(spelled.parameters(), rewritten.parameters());
  }
}

/// Nodes no other node reads.
std::vector<std::string> outputs_of(const Network& network) {
  std::set<std::size_t> read;
  for (const NetworkNode& node : network.nodes())
    read.insert(node.inputs.begin(), node.inputs.end());
  std::vector<std::string> outputs;
  for (std::size_t i = 0; i < network.nodes().size(); ++i)
    if (!read.contains(i)) outputs.push_back(network.nodes()[i].name);
  return outputs;
}

std::vector<std::string> entries_of(const Network& network) {
  std::vector<std::string> entries;
  for (const NetworkNode& node : network.nodes())
    if (node.inputs.empty()) entries.push_back(node.name);
  return entries;
}

// Edges only point forward, so one entry and one output make the graph connected.
TEST_P(EverySpace, LowersToOneGraphFromTheStemToTheClassifier) {
  for (const std::string& genotype : samples_of(*space)) {
    SCOPED_TRACE(genotype);
    const Network network = space->lower(genotype);
    EXPECT_EQ(entries_of(network), std::vector<std::string>{"stem"});
    EXPECT_EQ(outputs_of(network), std::vector<std::string>{"classifier"});
  }
}

TEST_P(EverySpace, NamesEveryLayerDifferently) {
  const Network network = space->lower(samples_of(*space, 1).front());
  std::set<std::string> names;
  for (const NetworkNode& node : network.nodes())
    EXPECT_TRUE(names.insert(node.name).second) << node.name;
}

TEST(Spaces, AddASecondOutputForTheAuxiliaryHeadOnly) {
  for (const std::int64_t image : {16, 32, 64}) {
    const auto space = make_space("darts", {{"auxiliary_head", 1}, {"image", image}});
    EXPECT_EQ(outputs_of(space->lower(samples_of(*space, 1).front())),
              (std::vector<std::string>{"auxiliary.classifier", "classifier"}));
  }
}

TEST(Spaces, EnumerateEveryGenotypeOnce) {
  for (const char* name :
       {"nas-bench-201", "nas-bench-macro", "fashion-macro", "resnet-9", "unet", "gpt", "vit"}) {
    SCOPED_TRACE(name);
    const auto space = make_space(name);
    std::set<std::string> seen;
    for (std::uint64_t index = 0; index < static_cast<std::uint64_t>(space->size()); ++index) {
      const std::string genotype = space->genotype(index);
      EXPECT_TRUE(space->contains(genotype)) << genotype;
      seen.insert(genotype);
    }
    EXPECT_EQ(static_cast<double>(seen.size()), space->size());
  }
}

TEST(Spaces, HaveTheSizesOfTheirCombinatorics) {
  EXPECT_EQ(make_space("nas-bench-201")->size(), std::pow(5, 6));
  EXPECT_EQ(make_space("nas-bench-macro")->size(), std::pow(3, 8));
  EXPECT_EQ(make_space("fashion-macro")->size(), std::pow(3, 6));
  EXPECT_EQ(make_space("fashion-macro", {{"positions", 5}})->size(), std::pow(3, 5));
  EXPECT_EQ(make_space("fashion-macro", {{"positions", 4}})->size(), std::pow(3, 4));
  EXPECT_EQ(make_space("alphanet")->size(), 4 * std::pow(3, 15));
  EXPECT_EQ(make_space("resnet-9")->size(), 4 * std::pow(5 * 3, 3));
  EXPECT_EQ(make_space("unet")->size(), std::pow(5, 6));
  EXPECT_DOUBLE_EQ(make_space("ofa-mobilenet-v3")->size(), 25 * std::pow(3, 45));
  EXPECT_DOUBLE_EQ(make_space("ofa-resnet-50")->size(), 9 * 2 * std::pow(3, 28));
  EXPECT_EQ(make_space("regnet")->size(), 17. * 38 * 121 * 31 * 15 * 2);
  EXPECT_EQ(make_space("gpt")->size(), 10 * 7 * 5 * 3 * 3 * 3);
  EXPECT_EQ(make_space("vit")->size(), 2 * 10 * 7 * 2 * 3);
  // Per cell: 7 operations on 8 edges, ordered pairs of distinct inputs out of 2, 3, 4 and 5.
  EXPECT_DOUBLE_EQ(make_space("darts")->size(), std::pow(std::pow(7, 8) * 2 * 6 * 12 * 20, 2));
}

TEST(Spaces, RefuseAnIndexBeyondTheirSize) {
  EXPECT_EQ(message_of([] { (void)make_space("nas-bench-201")->genotype(15625); }),
            "nas-bench-201: no genotype 15625: expected 0 to 15624");
  EXPECT_THROW((void)make_space("darts")->genotype(0), UserError);
}

TEST(FashionMacro, HasNoTwoSpellingsOfOneNetwork) {
  for (const std::int64_t positions : {4, 5, 6}) {
    const auto space = make_space("fashion-macro", {{"positions", positions}});
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space->size()); ++i)
      EXPECT_EQ(space->canonical(space->genotype(i)), space->genotype(i));
  }
}

/// Pearson's statistic of `counts` against equal expectations.
double chi_squared(const std::map<std::string, int>& counts, double cells, double draws) {
  const double expected = draws / cells;
  double statistic = (cells - static_cast<double>(counts.size())) * expected;  // cells never hit
  for (const auto& [cell, count] : counts) statistic += std::pow(count - expected, 2) / expected;
  return statistic;
}

TEST(Spaces, SampleUniformly) {
  constexpr int kDraws = 8100;
  const auto space = make_space("fashion-macro", {{"positions", 4}});
  std::map<std::string, int> counts;
  for (const std::string& genotype : samples_of(*space, kDraws)) ++counts[genotype];
  EXPECT_LT(chi_squared(counts, 81, kDraws), 124.84);  // 0.999 quantile, 80 degrees of freedom
}

TEST(Spaces, SampleTheInputsOfADartsNodeUniformly) {
  constexpr int kDraws = 4000;
  std::map<std::string, int> counts;
  for (const std::string& genotype : samples_of(*make_space("darts"), kDraws)) {
    const auto tokens = tokens_of(genotype);  // the last node of the reduction cell ends the text
    ++counts[tokens[tokens.size() - 3] + tokens.back()];
  }
  EXPECT_LT(chi_squared(counts, 20, kDraws), 43.82);  // 0.999 quantile, 19 degrees of freedom
}

struct BadGenotype {
  const char *space, *genotype, *message;
};

TEST(Spaces, SayWhereAGenotypeStopsMakingSense) {
  const std::string darts_cell =
      "skip_connect~0|skip_connect~1|skip_connect~0|skip_connect~1|skip_connect~0|skip_connect~1|"
      "skip_connect~0|skip_connect~1";
  const std::string darts_bad = darts_cell + ";skip_connect~0|skip_connect~0";
  const BadGenotype cases[] = {
      {"nas-bench-201", "|none~0|+|none~0|nor_conv_3x4~1|+|", "character 18: expected one of none"},
      {"nas-bench-201", "|none~0|+|none~0|nor_conv_3x4~1|+|", "did you mean 'nor_conv_3x3'"},
      {"nas-bench-201", "", "character 1: expected '|'"},
      {"nas-bench-201", "|none~1|", "character 6: expected '~0|'"},
      {"nas-bench-macro", "0120", "character 5: expected operation 5 of 8, a digit from 0 to 2"},
      {"nas-bench-macro", "012012012", "character 9: expected the end"},
      {"fashion-macro", "01x200", "character 3: expected operation 3 of 6"},
      {"alphanet", "192;4", "character 5: expected the kernel of stage 1, one of 3"},
      {"alphanet", "200;3", "character 1: expected the resolution, one of 192, 224, 256, 288"},
      {"resnet-9", "8;32;3", "character 6: expected the skipped convolutions of block 1, one of 0"},
      {"unet", "4;8;16;32;64;6", "character 14: expected the height, one of 1, 2, 3, 4, 5"},
      {"ofa-resnet-50", "128;1", "character 5: expected the depth of the stem, one of 0, 2"},
      {"regnet", "12;20", "character 4: expected the first width, one of 24, 32, ..., 320"},
      {"vit", "2;", "character 1: expected the stem, one of 0, 1"},
      {"nas-bench-101", "1000000", "character 7: expected '|'"},
      {"nas-bench-101", "100000|00000|0000|000|00|0;conv3x3",
       "character 27: expected a way from vertex 0 to 6, and at most 9 edges"},
      {"darts", darts_bad.c_str(), "character 149: expected an input of this node other than"},
  };
  for (const BadGenotype& bad : cases) {
    SCOPED_TRACE(std::string(bad.space) + " " + bad.genotype);
    const auto space = make_space(bad.space);
    EXPECT_FALSE(space->contains(bad.genotype));
    const std::string expected = std::string(bad.space) + ": genotype '" + bad.genotype + "', ";
    for (const std::string& message :
         {message_of([&] { (void)space->lower(bad.genotype); }),
          message_of([&] { (void)space->canonical(bad.genotype); }),
          message_of([&] { (void)space->neighbours(bad.genotype); })}) {
      EXPECT_EQ(message.find(expected), 0U) << message;
      EXPECT_NE(message.find(bad.message), std::string::npos) << message;
    }
  }
}

TEST(Spaces, RefuseEveryTruncatedGenotype) {
  for (const std::string& name : space_names()) {
    const auto space = make_space(name);
    const std::string genotype = samples_of(*space, 1).front();
    for (std::size_t length = 0; length < genotype.size(); ++length) {
      // 4 of 5 positions are a genotype of the smaller macro space, not of this one.
      EXPECT_FALSE(space->contains(genotype.substr(0, length))) << genotype.substr(0, length);
      EXPECT_THROW((void)space->lower(genotype.substr(0, length)), UserError);
    }
  }
}

TEST(Spaces, NameUnknownSpacesAndOptionsWithASuggestion) {
  EXPECT_EQ(message_of([] { (void)make_space("nas-bench-210"); }),
            "no network space is called 'nas-bench-210' (did you mean 'nas-bench-201'?)");
  EXPECT_EQ(message_of([] { (void)options_of("dart"); }),
            "no network space is called 'dart' (did you mean 'darts'?)");
  EXPECT_EQ(message_of([] {
              (void)make_space("darts", {{"layer", 8}, {"image", 0}});
            }),
            "darts: option image = 0: must be from 16 to 1024 (height and width of the input, a "
            "multiple of 4); unknown option 'layer' (did you mean 'layers'?)");
  EXPECT_THROW((void)make_space("darts", {{"image", 18}}), UserError);
  EXPECT_THROW((void)make_space("darts", {{"channels", 35}}), UserError);
  EXPECT_THROW((void)make_space("nas-bench-201", {{"image", 30}}), UserError);
}

TEST(Spaces, LowerAtBothEndsOfEveryOption) {
  for (const std::string& name : space_names())
    for (const SpaceOption& option : options_of(name))
      for (const std::int64_t value : {option.least, option.most}) {
        SCOPED_TRACE(name + " " + option.name + " = " + std::to_string(value));
        const auto space = make_space(name, {{option.name, value}});
        EXPECT_GT(space->lower(samples_of(*space, 1).front()).macs(), 0);
      }
}

TEST(FashionMacro, FillsPositionsWithTheBlocksOfTheGenotype) {
  const auto space = make_space("fashion-macro", {{"positions", 5}});
  const Network network = space->lower("02101");
  // Where the identity keeps the shape, at block3, there is nothing.
  std::vector<std::string> names;
  std::vector<std::vector<std::int64_t>> depthwise;  // channels, kernel, stride
  for (const NetworkNode& node : network.nodes()) {
    names.push_back(node.name);
    const Layer& layer = node.layer;
    if (layer.is_depthwise()) depthwise.push_back({layer.G, layer.R, layer.stride_h});
  }
  EXPECT_EQ(names, (std::vector<std::string>{"stem", "block0.downsample", "block1.expand",
                                             "block1.depthwise", "block1.project", "block1.add",
                                             "block2.expand", "block2.depthwise", "block2.project",
                                             "block4.expand", "block4.depthwise", "block4.project",
                                             "head", "pool", "classifier"}));
  EXPECT_EQ(depthwise, (std::vector<std::vector<std::int64_t>>{
                           {16 * 6, 5, 1}, {16 * 3, 3, 1}, {24 * 3, 3, 2}}));
  EXPECT_FALSE(space->contains("0210"));
  EXPECT_FALSE(space->contains("021013"));
}

// stem 9*1*8 weights on 14x14; block 0 1x1 8->16 on 7x7; block 2 1x1 16->24 on 7x7; block 4 1x1
// 24->32 on 4x4; head 32->64 on 4x4; classifier 64->10. Other positions keep the shape and are
// nothing.
TEST(FashionMacro, CostsByHandWithIdentitiesOnly) {
  const Network network = make_space("fashion-macro")->lower("000000");
  EXPECT_EQ(network.nodes().size(), 7U);  // with the global pooling
  EXPECT_EQ(network.macs(), 72 * 196 + 128 * 49 + 384 * 49 + 768 * 16 + 2048 * 16 + 640);
  EXPECT_EQ(network.parameters(), 72 + 128 + 384 + 768 + 2048 + 640 +  // weights
                                      2 * (8 + 16 + 24 + 32 + 64) + 10);
}

// On 32x32x3: MBConv3 k3 at position 3 (64 -> 64 is not a position; 128 channels on 8x8).
TEST(NasBenchMacro, AddsOneBlockAndItsResidualByHand) {
  const auto space = make_space("nas-bench-macro");
  const Network without = space->lower("00000000"), with = space->lower("00010000");
  EXPECT_EQ(with.macs() - without.macs(), 64 * (128 * 384 + 9 * 384 + 384 * 128));
  EXPECT_EQ(with.parameters() - without.parameters(),
            128 * 384 + 9 * 384 + 384 * 128 + 2 * (384 + 384 + 128));
  EXPECT_EQ(with.nodes().size() - without.nodes().size(), 4U);  // expand, depthwise, project, add
}

TEST(NasBenchMacro, MovesIdentitiesWithinRunsOfOneShapeOnly) {
  const auto space = make_space("nas-bench-macro");
  EXPECT_EQ(space->canonical("00102120"), "00102102");
  EXPECT_EQ(space->canonical("10000000"), "10000000");
  EXPECT_EQ(space->canonical("01012001"), "01012001");
}

/// The same cell with its nodes renumbered by `place` (where that keeps inputs before readers) and
/// the two edges of each node swapped. Built on the text, apart from the code under test.
std::string renumbered_cell(const std::string& cell, const std::vector<int>& place) {
  const auto tokens = tokens_of(cell);  // operation, "~input", "|operation", "~input", ...
  std::vector<std::string> nodes(4);
  for (int node = 0; node < 4; ++node) {
    std::string edges[2];
    for (int edge = 0; edge < 2; ++edge) {
      const std::size_t at = static_cast<std::size_t>(4 * node + 2 * edge);
      const std::string operation = tokens[at].substr(tokens[at].find('|') + 1);
      int input = tokens[at + 1][1] - '0';
      if (input >= 2) input = 2 + place[static_cast<std::size_t>(input - 2)];
      if (input >= 2 + place[static_cast<std::size_t>(node)]) return "";
      edges[edge] = operation + "~" + std::to_string(input);
    }
    nodes[static_cast<std::size_t>(place[static_cast<std::size_t>(node)])] =
        edges[1] + "|" + edges[0];
  }
  return nodes[0] + "|" + nodes[1] + "|" + nodes[2] + "|" + nodes[3];
}

TEST(Darts, HasOneCanonicalFormForAllNodeNumberingsAndEdgeOrders) {
  const auto space = make_space("darts");
  int renumbered = 0;
  for (const std::string& genotype : samples_of(*space, 100)) {
    const std::size_t middle = genotype.find(';');
    std::vector<int> place{0, 1, 2, 3};
    do {
      const std::string normal = renumbered_cell(genotype.substr(0, middle), place);
      if (normal.empty()) continue;
      const std::string other = normal + genotype.substr(middle);
      EXPECT_EQ(space->canonical(other), space->canonical(genotype)) << other;
      ++renumbered;
    } while (std::next_permutation(place.begin(), place.end()));
  }
  EXPECT_GT(renumbered, 200);
}

TEST_P(EverySpace, CrossesGenotypesIntoOneOfTheSpace) {
  Random random(6, "crossover");
  for (const std::string& first : samples_of(*space, 10)) {
    const std::string second = space->sample(random);
    const std::string child = space->crossover(first, second, random);
    EXPECT_TRUE(space->contains(child)) << child;
    EXPECT_EQ(space->crossover(first, first, random), first);
  }
}

}  // namespace
}  // namespace cosearch::nas
