#include "codesign/accuracy_measurement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "nas/space.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign {
namespace {

using testing::HasSubstr;

datasets::Table table_of(const std::string& rows) {
  return datasets::Table::parse("genotype,seed,accuracy_percent\n" + rows, "noise.csv");
}

TEST(SeedNoise, IsThePooledDeviationWithinNetworksAndTheRanksBetweenSeeds) {
  // Deviations from the mean over seeds: a (-1, 0, 1), b (1, -1, 0), c (0, -2, 2), d (0, 0, 0).
  const datasets::Table first = table_of("a,1,70\nb,1,81\nc,1,90\nd,1,60\n");
  const datasets::Table rest =
      table_of("a,2,71\nb,2,79\nc,2,88\nd,2,60\na,3,72\nb,3,80\nc,3,92\nd,3,60\n");
  const SeedNoise noise = seed_noise({&first, &rest});
  EXPECT_EQ(noise.networks, 4U);
  EXPECT_THAT(noise.seeds, testing::ElementsAre(1U, 2U, 3U));
  EXPECT_DOUBLE_EQ(noise.standard_deviation, std::sqrt((2.0 + 2 + 8 + 0) / (4 * (3 - 1))));
  EXPECT_DOUBLE_EQ(noise.mean_spearman, 1);
  EXPECT_DOUBLE_EQ(noise.least_spearman, 1);
}

TEST(SeedNoise, TakesTheMeanAndLeastRankAgreementOverPairsOfSeeds) {
  // Ranks 1 2 3, 1 3 2 and 3 2 1: rho is 0.5, -1 and -0.5.
  const datasets::Table table =
      table_of("a,1,1\nb,1,2\nc,1,3\na,2,1\nb,2,3\nc,2,2\na,3,3\nb,3,2\nc,3,1\n");
  const SeedNoise noise = seed_noise({&table});
  EXPECT_NEAR(noise.mean_spearman, (0.5 - 1 - 0.5) / 3, 1e-12);
  EXPECT_NEAR(noise.least_spearman, -1, 1e-12);
}

TEST(SeedNoise, PassesOverNetworksWithoutEverySeed) {
  const datasets::Table table = table_of("a,1,1\nb,1,2\nc,1,30\na,2,3\nb,2,4\n");
  const SeedNoise noise = seed_noise({&table});
  EXPECT_EQ(noise.networks, 2U);
  EXPECT_DOUBLE_EQ(noise.standard_deviation, std::sqrt((2.0 + 2.0) / 2));
}

TEST(SeedNoise, NeedsTwoSeedsAndTwoNetworks) {
  const datasets::Table one_seed = table_of("a,1,1\nb,1,2\n");
  EXPECT_THAT(test::message_of([&] { static_cast<void>(seed_noise({&one_seed})); }),
              HasSubstr("at least two"));
  const datasets::Table one_network = table_of("a,1,1\na,2,2\nb,1,2\n");
  EXPECT_THAT(test::message_of([&] { static_cast<void>(seed_noise({&one_network})); }),
              HasSubstr("two networks"));
}

TEST(TrainingJobs, AreEveryNthGenotypeTimesEverySeed) {
  const std::vector<TrainingJob> jobs = training_jobs("fashion-macro", {4, 2}, 10);
  ASSERT_EQ(jobs.size(), 9U * 2) << "genotypes 0, 10, ..., 80 of 81";
  const auto space = nas::make_space("fashion-macro");
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(jobs[i].genotype, space->genotype(10 * (i / 2)));
    EXPECT_EQ(jobs[i].seed, i % 2 == 0 ? 4U : 2U);
  }
  const std::vector<TrainingJob> all = training_jobs("fashion-macro", {1}, 1);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 81U);
  EXPECT_THROW(static_cast<void>(training_jobs("fashion-marco", {1}, 1)), UserError);
}

TEST(TrainingColumns, LeaveTheAccuracyOfADivergedNetworkEmpty) {
  TrainedNetwork good{.job = {"0000", 1}, .result = {}}, bad{.job = {"0001", 2}, .result = {}};
  good.result.test_accuracy_percent = 71.5;
  good.result.epoch_accuracy_percent = {60, 71.5};
  good.result.epoch_loss = {1.5, 0.5};
  good.result.parameters = 7;
  bad.result.diverged = true;
  const datasets::Columns columns = training_columns({good, bad}, 2);
  const test::TemporaryFolder folder;
  datasets::write_csv(folder / "table.csv", columns);
  EXPECT_THAT(test::read_bytes(folder / "table.csv"),
              testing::AllOf(HasSubstr("genotype,seed,accuracy_percent,epoch1_percent,"
                                       "epoch2_percent,final_loss,parameters,seconds\n"),
                             HasSubstr("0000,1,71.5,60,71.5,0.5,7,"), HasSubstr("0001,2,,,,,0,")));
}

TEST(ReadImageFolder, SaysWhichFileIsMissing) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(
      test::message_of<FileError>([&] { static_cast<void>(read_image_folder(folder.path())); }),
      HasSubstr("train-images-idx3-ubyte.gz"));
}

}  // namespace
}  // namespace cosearch::codesign
