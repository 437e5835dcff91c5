// A search that is interrupted and resumed ends as if nothing had happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "codesign/open_study.h"
#include "codesign/run_study.h"
#include "codesign/search/registry.h"
#include "core/random.h"
#include "datasets/study_store.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using test::StudyFolder;
using testing::HasSubstr;

// Small enough for a test, and more than one batch where the strategy has batches.
std::string choice_of(const std::string& strategy) {
  if (strategy == "regularised-evolution")
    return "{name: regularised-evolution, population: 20, tournament: 4, evaluations: 150}";
  if (strategy == "random") return "{name: random, evaluations: 200}";
  if (strategy == "random-retained") return "{name: random-retained, retained: 9}";
  if (strategy == "semi-decoupled") return "{name: semi-decoupled, proxy_sample: 10, layers: 2}";
  if (strategy == "free-rea")  // scores that no table has to bring
    return "{name: free-rea, scores: 'parameters,macs', population: 20, tournament: 4, scored: 60, "
           "retained: 9}";
  return "{name: " + strategy + "}";
}

// Chips too small for some layers give reasons, a constraint gives violations.
std::unique_ptr<StudyFolder> folder_of(const std::string& strategy) {
  return std::unique_ptr<StudyFolder>(new StudyFolder{
      {"strategy: {name: exhaustive}",
       "strategy: " + choice_of(strategy) + "\nconstraints: {area: {at_most: 1mm2}}"},
      {"pe_buffer: 256B", "pe_buffer: [8B, 256B]"}});
}

// Everything in the store but when and how it was started.
std::string content_of(const std::filesystem::path& path) {
  const auto store = datasets::StudyStore::open(path);
  const datasets::PointBatch points = store.points(0, store.point_count());
  std::string text;
  for (std::size_t i = 0; i < points.size(); ++i) {
    text +=
        fmt::format("{} {} {} {} {} {} {}", points.id[i], points.network[i], points.accelerator[i],
                    points.feasible[i], points.reason[i], points.strategy[i], points.step[i]);
    for (const auto& metric : points.metrics)
      text += fmt::format(" {:x}", std::bit_cast<std::uint64_t>(metric[i]));
    text += '\n';
  }
  const datasets::StudyResult& result = store.result();
  return text + fmt::format("{} {} {} {} {} {} {} {} {}", fmt::join(result.front.ids, ","),
                            fmt::join(result.front.objectives, ","),
                            fmt::join(result.front.reference_point, ","), result.front.hypervolume,
                            result.counts.trials, result.counts.networks, result.counts.hardware,
                            result.counts.layers, fmt::join(result.reasons, ";"));
}

RunResult run(const StudyFolder& folder, RunOptions options, int jobs = 1) {
  StudySetting setting(folder.read(), jobs);
  options.output = folder / "out.h5";
  return run_study(setting, options);
}

std::string reference(const StudyFolder& folder) {
  EXPECT_NE(run(folder, {}).summary.cause, StopCause::stopped);
  const std::string content = content_of(folder / "out.h5");
  std::filesystem::remove(folder / "out.h5");
  return content;
}

class EveryStrategy : public testing::TestWithParam<std::string> {};

TEST_P(EveryStrategy, StoppedByALimitGoesOn) {
  const auto folder = folder_of(GetParam());
  const std::string expected = reference(*folder);
  for (const std::uint64_t limit : {1, 23, 65}) {
    SCOPED_TRACE(limit);
    static_cast<void>(run(*folder, {.max_evaluations = limit}, 2));
    static_cast<void>(run(*folder, {.resume = true}, 3));
    EXPECT_EQ(content_of(*folder / "out.h5"), expected);
    EXPECT_THAT(folder->other_files(), testing::ElementsAre("out.h5"));
    std::filesystem::remove(*folder / "out.h5");
  }
}

TEST_P(EveryStrategy, StoppedAgainAndAgainGoesOn) {
  const auto folder = folder_of(GetParam());
  const std::string expected = reference(*folder);
  Random random(5, GetParam());
  std::uint64_t limit = 0;
  for (bool is_over = false; !is_over;) {
    limit += 1 + random.below(150);
    is_over = run(*folder, {.resume = true, .max_evaluations = limit}).summary.cause !=
              StopCause::stopped;
  }
  EXPECT_EQ(content_of(*folder / "out.h5"), expected);
}

TEST_P(EveryStrategy, KilledGoesOn) {
  const auto folder = folder_of(GetParam());
  const std::string expected = reference(*folder);
  Random random(6, GetParam());
  for (int attempt = 0; attempt < 5; ++attempt) {
    RunOptions options{.resume = true};
    options.progress = [left = random.below(8)](const EvaluationCounts&,
                                                const ParetoArchive&) mutable {
      if (left-- == 0) throw std::runtime_error("killed");
    };
    try {
      static_cast<void>(run(*folder, options));
    } catch (const std::runtime_error&) {
    }
    // A reader may come in between, and folds the journal.
    if (random.below(2) == 0) static_cast<void>(open_study(*folder / "out.h5"));
  }
  static_cast<void>(run(*folder, {.resume = true}));
  EXPECT_EQ(content_of(*folder / "out.h5"), expected);
}

std::vector<std::string> names_of_strategies() {
  std::vector<std::string> names;
  for (const StrategyInfo& strategy : strategies()) names.push_back(strategy.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Resume, EveryStrategy, testing::ValuesIn(names_of_strategies()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Resume, OfAFinishedStudyChangesNothing) {
  const auto folder = folder_of("exhaustive");
  static_cast<void>(run(*folder, {}));
  const std::string bytes = test::read_bytes(*folder / "out.h5");
  EXPECT_EQ(run(*folder, {.resume = true}).summary.cause, StopCause::finished);
  EXPECT_EQ(test::read_bytes(*folder / "out.h5"), bytes);
}

TEST(Resume, StoppedWhileReadingBackLeavesTheStoreAsItWas) {
  const auto folder = folder_of("regularised-evolution");
  static_cast<void>(run(*folder, {.max_evaluations = 100}));
  const std::string bytes = test::read_bytes(*folder / "out.h5");
  RunOptions options{.resume = true};
  options.stop = [polls = 0]() mutable { return ++polls > 2; };
  const RunResult result = run(*folder, options);
  EXPECT_FALSE(result.is_stored);
  EXPECT_EQ(result.summary.cause, StopCause::stopped);
  EXPECT_EQ(test::read_bytes(*folder / "out.h5"), bytes);
  EXPECT_THAT(folder->other_files(), testing::ElementsAre("out.h5"));
}

TEST(Resume, KeepsWhatALargerBudgetHadFound) {
  const StudyFolder folder({{"strategy: {name: exhaustive}",
                             "strategy: {name: exhaustive}\nbudget: {evaluations: 50}"}});
  static_cast<void>(run(folder, {.max_evaluations = 80}));
  const std::string bytes = test::read_bytes(folder / "out.h5");
  EXPECT_THAT(test::message_of([&] { static_cast<void>(run(folder, {.resume = true})); }),
              HasSubstr("out.h5: holds more points than the 50 that this search evaluates"));
  EXPECT_EQ(test::read_bytes(folder / "out.h5"), bytes);
}

TEST(Resume, RefusesAnotherStudyByTheKeysThatDiffer) {
  struct Case {
    std::string old, by, said;
  };
  for (const Case& c : {Case{"seed: 3", "seed: 4", "seed is 4, was 3"},
                        {"{name: exhaustive}", "{name: random}", "strategy.name is"},
                        {"pe_buffer: 256B", "pe_buffer: 512B", "accelerators.grids is"},
                        {"[accuracy, latency, energy]", "[accuracy, latency]", "objectives is"}}) {
    SCOPED_TRACE(c.by);
    const StudyFolder folder;
    static_cast<void>(run(folder, {.max_evaluations = 20}));
    const std::string bytes = test::read_bytes(folder / "out.h5");
    folder.write(test::replaced(test::read_bytes(folder.study()), c.old, c.by));
    const std::string said =
        test::message_of([&] { static_cast<void>(run(folder, {.resume = true})); });
    EXPECT_THAT(said, HasSubstr("out.h5: cannot be resumed"));
    EXPECT_THAT(said, HasSubstr(c.said));
    EXPECT_EQ(test::read_bytes(folder / "out.h5"), bytes);
  }
}

TEST(Resume, RefusesATableThatHasChanged) {
  const StudyFolder folder;
  static_cast<void>(run(folder, {.max_evaluations = 20}));
  std::string table = test::read_bytes(folder / "accuracies.csv");
  table.replace(table.find("\n0000,") + 6, 1, "5");
  test::write_bytes(folder / "accuracies.csv", table);
  EXPECT_THAT(test::message_of([&] { static_cast<void>(run(folder, {.resume = true})); }),
              HasSubstr("network 0 is 0000 with accuracy 5"));
}

// What no column of the store repeats: a file of scores, a file of constants.
TEST(Resume, RefusesAnInputOfOtherBytes) {
  const StudyFolder folder(
      {{"  space: fashion-macro\n",
        "  space: fashion-macro\n  scores: {file: scores.csv, network: genotype, columns: "
        "{naswot: naswot}}\n"},
       {"accelerators:\n", "accelerators:\n  technology: constants.csv\n"}});
  test::write_bytes(folder / "scores.csv", "genotype,naswot\n0000,1.5\n");
  std::filesystem::copy_file(COSEARCH_SOURCE_DIR "/accel/data/technology_45nm.csv",
                             folder / "constants.csv");
  static_cast<void>(run(folder, {.max_evaluations = 20}));
  for (const auto& [file, says] :
       {std::pair{"scores.csv", "the file that networks.scores.file names has changed"},
        {"constants.csv", "constants.csv is not the same"}}) {
    SCOPED_TRACE(file);
    const std::string bytes = test::read_bytes(folder / file);
    test::write_bytes(folder / file, bytes + "\n");
    EXPECT_THAT(test::message_of([&] { static_cast<void>(run(folder, {.resume = true})); }),
                HasSubstr(says));
    test::write_bytes(folder / file, bytes);
  }
  EXPECT_NE(run(folder, {.resume = true}).summary.cause, StopCause::stopped);
}

TEST(Resume, RefusesATechnologyThatChangedWhereverItIsNamed) {
  const std::string own_machine = "mine.yaml";
  for (const std::string& accelerators :
       {std::string("named: [xp-ws-64]\n  technology: own.csv"),
        std::string("machines: ['nvdla:technology=own.csv']"), "machines: [" + own_machine + "]",
        std::string("grids: [{template: nvdla, technology: [45nm, own.csv]}]")}) {
    SCOPED_TRACE(accelerators);
    const StudyFolder folder;
    const std::string study = test::read_bytes(folder.study());
    folder.write(study.substr(0, study.find("  named: [xp")) + "  " + accelerators + "\n" +
                 study.substr(study.find("objectives:")));
    const std::string technology =
        test::read_bytes(COSEARCH_SOURCE_DIR "/accel/data/technology_45nm.csv");
    test::write_bytes(folder / "own.csv", technology);
    test::write_bytes(
        folder / own_machine,
        test::replaced(test::read_bytes(COSEARCH_SOURCE_DIR "/accel/machines/nvdla.yaml"),
                       "technology: 45nm", "technology: own.csv"));
    static_cast<void>(run(folder, {.max_evaluations = 20}));
    test::write_bytes(folder / "own.csv", technology + "\n");
    EXPECT_THAT(test::message_of([&] { static_cast<void>(run(folder, {.resume = true})); }),
                HasSubstr("own.csv is not the same"));
    test::write_bytes(folder / "own.csv", technology);
    EXPECT_NE(run(folder, {.resume = true}).summary.cause, StopCause::stopped);
  }
}

TEST(Resume, DoesNotMindCommentsAndLayout) {
  const StudyFolder folder;
  const std::string expected = reference(folder);
  static_cast<void>(run(folder, {.max_evaluations = 20}));
  folder.write("# a remark\n" + test::read_bytes(folder.study()));
  static_cast<void>(run(folder, {.resume = true}));
  EXPECT_EQ(content_of(folder / "out.h5"), expected);
}

TEST(Resume, NeedsAWordWhenAJournalIsThere) {
  const StudyFolder folder;
  RunOptions options;
  options.progress = [](const EvaluationCounts&, const ParetoArchive&) {
    throw std::runtime_error("killed");
  };
  EXPECT_THROW(static_cast<void>(run(folder, options)), std::runtime_error);
  EXPECT_THAT(test::message_of<FileError>([&] { static_cast<void>(run(folder, {})); }),
              HasSubstr("out.h5.journal: holds the points of a search that was cut off"));
}

}  // namespace
}  // namespace cosearch::codesign
