#include "codesign/run_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "codesign/open_study.h"
#include "codesign/study_points.h"
#include "core/user_error.h"
#include "datasets/study_store.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using test::StudyFolder;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kStrategy = "strategy: {name: exhaustive}";

std::unique_ptr<StudyFolder> new_folder(const std::string& strategy, const std::string& more = "") {
  return std::unique_ptr<StudyFolder>(
      new StudyFolder{{kStrategy, "strategy: " + strategy + "\n" + more}});
}

// Bit patterns, so that NaN equals NaN.
std::vector<std::uint64_t> bits_of(const Metrics& metrics) {
  std::vector<std::uint64_t> bits;
  for (const double value : metrics.value) bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

std::vector<Trial> trials_of(StudySetting& setting) {
  const auto strategy = setting.make(setting.study.strategy);
  ParetoArchive archive(setting.question());
  std::vector<Trial> trials;
  DriverOptions options;
  options.sink = [&](std::span<const Trial> batch, const EvaluationCounts&) {
    trials.insert(trials.end(), batch.begin(), batch.end());
  };
  run_search(*strategy, setting.space, setting.evaluator, archive, setting.workers, options);
  return trials;
}

TEST(StudySetting, RefusesToCompareCyclesOfDifferentClocks) {
  const std::pair<std::string, std::string> two_clocks{"named: [xp-ws-64]", "named: [nvdla-64]"};
  EXPECT_THAT([&] { (void)StudySetting(StudyFolder({two_clocks}).read(), 1); },
              ThrowsMessage<UserError>(HasSubstr("clocks differ")));
  const StudyFolder in_seconds(
      {two_clocks,
       {"objectives: [accuracy, latency, energy]", "objectives: [accuracy, time, energy]"}});
  EXPECT_EQ(StudySetting(in_seconds.read(), 1).study.objectives[1].metric, Metric::time);
}

TEST(RunStudy, StoresEveryTrialAsItWas) {
  for (const char* choice :
       {"{name: exhaustive}", "{name: semi-decoupled}", "{name: decoupled-network-first}",
        "{name: regularised-evolution, population: 20, tournament: 4, evaluations: 150}"}) {
    SCOPED_TRACE(choice);
    const auto folder(new_folder(choice, "constraints: {area: {at_most: 1mm2}}\n"));
    StudySetting setting(folder->read(), 2);
    const RunResult result =
        run_study(setting, {.output = *folder / "out.h5", .command_line = "as typed"});
    StudySetting again(folder->read(), 1);
    const std::vector<Trial> trials = trials_of(again);

    const auto store = datasets::StudyStore::open(*folder / "out.h5");
    ASSERT_EQ(store.point_count(), trials.size());
    const datasets::PointBatch points = store.points(0, trials.size());
    for (std::size_t i = 0; i < trials.size(); ++i) {
      EXPECT_EQ(points.id[i], i);
      EXPECT_EQ((Design{points.network[i], points.accelerator[i]}), trials[i].design);
      EXPECT_EQ(points.feasible[i] == 1, trials[i].is_feasible());
      EXPECT_EQ(points.reason[i], trials[i].reason);
      Metrics stored;
      for (std::size_t m = 0; m < points.metrics.size(); ++m)
        stored[*metric_named(store.metrics()[m].name)] = points.metrics[m][i];
      ASSERT_EQ(bits_of(stored), bits_of(trials[i].metrics));
    }
    EXPECT_EQ(store.result().counts.trials, result.summary.counts.trials);
    EXPECT_EQ(store.result().counts.hardware, result.summary.counts.hardware);
    EXPECT_TRUE(store.result().complete);
    EXPECT_EQ(store.header().command_line, "as typed");
    EXPECT_EQ(store.header().configuration, setting.study.text);
  }
}

TEST(RunStudy, PointsTheFrontsIdsAtTheFrontsDesigns) {
  const auto folder(new_folder("{name: semi-decoupled, layers: 2}"));
  StudySetting setting(folder->read(), 1);
  const RunResult result = run_study(setting, {.output = *folder / "out.h5"});
  const auto store = datasets::StudyStore::open(*folder / "out.h5");
  ASSERT_FALSE(result.front.empty());
  ASSERT_EQ(store.front().ids.size(), result.front.size());
  const datasets::PointBatch points = store.points_with(store.front().ids);
  for (std::size_t i = 0; i < result.front.size(); ++i)
    EXPECT_EQ((Design{points.network[i], points.accelerator[i]}), result.front[i].design);
  EXPECT_EQ(store.front().hypervolume, result.hypervolume);
  EXPECT_THAT(store.front().objectives, testing::ElementsAre("accuracy", "latency", "energy"));
}

TEST(RunStudy, ItsFrontIsWhatNothingElseDominates) {
  const auto folder(new_folder("{name: exhaustive}", "constraints: {area: {at_most: 1mm2}}\n"));
  StudySetting setting(folder->read(), 2);
  const RunResult result = run_study(setting, {.output = *folder / "out.h5"});
  std::vector<std::vector<double>> costs;
  for (const Trial& trial : trials_of(setting))
    if (trial.metrics[Metric::area] <= 1)
      costs.push_back({-trial.metrics[Metric::accuracy], trial.metrics[Metric::latency],
                       trial.metrics[Metric::energy]});
  std::set<std::vector<double>> expected, found;
  for (const auto& a : costs)
    if (std::ranges::none_of(costs, [&](const auto& b) { return dominates(b, a); }))
      expected.insert(a);
  for (const Trial& trial : result.front)
    found.insert({-trial.metrics[Metric::accuracy], trial.metrics[Metric::latency],
                  trial.metrics[Metric::energy]});
  EXPECT_EQ(found, expected);
}

TEST(RunStudy, LeavesNothingButTheJournalBehindAnException) {
  const auto folder(new_folder("{name: exhaustive}"));
  StudySetting setting(folder->read(), 1);
  RunOptions options{.output = *folder / "out.h5"};
  std::uint64_t acknowledged = 0;
  options.progress = [&](const EvaluationCounts& so_far, const ParetoArchive&) {
    acknowledged = so_far.trials;
    throw std::runtime_error("power cut");
  };
  EXPECT_THROW(static_cast<void>(run_study(setting, options)), std::runtime_error);
  EXPECT_THAT(folder->other_files(), testing::ElementsAre("out.h5.journal"));
  EXPECT_GT(acknowledged, 0U);
  EXPECT_EQ(open_study(*folder / "out.h5").point_count(), acknowledged);
  EXPECT_THAT(folder->other_files(), testing::ElementsAre("out.h5"));
}

TEST(RunStudy, LeavesNothingBehindAnExceptionBeforeTheFirstPoint) {
  const auto folder(new_folder("{name: exhaustive}"));
  StudySetting setting(folder->read(), 1);
  RunOptions options{.output = *folder / "out.h5"};
  options.stop = []() -> bool { throw std::runtime_error("power cut"); };
  EXPECT_THROW(static_cast<void>(run_study(setting, options)), std::runtime_error);
  EXPECT_THAT(folder->other_files(), testing::IsEmpty());
}

TEST(RunStudy, ReplacesAStoreOnlyWhenToldTo) {
  const auto folder(new_folder("{name: exhaustive}"));
  StudySetting setting(folder->read(), 1);
  test::write_bytes(*folder / "out.h5", "precious");
  RunOptions options{.output = *folder / "out.h5"};
  EXPECT_THAT(test::message_of<FileError>([&] { static_cast<void>(run_study(setting, options)); }),
              HasSubstr("out.h5: exists already"));
  EXPECT_EQ(test::read_bytes(*folder / "out.h5"), "precious");

  options.overwrite = true;
  options.progress = [](const EvaluationCounts&, const ParetoArchive&) {
    throw std::runtime_error("power cut");
  };
  EXPECT_THROW(static_cast<void>(run_study(setting, options)), std::runtime_error);
  EXPECT_EQ(test::read_bytes(*folder / "out.h5"), "precious");

  options.progress = nullptr;
  EXPECT_FALSE(run_study(setting, options).front.empty());
  EXPECT_GT(datasets::StudyStore::open(*folder / "out.h5").point_count(), 0U);
  EXPECT_THAT(folder->other_files(), testing::ElementsAre("out.h5"));
}

TEST(RunStudy, SaysWhetherItWasCutShort) {
  const auto folder(new_folder("{name: exhaustive}", "budget: {evaluations: 100}\n"));
  const auto run = [&](RunOptions options) {
    StudySetting setting(folder->read(), 1);
    options.output = *folder / "out.h5";
    options.overwrite = true;
    const StopCause cause = run_study(setting, options).summary.cause;
    const auto store = datasets::StudyStore::open(*folder / "out.h5");
    return std::tuple(cause, store.result().complete, store.point_count());
  };
  EXPECT_EQ(run({}), std::tuple(StopCause::exhausted, true, 100U));
  EXPECT_EQ(run({.max_evaluations = 7}), std::tuple(StopCause::stopped, false, 7U));
  EXPECT_EQ(run({.max_evaluations = 1'000'000}), std::tuple(StopCause::finished, true, 81U * 9));
  EXPECT_EQ(run({.stop = [] { return true; }}), std::tuple(StopCause::stopped, false, 0U));
}

TEST(RunStudy, ExplainsWhyNothingIsFeasible) {
  const auto folder(
      new_folder("{name: exhaustive}",
                 "constraints: {energy: {at_most: 1000pJ}, area: {at_most: 1000mm2}}\n"));
  StudySetting setting(folder->read(), 1);
  const RunResult result = run_study(setting, {.output = *folder / "out.h5"});
  EXPECT_TRUE(result.front.empty());
  double least = std::numeric_limits<double>::infinity();
  for (const Trial& trial : trials_of(setting))
    least = std::min(least, trial.metrics[Metric::energy]);
  const std::string text = explain_infeasible(setting, result.archive);
  EXPECT_THAT(text, HasSubstr("no feasible design among 729 that run (0 cannot run)"));
  EXPECT_THAT(text, HasSubstr(fmt::format("breaks energy <= 1000 pJ: it has {:g}, off by {:.3g} %",
                                          least, 100 * (least - 1000) / 1000)));
  EXPECT_THAT(text,
              HasSubstr(fmt::format("met by no design, even alone; the best has {:g}", least)));
  EXPECT_THAT(text, testing::Not(HasSubstr("area")));
}

TEST(RunStudy, SaysWhenOnlyTheConstraintsTogetherAreTooMuch) {
  const auto folder(new_folder("{name: exhaustive}", "constraints: {}\n"));
  StudySetting setting(folder->read(), 1);
  double least_area = std::numeric_limits<double>::infinity(), least_latency = least_area;
  for (const Trial& trial : trials_of(setting)) {
    least_area = std::min(least_area, trial.metrics[Metric::area]);
    least_latency = std::min(least_latency, trial.metrics[Metric::latency]);
  }
  setting.study.constraints = {{Metric::area, least_area, true},
                               {Metric::latency, least_latency, true}};
  const RunResult result = run_study(setting, {.output = *folder / "out.h5"});
  const std::string text = explain_infeasible(setting, result.archive);
  EXPECT_THAT(text, HasSubstr("each constraint is met by some design; no design meets all"));
  EXPECT_THAT(text, testing::Not(HasSubstr("even alone")));
}

TEST(RunStudy, ExplainsAlsoWhereTheNearestIsANetworkAlone) {
  const auto folder(
      new_folder("{name: decoupled-network-first}", "constraints: {macs: {at_most: 1}}\n"));
  StudySetting setting(folder->read(), 1);
  const RunResult result = run_study(setting, {.output = *folder / "out.h5"});
  EXPECT_THAT(explain_infeasible(setting, result.archive), HasSubstr("0000 on none"));
}

TEST(RunStudy, RefusesStrategyOptionsAtTheirLine) {
  struct Case {
    const char *strategy, *said;
  };
  for (const Case& c :
       {Case{"{name: semi-decoupled, layers: 0}", "study.yaml:21:42: semi-decoupled.layers = 0"},
        {"{name: semi-decoupled, proxy: xp-ws-46}",
         "study.yaml:21:41: the study has no accelerator "
         "'xp-ws-46' (did you mean 'xp-ws-64'?)"},
        {"{name: decoupled-hardware-first, reference_network: '2223'}",
         "study.yaml:21:63: the study has no network '2223'"},
        {"{name: regularised-evolution, tournament: many}", "study.yaml:21:53: "}}) {
    SCOPED_TRACE(c.strategy);
    const auto folder(new_folder(c.strategy));
    StudySetting setting(folder->read(), 1);
    EXPECT_THAT(test::message_of(
                    [&] { static_cast<void>(run_study(setting, {.output = *folder / "out.h5"})); }),
                HasSubstr(c.said));
    EXPECT_THAT(folder->other_files(), testing::IsEmpty());
  }
}

TEST(RunStudy, NeedsAccelerators) {
  const StudyFolder folder;
  folder.write("kind: study\nschema_version: 1\nname: n\nnetworks: {named: [resnet18]}\n");
  EXPECT_THAT(test::message_of([&] { StudySetting setting(folder.read(), 1); }),
              HasSubstr("no 'accelerators' to search"));
}

const std::vector<double>& numbers(const datasets::Columns& columns, const std::string& name) {
  const auto found = std::ranges::find(columns.columns, name, &datasets::LabelledColumn::name);
  return std::get<std::vector<double>>(found->values);
}

const std::vector<std::string>& texts(const datasets::Columns& columns, const std::string& name) {
  const auto found = std::ranges::find(columns.columns, name, &datasets::LabelledColumn::name);
  return std::get<std::vector<std::string>>(found->values);
}

TEST(FrontColumns, AreTheFrontForPeople) {
  const auto folder(new_folder("{name: exhaustive}"));
  StudySetting setting(folder->read(), 1);
  const RunResult result = run_study(setting, {.output = *folder / "out.h5"});
  const datasets::Columns columns = front_columns(datasets::StudyStore::open(*folder / "out.h5"));
  ASSERT_EQ(columns.rows(), result.front.size());
  for (std::size_t i = 0; i < result.front.size(); ++i) {
    const Trial& trial = result.front[i];
    const Accelerator& chip = setting.space.accelerators()[trial.design.accelerator];
    EXPECT_EQ(numbers(columns, "accuracy")[i], trial.metrics[Metric::accuracy]);
    EXPECT_EQ(numbers(columns, "energy")[i], trial.metrics[Metric::energy]);
    EXPECT_EQ(texts(columns, "network")[i],
              setting.space.networks().candidates[trial.design.network].genotype);
    EXPECT_EQ(texts(columns, "accelerator")[i], chip.machine.name);
    EXPECT_EQ(texts(columns, "template")[i], chip.family);
    EXPECT_EQ(numbers(columns, "pe_rows")[i],
              static_cast<double>(chip.machine.levels[1].fanout[0].size));
    EXPECT_EQ(numbers(columns, "pe_buffer")[i] * 8,
              static_cast<double>(*chip.machine.levels[2].capacity_bits));
    EXPECT_EQ(numbers(columns, "clock")[i], chip.machine.clock.value);
  }
}

TEST(FrontColumns, LeaveTheAcceleratorOfANetworkAloneOpen) {
  const StudyFolder folder({{"[accuracy, latency, energy]", "[accuracy, macs]"},
                            {kStrategy, "strategy: {name: decoupled-network-first}"}});
  StudySetting setting(folder.read(), 1);
  static_cast<void>(run_study(setting, {.output = folder / "out.h5"}));
  const datasets::Columns columns = front_columns(datasets::StudyStore::open(folder / "out.h5"));
  ASSERT_GT(columns.rows(), 1U);
  const std::vector<std::string>& names = texts(columns, "accelerator");
  EXPECT_GT(std::ranges::count(names, ""), 0);
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(std::isnan(numbers(columns, "pe_rows")[i]), names[i].empty());
}

// FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo), 64 bits.
std::uint64_t hash_of_text(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// One number for a whole search. It changes when the cost model, a space, a random stream or a
// strategy does, and then on purpose: run the test, read the new front it prints, and if it is what
// the change should do, put the new number here in the same commit, saying why. Nine digits are
// hashed, so that another mathematical library does not change it.
TEST(Signature, OfAFixedSearchIsWhatItWas) {
  const auto folder(
      new_folder("{name: regularised-evolution, population: 20, tournament: 5, evaluations: 200}"));
  StudySetting setting(folder->read(), 2);
  const RunResult result = run_study(setting, {.output = *folder / "out.h5"});
  std::string front;
  for (const Trial& trial : result.front)
    front +=
        fmt::format("{} {} {:.9g} {:.9g} {:.9g}\n",
                    setting.space.networks().candidates[trial.design.network].genotype,
                    setting.space.accelerator_name(trial.design), trial.metrics[Metric::accuracy],
                    trial.metrics[Metric::latency], trial.metrics[Metric::energy]);
  EXPECT_EQ(fmt::format("{:016x}", hash_of_text(front)), "3eafe3e23a4cb2ec") << front;
}

}  // namespace
}  // namespace cosearch::codesign
