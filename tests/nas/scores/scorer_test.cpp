// The scorer as the program loads it, beside scores that others published.
#include "nas/scores/scorer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/space.h"
#include "predictors/rank_correlation.h"

namespace cosearch::nas {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Loading LibTorch takes about half a second: once is enough.
const Scorer& scorer() {
  static const auto loaded = load_scorer(COSEARCH_TRAINING_FOLDER);
  return *loaded;
}

struct Published {
  std::string genotype;
  double synflow, logsynflow, naswot;
};

/// Every 780th cell. Source: NiccoloCavagnero/FreeREA @9c2a726, cached_metrics/nats/cifar10, MIT.
const std::vector<Published> kPublished{
    {"|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~"
     "2|",
     2.01819e+26, 644744, 740.846},
    {"|avg_pool_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|", 1.09317e+40,
     1.73797e+06, 755.532},
    {"|none~0|+|none~0|avg_pool_3x3~1|+|none~0|avg_pool_3x3~1|none~2|", 0, 57709.6, kMissing},
    {"|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~"
     "2|",
     2.10006e+23, 373392, 701.239},
    {"|nor_conv_1x1~0|+|none~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|none~2|", 6.54591e+21,
     343638, 714.453},
    {"|nor_conv_3x3~0|+|skip_connect~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~"
     "2|",
     2.60621e+33, 1.41296e+06, 757.616},
    {"|skip_connect~0|+|skip_connect~0|none~1|+|nor_conv_3x3~0|none~1|skip_connect~2|", 1.18759e+28,
     927783, 718.8},
    {"|avg_pool_3x3~0|+|skip_connect~0|nor_conv_3x3~1|+|avg_pool_3x3~0|skip_connect~1|avg_pool_3x3~"
     "2|",
     4.4626e+28, 950384, 696.543},
    {"|skip_connect~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~"
     "2|",
     1.93357e+41, 2.15253e+06, 775.427},
    {"|avg_pool_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~"
     "2|",
     1.37371e+30, 1.25338e+06, 739.358},
    {"|nor_conv_1x1~0|+|nor_conv_3x3~0|skip_connect~1|+|nor_conv_3x3~0|nor_conv_1x1~1|none~2|",
     3.9764e+35, 1.99065e+06, 806.147},
    {"|none~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|avg_pool_3x3~0|avg_pool_3x3~1|skip_connect~2|",
     5.87336e+12, 144477, 601.063},
    {"|nor_conv_1x1~0|+|avg_pool_3x3~0|none~1|+|none~0|nor_conv_3x3~1|nor_conv_1x1~2|", 2.21312e+40,
     2.09583e+06, 784.954},
    {"|none~0|+|avg_pool_3x3~0|none~1|+|avg_pool_3x3~0|skip_connect~1|skip_connect~2|", 5.85536e+12,
     85606.4, 599.641},
    {"|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|avg_pool_3x3~0|nor_conv_3x3~1|none~2|", 8.58949e+46,
     3.08096e+06, 782.108},
    {"|skip_connect~0|+|none~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|", 1.21394e+40,
     1.7402e+06, 757.87},
    {"|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|avg_pool_3x3~2|",
     1.74422e+41, 2.1497e+06, 784.771},
    {"|none~0|+|avg_pool_3x3~0|skip_connect~1|+|none~0|nor_conv_3x3~1|skip_connect~2|", 1.79241e+08,
     219486, 607.793},
    {"|none~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|nor_conv_3x3~0|avg_pool_3x3~1|nor_conv_3x3~2|",
     9.88173e+40, 3.00583e+06, 788.409},
    {"|nor_conv_1x1~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|skip_connect~2|",
     1.73669e+34, 1.16392e+06, 777.747},
    {"|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|", 4.4044e+29,
     1.40866e+06, 784.462},
};

const std::vector<Score> kAll{Score::synflow,   Score::logsynflow, Score::naswot,
                              Score::nregions,  Score::jacob_cov,  Score::snip,
                              Score::grad_norm, Score::zen,        Score::zico};

/// The benchmark's networks, with operations whose result is never used.
const NetworkSpace& unpruned() {
  static const auto space = make_space("nas-bench-201", {{"prune", 0}});
  return *space;
}

std::vector<double> scores_of(const std::string& genotype, std::vector<Score> scores,
                              const ScoringOptions& options, std::uint64_t seed = 1) {
  return scorer().score(unpruned().blueprint(genotype), scores, options, nullptr, seed);
}

TEST(Scorer, RanksNasBench201AsThePublishedScoresDo) {
  std::vector<double> published[3], ours[3];
  for (const Published& cell : kPublished) {
    const auto scores = scores_of(cell.genotype, {Score::synflow, Score::logsynflow, Score::naswot},
                                  {.batch = 32, .repeats = 1});
    const double expected[]{cell.synflow, cell.logsynflow, cell.naswot};
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(std::isnan(scores[i]), std::isnan(expected[i])) << cell.genotype;
      if (std::isnan(expected[i])) continue;
      published[i].push_back(expected[i]);
      ours[i].push_back(scores[i]);
    }
    // Weights of three draws there, of one here.
    EXPECT_NEAR(scores[0], cell.synflow, 0.5 * cell.synflow) << cell.genotype;
  }
  EXPECT_GE(predictors::spearman(published[0], ours[0]), 0.95);
  EXPECT_GE(predictors::spearman(published[1], ours[1]), 0.95);
  EXPECT_GE(predictors::spearman(published[2], ours[2]), 0.9);
}

TEST(Scorer, GivesTheSameOnAnyThreadAndOtherNumbersForAnotherSeed) {
  const auto space = make_space("nas-bench-201", {{"channels", 4}, {"cells", 1}, {"image", 8}});
  const Blueprint blueprint = space->blueprint(kPublished[1].genotype);
  const auto scores = [&](std::uint64_t seed) {
    return scorer().score(blueprint, kAll, {.batch = 8, .repeats = 2}, nullptr, seed);
  };
  const std::vector<double> here = scores(1), other = scores(2);
  std::vector<double> there;
  std::thread([&] { there = scores(1); }).join();
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    EXPECT_TRUE(std::isfinite(here[i])) << name_of(kAll[i]);
    EXPECT_EQ(here[i], there[i]) << name_of(kAll[i]);
    if (kAll[i] != Score::nregions) {
      EXPECT_NE(here[i], other[i]) << name_of(kAll[i]);
    }
  }
  // A score does not depend on which others are asked for.
  const auto alone =
      scorer().score(blueprint, std::vector{Score::snip}, {.batch = 8, .repeats = 2}, nullptr, 1);
  EXPECT_EQ(alone[0], here[5]);
}

TEST(Scorer, HasNoErrorForNetworksWhoseImagesDoNotReachTheOutput) {
  const auto space =
      make_space("nas-bench-201", {{"channels", 4}, {"cells", 1}, {"image", 8}, {"prune", 0}});
  for (const std::string& genotype : std::vector<std::string>{
           "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
           "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|none~2|"}) {
    const auto scores =
        scorer().score(space->blueprint(genotype), kAll, {.batch = 4, .repeats = 1}, nullptr, 1);
    EXPECT_EQ(scores[0], 0) << "synflow";
    EXPECT_TRUE(std::isnan(scores[4])) << "jacob_cov";
    for (const double score : scores) EXPECT_FALSE(std::isinf(score));
  }
}

TEST(Scorer, ScoresSamplesOfEverySpace) {
  for (const std::string& name :
       std::vector<std::string>{"nas-bench-macro", "darts", "fashion-macro", "vit"}) {
    SpaceOptions options;
    if (name == "darts") options = {{"layers", 3}, {"channels", 4}, {"image", 16}};
    if (name == "vit") options = {{"image", 16}, {"patch", 4}, {"classes", 10}};
    const auto space = make_space(name, options);
    Random random(2, "scored");
    const auto scores = scorer().score(space->blueprint(space->sample(random)),
                                       std::vector{Score::synflow, Score::naswot, Score::zen},
                                       {.batch = 4, .repeats = 1}, nullptr, 1);
    for (const double score : scores) EXPECT_TRUE(std::isfinite(score)) << name;
  }
}

TEST(Scorer, HasNoErrorsOfClassesForNetworksWithAnOutputForEachPixel) {
  const auto space = make_space("unet", {{"image", 16}});
  const auto scores = scorer().score(space->blueprint(space->genotype(0)), kAll,
                                     {.batch = 4, .repeats = 1}, nullptr, 1);
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    const bool reads_labels =
        kAll[i] == Score::snip || kAll[i] == Score::grad_norm || kAll[i] == Score::zico;
    EXPECT_EQ(std::isnan(scores[i]), reads_labels) << name_of(kAll[i]);
  }
}

TEST(Scorer, TakesImagesOfTheNetworksProportionsOnly) {
  NetworkBuilder builder("net", 1, 2, 2);
  builder.fully_connected("classifier", builder.input(), 2);
  const Blueprint blueprint = std::move(builder).blueprint();
  const std::vector<std::uint8_t> pixels{0, 50, 100, 150, 200, 250, 30, 60, 9, 8, 7, 6};
  const std::vector<std::int32_t> labels{0, 1, 1};
  LabelledImages images{.count = 3,
                        .channels = 1,
                        .height = 2,
                        .width = 2,
                        .pixels = std::span(pixels),
                        .labels = labels,
                        .classes = 2};
  const auto snip_of = [&](const LabelledImages& given, std::int64_t batch) {
    return scorer().score(blueprint, std::vector{Score::snip}, {.batch = batch, .repeats = 1},
                          &given, 1)[0];
  };
  EXPECT_GT(snip_of(images, 3), 0);
  EXPECT_THROW((void)snip_of(images, 4), UserError);
  images.height = 4, images.width = 1;
  EXPECT_THROW((void)snip_of(images, 3), UserError);
}

TEST(Scorer, RefusesWhatCannotBeScored) {
  EXPECT_THROW((void)scores_of(kPublished[0].genotype, {Score::snip}, {.batch = 1}), UserError);
  EXPECT_THROW((void)scores_of(kPublished[0].genotype, {Score::snip}, {.repeats = 0}), UserError);
  EXPECT_THROW((void)scores_of(kPublished[0].genotype, {Score::skip}, {}), UserError);
  const auto decoders = make_space("gpt");
  EXPECT_THROW((void)scorer().score(decoders->blueprint(decoders->genotype(0)),
                                    std::vector{Score::synflow}, {}, nullptr, 1),
               UserError);
}

TEST(Score, HasANameThatLeadsBack) {
  for (const std::string& name : score_names()) EXPECT_EQ(name_of(score_named(name)), name);
  EXPECT_THROW((void)score_named("sinflow"), UserError);
}

}  // namespace
}  // namespace cosearch::nas
