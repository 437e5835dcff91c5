#include "nas/training/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/random.h"
#include "core/user_error.h"
#include "datasets/idx.h"
#include "datasets/table.h"
#include "nas/fashion_macro.h"

namespace cosearch::nas {
namespace {

// Loading LibTorch takes about half a second: once is enough.
const Trainer& trainer() {
  static const auto loaded = load_trainer(COSEARCH_TRAINING_FOLDER);
  return *loaded;
}

struct OwnedImages {
  std::vector<std::uint8_t> pixels, labels;

  [[nodiscard]] LabelledImages view() const {
    return {.count = std::ssize(labels),
            .channels = 1,
            .height = kFashionImage,
            .width = kFashionImage,
            .pixels = pixels,
            .labels = labels,
            .classes = kFashionClasses};
  }
};

// Noise, with a bright bar at a height that tells the class: learnt within a few steps.
OwnedImages bars(std::size_t count, std::uint64_t seed) {
  Random random(seed, "bars");
  OwnedImages images;
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::uint8_t>(random.below(kFashionClasses));
    images.labels.push_back(label);
    for (int pixel = 0; pixel < kFashionImage * kFashionImage; ++pixel) {
      const bool bright = pixel / kFashionImage / 2 == label + 2;
      images.pixels.push_back(static_cast<std::uint8_t>(random.below(64) + (bright ? 128 : 0)));
    }
  }
  return images;
}

TrainingRecipe short_recipe() {
  TrainingRecipe recipe;
  recipe.training_images = 400;
  recipe.epochs = 2;
  recipe.batch = 20;
  return recipe;
}

TrainingResult train_on_bars(const std::string& genotype, const TrainingRecipe& recipe,
                             std::uint64_t seed) {
  const OwnedImages training = bars(400, 1), test = bars(200, 2);
  return trainer().train(genotype, training.view(), test.view(), recipe, seed);
}

TEST(Trainer, TrainsAsManyParametersAsTheLoweredNetworkHas) {
  for (const int positions : {4, 5, 6}) {
    const auto space = make_space("fashion-macro", {{"positions", positions}});
    for (std::uint64_t index = 0; index < static_cast<std::uint64_t>(space->size()); ++index) {
      const std::string genotype = space->genotype(index);
      EXPECT_EQ(trainer().parameters(genotype), space->lower(genotype).parameters()) << genotype;
    }
  }
}

TEST(Trainer, LearnsWhatCanBeLearnt) {
  TrainingRecipe recipe = short_recipe();
  recipe.epochs = 6;
  const TrainingResult result = train_on_bars("1210", recipe, 1);
  EXPECT_FALSE(result.diverged);
  ASSERT_EQ(result.epoch_loss.size(), 6u);
  ASSERT_EQ(result.epoch_accuracy_percent.size(), 6u);
  EXPECT_LT(result.epoch_loss.back(), 0.5 * result.epoch_loss.front());
  EXPECT_GT(result.test_accuracy_percent, 80);
  EXPECT_EQ(result.test_accuracy_percent, result.epoch_accuracy_percent.back());
  EXPECT_EQ(result.parameters, trainer().parameters("1210"));
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

TEST(Trainer, TrainsTwoSpellingsOfOneNetworkAlike) {
  const TrainingResult four = train_on_bars("0100", short_recipe(), 1);
  const TrainingResult five = train_on_bars("01000", short_recipe(), 1);
  EXPECT_EQ(four.epoch_loss, five.epoch_loss);
  EXPECT_EQ(four.epoch_accuracy_percent, five.epoch_accuracy_percent);
}

TEST(Trainer, RecordsDivergenceAndNoAccuracy) {
  TrainingRecipe recipe = short_recipe();
  recipe.learning_rate = 1e6;
  recipe.epochs = 3;
  const TrainingResult result = train_on_bars("1010", recipe, 1);
  EXPECT_TRUE(result.diverged);
  EXPECT_TRUE(std::isnan(result.test_accuracy_percent));
  EXPECT_LT(result.epoch_accuracy_percent.size(), 3u);
  EXPECT_EQ(result.epoch_loss.size(), result.epoch_accuracy_percent.size());
}

// What `call` complains of, or nothing.
template <class Call>
std::string complaint(const Call& call) {
  try {
    call();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Trainer, RefusesGenotypesOutsideTheSpace) {
  EXPECT_NE(complaint([] { (void)trainer().parameters("0130"); }), "");
  EXPECT_NE(complaint([] { (void)train_on_bars("01", short_recipe(), 1); }), "");
}

TEST(Trainer, RefusesImagesThatDoNotSuit) {
  const OwnedImages owned = bars(400, 1);
  const auto complaint_about = [&](auto change) {
    LabelledImages images = owned.view();
    change(images);
    return complaint(
        [&] { (void)trainer().train("0000", owned.view(), images, short_recipe(), 1); });
  };
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.height = 14, images.width = 56; }),
            "test images: images are 1x14x56; the fashion-macro networks take 1x28x28");
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.count = 0; }),
            "test images: no images");
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.classes = 9; }),
            "test images: 9 classes; the fashion-macro networks tell 10 apart");
  EXPECT_EQ(complaint_about([](LabelledImages& images) { images.count = 399; }),
            "test images: 313600 pixels do not make 399 images");
  EXPECT_EQ(
      complaint_about([](LabelledImages& images) { images.labels = images.labels.subspan(1); }),
      "test images: 399 labels for 400 images");
  std::vector<std::uint8_t> labels = owned.labels;
  labels[3] = 10;
  EXPECT_EQ(complaint_about([&](LabelledImages& images) { images.labels = labels; }),
            "test images: label 10 with only 10 classes");
}

TEST(Trainer, RefusesARecipeThatDoesNotSuitNamingEveryProblem) {
  TrainingRecipe recipe = short_recipe();
  recipe.momentum = 2;
  recipe.training_images = 401;
  EXPECT_EQ(complaint([&] { (void)train_on_bars("0000", recipe, 1); }),
            "recipe.momentum = 2: must be in [0, 1)\n"
            "recipe.training_images = 401: only 400 training images are there");
}

// The embedded table, and the images it was measured on where they are installed.
const std::filesystem::path kTable =
    std::filesystem::path(COSEARCH_SOURCE_DIR) / "datasets/data/fashion_macro.csv";
const std::filesystem::path kFashionMnist = "/usr/share/datasets/fashion-mnist";

OwnedImages fashion_mnist(const std::string& part) {
  return {datasets::read_idx_images(kFashionMnist / (part + "-images-idx3-ubyte.gz")).pixels,
          datasets::read_idx_labels(kFashionMnist / (part + "-labels-idx1-ubyte.gz"))};
}

TEST(EmbeddedTable, IsReproducedByTheDefaultRecipe) {
  if (!std::filesystem::exists(kFashionMnist)) GTEST_SKIP() << "no images at " << kFashionMnist;
  // The first row is the smallest network: seconds of training.
  const auto table = datasets::Table::read(kTable);
  const std::string genotype = table.text(0, table.column("genotype"));
  const auto seed = static_cast<std::uint64_t>(table.integer(0, table.column("seed")));
  const double accuracy_percent = table.number(0, table.column("accuracy_percent"));

  const OwnedImages training = fashion_mnist("train"), test = fashion_mnist("t10k");
  const TrainingResult result =
      trainer().train(genotype, training.view(), test.view(), TrainingRecipe{}, seed);
  // Another processor rounds differently, which moves an accuracy as another seed does.
  EXPECT_NEAR(result.test_accuracy_percent, accuracy_percent, 5);
}

}  // namespace
}  // namespace cosearch::nas
