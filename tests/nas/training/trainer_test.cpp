#include "nas/training/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/random.h"
#include "datasets/idx.h"
#include "datasets/table.h"
#include "nas/space.h"
#include "tests/support/bar_images.h"
#include "tests/support/message_of.h"
#include "tests/support/noise_images.h"

namespace cosearch::nas {
namespace {

using test::message_of;

// Loading LibTorch takes about half a second: once is enough.
const Trainer& trainer() {
  static const auto loaded = load_trainer(COSEARCH_TRAINING_FOLDER);
  return *loaded;
}

TrainingRecipe short_recipe() {
  TrainingRecipe recipe;
  recipe.training_images = 400;
  recipe.epochs = 2;
  recipe.batches = {20};
  return recipe;
}

TrainingTask task_of(const std::string& genotype, const TrainingRecipe& recipe,
                     std::uint64_t seed) {
  const auto space =
      make_space("fashion-macro", {{"positions", static_cast<std::int64_t>(genotype.size())}});
  return {.blueprint = space->blueprint(genotype),
          .identity = space->canonical(genotype),
          .seed = seed,
          .recipe = recipe};
}

std::optional<TrainingResult> train_on_bars(const TrainingTask& task) {
  static const OwnedImages training = bars(400, 1), test = bars(200, 2);
  return trainer().train(task, training.view(), test.view());
}

TrainingResult train_on_bars(const std::string& genotype, const TrainingRecipe& recipe,
                             std::uint64_t seed) {
  return *train_on_bars(task_of(genotype, recipe, seed));
}

TEST(Trainer, LearnsWhatCanBeLearnt) {
  TrainingRecipe recipe = short_recipe();
  recipe.epochs = 6;
  const TrainingResult result = train_on_bars("1210", recipe, 1);
  EXPECT_EQ(result.failure, "");
  ASSERT_EQ(result.epoch_loss.size(), 6u);
  ASSERT_EQ(result.epoch_accuracy_percent.size(), 6u);
  EXPECT_LT(result.epoch_loss.back(), 0.5 * result.epoch_loss.front());
  EXPECT_GT(result.test_accuracy_percent, 80);
  EXPECT_EQ(result.test_accuracy_percent, result.epoch_accuracy_percent.back());
  EXPECT_EQ(result.parameters,
            make_space("fashion-macro", {{"positions", 4}})->lower("1210").parameters());
}

TEST(Trainer, TakesBatchesOfTheSizeThatAnEpochHas) {
  TrainingRecipe recipe = short_recipe();
  const TrainingResult one = train_on_bars("0100", recipe, 1);
  recipe.batches = {20, 400};
  const TrainingResult grown = train_on_bars("0100", recipe, 1);
  recipe.batches = {20, 20};
  EXPECT_EQ(train_on_bars("0100", recipe, 1).epoch_loss, one.epoch_loss);
  EXPECT_NE(grown.epoch_loss, one.epoch_loss);
}

TEST(Trainer, RepeatsItselfForOneSeedAndNotForAnother) {
  const TrainingResult first = train_on_bars("0120", short_recipe(), 7);
  const TrainingResult again = train_on_bars("0120", short_recipe(), 7);
  const TrainingResult other = train_on_bars("0120", short_recipe(), 8);
  EXPECT_EQ(first.epoch_loss, again.epoch_loss);
  EXPECT_EQ(first.epoch_accuracy_percent, again.epoch_accuracy_percent);
  EXPECT_NE(first.epoch_loss, other.epoch_loss);
}

TEST(Trainer, GivesOnAnotherThreadBesideOthersWhatItGivesAlone) {
  const std::vector<std::string> genotypes{"0100", "2000"};
  std::vector<TrainingResult> alone, beside(genotypes.size());
  for (const auto& genotype : genotypes)
    alone.push_back(train_on_bars(genotype, short_recipe(), 1));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < genotypes.size(); ++i)
    threads.emplace_back([&, i] { beside[i] = train_on_bars(genotypes[i], short_recipe(), 1); });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < genotypes.size(); ++i)
    EXPECT_EQ(alone[i].epoch_loss, beside[i].epoch_loss) << genotypes[i];
}

TEST(Trainer, TrainsAnySpaceThatSuitsTheImages) {
  const auto space = make_space("nas-bench-201", {{"image", 8}, {"channels", 4}, {"cells", 1}});
  const std::string genotype =
      "|avg_pool_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|";
  Random random(1);
  const NoiseImages owned(40, 8, random);
  const LabelledImages images = owned.view();
  TrainingRecipe recipe = short_recipe();
  recipe.training_images = 40;
  recipe.epochs = 30;
  const auto result = trainer().train({.blueprint = space->blueprint(genotype),
                                       .identity = space->canonical(genotype),
                                       .recipe = recipe},
                                      images, images);
  EXPECT_EQ(result->parameters, space->lower(genotype).parameters());
  EXPECT_GT(result->test_accuracy_percent, 50) << "it has seen these images";
}

TEST(Trainer, SaysWhereTheLossStoppedBeingANumber) {
  TrainingRecipe recipe = short_recipe();
  recipe.learning_rate = 1e30;
  recipe.epochs = 3;
  const TrainingResult result = train_on_bars("1010", recipe, 1);
  EXPECT_NE(result.failure.find("the loss became not a number at step"), std::string::npos)
      << result.failure;
  EXPECT_TRUE(std::isnan(result.test_accuracy_percent));
  EXPECT_LT(result.epoch_accuracy_percent.size(), 3u);
  EXPECT_EQ(result.epoch_loss.size(), result.epoch_accuracy_percent.size());
}

TEST(Trainer, AugmentsAndSmoothsReproduciblyWithEitherOptimiser) {
  TrainingRecipe recipe = short_recipe();
  recipe.optimiser = Optimiser::adamw;
  recipe.learning_rate = 0.01;
  recipe.crop_padding = 1;
  recipe.horizontal_flip = true;
  recipe.label_smoothing = 0.1;
  recipe.epochs = 4;
  const TrainingResult first = train_on_bars("1010", recipe, 1);
  EXPECT_EQ(first.epoch_loss, train_on_bars("1010", recipe, 1).epoch_loss);
  EXPECT_LT(first.epoch_loss.back(), first.epoch_loss.front());
  // Each part changes what is computed.
  for (const auto& change : std::vector<std::function<void(TrainingRecipe&)>>{
           [](TrainingRecipe& other) { other.optimiser = Optimiser::sgd; },
           [](TrainingRecipe& other) { other.crop_padding = 0; },
           [](TrainingRecipe& other) { other.horizontal_flip = false; },
           [](TrainingRecipe& other) { other.label_smoothing = 0; }}) {
    TrainingRecipe other = recipe;
    change(other);
    EXPECT_NE(first.epoch_loss, train_on_bars("1010", other, 1).epoch_loss);
  }
}

TEST(Trainer, StopsEarlyAndCountsTheEpochWithTheBestValidation) {
  TrainingRecipe recipe = short_recipe();
  recipe.training_images = 300;
  recipe.validation_images = 100;
  recipe.patience = 2;
  recipe.epochs = 40;
  const TrainingResult result = train_on_bars("0101", recipe, 1);
  const std::vector<double>& validation = result.epoch_validation_percent;
  ASSERT_EQ(validation.size(), result.epoch_loss.size());
  ASSERT_LT(validation.size(), 40u) << "bars are learnt long before";
  const auto best = std::ranges::max_element(validation);
  EXPECT_EQ(validation.end() - best, 1 + recipe.patience);
  EXPECT_EQ(result.test_accuracy_percent,
            result.epoch_accuracy_percent[static_cast<std::size_t>(best - validation.begin())]);
}

TEST(Trainer, GoesOnFromEveryEpochAsIfNothingHadHappened) {
  TrainingRecipe recipe = short_recipe();
  recipe.epochs = 4;
  recipe.crop_padding = 2;
  for (const Optimiser optimiser : {Optimiser::sgd, Optimiser::adamw}) {
    recipe.optimiser = optimiser;
    if (optimiser == Optimiser::adamw) recipe.batches = {20, 30};
    const TrainingResult whole = train_on_bars("0120", recipe, 3);
    Notebook notebook;
    TrainingTask task = task_of("0120", recipe, 3);
    task.checkpoints = &notebook;
    task.stop = [] { return true; };
    int stops = 0;
    std::optional<TrainingResult> result;
    while (!(result = train_on_bars(task))) ++stops;
    EXPECT_EQ(stops, 3) << "once after every epoch but the last";
    EXPECT_EQ(result->epoch_loss, whole.epoch_loss) << name_of(optimiser);
    EXPECT_EQ(result->epoch_accuracy_percent, whole.epoch_accuracy_percent);
  }
}

TEST(Trainer, RefusesTheCheckpointOfAnotherNetwork) {
  Notebook notebook;
  TrainingTask task = task_of("0120", short_recipe(), 3);
  task.checkpoints = &notebook;
  task.stop = [] { return true; };
  EXPECT_FALSE(train_on_bars(task));
  TrainingTask other = task_of("2222", short_recipe(), 3);
  other.checkpoints = &notebook;
  EXPECT_NE(message_of([&] { (void)train_on_bars(other); }).find("of another network"),
            std::string::npos);
  notebook.bytes = "no state";
  EXPECT_NE(message_of([&] { (void)train_on_bars(task); }).find("LibTorch"), std::string::npos);
}

TEST(Trainer, RefusesADeviceThatIsNotThere) {
  if (trainer().has_cuda()) GTEST_SKIP() << "this machine has CUDA";
  TrainingTask task = task_of("0000", short_recipe(), 1);
  task.device = Device::cuda;
  EXPECT_NE(message_of([&] { (void)train_on_bars(task); }).find("no CUDA device"),
            std::string::npos);
}

TEST(Trainer, ResizesImagesToWhatTheNetworkTakes) {
  // Bars of twice the size: every pixel four times.
  const OwnedImages small = bars(400, 1);
  OwnedImages large = small;
  large.pixels.clear();
  for (std::int64_t row = 0; row < 400 * 2 * 28; ++row)
    for (std::int64_t column = 0; column < 2 * 28; ++column)
      large.pixels.push_back(small.pixels[static_cast<std::size_t>(row / 2 * 28 + column / 2)]);
  LabelledImages twice = small.view();
  twice.height = twice.width = 56;
  twice.pixels = std::span<const std::uint8_t>(large.pixels);
  const TrainingTask task = task_of("0000", short_recipe(), 1);
  const auto of_large = trainer().train(task, twice, twice),
             of_small = trainer().train(task, small.view(), small.view());
  EXPECT_NEAR(of_large->test_accuracy_percent, of_small->test_accuracy_percent, 5);
  EXPECT_GT(of_large->test_accuracy_percent, 20);
}

TEST(Trainer, TrainsATransformerOnGreyImagesAndGoesOnFromACheckpoint) {
  const auto space = make_space("vit", {{"image", 16}, {"patch", 8}, {"classes", 10}});
  const OwnedImages owned = bars(60, 1);
  TrainingRecipe recipe = short_recipe();
  recipe.training_images = 60;
  recipe.epochs = 6;
  recipe.optimiser = Optimiser::adamw;
  recipe.learning_rate = 1e-3;
  const std::string genotype = "1;6;192;64;2";
  TrainingTask task{
      .blueprint = space->blueprint(genotype), .identity = genotype, .recipe = recipe};
  const auto result = trainer().train(task, owned.view(), owned.view());
  Notebook notebook;
  task.checkpoints = &notebook;
  task.stop = [] { return true; };
  std::optional<TrainingResult> resumed;
  while (!(resumed = trainer().train(task, owned.view(), owned.view()))) continue;
  EXPECT_EQ(resumed->epoch_loss, result->epoch_loss);
  EXPECT_EQ(result->parameters, lower(task.blueprint).parameters());
  EXPECT_GT(result->test_accuracy_percent, 80) << "it has seen these images";
}

TEST(Trainer, RefusesImagesThatDoNotSuit) {
  const OwnedImages owned = bars(400, 1);
  const auto complaint_about = [&](auto change) {
    LabelledImages images = owned.view();
    change(images);
    return message_of(
        [&] { (void)trainer().train(task_of("0000", short_recipe(), 1), owned.view(), images); });
  };
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.height = 14, images.width = 56; }),
            "test images: images are 1x14x56; fashion-macro 0000 takes 1x28x28");
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.count = 0; }),
            "test images: no images");
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.classes = 9; }),
            "test images: 9 classes; fashion-macro 0000 tells 10 apart");
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.count = 399; }),
            "test images: 313600 pixels do not make 399 images");
  EXPECT_EQ(
      complaint_about([](LabelledImages& images) { images.labels = images.labels.subspan(1); }),
      "test images: 399 labels for 400 images");
  std::vector<std::int32_t> labels = owned.labels;
  for (const std::int32_t stray : {10, -1}) {
    labels[3] = stray;
    EXPECT_EQ(complaint_about([&](LabelledImages& images) { images.labels = labels; }),
              "test images: label " + std::to_string(stray) + " with only 10 classes");
  }
}

TEST(Trainer, RefusesNetworksThatDoNotClassifyImages) {
  const OwnedImages owned = bars(400, 1);
  const auto complaint_about = [&](const Blueprint& blueprint) {
    return message_of([&] {
      (void)trainer().train({.blueprint = blueprint, .identity = "", .recipe = short_recipe()},
                            owned.view(), owned.view());
    });
  };
  const auto pixels = make_space("unet", {{"image", 16}}), words = make_space("gpt");
  EXPECT_NE(complaint_about(pixels->blueprint(pixels->genotype(0)))
                .find("has an output for each of 16x16 places, not one for the image"),
            std::string::npos);
  EXPECT_NE(complaint_about(words->blueprint(words->genotype(0))).find("reads tokens, not images"),
            std::string::npos);
}

TEST(Trainer, RefusesARecipeThatDoesNotSuitNamingEveryProblem) {
  TrainingRecipe recipe = short_recipe();
  recipe.momentum = 2;
  recipe.training_images = 401;
  EXPECT_EQ(
      message_of([&] { (void)train_on_bars("0000", recipe, 1); }),
      "recipe.momentum = 2: must be in [0, 1)\n"
      "recipe.training_images = 401: must be at most 400, the training images that are there");
}

// The embedded table, and the images it was measured on where they are installed.
const std::filesystem::path kTable =
    std::filesystem::path(COSEARCH_SOURCE_DIR) / "datasets/data/fashion_macro.csv";
const std::filesystem::path kFashionMnist = "/usr/share/datasets/fashion-mnist";

OwnedImages fashion_mnist(const std::string& part) {
  const auto labels = datasets::read_idx_labels(kFashionMnist / (part + "-labels-idx1-ubyte.gz"));
  return {datasets::read_idx_images(kFashionMnist / (part + "-images-idx3-ubyte.gz")).pixels,
          {labels.begin(), labels.end()}};
}

TEST(EmbeddedTable, IsReproducedByTheDefaultRecipe) {
  if (!std::filesystem::exists(kFashionMnist)) GTEST_SKIP() << "no images at " << kFashionMnist;
  // The first row is the smallest network: seconds of training.
  const auto table = datasets::Table::read(kTable);
  const std::string genotype = table.text(0, table.column("genotype"));
  const auto seed = static_cast<std::uint64_t>(table.integer(0, table.column("seed")));
  const double accuracy_percent = table.number(0, table.column("accuracy_percent"));

  const OwnedImages training = fashion_mnist("train"), test = fashion_mnist("t10k");
  const auto result =
      trainer().train(task_of(genotype, TrainingRecipe{}, seed), training.view(), test.view());
  // Another processor rounds differently, which moves an accuracy as another seed does.
  EXPECT_NEAR(result->test_accuracy_percent, accuracy_percent, 5);
}

}  // namespace
}  // namespace cosearch::nas
