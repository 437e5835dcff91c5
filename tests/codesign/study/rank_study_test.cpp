#include "codesign/rank_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "codesign/run_study.h"
#include "core/user_error.h"
#include "predictors/rank_correlation.h"
#include "study_support.h"

namespace cosearch::codesign {
namespace {

using test::StudyFolder;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Spearman over the places that both know, the long way.
double rho_where_known(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> a, b;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(x[i]) && !std::isnan(y[i])) {
      a.push_back(x[i]);
      b.push_back(y[i]);
    }
  return predictors::spearman(a, b);
}

void expect_same_number(double a, double b) {
  EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) < 1e-12)
      << a << " is not " << b;
}

TEST(RankMatrix, IsSpearmanOverWhatBothColumnsKnow) {
  const std::vector<double> macs{1, 2, 3, 4, 5, 6};
  const std::vector<CostColumn> columns{{"whole", {3, 1, 4, 1, 5, 9}},
                                        {"gaps", {2, kUnknown, 1, 8, kUnknown, 3}},
                                        {"nobody", std::vector<double>(6, kUnknown)},
                                        {"other gaps", {kUnknown, 7, 5, 6, 1, 2}},
                                        {"constant", std::vector<double>(6, 4.0)}};
  for (const int jobs : {1, 3}) {
    Workers workers(jobs);
    const RankMatrix matrix = rank_matrix("latency", columns, macs, workers);
    EXPECT_THAT(matrix.names, testing::ElementsAre("whole", "gaps", "other gaps", "constant"));
    EXPECT_THAT(matrix.networks, testing::ElementsAre(6U, 4U, 5U, 6U));
    const std::vector<const CostColumn*> kept{&columns[0], &columns[1], &columns[3], &columns[4]};
    for (std::size_t row = 0; row < kept.size(); ++row) {
      expect_same_number(matrix.macs_rho[row], rho_where_known(kept[row]->values, macs));
      for (std::size_t column = 0; column < kept.size(); ++column)
        expect_same_number(
            matrix.at(row, column),
            row == column ? 1.0 : rho_where_known(kept[row]->values, kept[column]->values));
    }
  }
}

TEST(RankSummary, PassesOverPairsWithoutAnOrder) {
  RankMatrix matrix{.metric = "energy",
                    .names = {"a", "b", "c", "d"},
                    .rho = {1, 0.5, 0.7, kUnknown,  //
                            0.5, 1, 0.9, kUnknown,  //
                            0.7, 0.9, 1, kUnknown,  //
                            kUnknown, kUnknown, kUnknown, 1},
                    .macs_rho = {0.2, 0.4, kUnknown, 0.9},
                    .networks = {}};
  const RankSummary summary = summary_of(matrix);
  EXPECT_DOUBLE_EQ(summary.least, 0.5);
  EXPECT_DOUBLE_EQ(summary.median, 0.7);
  EXPECT_DOUBLE_EQ(summary.mean, 0.7);
  EXPECT_DOUBLE_EQ(summary.macs_least, 0.2);
  EXPECT_DOUBLE_EQ(summary.macs_median, 0.4);
  EXPECT_DOUBLE_EQ(summary.macs_mean, 0.5);
}

// Trials of every design of a study, by (network, accelerator).
std::map<Design, Trial> every_trial(StudySetting& setting) {
  std::vector<Design> designs;
  for (std::uint64_t i = 0; i < design_count(setting.space); ++i)
    designs.push_back(design_at(setting.space, i));
  ModelEvaluator evaluator(setting.space, setting.workers);
  std::map<Design, Trial> trials;
  for (const Trial& trial : evaluate_all(designs, evaluator, {}, setting.workers))
    trials[trial.design] = trial;
  return trials;
}

TEST(RankStudy, RanksTheModelsCosts) {
  const StudyFolder folder;
  StudySetting setting(folder.read(), 2);
  const auto trials = every_trial(setting);
  const RankStudy study = rank_study(setting.study, setting.workers);
  EXPECT_EQ(study.networks, setting.space.network_count());
  ASSERT_EQ(study.matrices.size(), 2U);
  EXPECT_EQ(study.matrices[0].metric, "latency");
  EXPECT_EQ(study.matrices[1].metric, "energy");
  const auto column = [&](std::uint32_t chip, Metric metric) {
    std::vector<double> values;
    for (std::uint32_t n = 0; n < setting.space.network_count(); ++n)
      values.push_back(trials.at({n, chip}).metrics[metric]);
    return values;
  };
  for (const auto& [matrix, metric] :
       {std::pair{study.matrices[0], Metric::latency}, {study.matrices[1], Metric::energy}}) {
    ASSERT_EQ(matrix.names.size(), setting.space.accelerator_count());
    for (std::uint32_t a = 0; a < setting.space.accelerator_count(); ++a) {
      EXPECT_EQ(matrix.names[a], setting.space.accelerators()[a].machine.name);
      for (std::uint32_t b = 0; b < a; ++b)
        EXPECT_NEAR(matrix.at(a, b), predictors::spearman(column(a, metric), column(b, metric)),
                    1e-12);
    }
  }
}

TEST(RankStudy, OfAnExhaustiveStoreIsThatOfItsStudy) {
  const StudyFolder folder;
  StudySetting setting(folder.read(), 1);
  static_cast<void>(run_study(setting, {.output = folder / "study.h5"}));
  const RankStudy direct = rank_study(setting.study, setting.workers);
  const RankStudy stored = rank_stored(folder / "study.h5", setting.workers);
  EXPECT_EQ(stored.networks, direct.networks);
  ASSERT_EQ(stored.matrices.size(), direct.matrices.size());
  for (std::size_t i = 0; i < direct.matrices.size(); ++i) {
    EXPECT_EQ(stored.matrices[i].metric, direct.matrices[i].metric);
    EXPECT_EQ(stored.matrices[i].names, direct.matrices[i].names);
    EXPECT_EQ(stored.matrices[i].networks, direct.matrices[i].networks);
    EXPECT_EQ(stored.matrices[i].rho, direct.matrices[i].rho);
    EXPECT_EQ(stored.matrices[i].macs_rho, direct.matrices[i].macs_rho);
  }
}

// The small study with measured costs of three networks on two chips, and no accelerators.
std::unique_ptr<StudyFolder> folder_with_costs(const std::string& csv) {
  auto folder = std::make_unique<StudyFolder>();
  const std::string text = test::kSmallStudy;
  folder->write(text.substr(0, text.find("accelerators:")) +
                "costs: {file: costs.csv, network: net, accelerator: [maker, chip], latency: "
                "cycles, energy: nj, where: {run: 1}}\n");
  test::write_bytes(*folder / "costs.csv", csv);
  return folder;
}

TEST(RankStudy, RanksMeasuredCostsAndLeavesGapsOut) {
  const auto folder = folder_with_costs(
      "net,maker,chip,cycles,nj,run\n"
      "0000,m,a,10,,1\n0001,m,a,20,,1\n0002,m,a,30,,1\n0002,m,a,5,,2\n"
      "0000,m,b,7,1,1\n0001,m,b,9,3,1\n0002,m,b,8,2,1\n0010,m,b,1,,1\nnobody,m,b,1,1,1\n");
  Workers workers(2);
  const RankStudy study = rank_study(folder->read(), workers);
  ASSERT_EQ(study.matrices.size(), 2U);
  EXPECT_THAT(study.matrices[0].names, testing::ElementsAre("m/a", "m/b"));
  EXPECT_THAT(study.matrices[0].networks, testing::ElementsAre(3U, 4U));
  EXPECT_DOUBLE_EQ(study.matrices[0].at(0, 1), 0.5) << "ranks 1 2 3 against 1 3 2";
  EXPECT_THAT(study.matrices[1].names, testing::ElementsAre("m/b"));
}

TEST(RankStudy, RefusesCostsOfOtherNetworks) {
  const auto folder = folder_with_costs("net,maker,chip,cycles,nj,run\nother,m,a,10,1,1\n");
  Workers workers(1);
  EXPECT_THAT(test::message_of([&] { static_cast<void>(rank_study(folder->read(), workers)); }),
              testing::AllOf(testing::HasSubstr("costs.csv"),
                             testing::HasSubstr("no row names a network of the study")));
}

TEST(RankStudy, NeedsAcceleratorsOrCosts) {
  const StudyFolder folder;
  folder.write("kind: study\nschema_version: 1\nname: n\nnetworks: {named: [resnet18]}\n");
  Workers workers(1);
  EXPECT_THAT(test::message_of([&] { static_cast<void>(rank_study(folder.read(), workers)); }),
              testing::HasSubstr("nothing to rank"));
}

}  // namespace
}  // namespace cosearch::codesign
