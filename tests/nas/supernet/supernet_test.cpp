// The supernet trainer as the program loads it.
#include "nas/supernet/supernet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/random.h"
#include "nas/space.h"
#include "nas/supernet/extreme_networks.h"
#include "tests/nas/supernet/support.h"
#include "tests/support/bar_images.h"
#include "tests/support/message_of.h"
#include "tests/support/noise_images.h"
#include "tests/support/small_transformers.h"

namespace cosearch::nas {
namespace {

using test::message_of;

const LabelledImages& images() {
  static const OwnedImages owned = bars(500, 1);
  static const LabelledImages view = owned.view();
  return view;
}

SupernetRecipe short_recipe() {
  SupernetRecipe recipe;
  recipe.training.training_images = 400;
  recipe.training.epochs = 2;
  recipe.training.batches = {20};
  return recipe;
}

const EvaluationOptions kEvaluation{.recalibration_images = 100, .validation_images = 100};

std::string trained(const SupernetRecipe& recipe, std::uint64_t seed) {
  return *trainer().train({.space = macro(), .recipe = recipe, .seed = seed}, images());
}

TEST(Supernet, TrainsAllNetworksAtOnce) {
  SupernetRecipe recipe = short_recipe();
  recipe.training.epochs = 12;
  const std::string state = trained(recipe, 1);
  const auto supernet = trainer().load(state, macro(), recipe, kEvaluation, images());
  // A network of hardly more than a mean over the map sees no bar's height.
  for (const std::string genotype : {"1111", "2020", "2222"})
    EXPECT_GT(supernet->accuracy_of(genotype), 40) << genotype << ", where chance gives 10";
  EXPECT_NE(message_of([&] { (void)supernet->accuracy_of("0300"); }), "");
}

TEST(Supernet, TellsTheSameAccuracyWheneverItIsAsked) {
  const SupernetRecipe recipe = short_recipe();
  const auto supernet = trainer().load(trained(recipe, 1), macro(), recipe, kEvaluation, images());
  const std::vector<std::string> genotypes{"0121", "2222", "1000"};
  std::vector<double> first, beside(genotypes.size());
  for (const std::string& genotype : genotypes) first.push_back(supernet->accuracy_of(genotype));
  std::vector<std::thread> threads;
  for (std::size_t i = genotypes.size(); i-- > 0;)
    threads.emplace_back([&, i] { beside[i] = supernet->accuracy_of(genotypes[i]); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first, beside);
}

TEST(Supernet, IsTheSameBytesForOneSeedWhereverItsTrainingWasStopped) {
  SupernetRecipe recipe = short_recipe();
  recipe.training.epochs = 3;
  recipe.training.crop_padding = 2;
  recipe.training.training_images = 100;
  for (const PathSampling sampling : {PathSampling::single_path, PathSampling::sandwich}) {
    const bool is_sandwich = sampling == PathSampling::sandwich;
    SCOPED_TRACE(name_of(sampling));
    recipe.sampling = sampling;
    recipe.sharing = is_sandwich ? WeightSharing::slices : WeightSharing::shapes;
    recipe.training.optimiser = is_sandwich ? Optimiser::adamw : Optimiser::sgd;
    recipe.training.learning_rate = is_sandwich ? 0.01 : 0.15;
    const std::string whole = trained(recipe, 3);
    EXPECT_NE(whole, trained(recipe, 4));
    SupernetRecipe otherwise = recipe;
    otherwise.sharing = is_sandwich ? WeightSharing::shapes : WeightSharing::slices;
    EXPECT_NE(whole, trained(otherwise, 3));
    Notebook notebook;
    SupernetTask task{.space = macro(), .recipe = recipe, .seed = 3};
    task.checkpoints = &notebook;
    task.stop = [] { return true; };
    int stops = 0;
    std::optional<std::string> state;
    while (!(state = trainer().train(task, images()))) ++stops;
    EXPECT_EQ(stops, 2) << "once after every epoch but the last";
    EXPECT_EQ(*state, whole);
    EXPECT_EQ(*notebook.bytes, whole);
  }
}

TEST(Supernet, SaysWhereTheLossStoppedBeingANumberAndKeepsTheEpochBefore) {
  Notebook notebook;
  SupernetTask task{.space = macro(), .recipe = short_recipe(), .seed = 1};
  task.checkpoints = &notebook;
  task.stop = [] { return true; };
  EXPECT_FALSE(trainer().train(task, images()));
  const auto good = notebook.bytes;
  task.recipe.training.learning_rate = 1e30;
  const std::string said = message_of([&] { (void)trainer().train(task, images()); });
  EXPECT_NE(said.find("the loss became not a number at step"), std::string::npos) << said;
  EXPECT_NE(said.find("in epoch 2 of 2; the state after epoch 1 is kept"), std::string::npos)
      << said;
  EXPECT_EQ(notebook.bytes, good);
}

TEST(Supernet, TrainsCellsThatAreSharedByEdgeAndOperation) {
  const auto space =
      make_space("nas-bench-201",
                 {{"image", 8}, {"channels", 4}, {"cells", 1}, {"prune", 0}, {"classes", 10}});
  Random random(1);
  const NoiseImages owned(60, 8, random);
  const LabelledImages images = owned.view();
  SupernetRecipe recipe = short_recipe();
  recipe.training.training_images = 40;
  recipe.training.epochs = 1;
  const auto state = trainer().train({.space = *space, .recipe = recipe}, images);
  const auto supernet = trainer().load(
      *state, *space, recipe, {.recalibration_images = 20, .validation_images = 20}, images);
  for (int i = 0; i < 3; ++i) {
    const double accuracy = supernet->accuracy_of(space->sample(random));
    EXPECT_TRUE(accuracy >= 0 && accuracy <= 100) << accuracy;
  }
}

TEST(Supernet, SharesSlicesAmongNetworksOfSeveralResolutions) {
  const auto space = make_space("ofa-mobilenet-v3", {{"classes", 10}});
  Random random(1);
  const NoiseImages owned(12, 32, random);
  const LabelledImages images = owned.view();
  SupernetRecipe recipe = short_recipe();
  recipe.sharing = WeightSharing::slices;
  recipe.training.batches = {2};
  recipe.training.training_images = 4;
  recipe.training.epochs = 1;
  const auto state = trainer().train({.space = *space, .recipe = recipe}, images);
  const auto supernet = trainer().load(*state, *space, recipe,
                                       {.recalibration_images = 2, .validation_images = 2}, images);
  const double accuracy = supernet->accuracy_of(space->sample(random));
  EXPECT_TRUE(accuracy >= 0 && accuracy <= 100) << accuracy;
}

TEST(Supernet, SharesSlicesAmongTransformersOfAllWidths) {
  const cosearch::test::SmallTransformers space;
  Random random(1);
  const NoiseImages owned(60, 8, random);
  const LabelledImages images = owned.view();
  SupernetRecipe recipe = short_recipe();
  recipe.sharing = WeightSharing::slices;
  recipe.training.training_images = 40;
  recipe.training.epochs = 30;
  std::vector<double> losses;
  const auto state =
      trainer().train({.space = space,
                       .recipe = recipe,
                       .watch = [&](const SupernetEpoch& epoch) { losses.push_back(epoch.loss); }},
                      images);
  EXPECT_LT(losses.back(), 0.9 * losses.front());
  const auto supernet = trainer().load(
      *state, space, recipe, {.recalibration_images = 20, .validation_images = 20}, images);
  for (const std::string genotype : {"8;1;2", "8;2;4", "16;1;2", "16;2;4"}) {
    const double accuracy = supernet->accuracy_of(genotype);
    EXPECT_TRUE(accuracy >= 0 && accuracy <= 100) << accuracy;
  }
}

TEST(Supernet, RefusesWhatDoesNotFit) {
  const SupernetRecipe recipe = short_recipe();
  const auto decoders = make_space("gpt");
  EXPECT_NE(message_of([&] {
              (void)trainer().train({.space = *decoders, .recipe = recipe}, images());
            }).find("reads tokens, not images"),
            std::string::npos);
  Random random(1);
  const NoiseImages colour(500, 28, random);
  EXPECT_NE(message_of([&] {
              (void)trainer().train({.space = macro(), .recipe = recipe}, colour.view());
            }).find("training images: images are 3x28x28"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              (void)trainer().load("no state", macro(), recipe, kEvaluation, images());
            }).find("LibTorch"),
            std::string::npos);

  SupernetRecipe wrong = recipe;
  wrong.random_paths = -1;
  wrong.training.batches = {1};
  EXPECT_EQ(problems_in(wrong, 500),
            (std::vector<std::string>{"recipe.batch = 1: must be at least 2",
                                      "recipe.random_paths = -1: must be zero or more"}));
  EXPECT_EQ(
      problems_in(EvaluationOptions{.recalibration_images = 10, .validation_images = 101}, recipe,
                  500),
      (std::vector<std::string>{
          "recalibration_images = 10: must be from one batch, 20, to the 400 images trained on",
          "validation_images = 101: must be from 1 to the 100 of 500 training images that the "
          "supernet was not trained on"}));
  EXPECT_EQ(message_of([] { (void)path_sampling_named("sandwhich"); }),
            "no rule of drawing paths is called 'sandwhich' (did you mean 'sandwich'?)");
}

TEST(ExtremeNetworks, AreTheLargestAndTheSmallestOfASpaceThatIsWalkedThrough) {
  for (const auto& [name, options] : std::vector<std::pair<std::string, SpaceOptions>>{
           {"fashion-macro", {{"positions", 4}}}, {"fashion-macro", {{"positions", 6}}}}) {
    SCOPED_TRACE(name);
    const auto space = make_space(name, options);
    std::int64_t most = 0, least = INT64_MAX;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space->size()); ++i) {
      const std::int64_t macs = space->lower(space->genotype(i)).macs();
      most = std::max(most, macs);
      least = std::min(least, macs);
    }
    EXPECT_EQ(space->lower(largest_network(*space)).macs(), most);
    EXPECT_EQ(space->lower(smallest_network(*space)).macs(), least);
  }
}

}  // namespace
}  // namespace cosearch::nas
