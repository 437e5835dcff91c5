#include "codesign/accuracy_measurement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
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

TEST(TrainingJobs, AreEveryNthNetworkTimesEverySeed) {
  const auto space = nas::make_space("fashion-macro", {{"positions", 4}});
  const std::vector<TrainingJob> jobs = training_jobs(every_network(*space, 10), {4, 2});
  ASSERT_EQ(jobs.size(), 9U * 2) << "genotypes 0, 10, ..., 80 of 81";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(jobs[i].genotype, space->genotype(10 * (i / 2)));
    EXPECT_EQ(jobs[i].seed, i % 2 == 0 ? 4U : 2U);
  }
  const std::vector<TrainingJob> all = training_jobs(every_network(*space, 1), {1});
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 81U);
}

TEST(TrainingJobs, OfLargeSpacesAreDrawn) {
  for (const std::string name : {"darts", "ofa-mobilenet-v3", "alphanet", "nas-bench-101"}) {
    SCOPED_TRACE(name);
    const auto space = nas::make_space(name);
    EXPECT_THAT(test::message_of([&] { static_cast<void>(every_network(*space, 1000)); }),
                AllOf(HasSubstr(name), HasSubstr("--sample COUNT")));
    const std::vector<std::string> some = drawn_networks(*space, 20, 1);
    std::set<std::string> networks;
    for (const std::string& genotype : some) networks.insert(space->canonical(genotype));
    EXPECT_EQ(networks.size(), 20U);
    EXPECT_EQ(drawn_networks(*space, 20, 1), some);
    EXPECT_NE(drawn_networks(*space, 20, 2), some);
  }
}

TEST(TrainingJobs, AreDrawnFromAllThereAre) {
  const auto space = nas::make_space("fashion-macro", {{"positions", 4}});
  const std::vector<std::string> all = drawn_networks(*space, 81, 1);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 81U);
  EXPECT_THAT(test::message_of([&] { static_cast<void>(drawn_networks(*space, 82, 1)); }),
              HasSubstr("82 networks are asked for"));
}

TEST(TrainingJobs, NameEachNetworkOnce) {
  const auto space = nas::make_space("nas-bench-macro");
  const std::vector<TrainingJob> jobs = training_jobs(every_network(*space, 1), {1});
  std::set<std::string> networks;
  for (const TrainingJob& job : jobs) networks.insert(space->canonical(job.genotype));
  EXPECT_EQ(jobs.size(), networks.size());
  EXPECT_EQ(jobs.size(), 3969U);  // docs/spaces.md
}

TEST(OptionsFor, TakeSizeAndClassesFromTheImagesUnlessGiven) {
  datasets::ImageData images;
  images.training.height = 64;
  images.classes = 7;
  EXPECT_EQ(options_for(nas::options_of("nas-bench-macro"), {{"classes", 9}}, images),
            (nas::SpaceOptions{{"image", 64}, {"classes", 9}}));
  EXPECT_TRUE(options_for(nas::options_of("fashion-macro"), {}, images).empty())
      << "it has neither option";
}

TEST(TrainingColumns, LeaveEmptyWhatIsNotKnown) {
  TrainedNetwork good{.job = {"0000", 1}, .result = {}}, bad{.job = {"0001", 2}, .result = {}};
  good.result.test_accuracy_percent = 71.5;
  good.result.epoch_accuracy_percent = {60, 71.5};
  good.result.epoch_loss = {1.5, 0.5};
  good.result.parameters = 7;
  bad.result.test_accuracy_percent = std::nan("");
  bad.result.epoch_accuracy_percent = {55};
  bad.result.epoch_loss = {2};
  bad.result.failure = "the loss became infinite";
  const test::TemporaryFolder folder;
  datasets::write_csv(folder / "table.csv", training_columns({good, bad}, 2));
  EXPECT_EQ(test::read_bytes(folder / "table.csv"),
            "genotype,seed,accuracy_percent,epoch1_percent,epoch2_percent,epoch1_loss,epoch2_loss,"
            "parameters,failure\n"
            "0000,1,71.5,60,71.5,1.5,0.5,7,\"\"\n"
            "0001,2,,55,,2,,0,the loss became infinite\n");
}

TEST(TrainingTime, IsExactForTimesOnALine) {
  TrainingTime time;
  EXPECT_TRUE(std::isnan(time.seconds_for(5)));
  time.add(10, 25);
  EXPECT_DOUBLE_EQ(time.seconds_for(20), 50) << "one network: in proportion";
  time.add(30, 65);  // 5 + 2 macs
  time.add(20, 45);
  EXPECT_NEAR(time.seconds_for(100), 205, 1e-9);
}

TEST(TrainingTime, NeverFallsWithTheSizeOrBelowNothing) {
  TrainingTime falling;
  falling.add(10, 30);
  falling.add(20, 15);
  EXPECT_DOUBLE_EQ(falling.seconds_for(40), 60) << "45 s for 30 macs";
  TrainingTime below;
  below.add(10, 1);
  below.add(20, 20);
  EXPECT_GT(below.seconds_for(1), 0);
}

// Stops the second time it trains; then goes on to the end.
class TrainerThatStops : public nas::Trainer {
 public:
  std::optional<nas::TrainingResult> train(const nas::TrainingTask& task,
                                           const nas::LabelledImages& training,
                                           const nas::LabelledImages&) const override {
    EXPECT_EQ(training.labels.size(), 3U);
    EXPECT_EQ(task.identity, "0" + task.blueprint.name.substr(task.blueprint.name.size() - 3));
    nas::TrainingResult result;
    if (const auto state = task.checkpoints->load()) {
      result.test_accuracy_percent = std::stod(*state);
      return result;
    }
    task.checkpoints->save("77");
    if (task.stop()) return std::nullopt;
    result.test_accuracy_percent = 55;
    return result;
  }
  bool has_cuda() const override { return false; }
  std::string description() const override { return "none"; }
};

TEST(TrainAll, GoesOnFromTheCheckpointsOfAStoppedMeasurement) {
  const test::TemporaryFolder folder;
  datasets::ImageData images{.training = {3, 1, 1, 1, std::vector<std::uint8_t>(3), {0, 1, 2}},
                             .test = {1, 1, 1, 1, std::vector<std::uint8_t>(1), {0}},
                             .classes = 3};
  const AccuracyMeasurement measurement{.space = "fashion-macro"};
  const auto space = nas::make_space("fashion-macro", {{"positions", 4}});
  const std::vector<TrainingJob> jobs{{"0000", 1}, {"0001", 1}, {"0002", 1}};
  Workers workers(1);
  const auto train = [&](int asks_before_stop) {
    std::map<std::string, double> accuracies;
    train_all(jobs, measurement, *space, TrainerThatStops(), images, folder / "states", workers,
              {.finished =
                   [&](const TrainedNetwork& network) {
                     accuracies[network.job.genotype] = network.result.test_accuracy_percent;
                   },
               .stop = [&] { return asks_before_stop-- <= 0; }});
    return accuracies;
  };
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(folder / "states"), {});
  };
  // Asked before and within each network: the second is cut short.
  EXPECT_THAT(train(3), testing::ElementsAre(testing::Pair("0000", 55)));
  EXPECT_EQ(files(), 1) << "the state of the network that was cut short";
  EXPECT_THAT(train(100), testing::ElementsAre(testing::Pair("0000", 55), testing::Pair("0001", 77),
                                               testing::Pair("0002", 55)));
  EXPECT_EQ(files(), 0);
  test::write_bytes(folder / "states/left.checkpoint", "by a process that was killed");
  remove_checkpoints(folder / "states");
  EXPECT_FALSE(std::filesystem::exists(folder / "states"));
}

}  // namespace
}  // namespace cosearch::codesign
