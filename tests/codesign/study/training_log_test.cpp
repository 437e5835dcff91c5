#include "codesign/training_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "codesign/checkpoint_file.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;
using test::message_of;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;

const json kMeasurement{{"space", "fashion-macro"}, {"batch", 50}};

TrainedNetwork network(const std::string& genotype) {
  TrainedNetwork trained{.job = {genotype, 3}, .result = {}};
  trained.result.test_accuracy_percent = 71.3;
  trained.result.epoch_accuracy_percent = {60, 71.3};
  trained.result.epoch_validation_percent = {61, 70};
  trained.result.epoch_loss = {1.0 / 3, 0.1};
  trained.result.parameters = 7;
  trained.result.seconds = 1.25;
  return trained;
}

TrainedNetwork failed_network() {
  TrainedNetwork trained{.job = {"0001", 3}, .result = {}};
  trained.result.test_accuracy_percent = std::numeric_limits<double>::quiet_NaN();
  trained.result.failure = "the loss became infinite";
  return trained;
}

TEST(TrainingLog, HoldsWhatWasAppended) {
  const TemporaryFolder folder;
  {
    TrainingLog log(folder / "table.part", kMeasurement);
    EXPECT_TRUE(log.networks().empty());
    log.append(network("0000"));
    log.append(failed_network());
  }
  const TrainingLog log(folder / "table.part", kMeasurement);
  ASSERT_EQ(log.networks().size(), 2U);
  const TrainedNetwork &first = log.networks()[0], &second = log.networks()[1];
  EXPECT_EQ(first.job, (TrainingJob{"0000", 3}));
  EXPECT_EQ(first.result.test_accuracy_percent, 71.3);
  EXPECT_EQ(first.result.epoch_accuracy_percent, (std::vector<double>{60, 71.3}));
  EXPECT_EQ(first.result.epoch_validation_percent, (std::vector<double>{61, 70}));
  EXPECT_EQ(first.result.epoch_loss, (std::vector<double>{1.0 / 3, 0.1}));
  EXPECT_EQ(first.result.parameters, 7);
  EXPECT_EQ(first.result.seconds, 1.25);
  EXPECT_EQ(second.result.failure, "the loss became infinite");
  EXPECT_TRUE(std::isnan(second.result.test_accuracy_percent));
}

TEST(TrainingLog, LosesOnlyTheLineThatACrashCutShort) {
  const TemporaryFolder folder;
  std::string whole;
  {
    TrainingLog log(folder / "table.part", kMeasurement);
    log.append(network("0000"));
    const std::size_t acknowledged = test::read_bytes(folder / "table.part").size();
    log.append(network("1111"));
    whole = test::read_bytes(folder / "table.part");
    // Wherever the second line is cut, the first stands and the second can be written again.
    for (std::size_t size = acknowledged; size < whole.size(); size += 7) {
      test::write_bytes(folder / "cut.part", whole.substr(0, size));
      TrainingLog cut(folder / "cut.part", kMeasurement);
      ASSERT_EQ(cut.networks().size(), 1U) << size;
      cut.append(network("1111"));
      EXPECT_EQ(test::read_bytes(folder / "cut.part"), whole) << size;
    }
  }
  // A crash before the first line was whole.
  test::write_bytes(folder / "cut.part", whole.substr(0, 9));
  EXPECT_TRUE(TrainingLog(folder / "cut.part", kMeasurement).networks().empty());
}

TEST(TrainingLog, RefusesAnotherMeasurementSayingWhatDiffers) {
  const TemporaryFolder folder;
  { const TrainingLog log(folder / "table.part", kMeasurement); }
  const json other{{"space", "fashion-macro"}, {"batch", 100}, {"epochs", 2}};
  EXPECT_THAT(
      message_of([&] { const TrainingLog log(folder / "table.part", other); }),
      AllOf(HasSubstr("table.part:1"), HasSubstr("batch is 50 there and 100 here"),
            HasSubstr("epochs is nothing there and 2 here"), testing::Not(HasSubstr("space"))));
}

TEST(TrainingLog, NamesALineThatIsDamaged) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "table.part", kMeasurement.dump() + "\n{\"genotype\": 7}\n");
  EXPECT_THAT(message_of([&] { const TrainingLog log(folder / "table.part", kMeasurement); }),
              HasSubstr("table.part:2: is damaged"));
  test::write_bytes(folder / "table.part", "no object\n");
  EXPECT_THAT(message_of([&] { const TrainingLog log(folder / "table.part", kMeasurement); }),
              HasSubstr("table.part:1: is damaged"));
}

TEST(TrainingLog, HasOneWriter) {
  const TemporaryFolder folder;
  const TrainingLog log(folder / "table.part", kMeasurement);
  EXPECT_THROW(TrainingLog(folder / "table.part", kMeasurement), FileError);
}

TEST(CheckpointFile, GivesBackWhatWasSavedLast) {
  const TemporaryFolder folder;
  CheckpointFile file(folder / "state");
  EXPECT_EQ(file.load(), std::nullopt);
  file.save(std::string("first\n\0state", 12));
  file.save("second\nstate");
  EXPECT_EQ(CheckpointFile(folder / "state").load(), "second\nstate");
  file.remove();
  EXPECT_EQ(file.load(), std::nullopt);
}

TEST(CheckpointFile, RefusesEveryDamage) {
  const TemporaryFolder folder;
  CheckpointFile file(folder / "state");
  file.save("the state");
  const std::string whole = test::read_bytes(folder / "state");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    SCOPED_TRACE(i);
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    test::write_bytes(folder / "state", changed);
    EXPECT_THAT(message_of([&] { static_cast<void>(file.load()); }), HasSubstr("is damaged"));
    test::write_bytes(folder / "state", whole.substr(0, i));
    EXPECT_THROW(static_cast<void>(file.load()), UserError);
  }
}

}  // namespace
}  // namespace cosearch::codesign
