// Predictors on networks of a table: examples, splits, the bench, files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "codesign/device_transfer.h"
#include "codesign/predictor_bench.h"
#include "codesign/predictor_data.h"
#include "codesign/predictor_file.h"
#include "core/random.h"
#include "core/user_error.h"
#include "datasets/array_file.h"
#include "predictors/registry.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign {
namespace {

using test::message_of;
using testing::HasSubstr;

class PredictorFiles : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  // Every 13th network, with an "accuracy" that its parameters and a little noise make, and a
  // score.
  ExampleTable table_of_networks() {
    const auto space = nas::make_space("nas-bench-201");
    Random random(1, "predictor files test");
    std::string table = "id,genotype,accuracy\n", scores = "id,score\n";
    for (std::uint64_t index = 0; index < 15625; index += 13) {
      const std::string genotype = space->genotype(index), id = std::to_string(index);
      const double size = std::log(static_cast<double>(space->lower(genotype).parameters()));
      table += id + "," + genotype + "," + std::to_string(6 * size + random.uniform()) + "\n";
      scores += id + "," + (index % 5 == 0 ? "" : std::to_string(size)) + "\n";
    }
    return {write("table.csv", table), {"genotype"}, {write("scores.csv", scores)}};
  }

  test::TemporaryFolder folder_;
};

const FeatureSource kSource{
    .space = "nas-bench-201", .features = {"path", "size"}, .scores = {"score"}};

struct Loaded {
  NetworkExamples networks;
  std::vector<double> targets;
};

Loaded load(const ExampleTable& table, Workers& workers) {
  const JoinedTables tables(table);
  return {examples_of(lower_table(table, tables, kSource, workers), tables, kSource, workers),
          tables.numbers("accuracy")};
}

TEST_F(PredictorFiles, ExamplesHoldTheFeaturesNamedAndWhatIsMissing) {
  Workers workers(2);
  const auto [networks, targets] = load(table_of_networks(), workers);
  EXPECT_EQ(networks.examples.columns.size(), 40U + 2 + 1);
  EXPECT_EQ(networks.examples.columns.back().name, "score: score");
  EXPECT_TRUE(std::isnan(networks.examples.row(0).back()));
  EXPECT_FALSE(std::isnan(networks.examples.row(1).back()));
  EXPECT_EQ(networks.examples.graphs.size(), networks.rows());
  EXPECT_LT(networks.networks, networks.rows());
}

TEST_F(PredictorFiles, NoNetworkIsOnBothSidesOfASplit) {
  Workers workers(2);
  const NetworkExamples networks = load(table_of_networks(), workers).networks;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Split split = split_by_network(networks, 50, seed);
    std::set<std::size_t> training;
    for (const std::size_t row : split.training) training.insert(networks.network[row]);
    EXPECT_EQ(training.size(), 50U);
    std::set<std::size_t> test;
    for (const std::size_t row : split.test) {
      EXPECT_EQ(training.count(networks.network[row]), 0U);
      test.insert(networks.network[row]);
    }
    EXPECT_EQ(test.size(), networks.networks - 50);
    // A larger split of the same seed holds the smaller one.
    const Split larger = split_by_network(networks, 80, seed);
    EXPECT_TRUE(std::equal(split.training.begin(), split.training.end(), larger.training.begin()));
  }
}

TEST_F(PredictorFiles, FoldsTestEveryRowOnceAndShareNoNetwork) {
  Workers workers(2);
  const Loaded data = load(table_of_networks(), workers);
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < data.networks.rows(); row += 2) rows.push_back(row);
  std::multiset<std::size_t> tested;
  for (const Split& fold : folds_by_network(data.networks, rows, 3)) {
    std::set<std::size_t> training;
    for (const std::size_t row : fold.training) training.insert(data.networks.network[row]);
    for (const std::size_t row : fold.test)
      EXPECT_EQ(training.count(data.networks.network[row]), 0U);
    EXPECT_EQ(fold.training.size() + fold.test.size(), rows.size());
    tested.insert(fold.test.begin(), fold.test.end());
  }
  EXPECT_EQ(tested, std::multiset<std::size_t>(rows.begin(), rows.end()));
  PredictorBenchOptions options;
  EXPECT_GT(cross_validate(data.networks, data.targets, rows, "ridge", options, workers).kendall,
            0.8);
}

TEST_F(PredictorFiles, JobsChangeNothing) {
  Workers one(1), three(3);
  const Loaded data = load(table_of_networks(), one);
  PredictorBenchOptions options;
  options.models = {"ridge", "xgboost", "gaussian-process"};
  options.training = {20, 40};
  options.seeds = 3;
  const auto count = [](std::size_t) {};
  const auto a = bench_predictors(data.networks, data.targets, options, one, count);
  const auto b = bench_predictors(data.networks, data.targets, options, three, count);
  ASSERT_EQ(a.size(), 6U);
  for (std::size_t cell = 0; cell < a.size(); ++cell)
    for (std::size_t seed = 0; seed < 3; ++seed) {
      EXPECT_EQ(a[cell].scores[seed].kendall, b[cell].scores[seed].kendall);
      EXPECT_EQ(a[cell].scores[seed].rmse, b[cell].scores[seed].rmse);
      EXPECT_EQ(a[cell].scores[seed].coverage, b[cell].scores[seed].coverage);
      EXPECT_GT(a[cell].scores[seed].kendall, 0.7);
      EXPECT_GE(a[cell].scores[seed].regret, 0);
    }
}

TEST_F(PredictorFiles, AStoredPredictorPredictsTheSameBits) {
  Workers workers(2);
  const Loaded data = load(table_of_networks(), workers);
  const std::vector<std::size_t> rows = split_by_network(data.networks, 60, 1).training;
  std::vector<double> targets;
  for (const std::size_t row : rows) targets.push_back(data.targets[row]);
  for (const std::string model : {"ridge", "xgboost:rank", "gaussian-process"}) {
    SCOPED_TRACE(model);
    TrainedPredictor trained{.model = model,
                             .source = kSource,
                             .target = "accuracy",
                             .kind = "accuracy",
                             .scale = {predictors::ScaleKind::error, targets},
                             .predictor = predictors::make_predictor(model),
                             .examples = rows.size(),
                             .seed = 0xffffffffffffffff};
    trained.source.options = {{"prune", 0}};
    trained.predictor->fit(data.networks.examples.subset(rows), trained.scale.forward(targets), 3);
    write_predictor(folder_ / "p.h5", trained);
    const TrainedPredictor again = read_predictor(folder_ / "p.h5");
    EXPECT_EQ(again.source.features, kSource.features);
    EXPECT_EQ(again.source.scores, kSource.scores);
    EXPECT_EQ(again.source.options, trained.source.options);
    EXPECT_EQ(again.target, "accuracy");
    EXPECT_EQ(again.kind, "accuracy");
    EXPECT_EQ(again.seed, trained.seed);
    EXPECT_EQ(again.examples, rows.size());
    const auto a = trained.predictor->predict(data.networks.examples),
               b = again.predictor->predict(data.networks.examples);
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].mean, b[i].mean);
      EXPECT_EQ(a[i].deviation, b[i].deviation);
      EXPECT_EQ(trained.scale.inverse(a[i].mean), again.scale.inverse(b[i].mean));
    }
  }
}

TEST_F(PredictorFiles, RefusesFilesOfAnotherKindOrVersion) {
  const auto path = folder_ / "other.h5";
  datasets::write_array_file(path, {.kind = "predictor", .version = 3});
  EXPECT_THAT(message_of([&] { (void)read_predictor(path); }),
              HasSubstr("other.h5: is a predictor of version 3; this cosearch reads version 2"));
  datasets::write_array_file(path, {.kind = "recommender", .version = 1});
  EXPECT_THAT(message_of([&] { (void)read_predictor(path); }),
              HasSubstr("holds a recommender; expected a predictor"));
  datasets::write_array_file(path, {.kind = "predictor", .version = 2});
  EXPECT_THAT(message_of([&] { (void)read_predictor(path); }), HasSubstr("other.h5: it has no"));
  EXPECT_THAT(message_of([&] { (void)read_predictor(write("text.h5", "no HDF5")); }),
              HasSubstr("text.h5: is no predictor file: it is not HDF5"));
  EXPECT_THROW((void)read_predictor(folder_ / "missing.h5"), FileError);
}

TEST_F(PredictorFiles, JoinedTablesMustHaveEveryNetworkOnce) {
  const ExampleTable whole = table_of_networks();
  const auto joined = [&](const std::string& text) {
    return message_of([&] {
      (void)JoinedTables({whole.file, whole.genotype, {write("other.csv", text)}});
    });
  };
  EXPECT_THAT(joined("x,y\n1,2\n"), HasSubstr("other.csv: shares no column with"));
  EXPECT_THAT(joined("id,y\n0,2\n0,3\n"), HasSubstr("other.csv:3: a second row"));
  EXPECT_THAT(joined("id,y\n0,2\n"), HasSubstr("table.csv:3: "));
  Workers workers(1);
  EXPECT_THAT(message_of([&] { (void)JoinedTables(whole).numbers("scor"); }),
              HasSubstr("did you mean 'score'?"));
}

TEST_F(PredictorFiles, ATargetThatIsMissingIsNamed) {
  Workers workers(1);
  Loaded data = load(table_of_networks(), workers);
  data.targets[4] = std::nan("");
  PredictorBenchOptions options;
  options.models = {"ridge"};
  options.training = {20};
  const auto bench = [&] {
    (void)bench_predictors(data.networks, data.targets, options, workers, [](std::size_t) {});
  };
  EXPECT_THAT(message_of(bench), HasSubstr("table.csv: network 5 ('|none~0|"));
  data.targets[4] = 1;
  options.training = {data.networks.networks};
  EXPECT_THAT(message_of(bench), HasSubstr("leave fewer than two"));
}

TEST(MeanInterval, IsStudents) {
  // By hand: mean 2, standard error 1 / sqrt(3), t(0.975, 2 degrees) = 4.302653.
  const MeanInterval value = mean_interval(std::vector<double>{1, 2, 3});
  EXPECT_DOUBLE_EQ(value.mean, 2);
  EXPECT_NEAR(value.interval.high, 2 + 4.302652729749464 / std::sqrt(3.0), 1e-9);
  EXPECT_TRUE(std::isnan(mean_interval(std::vector<double>{1}).interval.low));
}

// Devices that are weighted sums of how often operations occur, as chips without caches are.
TransferKnowledge additive_devices(std::size_t networks) {
  Random random(1, "transfer test");
  predictors::Matrix counts(static_cast<Eigen::Index>(networks), 4);
  for (double& count : counts.reshaped()) count = static_cast<double>(random.below(5));
  TransferKnowledge knowledge{.features = {counts}, .devices = {}, .chips = {}};
  for (const char* name : {"a", "b", "c"}) {
    Eigen::Vector4d weights;
    for (double& weight : weights) weight = random.uniform();
    const Eigen::VectorXd values = (counts * weights).array() + 3;
    knowledge.devices.push_back({name, {values.data(), values.data() + values.size()}});
  }
  return knowledge;
}

TEST(DeviceTransfer, FindsAdditiveDevicesAndJobsChangeNothing) {
  const TransferKnowledge knowledge = additive_devices(300);
  const std::vector<double> macs(knowledge.devices[0].values);
  Workers one(1), three(3);
  const TransferBenchOptions options{.measurements = {8}, .seeds = 3};
  const TransferBench a = bench_transfer(knowledge, macs, options, one, [](std::size_t) {});
  const TransferBench b = bench_transfer(knowledge, macs, options, three, [](std::size_t) {});
  ASSERT_EQ(a.scores.size(), 4U);
  EXPECT_EQ(a.macs_spearman[0], 1);
  for (std::size_t i = 0; i < a.scores.size(); ++i) {
    EXPECT_EQ(a.scores[i].spearman, b.scores[i].spearman);
    for (const auto& device : a.scores[i].spearman)
      for (const double rho : device) EXPECT_GT(rho, 0.95);
  }
}

TEST(DeviceTransfer, SaysWhatIsMissing) {
  TransferKnowledge knowledge = additive_devices(50);
  knowledge.devices[1].values[7] = std::nan("");
  try {
    (void)DeviceTransfer(knowledge, 1);
    FAIL() << "not refused";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("network 8 has no value on device 'b'"));
  }
  const DeviceTransfer transfer(additive_devices(50), 1);
  EXPECT_THROW((void)transfer.predict(std::vector<std::size_t>{1}, std::vector<double>{2}),
               UserError);
  EXPECT_THROW((void)transfer.networks_to_measure(51, 1), UserError);
  EXPECT_EQ(transfer.networks_to_measure(10, 1).size(), 10U);
}

}  // namespace
}  // namespace cosearch::codesign
