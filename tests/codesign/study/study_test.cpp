#include "codesign/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "accel/machine_zoo.h"
#include "core/user_error.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using test::kSmallStudy;
using test::replaced;
using test::StudyFolder;
using testing::ElementsAre;
using testing::HasSubstr;

// Reads the small study with `old` replaced by `by`, in which '@' marks the place that the error
// must name, and expects the error to say all of `parts`.
void expect_refused(const std::string& old, const std::string& by,
                    const std::vector<std::string>& parts) {
  std::string text = replaced(kSmallStudy, old, by);
  const std::size_t mark = text.find('@');
  ASSERT_NE(mark, std::string::npos) << "no place is marked";
  text.erase(mark, 1);
  const std::string before = text.substr(0, mark);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto column = before.size() - before.rfind('\n');

  const StudyFolder folder;
  folder.write(text);
  const std::string message = test::message_of([&] { static_cast<void>(folder.read()); });
  EXPECT_THAT(message, HasSubstr(fmt::format("{}:{}:{}: ", folder.study().string(), line, column)));
  for (const std::string& part : parts) EXPECT_THAT(message, HasSubstr(part));
}

TEST(ReadStudy, ReadsEveryPart) {
  const StudyFolder folder(
      {{"strategy: {name: exhaustive}",
        "strategy: {name: semi-decoupled, layers: 2, proxy: auto}\n"
        "constraints: {latency: {at_most: 2e5cycles}, accuracy: {at_least: 70%},\n"
        "  energy: {at_least: 1nJ, at_most: 2mJ}, area: {at_most: 4mm2}, macs: {at_most: 5000}}\n"
        "budget: {evaluations: 100}\n"
        "gap: {latency_limits: 3, strategies: [{name: random, evaluations: 7}]}"}});
  const Study study = folder.read();
  EXPECT_EQ(study.file, folder.study());
  EXPECT_EQ(study.text, test::read_bytes(folder.study()));
  EXPECT_EQ(study.name, "small");
  EXPECT_EQ(study.seed, 3U);
  EXPECT_EQ(study.networks.space, "fashion-macro");
  EXPECT_EQ(study.networks.table->file, folder / "accuracies.csv");
  EXPECT_THAT(study.accelerators.named, ElementsAre("xp-ws-64"));
  ASSERT_EQ(study.accelerators.grids.size(), 2U);
  EXPECT_EQ(study.accelerators.grids[0].size(), 4);
  EXPECT_EQ(study.accelerators.grids[1].file().name(), "eyeriss");
  EXPECT_EQ(study.accelerators.grids[1].at(3),
            (ParameterValues{{"pe_rows", "12"}, {"pe_columns", "8"}, {"shared_buffer", "64KiB"}}));
  EXPECT_THAT(study.objectives, ElementsAre(Objective{Metric::accuracy}, Objective{Metric::latency},
                                            Objective{Metric::energy}));
  EXPECT_THAT(study.constraints,
              testing::UnorderedElementsAre(
                  Constraint{Metric::latency, 2e5, true}, Constraint{Metric::accuracy, 70, false},
                  Constraint{Metric::energy, 1e3, false}, Constraint{Metric::energy, 2e9, true},
                  Constraint{Metric::area, 4, true}, Constraint{Metric::macs, 5000, true}));
  EXPECT_EQ(study.strategy.options.at("layers"), "2");
  EXPECT_EQ(study.evaluations, 100U);
  EXPECT_EQ(study.gap->latency_limits, 3U);
  EXPECT_EQ(study.gap->strategies.at(0).options.at("evaluations"), "7");
}

TEST(ReadStudy, NeedsNetworksOnly) {
  const StudyFolder folder;
  folder.write("kind: study\nschema_version: 1\nname: n\nnetworks: {named: [resnet18]}\n");
  const Study study = folder.read();
  EXPECT_EQ(study.seed, 1U);
  EXPECT_EQ(study.objectives.size(), 3U);
  EXPECT_FALSE(study.has_accelerators());
  EXPECT_EQ(study.strategy.name, "semi-decoupled");
}

TEST(ReadStudy, KeepsFilterValuesAsTheyStandInATable) {
  const StudyFolder folder({{"accuracy: accuracy}",
                             "accuracy: accuracy, require: [kind], where: {a: 16, b: [x, 1.5]}}"}});
  const NetworkTableSource table = *folder.read().networks.table;
  EXPECT_THAT(table.require, ElementsAre("kind"));
  EXPECT_THAT(table.where.at("a"), ElementsAre("16"));
  EXPECT_THAT(table.where.at("b"), ElementsAre("x", "1.5"));
}

TEST(ReadStudy, PutsDefinitionsIntoFileNames) {
  const StudyFolder folder({{"file: accuracies.csv", "file: '${where}/${what}.csv'"}});
  EXPECT_EQ(folder.read({{"where", "/data"}, {"what", "${no}"}}).networks.table->file,
            "/data/${no}.csv");
}

TEST(ReadStudy, RefusesAnUndefinedName) {
  expect_refused("file: accuracies.csv", "file: @'${data}/a.csv'",
                 {"'${data}' is not defined", "--define data=VALUE"});
  expect_refused("file: accuracies.csv", "file: @'${data/a.csv'", {"without a closing '}'"});
}

TEST(ReadStudy, SaysThatAFileIsNotThere) {
  EXPECT_THAT(
      test::message_of<FileError>([] { static_cast<void>(read_study("no-such-study.yaml", {})); }),
      HasSubstr("no-such-study.yaml: cannot open"));
}

TEST(ReadStudy, RefusesUnknownAndRepeatedKeys) {
  expect_refused("seed: 3", "@seeds: 3", {"unknown key 'seeds'", "did you mean 'seed'?"});
  expect_refused("pe_buffer: 256B", "@pe_bufer: 256B", {"did you mean 'pe_buffer'?"});
  expect_refused("seed: 3", "seed: 3\n@seed: 4", {"seed"});
}

TEST(ReadStudy, RefusesAWrongType) {
  expect_refused("seed: 3", "seed: @three", {"seed", "a whole number of at least 0"});
  expect_refused("pe_columns: 8\n", "pe_columns: @wide\n", {"expected a number"});
  expect_refused("objectives: [accuracy, latency, energy]", "objectives: @accuracy",
                 {"a list of one to four different metrics"});
}

TEST(ReadStudy, RefusesAnImpossibleRange) {
  expect_refused("seed: 3", "seed: @-1", {"a whole number of at least 0"});
  expect_refused("seed: 3", "seed: 3\nbudget: {evaluations: @0}", {"of at least 1"});
  expect_refused("pe_columns: 8\n", "pe_columns: @0\n", {"must be in [1, "});
  expect_refused("seed: 3", "seed: 3\nconstraints: {latency: @{at_least: 200, at_most: 100}}",
                 {"no design meets both latency >= 200 cycles and latency <= 100 cycles"});
  for (const char* bound : {"101%", "nan%", "inf%", "-1%", "101"})
    expect_refused("seed: 3",
                   fmt::format("seed: 3\nconstraints: {{accuracy: {{at_least: @{}}}}}", bound),
                   {"a percentage in [0, 100]"});
}

TEST(ReadStudy, RefusesAQuantityWithoutItsUnit) {
  expect_refused("pe_buffer: 256B", "pe_buffer: @256", {"the unit is missing", "KiB"});
  expect_refused("pe_buffer: 256B", "pe_buffer: [64B, @'256']", {"'256'", "KiB"});
  expect_refused("seed: 3", "seed: 3\nconstraints: {energy: {at_most: @3}}", {"'3'", "pJ"});
  expect_refused("seed: 3", "seed: 3\nconstraints: {area: {at_most: @3um}}", {"'3um'", "mm2"});
}

TEST(ReadStudy, RefusesNamesThatDoNotExist) {
  expect_refused("space: fashion-macro", "space: @fashion-marco",
                 {"did you mean 'fashion-macro'?"});
  expect_refused("{positions: 4}", "@{position: 4}", {"position", "did you mean 'positions'?"});
  expect_refused("{positions: 4}", "@{positions: 9}", {"positions = 9"});
  expect_refused("template: eyeriss", "template: @eyeris", {"did you mean 'eyeriss'?"});
  expect_refused("[xp-ws-64]", "[xp-ws-64, @nvdla-65]", {"did you mean 'nvdla-64'?"});
  expect_refused("latency, energy]", "@latncy, energy]", {"did you mean 'latency'?"});
  expect_refused("{name: exhaustive}", "{name: @exhaustiv}", {"did you mean 'exhaustive'?"});
  expect_refused("{name: exhaustive}", "{name: semi-decoupled, @layer: 3}",
                 {"strategy semi-decoupled has no option 'layer'", "did you mean 'layers'?"});
  expect_refused("seed: 3", "seed: 3\nconstraints: {@latncy: {at_most: 3cycles}}",
                 {"did you mean 'latency'?"});
}

TEST(ReadStudy, RefusesBothOrNeitherOfSpaceAndNamed) {
  const char* both = "space: fashion-macro\n  options: {positions: 4}\n";
  expect_refused(both, "@space: fashion-macro\n  named: [resnet18]\n", {"give one of the two"});
  expect_refused(both, "@sample: 4\n", {"give one of the two"});
}

TEST(ReadStudy, RefusesWhatNeedsASpaceForNamedNetworks) {
  expect_refused("space: fashion-macro\n  options: {positions: 4}\n  table: {",
                 "named: [resnet18]\n  table: @{", {"'table' needs a 'space'"});
}

TEST(ReadStudy, RefusesGridValuesThatNoMachineMayHave) {
  expect_refused("pe_rows: [4, 8]", "pe_rows: [4, @0]", {"pe_rows = 0", "fan-out along rows = 0"});
  expect_refused("pe_rows: [4, 8]", "pe_rows: [@0, 4]", {"pe_rows = 0", "fan-out along rows = 0"});
  expect_refused("pe_buffer: 256B", "@pe_bufer: 256B", {"no parameter 'pe_bufer'", "pe_buffer"});
  expect_refused("- template: nvdla\n      pe_rows: [4, 8]", "- @pe_rows: [4, 8]",
                 {"either a 'template' or a 'machine'"});
}

TEST(ReadStudy, RefusesAGridValueThatStandsTwice) {
  expect_refused("pe_rows: [4, 8]", "pe_rows: [4, 8, @8]", {"pe_rows[2]: 8 appears twice"});
  expect_refused("pe_buffer: 256B", "pe_buffer: [1KiB, @1024B]", {"pe_buffer = 1024B", "twice"});
  expect_refused("pe_buffer: 256B", "pe_buffer: 256B\n      technology: [16nm, @16nm]",
                 {"technology[1]: \"16nm\" appears twice"});
}

TEST(ReadStudy, RefusesATechnologyAtItsLine) {
  expect_refused("pe_buffer: 256B", "pe_buffer: 256B\n      technology: @29nm", {"'29nm'", "16nm"});
  expect_refused("pe_buffer: 256B", "pe_buffer: 256B\n      technology: [16nm, @29nm]", {"'29nm'"});
  expect_refused("accelerators:\n", "accelerators:\n  technology: @29nm\n", {"'29nm'", "16nm"});
  expect_refused("named: [xp-ws-64]", "machines: [@'nvdla:technology=29nm']", {"'29nm'"});
  for (const char* by : {"accelerators:\n  technology: @no-such.csv\n",
                         "accelerators:\n  machines: [@'nvdla:technology=no-such.csv']\n"}) {
    SCOPED_TRACE(by);
    expect_refused("accelerators:\n", by, {"no-such.csv"});
  }
}

TEST(ReadStudy, SaysWhoMapsAndWhatFor) {
  const Study usual = StudyFolder().read();
  EXPECT_FALSE(usual.mapping.mapper);
  const std::optional<accel::Dataflow> none;
  EXPECT_EQ(usual.mapping.for_machine_with(accel::Dataflow::nvdla), Mapper::template_rule);
  EXPECT_EQ(usual.mapping.for_machine_with(none), Mapper::optimal);
  const std::string objectives = "objectives: [accuracy, latency, energy]\n";
  const auto with = [&](const std::string& mapping) {
    return StudyFolder({{objectives, "mapping: {" + mapping + "}\n" + objectives}}).read().mapping;
  };
  EXPECT_EQ(with("mapper: template").mapper, Mapper::template_rule);
  const MapperChoice optimal = with("mapper: optimal, objective: latency^2*energy");
  EXPECT_EQ(optimal.for_machine_with(accel::Dataflow::nvdla), Mapper::optimal);
  EXPECT_EQ(optimal.objective.latency, 2);
  EXPECT_EQ(optimal.objective.energy, 1);

  const auto refused = [&](const std::string& mapping, const std::vector<std::string>& says) {
    expect_refused(objectives, "mapping: {" + mapping + "}\n" + objectives, says);
  };
  refused("mapper: @optimum", {"optimal"});
  refused("mapper: optimal, objective: @energi", {"did you mean 'energy'?"});
  refused("mapper: template, objective: @energy", {"only the optimal mapper has an objective"});
  refused("objective: @energy", {"only the optimal mapper has an objective"});
  const StudyFolder with_machine({{"named: [xp-ws-64]", "machines: [simba]"},
                                  {"strategy: {", "mapping: {objective: energy}\nstrategy: {"}});
  EXPECT_EQ(with_machine.read().mapping.objective.latency, 0);
}

TEST(ReadStudy, TakesMachinesByNameAndFromFilesBesideIt) {
  const StudyFolder folder({{"named: [xp-ws-64]", "machines: [simba, 'mine.yaml:rows=8']"}});
  for (const accel::ShippedMachine& shipped : accel::shipped_machines())
    if (shipped.name == "gemmini")
      test::write_bytes(folder / "mine.yaml", std::string(shipped.text));
  EXPECT_THAT(folder.read().accelerators.machines,
              ElementsAre("simba", (folder / "mine.yaml").string() + ":rows=8"));
  folder.write(replaced(test::read_bytes(folder.study()), "mine.yaml:rows=8", "mine.yaml:row=8"));
  EXPECT_THAT(test::message_of([&] { static_cast<void>(folder.read()); }),
              HasSubstr("no parameter 'row' (did you mean 'rows'?)"));
  folder.write(replaced(test::read_bytes(folder.study()), "mine.yaml:row=8", "other.yaml"));
  EXPECT_THROW(static_cast<void>(folder.read()), FileError);
}

TEST(ReadStudy, RefusesTheRuleOfATemplateForAMachineThatIsNone) {
  const StudyFolder folder({{"named: [xp-ws-64]", "machines: [simba]"},
                            {"strategy: {", "mapping: {mapper: template}\nstrategy: {"}});
  EXPECT_THAT(test::message_of([&] { static_cast<void>(folder.read()); }),
              HasSubstr("machine 'simba' is no template"));
}

TEST(ReadStudy, RefusesAnAcceleratorSectionWithoutAccelerators) {
  const StudyFolder folder;
  folder.write(kSmallStudy.substr(0, kSmallStudy.find("accelerators:")) +
               "accelerators:\n  sample: 3\n");
  EXPECT_THAT(
      test::message_of([&] { static_cast<void>(folder.read()); }),
      HasSubstr(
          "study.yaml:10:3: no accelerator: give 'named' ones, 'machines', 'grids', or several"));
}

TEST(ReadStudy, ReportsAllProblemsOfTheSchemaAtOnce) {
  const StudyFolder folder({{"seed: 3", "seeds: 3"}, {"pe_columns: 8\n", "pe_columns: true\n"}});
  const std::string message = test::message_of([&] { static_cast<void>(folder.read()); });
  EXPECT_THAT(message, HasSubstr("study.yaml:4:1: "));
  EXPECT_THAT(message, HasSubstr("study.yaml:18:19: "));
}

TEST(ReadStudy, ReadsTheExamples) {
  const std::filesystem::path examples = std::filesystem::path(COSEARCH_SOURCE_DIR) / "examples";
  for (const auto& entry : std::filesystem::directory_iterator(examples)) {
    if (entry.path().extension() != ".yaml") continue;
    if (test::read_bytes(entry.path()).find("kind: study") == std::string::npos) continue;
    SCOPED_TRACE(entry.path());
    EXPECT_NO_THROW(static_cast<void>(read_study(entry.path(), {{"data", "/data"}})));
  }
}

}  // namespace
}  // namespace cosearch::codesign
