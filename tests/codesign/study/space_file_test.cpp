// Spaces in files: the shipped ones against the program's own, network by network; the language,
// piece by piece; and a message for every kind of mistake.
#include "codesign/space_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/described_space.h"
#include "nas/encoding.h"
#include "tests/datasets/support.h"
#include "tests/support/shape_flow.h"

namespace cosearch::codesign {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<nas::NetworkSpace> shipped(const std::string& name,
                                           const nas::SpaceOptions& options = {}) {
  return make_space(
      space_source(std::string(COSEARCH_SOURCE_DIR) + "/examples/spaces/" + name + ".yaml"),
      options);
}

std::unique_ptr<nas::NetworkSpace> space_of(const std::string& body) {
  return make_space({"space.yaml",
                     "kind: space\nschema_version: 1\nname: hand\n"
                     "input: [3, 8, 8]\n" +
                         body});
}

std::string message_for(const std::string& body) {
  return test::message_of([&] { (void)space_of(body); });
}

std::vector<std::string> all_of(const nas::NetworkSpace& space) {
  std::vector<std::string> genotypes;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); ++i)
    genotypes.push_back(space.genotype(i));
  return genotypes;
}

void expect_equal_networks(const nas::NetworkSpace& described, const nas::NetworkSpace& built_in,
                           std::uint64_t step) {
  ASSERT_EQ(described.size(), built_in.size());
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(built_in.size()); i += step) {
    const std::string genotype = built_in.genotype(i);
    ASSERT_EQ(described.genotype(i), genotype);
    const nas::Blueprint blueprint = described.blueprint(genotype);
    ASSERT_EQ(blueprint, built_in.blueprint(genotype)) << genotype;
    ASSERT_EQ(nas::lower(blueprint).nodes(), built_in.lower(genotype).nodes()) << genotype;
  }
}

TEST(SpaceFile, DescribesNasBenchMacroAsTheProgramDoes) {
  expect_equal_networks(*shipped("nas_bench_macro"), *nas::make_space("nas-bench-macro"), 1);
  const nas::SpaceOptions options{{"image", 64}, {"classes", 100}};
  expect_equal_networks(*shipped("nas_bench_macro", options),
                        *nas::make_space("nas-bench-macro", options), 97);
}

TEST(SpaceFile, DescribesResnet9AsTheProgramDoes) {
  expect_equal_networks(*shipped("resnet_9"), *nas::make_space("resnet-9"), 1);
  const nas::SpaceOptions options{{"blocks", 4}, {"image", 48}, {"classes", 7}};
  expect_equal_networks(*shipped("resnet_9", options), *nas::make_space("resnet-9", options), 211);
}

TEST(SpaceFile, HasTheOptionsOfTheSpacesItDescribes) {
  for (const auto& [file, name] :
       {std::pair{"nas_bench_macro", "nas-bench-macro"}, {"resnet_9", "resnet-9"}}) {
    const auto described = options_of(
        space_source(fmt::format("{}/examples/spaces/{}.yaml", COSEARCH_SOURCE_DIR, file)));
    std::set<std::string> expected, found;
    for (const nas::SpaceOption& one : nas::options_of(name))
      expected.insert(fmt::format("{} {} {} {} {}", one.name, one.default_value, one.least,
                                  one.most, one.meaning));
    for (const nas::SpaceOption& one : described)
      found.insert(fmt::format("{} {} {} {} {}", one.name, one.default_value, one.least, one.most,
                               one.meaning));
    EXPECT_EQ(found, expected);
  }
}

TEST(SpaceFile, CountsTheMobileSpaceAsItsHeaderDoes) {
  const auto space = shipped("mobile");
  EXPECT_EQ(space->size(), 2 * 3 * std::pow(19 + 19 * 19 + 19 * 19 * 19, 3));
}

TEST(SpaceFile, KeepsThePromisesOfEverySpace) {
  const auto space = shipped("mobile");
  Random random(5, "mobile");
  for (int i = 0; i < 20; ++i) {
    const std::string genotype = space->sample(random), other = space->sample(random);
    SCOPED_TRACE(genotype);
    EXPECT_TRUE(space->contains(genotype));
    EXPECT_EQ(space->canonical(genotype), genotype);
    EXPECT_TRUE(space->contains(space->crossover(genotype, other, random)));
    const Network network = space->lower(genotype);
    EXPECT_THAT(test::flow_mismatches(network), testing::IsEmpty());
    EXPECT_THAT(test::outputs_of(network), ElementsAre("classifier"));
    const auto neighbours = space->neighbours(genotype);
    EXPECT_EQ(std::set(neighbours.begin(), neighbours.end()).size(), neighbours.size());
    const std::string& neighbour = neighbours[random.below(neighbours.size())];
    EXPECT_TRUE(space->contains(neighbour));
    EXPECT_THAT(space->neighbours(neighbour), testing::Contains(genotype).Times(1));
  }
}

/// The example of docs/spaces.md.
std::string documented() {
  const std::string page = test::read_bytes(std::string(COSEARCH_SOURCE_DIR) + "/docs/spaces.md");
  const std::string fence = "```";
  const std::size_t begin = page.find("kind: space\n");
  return page.substr(begin, page.find(fence, begin) - begin);
}

TEST(SpaceFile, ReadsTheDocumentedExample) {
  const auto space = make_space({"docs/spaces.md", documented()});
  // A block is nothing, one of two residual ones, or one of four that shrink; with depth 3 the
  // width is not 32.
  EXPECT_EQ(space->size(), 2 * (3 * (7 + 7 * 7) + 2 * 7 * 7 * 7));
  EXPECT_TRUE(space->contains("16;2;relu;residual;3;-;-;shrink;-;1;5;-;-;-;-"));
}

// --- The language
// ---------------------------------------------------------------------------------

const std::string kNested = R"(
network:
  - choose: kind
    of:
      none: []
      wide:
        choices: {channels: [4, 8], kernel: [1, 3]}
        steps:
          - convolution: {name: conv, channels: channels, kernel: kernel}
  - linear: 10
)";

TEST(SpaceFile, LeavesOutChoicesThatANetworkDoesNotMake) {
  const auto space = space_of(kNested);
  EXPECT_THAT(all_of(*space),
              ElementsAre("none;-;-", "wide;4;1", "wide;4;3", "wide;8;1", "wide;8;3"));
  EXPECT_EQ(space->canonical("none;8;3"), "none;-;-");
  EXPECT_FALSE(space->contains("none;8;3"));
  EXPECT_EQ(space->lower("none;8;3").nodes(), space->lower("none;-;-").nodes());
  EXPECT_EQ(test::message_of([&] { (void)space->lower("wide;-;3"); }),
            "hand: genotype 'wide;-;3', character 6: expected a value of wide.channels, which this "
            "network reads");
  EXPECT_THAT(space->neighbours("wide;4;1"), ElementsAre("none;-;-", "wide;8;1", "wide;4;3"));
  EXPECT_THAT(space->neighbours("none;-;-"), testing::SizeIs(4));
}

TEST(SpaceFile, EncodesWhatIsNotMadeAsNothing) {
  const std::shared_ptr<const nas::NetworkSpace> space = space_of(kNested);
  const auto one_hot = nas::make_encoder(space, "one-hot"), unit = nas::make_encoder(space, "unit");
  EXPECT_THAT(one_hot->encode("none;-;-"), ElementsAre(1, 0, 0, 0, 0, 0));
  EXPECT_THAT(one_hot->encode("wide;8;1"), ElementsAre(0, 1, 0, 1, 1, 0));
  EXPECT_THAT(unit->encode("none;-;-"), ElementsAre(0, 0, 0));
  EXPECT_THAT(unit->encode("wide;8;1"), ElementsAre(1, 1, 0));
}

TEST(SpaceFile, GivesEachRepetitionItsOwnChoicesOrAllOfThemOne) {
  const auto own = space_of(R"(
network:
  - repeat: 2
    name: block{i}
    choices: {kernel: [1, 3]}
    steps: [{convolution: {name: conv, channels: 4, kernel: kernel}}]
)");
  EXPECT_EQ(own->size(), 4);
  const auto shared = space_of(R"(
choices: {kernel: [1, 3]}
network:
  - repeat: 2
    name: block{i}
    steps: [{convolution: {name: conv, channels: 4, kernel: kernel}}]
)");
  EXPECT_EQ(shared->size(), 2);
  EXPECT_EQ(own->lower("3;3").nodes(), shared->lower("3").nodes());
}

TEST(SpaceFile, CountsChoicesOfRepetitionsThatRun) {
  const auto space = space_of(R"(
choices: {depth: {from: 0, to: 3}}
network:
  - repeat: depth
    name: block{i}
    choices: {kernel: [1, 3]}
    steps: [{convolution: {name: conv, channels: 4, kernel: kernel}}]
  - linear: {features: 2}
)");
  EXPECT_EQ(space->size(), 1 + 2 + 4 + 8);
  EXPECT_EQ(all_of(*space).front(), "0;-;-;-");
  EXPECT_EQ(space->lower("2;3;1;-").nodes().size(), 3U);
}

TEST(SpaceFile, CountsAChoiceWhereverItIsRead) {
  const auto space = space_of(R"(
choices: {kind: [a, b, c], kernel: [1, 3], width: [4, 8]}
let: {doubled: 2 * width}
network:
  - when: kind == a
    steps: [{convolution: {channels: 4, kernel: kernel}}]
    otherwise:
      - convolution:
          channels: if(kind == b, doubled, 4)
  - linear: 2
)");
  EXPECT_THAT(all_of(*space),
              testing::UnorderedElementsAre("a;1;-", "a;3;-", "b;-;4", "b;-;8", "c;-;-"));
}

TEST(SpaceFile, NetworksOfDifferentGenotypesDiffer) {
  const auto space = space_of(R"(
choices: {depth: [1, 2], width: [4, 8]}
network:
  - repeat: depth
    name: block{i}
    steps:
      - choose: kind
        of:
          conv: {choices: {kernel: [1, 3, 5]}, steps: [{convolution: {name: conv, channels: width, kernel: kernel}}]}
          pool: {max_pool: {name: pool, window: 3, stride: 1, padding: 1}}
  - linear: {name: classifier, features: 2}
)");
  // A first block of a pool alone does not read the width.
  EXPECT_EQ(space->size(), (3 * 2 + 1) + (16 - 1) * 2 + 1);
  std::set<std::string> seen;
  for (const std::string& genotype : all_of(*space)) {
    std::string layers;
    const Network network = space->lower(genotype);
    for (const NetworkNode& node : network.nodes())
      layers += fmt::format("{} {}\n", node.name, describe(node.layer));
    EXPECT_TRUE(seen.insert(layers).second) << genotype;
  }
}

TEST(SpaceFile, MeetsItsRequirements) {
  const auto space = space_of(R"(
choices: {a: [1, 2, 3], b: [1, 2, 3]}
require: [a <= b, a + b != 4]
network:
  - convolution: {channels: a}
  - convolution: {channels: b}
)");
  EXPECT_THAT(all_of(*space), ElementsAre("1;1", "1;2", "2;3", "3;3"));
  EXPECT_THAT(space->neighbours("1;1"), ElementsAre("1;2"));
  EXPECT_EQ(test::message_of([&] { (void)space->lower("3;1"); }),
            "hand: genotype '3;1' does not meet the requirement at space.yaml:7:11");
}

TEST(SpaceFile, DeniesAWholeComparison) {
  const auto space = space_of(R"(
choices: {a: [1, 2, 3]}
require: [not a == 2]
network: [{convolution: {channels: a}}]
)");
  EXPECT_THAT(all_of(*space), ElementsAre("1", "3"));
}

TEST(SpaceFile, RequiresNothingWhereAnOptionDropsTheStep) {
  // Both of a branch that never runs and behind a condition that no choice can turn.
  for (const char* condition : {"extra", "extra and depth > 1", "if(extra, depth > 1, 0)"}) {
    SCOPED_TRACE(condition);
    const auto space = space_of(fmt::format(R"(
options: {{extra: {{default: 0, least: 0, most: 1}}}}
choices: {{a: [1, 2], depth: [1, 2]}}
network:
  - convolution: {{channels: a}}
  - when: {}
    choices: {{k: [1, 3]}}
    require: [k <= a, k >= depth]
    steps:
      - match: depth
        of:
          1: {{choices: {{l: [1, 2]}}, require: [l == a, a < 3], steps: [{{convolution: {{name: one, channels: l}}}}]}}
          2: {{convolution: {{name: two, channels: 4, kernel: k}}}}
)",
                                            condition));
    EXPECT_THAT(all_of(*space), ElementsAre("1", "2"));
  }
}

TEST(SpaceFile, LetsAnOptionDropAllThatReadsAChoice) {
  const auto space = space_of(R"(
options: {extra: {default: 0, least: 0, most: 1}}
choices: {a: [1, 2], k: [1, 3]}
network:
  - convolution:
      channels: if(extra, k, a)
  - when: extra and k > 1
    steps: [{convolution: {name: two, channels: 4}}]
)");
  EXPECT_THAT(all_of(*space), ElementsAre("1", "2"));
}

TEST(SpaceFile, RequiresNothingOfAChoiceThatIsNotMade) {
  const std::string space = R"(
choices: {kind: [a, b], width: [4, 8]}
REQUIRE
network:
  - match: kind
    of:
      a: {repeat: 1, choices: {}, steps: [{convolution: {name: one, channels: width}}]}
      b: {convolution: {name: two, channels: 2}}
)";
  const auto networks = [&](const std::string& requirement) {
    std::string text = space;
    return all_of(
        *space_of(text.replace(text.find("REQUIRE"), 7, "require: [\"" + requirement + "\"]")));
  };
  EXPECT_THAT(networks("width < 8"), ElementsAre("a;4", "b;-"));
  EXPECT_THAT(networks("width < 8 and kind == a"), ElementsAre("a;4", "b;-"));
  EXPECT_THAT(networks("kind == a or width < 8"), ElementsAre("a;4", "a;8", "b;-"));
  // What is not made is not looked at here.
  EXPECT_THAT(networks("kind == a and width < 8"), ElementsAre("a;4"));
  EXPECT_THAT(networks("not (kind == b or width == 8)"), ElementsAre("a;4"));
  EXPECT_THAT(networks("if(kind == b, 0, width < 8)"), ElementsAre("a;4"));
}

TEST(SpaceFile, OffersEveryOperation) {
  const auto space = space_of(R"(
choices: {gate: [sigmoid, hard_sigmoid], ceil: [0, 1]}
network:
  - convolution: {name: stem, channels: 8, kernel: 3, padding: 0, affine: bias, preactivation: relu}
  - depthwise: {kernel: 3, dilation: 2, activation: swish}
  - squeeze_excite: {name: se, channels: 2, gate: gate}
  - batch_norm: relu
  - up_convolution: 4
  - max_pool: {window: 3, stride: 2, round_up: ceil}
  - average_pool: {name: half, window: 2}
  - zero: {name: nothing}
  - add: {with: half}
  - concatenate: {with: [half, nothing]}
  - truncate: 5
  - crop: {rows: 1}
  - activate: relu6
  - global_pool
  - linear: {features: 2, activation: sigmoid}
)");
  using nas::Activation;
  for (const bool rounds_up : {false, true})
    for (const bool is_hard : {false, true}) {
      const std::string genotype =
          fmt::format("{};{:d}", is_hard ? "hard_sigmoid" : "sigmoid", rounds_up);
      nas::NetworkBuilder builder("hand " + genotype, 3, 8, 8);
      nas::Feature x = builder.convolution("stem", builder.input(),
                                           {.out_channels = 8,
                                            .kernel = 3,
                                            .padding = 0,
                                            .preactivation = Activation::relu,
                                            .affine = nas::Affine::bias});
      x = builder.convolution("depthwise", x,
                              {.out_channels = 8,
                               .kernel = 3,
                               .dilation = 2,
                               .groups = 8,
                               .activation = Activation::swish});
      x = builder.squeeze_excite("se", x, 2,
                                 is_hard ? Activation::hard_sigmoid : Activation::sigmoid);
      x = builder.batch_norm("batch_norm", x, Activation::relu);
      x = builder.up_convolution("up_convolution", x, 4);
      x = rounds_up ? builder.pool_rounding_up("max_pool", x, nas::Pooling::maximum, 3, 2)
                    : builder.pool("max_pool", x, nas::Pooling::maximum, 3, 2);
      const nas::Feature half = builder.pool("half", x, nas::Pooling::average, 2, 2);
      const nas::Feature nothing = builder.zero(half);
      const nas::Feature sum = builder.add("add", {nothing, half});
      x = builder.truncate(builder.concatenate({sum, half, nothing}), 5);
      x = builder.activate(builder.crop(x, 1, 0), Activation::relu6);
      x = builder.global_pool("global_pool", x);
      builder.fully_connected("linear", x, 2, nas::Affine::bias, Activation::sigmoid);
      EXPECT_EQ(space->blueprint(genotype), std::move(builder).blueprint()) << genotype;
    }
}

TEST(SpaceFile, KnowsEveryActivationAndNormalisation) {
  const auto space = space_of(R"(
choices:
  activation: [none, relu, relu6, swish, hard_swish, sigmoid, hard_sigmoid]
  affine: [none, bias, batch_norm]
network:
  - convolution: {name: conv, channels: 4, activation: activation, affine: affine}
)");
  using nas::Activation, nas::Affine;
  const std::vector<std::pair<std::string, Activation>> activations{
      {"none", Activation::none},
      {"relu", Activation::relu},
      {"relu6", Activation::relu6},
      {"swish", Activation::swish},
      {"hard_swish", Activation::hard_swish},
      {"sigmoid", Activation::sigmoid},
      {"hard_sigmoid", Activation::hard_sigmoid}};
  const std::vector<std::pair<std::string, Affine>> affines{
      {"none", Affine::none}, {"bias", Affine::bias}, {"batch_norm", Affine::batch_norm}};
  ASSERT_EQ(space->size(), activations.size() * affines.size());
  for (const auto& [activation, after] : activations)
    for (const auto& [affine, normalisation] : affines) {
      const std::string genotype = fmt::format("{};{}", activation, affine);
      nas::NetworkBuilder builder("hand " + genotype, 3, 8, 8);
      builder.convolution("conv", builder.input(),
                          {.out_channels = 4, .affine = normalisation, .activation = after});
      EXPECT_EQ(space->blueprint(genotype), std::move(builder).blueprint()) << genotype;
    }
}

TEST(SpaceFile, DescribesTransformers) {
  const auto space = space_of(R"(
choices: {layers: [1, 2], heads: [2, 4], ratio: [2, 4]}
network:
  - convolution: {name: patches, channels: 32, kernel: 4, stride: 4, padding: 0, affine: bias}
  - tokens
  - repeat: layers
    name: block{i}
    steps:
      - token_norm: {name: norm1}
      - attention: {name: attention, heads: heads, depth: 32 / heads}
      - add: {name: sum, with: in}
      - token_norm: {name: norm2}
      - feed_forward: {name: mlp, features: ratio * here.channels}
      - add: {name: add, with: sum}
  - token_linear: {name: head, features: 10}
)");
  const Network network = space->lower("2;4;4");
  EXPECT_THAT(test::flow_mismatches(network), testing::IsEmpty());
  // Per block: four projections of 32 x 32 and two of 32 x 128, weights alone.
  EXPECT_EQ(network.parameters() - space->lower("1;4;4").parameters(),
            4 * (32 * 32 + 32) + 2 * 32 * 128 + 128 + 32 + 2 * 2 * 32);
}

TEST(SpaceFile, NamesAlternativesByNumbersAndUsesThem) {
  const auto space = space_of(R"(
separator: ""
network:
  - repeat: 2
    name: b{i}
    steps:
      - choose: op
        of: {0: [], 1: {convolution: {name: conv, channels: 4 * op}}}
  - linear: {features: 2}
)");
  EXPECT_THAT(all_of(*space), ElementsAre("00", "01", "10", "11"));
}

TEST(SpaceFile, TellsNumbersAndWordsApartAsLabels) {
  const auto chosen = space_of(R"(
network:
  - convolution: {name: stem, channels: 4}
  - choose: kernel
    of:
      none: []
      3: {convolution: {name: conv, channels: 4, kernel: kernel}}
      5: {convolution: {name: conv, channels: 4, kernel: kernel}}
)");
  EXPECT_THAT(all_of(*chosen), ElementsAre("none", "3", "5"));
  EXPECT_EQ(chosen->lower("none").nodes().size(), 1U);
  EXPECT_EQ(chosen->lower("5").nodes().back().layer.R, 5);
  const auto matched = space_of(R"(
choices: {kernel: [none, 3, 5]}
network:
  - convolution: {name: stem, channels: 4}
  - match: kernel
    of:
      3: {convolution: {name: conv, channels: 8, kernel: kernel}}
      none: {batch_norm: relu}
    otherwise: [{convolution: {name: conv, channels: 4, kernel: kernel}}]
)");
  EXPECT_THAT(all_of(*matched), ElementsAre("none", "3", "5"));
  EXPECT_EQ(matched->lower("3").nodes().back().layer.K, 8);
  EXPECT_EQ(matched->lower("5").nodes(), chosen->lower("5").nodes());
  EXPECT_THAT(
      message_for("choices: {kernel: [none, 3]}\nnetwork:\n  - when: kernel == 3\n"
                  "    steps: [{convolution: 4}]\n"),
      testing::StartsWith(
          "space.yaml:7:11: 'none' and '3' are a number and a word, which are never equal"));
}

// --- Mistakes
// -------------------------------------------------------------------------------------

const std::string kStem = "network:\n  - convolution: {channels: k}\n";

TEST(SpaceFile, SaysWhatIsMisspelt) {
  EXPECT_EQ(message_for("choices: {kernel: [1, 3]}\nnetwork:\n"
                        "  - convolution: {channels: 4, kernel: kernal}\n"),
            "space.yaml:7:40: nothing is called 'kernal' here (did you mean 'kernel'?)");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n  - convolutoin: {channels: k}\n"),
            "space.yaml:7:5: no operation or block is called 'convolutoin' (did you mean "
            "'convolution'?)");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n  - convolution: {chanels: k}\n"),
            "space.yaml:7:19: convolution has no 'chanels' (did you mean 'channels'?)");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n"
                        "  - convolution: {channels: k, activation: sigmoid, affine: relu}\n"),
            "space.yaml:7:61: affine = relu: no such word (expected one of: none, bias, "
            "batch_norm) (with k = 1; genotype '1')");
  EXPECT_THAT(message_for("choises: {k: [1, 3]}\n" + kStem), HasSubstr("choises"));
  EXPECT_THAT(message_for("choices: {k: [1, 3]}\nnetwork:\n  - repeat: 2\n    stepz: []\n"),
              HasSubstr("'repeat' has no 'stepz' (did you mean 'steps'?)"));
}

TEST(SpaceFile, SaysWhatIsMissing) {
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n  - convolution: {kernel: k}\n"),
            "space.yaml:7:5: convolution needs 'channels'");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nblocks:\n  b:\n    parameters: {c: required}\n"
                        "    steps: [{convolution: c}]\nnetwork:\n  - b: {}\n"),
            "space.yaml:11:5: block 'b' needs 'c'");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nblocks:\n  b:\n    parameters: {c: required}\n"
                        "    steps: [{convolution: c}]\nnetwork:\n  - b: {c: k, d: 1}\n"),
            "space.yaml:11:15: block 'b' has no parameter 'd' (did you mean 'c'?)");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n  - convolution: k\n  - add\n"),
            "space.yaml:8:5: add needs 'with': a tensor, or a list of them");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n  - repeat: 2\n"),
            "space.yaml:7:5: 'repeat' needs 'steps'");
  EXPECT_EQ(message_for("network:\n  - convolution: 4\n"),
            "space.yaml:1:1: the space has no choices: it needs at least one");
  EXPECT_EQ(message_for("choices: {k: [1, 3], unread: [1, 2]}\n" + kStem),
            "space.yaml:5:22: nothing reads the choice 'unread'");
  EXPECT_EQ(message_for("choices: {k: []}\n" + kStem).substr(0, 17), "space.yaml:5:14: ");
}

TEST(SpaceFile, SaysWhatIsOfAnotherKind) {
  EXPECT_EQ(message_for("network:\n  - repeat: 2\n    let: width\n    steps: []\n"),
            "space.yaml:7:10: network[0].let: expected a map");
  EXPECT_EQ(message_for("network:\n  - repeat: 2\n    steps: linear\n"),
            "space.yaml:7:12: network[0].steps: expected a list");
  EXPECT_EQ(
      message_for("choices: {k: [1, 2]}\nnetwork:\n  - convolution: {channels: [k]}\n"),
      "space.yaml:7:29: network[0].convolution.channels: expected a whole number, a name or an "
      "expression");
  EXPECT_EQ(message_for("choices: {k: [1, 2]}\nnetwork:\n  - linear: k\n    add: in\n"),
            "space.yaml:8:5: 'add' beside 'linear': a step is one operation or block, and its "
            "arguments (name, from, when and its own) are a map below it");
}

TEST(SpaceFile, SaysWhatCannotBeANameOrHasOne) {
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nlet: {k: 2}\n" + kStem),
            "space.yaml:6:7: 'k' has a meaning here already");
  EXPECT_EQ(message_for("choices: {k: [1, 1]}\n" + kStem),
            "space.yaml:5:11: choice 'k' has '1' twice");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nblocks: {add: {steps: []}}\n" + kStem),
            "space.yaml:6:10: a block cannot be called 'add': that is a step of its own");
  EXPECT_EQ(message_for("network:\n  - repeat: 2\n    choices: {k: [1, 3]}\n"
                        "    steps: [{convolution: k}]\n"),
            "space.yaml:7:15: a second choice is called 'k': give the repeat or the block around "
            "it a name, such as \"block{i}\", that tells them apart");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n  - repeat: 2\n"
                        "    steps: [{convolution: {name: c, channels: k}}]\n"),
            "space.yaml:8:13: a second layer is called 'c': give the steps, or the repeat or block "
            "around them, names that tell them apart, such as \"block{i}\" (with k = 1; genotype "
            "'1')");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n"
                        "  - convolution: {name: \"c{k}\", channels: k}\n"),
            "space.yaml:7:25: the name 'c{k}' depends on what is chosen or on a shape; expected "
            "indices, options and parameters that are the same in every network");
  EXPECT_EQ(message_for("separator: \"\"\nchoices: {k: [1, 16]}\n" + kStem),
            "space.yaml:6:11: choice 'k' can be '16', but without a separator every value must be "
            "one character");
}

TEST(SpaceFile, RefusesWordsOfTheLanguageAsNames) {
  const std::string choices = "choices: {k: [1, 3]}\n";
  const auto refused = [](const std::string& where, const std::string& name) {
    return fmt::format(
        "space.yaml:{}: '{}' cannot be a name: expected letters, digits and '_', not a digit "
        "first, and no word of the language (and, false, here, if, in, not, or, true)",
        where, name);
  };
  for (const char* word : {"and", "false", "here", "if", "in", "not", "or", "true"}) {
    EXPECT_EQ(message_for(fmt::format("choices: {{\"{}\": [1, 3]}}\n", word) + kStem),
              refused("5:11", word));
    EXPECT_EQ(message_for(fmt::format("options: {{\"{}\": 1}}\n", word) + choices + kStem),
              refused("5:11", word));
    EXPECT_EQ(message_for(choices + fmt::format("let: {{\"{}\": 1}}\n", word) + kStem),
              refused("6:7", word));
    EXPECT_EQ(message_for(choices + fmt::format("network:\n  - convolution: {{name: \"{}\", "
                                                "channels: k}}\n",
                                                word)),
              refused("7:25", word));
    EXPECT_EQ(message_for(choices + fmt::format("blocks:\n  b:\n    parameters: {{\"{}\": 1}}\n"
                                                "    steps: [{{convolution: k}}]\n"
                                                "network: [b]\n",
                                                word)),
              refused("8:18", word));
    EXPECT_EQ(message_for(choices + fmt::format("network:\n  - repeat: 2\n    index: \"{}\"\n"
                                                "    steps: [{{convolution: k}}]\n",
                                                word)),
              refused("7:5", word));
  }
  EXPECT_EQ(message_for("options: {\"my-size\": 1}\n" + choices + kStem),
            refused("5:11", "my-size"));
}

TEST(SpaceFile, RefusesValuesThatTheSeparatorCuts) {
  const std::string clash =
      ", which holds the separator '_': genotypes could not be read back; take ';' or '|', or "
      "another value";
  EXPECT_EQ(message_for("separator: _\nchoices: {gate: [sigmoid, hard_sigmoid]}\nnetwork:\n"
                        "  - squeeze_excite: {channels: 1, gate: gate}\n"),
            "space.yaml:6:11: choice 'gate' can be 'hard_sigmoid'" + clash);
  EXPECT_EQ(all_of(*space_of("separator: _\nchoices: {k: [1, 3]}\n" + kStem)).size(), 2U);
}

TEST(SpaceFile, FollowsNoCircle) {
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nlet: {a: b + 1, b: a + 1}\nnetwork:\n"
                        "  - convolution: {channels: a * k}\n"),
            "space.yaml:6:10: 'a' is defined through itself");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nblocks:\n  a: {steps: [{b: {}}]}\n"
                        "  b: {steps: [{a: {}}]}\nnetwork:\n  - a: {}\n"),
            "space.yaml:8:15: block 'a' would contain itself: a -> b -> a");
  EXPECT_EQ(message_for(R"(
choices: {r: [0, 1], p: [0, 1], q: [0, 1]}
network:
  - when: r == 0
    steps:
      - when: q == 1
        steps: [{convolution: {channels: 1 + p}}]
    otherwise:
      - when: p == 1
        steps: [{convolution: {channels: 1 + q}}]
  - linear: 2
)"),
            "space.yaml:1:1: whether 'p' is used depends on choices that depend on 'p': make one "
            "of them outside the conditions");
}

TEST(SpaceFile, NamesTheChoicesThatLeadToAMistake) {
  EXPECT_EQ(message_for(R"(choices: {a: [4, 8], b: [8, 16], c: [1, 3]}
network:
  - convolution: {name: first, channels: a, kernel: c}
  - convolution: {name: second, channels: b}
  - add: {name: sum, with: first}
)"),
            "space.yaml:9:5: hand 4;8;1: layer 'sum' adds 8x8x8 and 4x8x8: expected one shape "
            "(with a = 4; genotype '4;8;1')");
  EXPECT_EQ(message_for("choices: {a: [1, 2], b: [1, 2, 3]}\nnetwork:\n"
                        "  - convolution: {channels: 8 // (b - a)}\n"),
            "space.yaml:7:29: 8 // 0: division by zero (with b = 1; genotype '1;1')");
  EXPECT_EQ(message_for("choices: {a: [0, 2]}\nnetwork:\n  - convolution: {channels: a}\n"),
            "space.yaml:7:29: channels = 0: expected a whole number from 1 to 1000000 (with a = 0; "
            "genotype '0')");
  EXPECT_EQ(message_for("choices: {a: [8, 9]}\nnetwork:\n"
                        "  - convolution: {channels: 4, kernel: a, padding: 0}\n")
                .substr(0, 17),
            "space.yaml:7:5: c");
  EXPECT_EQ(message_for("choices: {a: [4, 8]}\nnetwork:\n  - convolution: {name: one, channels: "
                        "a}\n  - convolution: {from: in, channels: 4}\n"),
            "space.yaml:7:5: nothing reads what this step makes (with a = 4; genotype '4')");
}

TEST(SpaceFile, SaysWhatIsNotTheSameInEveryNetwork) {
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nnetwork:\n  - repeat: here.channels\n"
                        "    steps: [{convolution: k}]\n"),
            "space.yaml:7:13: the number of repetitions, 'here.channels', depends on a shape; "
            "expected choices, options and numbers");
  EXPECT_EQ(message_for("choices: {k: [1, 3], l: [k, 3]}\n" + kStem),
            "space.yaml:5:26: choice 'l': 'k' depends on what is chosen or on a shape; expected "
            "numbers, words and options");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nrequire: [here.channels > 1]\n" + kStem),
            "space.yaml:6:11: the requirement 'here.channels > 1' depends on a shape; expected "
            "choices, options and numbers");
  EXPECT_EQ(message_for("choices: {k: [1, 3]}\nrequire: [k == 2]\n" + kStem),
            "space.yaml:1:1: no combination of choices meets all requirements");
}

TEST(SpaceFile, SaysWhichAlternativeIsMissingOrNever) {
  const std::string choices = "choices: {kind: [a, b]}\nnetwork:\n  - convolution: 4\n";
  EXPECT_EQ(message_for(choices + "  - match: kind\n    of: {a: []}\n"),
            "space.yaml:8:5: 'kind' can be 'b', for which nothing is given: add it, or "
            "'otherwise'");
  EXPECT_EQ(message_for(choices + "  - match: kind\n    of: {a: [], other: [], b: []}\n"),
            "space.yaml:9:17: 'kind' is never 'other' (expected one of: a, b)");
}

TEST(SpaceFile, RefusesRangesAndRepetitionsWithoutEnd) {
  EXPECT_EQ(
      message_for("choices: {k: {from: 3, to: 1}}\n" + kStem),
      "space.yaml:5:11: choice 'k': the range from 3 to 1 by 1 is empty or negative; expected "
      "0 <= from <= to");
  EXPECT_EQ(
      message_for("choices: {k: {from: 1, to: 3, step: 0}}\n" + kStem),
      "space.yaml:5:11: choice 'k': the range from 1 to 3 by 0 never ends; expected a step of "
      "at least 1");
  EXPECT_EQ(message_for("choices: {k: {from: 1, to: 1000000}}\n" + kStem),
            "space.yaml:5:11: choice 'k': the range from 1 to 1000000 by 1 has more than 10000 "
            "values");
  EXPECT_EQ(message_for("choices: {k: [1, 5000]}\nnetwork:\n  - repeat: k\n    steps: "
                        "[{convolution: 4}]\n"),
            "space.yaml:7:13: 'k' is up to 5000 repetitions; expected at most 1000");
  std::string bomb = "choices: {k: [1, 3]}\nblocks:\n  b0: {steps: [{convolution: 4}]}\n";
  for (int i = 1; i < 30; ++i)
    bomb += fmt::format("  b{}: {{steps: [{{b{}: {{}}}}, {{b{}: {{}}}}]}}\n", i, i - 1, i - 1);
  EXPECT_THAT(message_for(bomb + "network: [{b29: {}}, {convolution: k}]\n"),
              HasSubstr("the space unrolls to more than 100000"));
}

TEST(SpaceFile, CannotEnumerateBeyondWhatAnyoneCan) {
  const auto space = space_of(R"(
network:
  - repeat: 70
    name: b{i}
    choices: {k: [1, 3]}
    steps: [{convolution: {name: c, channels: 2, kernel: k}}]
)");
  EXPECT_EQ(space->size(), std::pow(2.0, 70));
  EXPECT_EQ(test::message_of([&] { (void)space->genotype(0); }),
            "hand: has 2^32 networks or more and cannot be enumerated; sample it");
  Random random(1, "large");
  EXPECT_TRUE(space->contains(space->sample(random)));
}

TEST(SpaceFile, RefusesOptionsThatItDoesNotHave) {
  EXPECT_EQ(test::message_of([] {
              (void)shipped("resnet_9", {{"blocs", 2}});
            }),
            "resnet-9: unknown option 'blocs' (did you mean 'blocks'?)");
  EXPECT_EQ(
      test::message_of([] {
        (void)shipped("resnet_9", {{"blocks", 6}});
      }),
      "resnet-9: option blocks = 6: must be from 1 to 5 (blocks after the stem, each of which "
      "halves the image)");
}

}  // namespace
}  // namespace cosearch::codesign
