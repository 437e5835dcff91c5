// Where accuracies come from: every source, what it refuses, and the front that is measured after
// it was predicted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "codesign/front_measurement.h"
#include "codesign/open_study.h"
#include "codesign/predictor_data.h"
#include "codesign/predictor_file.h"
#include "codesign/results.h"
#include "codesign/run_study.h"
#include "codesign/study_points.h"
#include "codesign/study_union.h"
#include "core/user_error.h"
#include "datasets/study_store.h"
#include "predictors/registry.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using test::message_of;
using test::StudyFolder;
using testing::AllOf;
using testing::HasSubstr;

// The table still lists the networks; who says their accuracy is the test's to say.
std::unique_ptr<StudyFolder> folder_with(const std::string& accuracy) {
  return std::unique_ptr<StudyFolder>(
      new StudyFolder{{"schema_version: 1", "schema_version: 2"},
                      {", accuracy: accuracy}", "}\naccuracy: " + accuracy}});
}

struct Training {
  std::string kind = "accuracy", space = "fashion-macro", space_text = {};
  nas::SpaceOptions options = {{"positions", 4}};
  std::vector<std::string> features = {"one-hot", "size"}, scores = {};
  double shift = 0;  // of every accuracy
};

// A ridge regression on every third network of the folder's table.
void train_predictor(const StudyFolder& folder, const Training& training = {}) {
  Workers workers(1);
  const ExampleTable table{.file = folder / "accuracies.csv", .genotype = {"genotype"}};
  const JoinedTables tables(table);
  const FeatureSource source{
      .space = "fashion-macro", .options = {{"positions", 4}}, .features = training.features};
  const NetworkExamples networks =
      examples_of(lower_table(table, tables, source, workers), tables, source, workers);
  std::vector<std::size_t> rows;
  std::vector<double> targets;
  for (std::size_t row = 0; row < networks.rows(); row += 3) {
    rows.push_back(row);
    targets.push_back(tables.numbers("accuracy")[row] + training.shift);
  }
  TrainedPredictor trained{.model = "ridge",
                           .source = {.space = training.space,
                                      .space_text = training.space_text,
                                      .options = training.options,
                                      .features = training.features,
                                      .scores = training.scores},
                           .target = "accuracy",
                           .kind = training.kind,
                           .scale = {predictors::ScaleKind::error, targets},
                           .predictor = predictors::make_predictor("ridge"),
                           .examples = rows.size(),
                           .seed = 1};
  trained.predictor->fit(networks.examples.subset(rows), trained.scale.forward(targets), 1);
  write_predictor(folder / "p.h5", trained);
}

std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

// Three images of one pixel to train on, two to test.
void write_images(const StudyFolder& folder) {
  std::filesystem::create_directory(folder / "images");
  for (const auto& [set, count] : {std::pair{"train", 3U}, std::pair{"t10k", 2U}}) {
    std::string labels;
    for (std::uint32_t i = 0; i < count; ++i) labels += static_cast<char>(i);
    const std::string name = std::string("images/") + set;
    test::write_bytes(folder / (name + "-images-idx3-ubyte"),
                      big_endian(0x803) + big_endian(count) + big_endian(1) + big_endian(1) +
                          std::string(count, 'x'));
    test::write_bytes(folder / (name + "-labels-idx1-ubyte"),
                      big_endian(0x801) + big_endian(count) + labels);
  }
}

// The same in colour, with the channels last.
void write_arrays(const StudyFolder& folder) {
  std::filesystem::create_directory(folder / "images");
  const auto npy = [](const std::string& shape, const std::string& values) {
    const std::string dictionary =
        "{'descr': '|u1', 'fortran_order': False, 'shape': (" + shape + "), }\n";
    return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(dictionary.size()) + '\0' +
           dictionary + values;
  };
  for (const auto& [set, count] : {std::pair{"train", 3U}, std::pair{"test", 2U}}) {
    const std::string name = std::string("images/") + set;
    test::write_bytes(folder / (name + "_images.npy"),
                      npy(std::to_string(count) + ", 1, 1, 3", std::string(3 * count, 'x')));
    test::write_bytes(folder / (name + "_labels.npy"),
                      npy(std::to_string(count) + ",", std::string("\0\1\2", 3).substr(0, count)));
  }
}

const std::string kTrain = "{images: images, training_images: 3, batch: 2, epochs: 1}";

// What training "0112" gives, made up.
double trained_accuracy(const std::string& genotype) {
  return 50 + 30 * Random(11, "trained " + genotype).uniform();
}

// Accuracies by identity, and who was trained; `fails` never has a number.
class FakeTrainer : public nas::Trainer {
 public:
  struct Log {
    std::mutex mutex;
    std::vector<std::pair<std::string, std::string>> trained = {};  // identity, name
    std::string fails = {};
    std::int64_t channels = 0;
  };
  explicit FakeTrainer(std::shared_ptr<Log> log) : log_(std::move(log)) {}

  std::optional<nas::TrainingResult> train(const nas::TrainingTask& task,
                                           const nas::LabelledImages& images,
                                           const nas::LabelledImages&) const override {
    EXPECT_EQ(task.seed, 3U) << "the study's";
    EXPECT_EQ(task.recipe.epochs, 1);
    if (task.stop && task.stop()) return std::nullopt;
    const std::lock_guard lock(log_->mutex);
    log_->channels = images.channels;
    log_->trained.emplace_back(task.identity, task.blueprint.name);
    nas::TrainingResult result;
    result.test_accuracy_percent = trained_accuracy(task.identity);
    if (task.identity == log_->fails) {
      result.test_accuracy_percent = std::nan("");
      result.failure = "the loss was not a number in epoch 1";
    }
    return result;
  }
  bool has_cuda() const override { return false; }
  std::string description() const override { return "made up"; }

 private:
  std::shared_ptr<Log> log_;
};

// A supernet's file says its space; its accuracies are made up.
AskedSupernet fake_supernet(const std::filesystem::path& file, const datasets::ImageData& images) {
  EXPECT_EQ(images.training.count, 3);
  EXPECT_EQ(images.training.height, 1);
  EXPECT_EQ(images.training.width, 1);
  return {
      .space = {test::read_bytes(file)},
      .options = {{"positions", 4}},
      .accuracy_of = [](const std::string& genotype) { return trained_accuracy(genotype) / 2; }};
}

class FakeScorer : public nas::Scorer {
 public:
  std::vector<double> score(const nas::Blueprint& blueprint, std::span<const nas::Score>,
                            const nas::ScoringOptions&, const nas::LabelledImages*,
                            std::uint64_t) const override {
    return {static_cast<double>(nas::lower(blueprint).macs())};
  }
  std::string description() const override { return "made up"; }
};

AccuracyTools tools_with(const std::shared_ptr<FakeTrainer::Log>& log) {
  return {.trainer = [log] { return std::make_unique<FakeTrainer>(log); },
          .scorer = [] { return std::make_unique<FakeScorer>(); },
          .supernet = fake_supernet};
}

RunResult run(const StudyFolder& folder, RunOptions options, int jobs = 1,
              const AccuracyTools& tools = tools_with(std::make_shared<FakeTrainer::Log>())) {
  StudySetting setting(folder.read(), jobs, tools);
  options.output = folder / "out.h5";
  return run_study(setting, options);
}

std::string error_of(const StudyFolder& folder, const AccuracyTools& tools = {}) {
  return message_of([&] { const StudySetting setting(folder.read(), 1, tools); });
}

// Everything in the store but when and how it was started.
std::string content_of(const std::filesystem::path& path) {
  const auto store = datasets::StudyStore::open(path);
  const datasets::PointBatch points = store.points(0, store.point_count());
  std::string text = fmt::format("{}\n", fmt::join(store.header().accuracy_sources, ","));
  for (std::size_t i = 0; i < points.size(); ++i) {
    text += fmt::format("{} {} {} {} {} {} {} {} {:x}", points.id[i], points.network[i],
                        points.accelerator[i], points.feasible[i], points.reason[i],
                        points.strategy[i], points.step[i], points.accuracy_source[i],
                        std::bit_cast<std::uint64_t>(points.accuracy_spread[i]));
    for (const auto& metric : points.metrics)
      text += fmt::format(" {:x}", std::bit_cast<std::uint64_t>(metric[i]));
    text += '\n';
  }
  const datasets::StudyResult& result = store.result();
  return text + fmt::format("{} {} {} {} {} {}", fmt::join(result.front.ids, ","),
                            result.front.hypervolume, result.counts.trials, result.counts.networks,
                            result.counts.layers, fmt::join(result.reasons, ";"));
}

// What the table says, by genotype.
std::map<std::string, double> table_of(const StudyFolder& folder) {
  const auto table = datasets::Table::read(folder / "accuracies.csv");
  std::map<std::string, double> accuracies;
  for (std::size_t row = 0; row < table.rows(); ++row)
    accuracies[table.text(row, 0)] = table.number(row, 1);
  return accuracies;
}

struct Point {
  std::string genotype, source;
  std::uint64_t id = 0;
  std::uint32_t accelerator = 0;
  double accuracy = 0, latency = 0, energy = 0, spread = 0;
  bool feasible = false;
  std::uint16_t reason = 0, strategy = 0;
};

std::vector<Point> points_of(const std::filesystem::path& path) {
  const auto store = datasets::StudyStore::open(path);
  const datasets::PointBatch batch = store.points(0, store.point_count());
  const auto networks = store.networks();
  std::vector<Point> points;
  for (std::size_t i = 0; i < batch.size(); ++i)
    points.push_back({networks[batch.network[i]].genotype,
                      store.header().accuracy_sources[batch.accuracy_source[i]], batch.id[i],
                      batch.accelerator[i], batch.metrics[0][i], batch.metrics[1][i],
                      batch.metrics[2][i], batch.accuracy_spread[i], batch.feasible[i] == 1,
                      batch.reason[i], batch.strategy[i]});
  return points;
}

// The last point of each design, and of these the ids of the front, by comparing all with all. Of
// equal ones the first by design is kept, as the archive does.
std::set<std::uint64_t> front_by_force(const std::vector<Point>& points) {
  std::map<std::pair<std::string, std::uint32_t>, Point> last;
  for (const Point& point : points) last[{point.genotype, point.accelerator}] = point;
  std::set<std::uint64_t> front;
  for (const auto& [design, point] : last) {
    const Point& a = point;
    if (!a.feasible || std::isnan(a.accuracy)) continue;
    const bool is_beaten = std::ranges::any_of(last, [&](const auto& other) {
      const Point& b = other.second;
      const bool is_better =
          b.accuracy > a.accuracy || b.latency < a.latency || b.energy < a.energy;
      const bool is_equal =
          b.accuracy == a.accuracy && b.latency == a.latency && b.energy == a.energy;
      return b.feasible && b.accuracy >= a.accuracy && b.latency <= a.latency &&
             b.energy <= a.energy && (is_better || (is_equal && b.id < a.id));
    });
    if (!is_beaten) front.insert(a.id);
  }
  return front;
}

std::set<std::uint64_t> stored_front(const std::filesystem::path& path) {
  const auto ids = datasets::StudyStore::open(path).front().ids;
  return {ids.begin(), ids.end()};
}

TEST(Accuracy, OfAPredictorIsWhatItSaysOfEachNetworkAlone) {
  const auto folder = folder_with("{predictor: p.h5}");
  train_predictor(*folder);
  static_cast<void>(run(*folder, {}, 3));
  const TrainedPredictor trained = read_predictor(*folder / "p.h5");
  Workers workers(1);
  const NetworkSet networks = load_networks(folder->read(), workers);
  std::vector<std::uint32_t> all(networks.candidates.size());
  std::iota(all.begin(), all.end(), 0U);
  const auto predicted = trained.predictor->predict(features_of(
      networks, all, trained.source, [](const auto&) { return std::vector<double>{}; }, workers));
  std::map<std::string, predictors::Prediction> by_genotype;
  for (const std::uint32_t i : all) by_genotype[networks.candidates[i].genotype] = predicted[i];
  for (const Point& point : points_of(*folder / "out.h5")) {
    const auto& [mean, deviation] = by_genotype.at(point.genotype);
    EXPECT_NEAR(point.accuracy, trained.scale.inverse(mean), 1e-9);
    EXPECT_NEAR(
        point.spread,
        (trained.scale.inverse(mean + deviation) - trained.scale.inverse(mean - deviation)) / 2,
        1e-9);
    EXPECT_GT(point.spread, 0);
    EXPECT_EQ(point.source, "predictor");
  }
  const auto store = datasets::StudyStore::open(*folder / "out.h5");
  const datasets::Columns columns = front_columns(store);
  const auto column = [&](const std::string& name) {
    return std::ranges::find(columns.columns, name, &datasets::LabelledColumn::name);
  };
  ASSERT_NE(column("accuracy_spread"), columns.columns.end());
  EXPECT_EQ(column("accuracy_spread")->unit, "percent");
  ASSERT_NE(column("accuracy_source"), columns.columns.end());
}

TEST(Accuracy, OfATableHasNoSpread) {
  const auto folder = folder_with("{table: accuracy}");
  static_cast<void>(run(*folder, {}));
  const auto table = table_of(*folder);
  for (const Point& point : points_of(*folder / "out.h5")) {
    EXPECT_EQ(point.accuracy, table.at(point.genotype));
    EXPECT_EQ(point.source, "table");
    EXPECT_TRUE(std::isnan(point.spread));
  }
}

TEST(Accuracy, MayBeAScoreUnderItsOwnName) {
  StudyFolder folder({{"schema_version: 1", "schema_version: 2"},
                      {", accuracy: accuracy}", "}\naccuracy: {score: parameters}"},
                      {"[accuracy, latency, energy]", "[score, latency, energy]"}});
  RunOptions options;
  options.measured = [](std::uint64_t, std::uint64_t, const std::string& last) {
    ADD_FAILURE() << last << ": what is only looked up is not worth a line";
  };
  const RunResult result = run(folder, options);
  const auto store = datasets::StudyStore::open(folder / "out.h5");
  EXPECT_EQ(store.metrics().back().name, "score");
  const datasets::PointBatch points = store.points(0, store.point_count());
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points.metrics.back()[i],
              static_cast<double>(store.networks()[points.network[i]].parameters));
    EXPECT_TRUE(std::isnan(points.metrics[0][i])) << "a score is no accuracy";
    EXPECT_EQ(store.header().accuracy_sources[points.accuracy_source[i]], "score");
  }
  EXPECT_FALSE(result.front.empty());
  folder.write(test::replaced(test::read_bytes(folder.study()), "[score, ", "[accuracy, "));
  EXPECT_THAT(error_of(folder), AllOf(HasSubstr("'parameters' is a score"), HasSubstr(":9:")));
}

TEST(Accuracy, OfTrainingComesOnceForEachNetwork) {
  const auto folder = folder_with("{train: " + kTrain + "}");
  write_images(*folder);
  const auto log = std::make_shared<FakeTrainer::Log>();
  log->fails = "0112";
  static_cast<void>(run(*folder, {.max_evaluations = 40}, 2, tools_with(log)));
  const std::size_t before = log->trained.size();
  EXPECT_GT(before, 0U);
  EXPECT_LE(before, 40U) << "no network is trained that the limit keeps from being evaluated";
  static_cast<void>(run(*folder, {.resume = true}, 3, tools_with(log)));
  std::set<std::string> distinct;
  for (const auto& [identity, name] : log->trained)
    EXPECT_TRUE(distinct.insert(identity).second) << identity << " was trained twice";
  EXPECT_EQ(distinct.size(), 81U);
  for (const Point& point : points_of(*folder / "out.h5")) {
    const bool fails = point.genotype == "0112";
    EXPECT_EQ(point.source, fails ? "" : "train");
    EXPECT_EQ(point.reason == 0, !fails);
    EXPECT_EQ(point.feasible, !fails);
    if (!fails) {
      EXPECT_EQ(point.accuracy, trained_accuracy(point.genotype));
    }
  }
  EXPECT_THAT(datasets::StudyStore::open(*folder / "out.h5").result().reasons,
              testing::Contains("0112: training failed: the loss was not a number in epoch 1"));
  // Whatever becomes of the store, what was trained is there.
  std::filesystem::remove(*folder / "out.h5");
  static_cast<void>(run(*folder, {}, 1, tools_with(log)));
  EXPECT_EQ(log->trained.size(), 81U);
}

TEST(Accuracy, OfTrainingThatIsStoppedIsKept) {
  const auto folder = folder_with("{train: " + kTrain + "}");
  write_images(*folder);
  const auto log = std::make_shared<FakeTrainer::Log>();
  RunOptions options;
  options.stop = [log] { return log->trained.size() >= 5; };
  EXPECT_EQ(run(*folder, options, 1, tools_with(log)).summary.cause, StopCause::stopped);
  EXPECT_EQ(log->trained.size(), 5U);
  static_cast<void>(run(*folder, {.resume = true}, 1, tools_with(log)));
  EXPECT_EQ(log->trained.size(), 81U);
}

// The networks of fashion-macro with four positions by their genotypes, in a file.
const std::string kSpaceFile = R"(kind: space
schema_version: 1
name: hand
separator: ""
options: {width: 8}
input: [3, 16, 16]
network:
  - convolution: {name: stem, channels: width, kernel: 3}
  - repeat: 4
    name: block{i}
    steps:
      - choose: operation
        of:
          0: {convolution: {name: small, channels: width, kernel: 1}}
          1: {convolution: {name: middle, channels: width, kernel: 3}}
          2: {convolution: {name: large, channels: width, kernel: 5}}
  - global_pool: {name: pool}
  - linear: {name: classifier, features: 10}
)";
const std::string kChangedSpaceFile = test::replaced(kSpaceFile, "kernel: 5", "kernel: 7");

// The same study of a space in the file space.yaml.
std::unique_ptr<StudyFolder> folder_with_space_file(const std::string& accuracy) {
  auto folder = folder_with(accuracy);
  folder->write(test::replaced(test::replaced(test::read_bytes(folder->study()),
                                              "space: fashion-macro", "space: space.yaml"),
                               "options: {positions: 4}", "options: {width: 8}"));
  test::write_bytes(*folder / "space.yaml", kSpaceFile);
  write_images(*folder);
  return folder;
}

TEST(Accuracy, KeptOfASpaceInAFileIsNotThatOfTheChangedFile) {
  for (const std::string& accuracy :
       std::vector<std::string>{"{train: " + kTrain + "}", "{score: naswot}"}) {
    SCOPED_TRACE(accuracy);
    const auto folder = folder_with_space_file(accuracy);
    if (accuracy.find("score") != std::string::npos)
      folder->write(test::replaced(test::read_bytes(folder->study()), "[accuracy, latency, energy]",
                                   "[score, latency, energy]"));
    static_cast<void>(run(*folder, {}));
    static_cast<void>(run(*folder, {.overwrite = true}));
    test::write_bytes(*folder / "space.yaml", kChangedSpaceFile);
    EXPECT_THAT(message_of([&] { static_cast<void>(run(*folder, {.overwrite = true})); }),
                AllOf(HasSubstr("out.h5."), HasSubstr("space_file")));
  }
}

TEST(Accuracy, OfAPredictorMayBeOfASpaceInAFile) {
  const auto folder = folder_with_space_file("{predictor: p.h5}");
  const auto train = [&](Training training) {
    training.features = {"one-hot"};  // which are those of fashion-macro
    train_predictor(*folder, training);
  };
  const nas::SpaceOptions width{{"width", 8}};
  train({.space = "elsewhere/space.yaml", .space_text = kSpaceFile, .options = width});
  static_cast<void>(run(*folder, {}));
  EXPECT_EQ(points_of(*folder / "out.h5").front().source, "predictor");

  train({.space = "elsewhere/space.yaml", .space_text = kChangedSpaceFile, .options = width});
  EXPECT_THAT(error_of(*folder),
              AllOf(HasSubstr("study.yaml:9:12"), HasSubstr("p.h5 is for the space"),
                    HasSubstr("elsewhere/space.yaml"), HasSubstr("says something else")));
  train({.space = "space.yaml", .space_text = kSpaceFile, .options = {{"width", 9}}});
  EXPECT_THAT(error_of(*folder), AllOf(HasSubstr("width 9"), HasSubstr("the study has width 8")));
  train({.space = "space.yaml", .space_text = kSpaceFile, .options = {}});
  EXPECT_EQ(message_of<FileError>([&] { static_cast<void>(run(*folder, {})); }).substr(0, 1), "/")
      << "the default is the study's: only the store is in the way";
  train({});
  EXPECT_THAT(error_of(*folder), HasSubstr("is for the space fashion-macro; the study's is "));
}

class MeasuredFront : public testing::TestWithParam<std::string> {};

// The predictor saw a third of the table; the table, or training, is the truth.
TEST_P(MeasuredFront, IsThatOfWhatWasMeasuredAndPredictedLast) {
  const auto folder = folder_with("{predictor: p.h5, then: {" + GetParam() + "}}");
  train_predictor(*folder);
  write_images(*folder);
  const RunResult result = run(*folder, {});
  const std::vector<Point> points = points_of(*folder / "out.h5");
  const std::set<std::uint64_t> front = stored_front(*folder / "out.h5");
  EXPECT_EQ(front, front_by_force(points));
  EXPECT_EQ(front.size(), result.front.size());

  const auto table = table_of(*folder);
  const bool is_limited = GetParam().find("at_most") != std::string::npos;
  std::set<std::string> measured;
  for (const Point& point : points) {
    EXPECT_EQ(point.strategy == 1, point.source != "predictor");
    if (point.strategy == 0) continue;
    measured.insert(point.genotype);
    EXPECT_TRUE(std::isnan(point.spread));
    EXPECT_EQ(point.accuracy, point.source == "table" ? table.at(point.genotype)
                                                      : trained_accuracy(point.genotype));
    if (!is_limited) continue;
    EXPECT_LE(measured.size(), 4U);
  }
  EXPECT_GT(measured.size(), 0U);
  EXPECT_LT(measured.size(), 81U);
  std::size_t predicted_on_front = 0;
  for (const Point& point : points)
    if (front.contains(point.id) && point.source == "predictor") ++predicted_on_front;
  EXPECT_EQ(predicted_on_front > 0, is_limited);
  EXPECT_EQ(result.findings.front().second, static_cast<double>(measured.size()));
  EXPECT_EQ(result.findings.size(), is_limited ? 3U : 2U);

  // Who reads all points finds the same front.
  std::vector<StudyUnion::Member> members;
  members.push_back({"out.h5", datasets::StudyStore::open(*folder / "out.h5")});
  const datasets::Columns columns = front_of(StudyUnion(std::move(members)), {});
  const auto& ids = std::get<std::vector<std::int64_t>>(columns.columns.front().values);
  EXPECT_EQ(std::set<std::uint64_t>(ids.begin(), ids.end()), front);
}

INSTANTIATE_TEST_SUITE_P(Accuracy, MeasuredFront,
                         testing::Values("table: accuracy", "table: accuracy, at_most: 4",
                                         "train: " + kTrain),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

// Wherever the measurement is stopped: some of a network's designs may have been evaluated again,
// and others not.
TEST(Accuracy, OfAFrontWhoseMeasurementIsStoppedIsThatOfTheStoredPoints) {
  const auto folder = folder_with("{predictor: p.h5, then: {train: " + kTrain + "}}");
  train_predictor(*folder);
  write_images(*folder);
  static_cast<void>(run(*folder, {}));
  const std::string expected = content_of(*folder / "out.h5");
  for (const std::uint64_t measured : {1U, 2U, 6U, 20U, 50U, 90U, 130U}) {
    SCOPED_TRACE(measured);
    std::filesystem::remove(*folder / "out.h5");
    std::uint64_t trials = 0;
    RunOptions options;
    options.progress = [&](const EvaluationCounts& counts, const ParetoArchive&) {
      trials = counts.trials;
    };
    options.stop = [&] { return trials >= 729 + measured; };
    const RunResult result = run(*folder, options);
    ASSERT_EQ(result.summary.cause, StopCause::stopped);
    const std::vector<Point> points = points_of(*folder / "out.h5");
    EXPECT_GE(points.size(), 729 + measured);
    EXPECT_EQ(stored_front(*folder / "out.h5"), front_by_force(points));
    EXPECT_EQ(result.front.size(), front_by_force(points).size());
    for (const Trial& trial : result.front) {
      const auto is_its = [&](const Point& point) {
        return point.accuracy == trial.metrics[Metric::accuracy] &&
               point.latency == trial.metrics[Metric::latency];
      };
      EXPECT_TRUE(std::ranges::any_of(points, is_its)) << "as no stored point has it";
    }
    static_cast<void>(run(*folder, {.resume = true}));
    EXPECT_EQ(content_of(*folder / "out.h5"), expected);
  }
}

// Accuracy, latency, energy and who said the accuracy, of a front as columns.
std::multiset<std::tuple<double, double, double, std::string>> rows_of(
    const datasets::Columns& columns) {
  const auto column = [&]<class Value>(const std::string& name) {
    const auto found = std::ranges::find(columns.columns, name, &datasets::LabelledColumn::name);
    return std::get<std::vector<Value>>(found->values);
  };
  const auto accuracy = column.operator()<double>("accuracy"),
             latency = column.operator()<double>("latency"),
             energy = column.operator()<double>("energy");
  const auto source = column.operator()<std::string>("accuracy_source");
  std::multiset<std::tuple<double, double, double, std::string>> rows;
  for (std::size_t i = 0; i < accuracy.size(); ++i)
    rows.emplace(accuracy[i], latency[i], energy[i], source[i]);
  return rows;
}

class MergedStores : public testing::Test {
 protected:
  // Of the same networks on the same chips: `name`.h5.
  void store(const std::string& name, const std::string& accuracy, double shift = 0) {
    folder_.write(test::replaced(study_, "{table: accuracy}", accuracy));
    train_predictor(folder_, {.shift = shift});
    static_cast<void>(run(folder_, {}));
    std::filesystem::rename(folder_ / "out.h5", folder_ / (name + ".h5"));
  }
  StudyUnion of(const std::vector<std::string>& names) {
    std::vector<StudyUnion::Member> members;
    for (const std::string& name : names)
      members.push_back({name, datasets::StudyStore::open(folder_ / (name + ".h5"))});
    return StudyUnion(std::move(members));
  }

  // The last points of all members, a design's measured ones alone where it has any.
  std::multiset<std::tuple<double, double, double, std::string>> front_of_measured_and_others(
      const std::vector<std::string>& names) {
    std::vector<Point> all, latest, front;
    std::set<std::pair<std::string, std::uint32_t>> measured;
    for (const std::string& name : names)
      for (const Point& point : points_of(folder_ / (name + ".h5"))) {
        all.push_back(point);
        if (point.strategy == 1) measured.emplace(point.genotype, point.accelerator);
      }
    for (const Point& point : all)
      if (point.strategy == 1 || !measured.contains({point.genotype, point.accelerator}))
        latest.push_back(point);
    std::map<std::tuple<double, double, double>, std::string> rows;
    for (const Point& a : latest)
      if (a.feasible && std::ranges::none_of(latest, [&](const Point& b) {
            return b.feasible && b.accuracy >= a.accuracy && b.latency <= a.latency &&
                   b.energy <= a.energy &&
                   (b.accuracy > a.accuracy || b.latency < a.latency || b.energy < a.energy);
          }))
        rows[{a.accuracy, a.latency, a.energy}] = a.source;
    std::multiset<std::tuple<double, double, double, std::string>> result;
    for (const auto& [values, source] : rows)
      result.emplace(std::get<0>(values), std::get<1>(values), std::get<2>(values), source);
    return result;
  }

  StudyFolder folder_{{"schema_version: 1", "schema_version: 2"},
                      {", accuracy: accuracy}", "}\naccuracy: {table: accuracy}"}};
  std::string study_ = test::read_bytes(folder_.study());
};

TEST_F(MergedStores, HaveOneFrontInWhateverOrder) {
  store("a", "{predictor: p.h5, then: {table: accuracy}}");
  store("b", "{predictor: p.h5, then: {table: accuracy, at_most: 4}}", 3);
  store("c", "{predictor: p.h5}", 2);
  store("d", "{predictor: p.h5}", 4);
  for (const std::vector<std::string>& names :
       std::vector<std::vector<std::string>>{{"a", "b"},
                                             {"b", "a"},
                                             {"a", "c"},
                                             {"c", "a"},
                                             {"c", "b", "a"},
                                             {"b", "c"},
                                             {"c", "d"}}) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(names, ", ")));
    std::vector<std::string> sorted = names;
    std::ranges::sort(sorted);
    const auto expected = front_of_measured_and_others(sorted);
    EXPECT_EQ(rows_of(front_of(of(names), {})), expected);
    write_merged(of(names), folder_ / "all.h5", "");
    EXPECT_EQ(rows_of(front_of(of({"all"}), {})), expected);
    EXPECT_EQ(rows_of(front_columns(datasets::StudyStore::open(folder_ / "all.h5"))), expected);
    std::filesystem::remove(folder_ / "all.h5");
  }
}

class EverySource : public testing::TestWithParam<std::string> {};

// Chips too small for some layers give reasons beside those of trainings that fail.
std::unique_ptr<StudyFolder> folder_of_source(const std::string& accuracy) {
  auto folder = folder_with(accuracy);
  folder->write(test::replaced(test::read_bytes(folder->study()), "pe_buffer: 256B",
                               "pe_buffer: [8B, 256B]"));
  if (accuracy.find("score") != std::string::npos)
    folder->write(test::replaced(test::read_bytes(folder->study()), "[accuracy, latency, energy]",
                                 "[score, latency, energy]"));
  train_predictor(*folder);
  write_images(*folder);
  test::write_bytes(*folder / "s", "fashion-macro");
  return folder;
}

TEST_P(EverySource, GivesTheSameForAnyNumberOfJobsAndInterruptions) {
  const auto folder = folder_of_source(GetParam());
  const auto log = std::make_shared<FakeTrainer::Log>();
  log->fails = "2222";  // the best that is predicted, so on the front
  static_cast<void>(run(*folder, {}, 1, tools_with(log)));
  const std::string expected = content_of(*folder / "out.h5");
  const auto start_anew = [&] {
    std::filesystem::remove(*folder / "out.h5");
    std::filesystem::remove(*folder / "out.h5.trained");
  };

  start_anew();
  static_cast<void>(run(*folder, {}, 3, tools_with(log)));
  EXPECT_EQ(content_of(*folder / "out.h5"), expected);

  start_anew();
  static_cast<void>(run(*folder, {.max_evaluations = 100}, 2, tools_with(log)));
  static_cast<void>(run(*folder, {.resume = true}, 3, tools_with(log)));
  EXPECT_EQ(content_of(*folder / "out.h5"), expected);

  start_anew();
  Random random(8, GetParam());
  for (int attempt = 0; attempt < 6; ++attempt) {
    RunOptions options{.resume = true};
    options.progress = [left = random.below(9)](const EvaluationCounts&,
                                                const ParetoArchive&) mutable {
      if (left-- == 0) throw std::runtime_error("killed");
    };
    try {
      static_cast<void>(run(*folder, options, 2, tools_with(log)));
    } catch (const std::runtime_error&) {
    }
    if (random.below(2) != 0) continue;
    // A reader may come in between, folds the journal, and finds the front of what is there.
    static_cast<void>(open_study(*folder / "out.h5"));
    if (GetParam().find("score") == std::string::npos) {
      EXPECT_EQ(stored_front(*folder / "out.h5"), front_by_force(points_of(*folder / "out.h5")));
    }
  }
  static_cast<void>(run(*folder, {.resume = true}, 1, tools_with(log)));
  EXPECT_EQ(content_of(*folder / "out.h5"), expected);
}

INSTANTIATE_TEST_SUITE_P(Accuracy, EverySource,
                         testing::Values("{table: accuracy}", "{predictor: p.h5}", "{score: macs}",
                                         "{supernet: {file: s, images: images}}",
                                         "{train: " + kTrain + "}",
                                         "{predictor: p.h5, then: {table: accuracy}}",
                                         "{predictor: p.h5, then: {train: " + kTrain + "}}"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST(Accuracy, RefusesAPredictorOfSomethingElse) {
  const auto folder = folder_with("{predictor: p.h5}");
  train_predictor(*folder, {.kind = "latency"});
  EXPECT_THAT(error_of(*folder), AllOf(HasSubstr("study.yaml:9:12"), HasSubstr("p.h5"),
                                       HasSubstr("a kind of latency; expected")));
  train_predictor(*folder, {.space = "nas-bench-201", .options = {}});
  EXPECT_THAT(error_of(*folder), HasSubstr("is for the space nas-bench-201; the study's is fash"));
  train_predictor(*folder, {.options = {{"positions", 5}}});
  EXPECT_THAT(error_of(*folder), AllOf(HasSubstr("positions 5"), HasSubstr("the study has")));
  train_predictor(*folder, {.scores = {"naswot"}});
  EXPECT_THAT(error_of(*folder), HasSubstr("needs the score 'naswot' of every network"));
  test::write_bytes(*folder / "p.h5", "no HDF5");
  EXPECT_THAT(error_of(*folder), HasSubstr("p.h5: is no predictor file"));
  std::filesystem::remove(*folder / "p.h5");
  EXPECT_THROW(StudySetting(folder->read(), 1), FileError);
}

TEST(Accuracy, OfASupernetIsKeptAndOfItsSpace) {
  const auto folder = folder_with("{supernet: {file: s, images: images}}");
  write_images(*folder);
  test::write_bytes(*folder / "s", "fashion-macro");
  static_cast<void>(run(*folder, {.max_evaluations = 20}));
  for (const Point& point : points_of(*folder / "out.h5")) {
    EXPECT_EQ(point.accuracy, trained_accuracy(point.genotype) / 2);
    EXPECT_EQ(point.source, "supernet");
  }
  EXPECT_TRUE(std::filesystem::exists(*folder / "out.h5.inherited"));
  test::write_bytes(*folder / "s", "darts");
  EXPECT_THAT(error_of(*folder, tools_with(std::make_shared<FakeTrainer::Log>())),
              HasSubstr("is for the space darts; the study's is fashion-macro"));
  EXPECT_THAT(error_of(*folder), HasSubstr("this program asks no supernets"));
}

TEST(Accuracy, IsNotResumedWithAnotherPredictorOrOtherImages) {
  const auto folder = folder_with("{predictor: p.h5}");
  train_predictor(*folder);
  static_cast<void>(run(*folder, {.max_evaluations = 20}));
  train_predictor(*folder, {.shift = 1});
  EXPECT_THAT(message_of([&] { static_cast<void>(run(*folder, {.resume = true})); }),
              HasSubstr("the file that accuracy.predictor names has changed ('p.h5')"));
  const auto trained = folder_with("{train: " + kTrain + "}");
  write_images(*trained);
  static_cast<void>(run(*trained, {.max_evaluations = 20}));
  test::write_bytes(*trained / "images/t10k-labels-idx1-ubyte",
                    big_endian(0x801) + big_endian(2) + std::string(2, '\2'));
  EXPECT_THAT(message_of([&] { static_cast<void>(run(*trained, {.resume = true})); }),
              HasSubstr("accuracy.train names has changed ('images')"));
}

TEST(Accuracy, OfImagesInArraysNeedsToKnowWhereTheirChannelsAre) {
  for (const std::string accuracy :
       {"{train: {images: images, training_images: 3, batch: 2, epochs: 1",
        "{supernet: {file: super.pt, images: images"}) {
    SCOPED_TRACE(accuracy);
    const auto tools = tools_with(std::make_shared<FakeTrainer::Log>());
    const auto with = [&](const std::string& layout) {
      auto folder = folder_with(accuracy + layout + "}}");
      write_arrays(*folder);
      test::write_bytes(*folder / "super.pt", "fashion-macro");
      return folder;
    };
    EXPECT_THAT(error_of(*with(""), tools), HasSubstr("array_layout in a study"));
    EXPECT_THAT(error_of(*with(", array_layout: hwc"), tools),
                AllOf(HasSubstr("array_layout"), HasSubstr("nhwc")));
    const auto folder = with(", array_layout: nhwc");
    const auto log = std::make_shared<FakeTrainer::Log>();
    static_cast<void>(run(*folder, {.max_evaluations = 5}, 1, tools_with(log)));
    EXPECT_EQ(log->channels, log->trained.empty() ? 0 : 3);
    EXPECT_EQ(points_of(*folder / "out.h5").size(), 5U);
  }
}

TEST(Accuracy, SaysWhatIsMissingOrContradictsItself) {
  struct Case {
    std::string accuracy, said;
  };
  for (const Case& c : std::vector<Case>{
           {"{table: accuracy, score: macs}", "one source, here from both 'table' and 'score'"},
           {"{then: {table: accuracy}}", "no source: give 'table'"},
           {"{score: macs, then: {table: accuracy}}", "nothing comes after 'score'"},
           {"{table: accuracy, then: {table: accuracy}}", "'table' measures nothing that 'table'"},
           {"{score: mcas}", "no score is called 'mcas'"},
           {"{table: acuracy}", "no column 'acuracy'"},
           {"{train: {images: images, epochs: 0}}", "epochs"},
           {"{train: {images: images, training_images: 9}}", "9"},
           {"{train: {images: images, training_images: 3, batch: 2, device: cuda}}", "CUDA"},
           {"{train: {images: none}}", "none"}}) {
    SCOPED_TRACE(c.accuracy);
    const auto folder = folder_with(c.accuracy);
    write_images(*folder);
    EXPECT_THAT(error_of(*folder, tools_with(std::make_shared<FakeTrainer::Log>())),
                HasSubstr(c.said));
  }
  const auto folder = folder_with("{train: " + kTrain + "}");
  write_images(*folder);
  EXPECT_THAT(error_of(*folder), HasSubstr("this program trains no networks"));
}

// A study of version 1 says the same in other words.
TEST(Accuracy, IsFoundInStudiesOfVersion1) {
  const StudyFolder old;
  EXPECT_EQ(old.read().accuracy.first.kind, AccuracyKind::table);
  EXPECT_EQ(old.read().networks.table->accuracy, "accuracy");
  static_cast<void>(run(old, {.max_evaluations = 30}));
  old.write(test::replaced(
      test::replaced(test::read_bytes(old.study()), "schema_version: 1", "schema_version: 2"),
      ", accuracy: accuracy}", "}\naccuracy: {table: accuracy}"));
  static_cast<void>(run(old, {.resume = true}));
  EXPECT_EQ(datasets::StudyStore::open(old / "out.h5").point_count(), 729U);
  old.write(
      test::replaced(test::read_bytes(old.study()), "schema_version: 2", "schema_version: 1"));
  EXPECT_THAT(message_of([&] { static_cast<void>(old.read()); }),
              HasSubstr("study.yaml:9:1: 'accuracy' is a key of schema_version 2"));
}

// Stores and journals that the program wrote whose schemas were 1 (tests/golden/study_version_1),
// half-way and at the end.
TEST(Accuracy, OfAStudyStoredBeforeItHadSourcesGoesOn) {
  const std::filesystem::path golden =
      std::filesystem::path(COSEARCH_SOURCE_DIR) / "tests/golden/study_version_1";
  const test::TemporaryFolder folder;
  std::filesystem::copy(golden, folder.path());
  const std::vector<Point> whole = points_of(folder / "whole.h5");
  ASSERT_EQ(whole.size(), 88U);
  for (const char* begun : {"half.h5", "cut_off.h5", "whole.h5"}) {
    SCOPED_TRACE(begun);
    StudySetting setting(read_study(folder / "study.yaml", {}), 2);
    static_cast<void>(run_study(setting, {.output = folder / begun, .resume = true}));
    const std::vector<Point> points = points_of(folder / begun);
    ASSERT_EQ(points.size(), whole.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      EXPECT_EQ(points[i].genotype, whole[i].genotype);
      EXPECT_EQ(points[i].accuracy, whole[i].accuracy);
      EXPECT_EQ(points[i].latency, whole[i].latency);
      EXPECT_DOUBLE_EQ(points[i].energy, whole[i].energy);  // summed in another order since
      EXPECT_EQ(points[i].source, "table");
    }
    // The front that was exported then is exported now, with one column more and the precision of
    // chips a plain number.
    datasets::write_columns(folder / "now.csv",
                            front_columns(datasets::StudyStore::open(folder / begun)));
    const auto then = datasets::Table::read(folder / "front.csv"),
               now = datasets::Table::read(folder / "now.csv");
    ASSERT_EQ(now.rows(), then.rows());
    for (const std::string& column : then.columns()) {
      const std::size_t old_place = then.column(column);
      const std::size_t place = now.column(column == "precision[bits]" ? "precision" : column);
      for (std::size_t row = 0; row < then.rows(); ++row) {
        if (column.find('[') != std::string::npos)
          EXPECT_DOUBLE_EQ(now.number(row, place), then.number(row, old_place));
        else
          EXPECT_EQ(now.text(row, place), then.text(row, old_place));
      }
    }
    EXPECT_EQ(now.columns().size(), then.columns().size() + 1);
  }
}

}  // namespace
}  // namespace cosearch::codesign
