// Recommendations: that labels are what trying all accelerators one by one says, and that the bench
// measures what it claims.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "accel/machine_costs.h"
#include "codesign/joint_space.h"
#include "codesign/layer_coster.h"
#include "codesign/recommendation_bench.h"
#include "codesign/recommendation_data.h"
#include "codesign/recommender_file.h"
#include "core/user_error.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign {
namespace {

using test::message_of;
using testing::HasSubstr;

class RecommendationTest : public testing::Test {
 protected:
  // Small PE buffers, so that wide windows do not fit everywhere.
  static constexpr const char* kStudy = R"(kind: study
schema_version: 1
name: recommend
networks: {named: [resnet18]}
accelerators:
  grids:
    - template: nvdla
      pe_rows: [4, 8, 16]
      pe_columns: [4, 8]
      shared_buffer: [8KiB, 64KiB]
    - template: eyeriss
      pe_rows: [4, 12]
      pe_columns: 8
      pe_buffer: [32B, 256B]
      shared_buffer: 16KiB
objectives: [latency]
constraints:
  area: {at_most: 1mm2}
)";

  Study read(const std::string& text) {
    const std::filesystem::path path = folder_ / "study.yaml";
    test::write_bytes(path, text);
    return read_study(path, {});
  }

  test::TemporaryFolder folder_;
  Workers workers_{2};
};

TEST_F(RecommendationTest, DrawnLayersAreDifferentAndInTheirRanges) {
  const std::vector<Layer> convolutions = draw_convolutions(500, 1);
  std::set<std::int64_t> windows;
  for (const Layer& layer : convolutions) {
    EXPECT_TRUE(problems_in(layer).empty());
    EXPECT_TRUE(layer.K % 2 == 0 && layer.K <= 512 && layer.C % 2 == 0 && layer.C <= 512);
    EXPECT_TRUE(layer.P == 1 || (layer.P % 8 == 0 && layer.P <= 256)) << layer.P;
    EXPECT_TRUE(layer.Q == 1 || (layer.Q % 8 == 0 && layer.Q <= 256)) << layer.Q;
    windows.insert(layer.R);
    EXPECT_EQ(layer.R, layer.S);
  }
  EXPECT_EQ(windows, (std::set<std::int64_t>{1, 3, 5, 7, 9}));
  std::set<std::string> texts;
  const std::vector<Layer> gemms = draw_gemms(500, 1);
  for (const Layer& layer : gemms) texts.insert(describe(layer));
  EXPECT_EQ(texts.size(), 500U);
  EXPECT_EQ(draw_gemms(500, 1), gemms);
  EXPECT_NE(draw_gemms(500, 2), gemms);
  // The first of many are those of few.
  const std::vector<Layer> few = draw_gemms(100, 1);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), gemms.begin()));
}

TEST_F(RecommendationTest, TheBestIsWhatTryingAllOneByOneSays) {
  const Study study = read(kStudy);
  for (const Metric objective : {Metric::latency, Metric::energy, Metric::edp}) {
    const std::vector<Layer> layers = draw_convolutions(40, 3);
    const RecommendationData data = recommendation_data(study, layers, objective, workers_, {});
    ASSERT_EQ(data.rows(), layers.size());

    const AcceleratorSet all = load_accelerators(study);
    AcceleratorSet chosen = all;
    std::vector<Accelerator>& allowed = chosen.list;
    std::erase_if(allowed, [](const Accelerator& one) { return area_of(one.machine).value > 1; });
    ASSERT_LT(allowed.size(), all.list.size()) << "the constraint bites";
    ASSERT_EQ(data.choices.size(), allowed.size());
    NetworkSet set;
    set.layers = layers;
    const JointSpace space(std::move(set), chosen);
    LocalLayerCoster coster(space, workers_);
    bool had_tie = false, had_misfit = false;
    for (std::uint32_t row = 0; row < data.rows(); ++row) {
      std::uint32_t best = 0;
      double least = INFINITY;
      for (std::uint32_t choice = 0; choice < allowed.size(); ++choice) {
        const LayerTask task{choice, row};
        LayerOutcome outcome;
        coster.cost({&task, 1}, {&outcome, 1});
        if (!outcome.failure.empty()) {
          EXPECT_TRUE(std::isnan(data.costs_of(row)[choice]));
          had_misfit = true;
          continue;
        }
        const auto cycles = static_cast<double>(outcome.cycles);
        const double cost = objective == Metric::latency  ? cycles
                            : objective == Metric::energy ? outcome.energy_pj
                                                          : cycles * outcome.energy_pj;
        EXPECT_EQ(data.costs_of(row)[choice], cost);
        EXPECT_EQ(data.choices[choice], allowed[choice].machine.name);
        if (cost == least) had_tie = true;
        if (cost < least || (cost == least && area_of(allowed[choice].machine).value <
                                                  area_of(allowed[best].machine).value)) {
          least = cost;
          best = choice;
        }
      }
      EXPECT_EQ(data.best[row], best) << data.workloads[row];
    }
    EXPECT_TRUE(had_misfit) << "no window is too wide for the small PE buffers";
    EXPECT_TRUE(had_tie || objective != Metric::latency) << "the smallest area is never asked";
  }
}

TEST_F(RecommendationTest, DataIsTheSameForAnyNumberOfWorkersAndComesBack) {
  const Study study = read(kStudy);
  Workers three(3);
  const auto data = recommendation_data(study, draw_gemms(150, 1), Metric::latency, workers_, {});
  const auto other = recommendation_data(study, draw_gemms(150, 1), Metric::latency, three, {});
  const std::filesystem::path path = folder_ / "data.h5";
  write_recommendation_data(path, data);
  for (const RecommendationData& same : {other, read_recommendation_data(path)}) {
    EXPECT_EQ(same.objective, data.objective);
    EXPECT_EQ(same.choices, data.choices);
    EXPECT_EQ(same.workloads, data.workloads);
    EXPECT_EQ(same.features.features, data.features.features);
    EXPECT_EQ(same.best, data.best);
    ASSERT_EQ(same.costs.size(), data.costs.size());
    for (std::size_t i = 0; i < data.costs.size(); ++i)
      EXPECT_TRUE(same.costs[i] == data.costs[i] ||
                  (std::isnan(same.costs[i]) && std::isnan(data.costs[i])));
  }
}

TEST_F(RecommendationTest, RefusesQuestionsItCannotAnswer) {
  const auto write = [&](const std::string& text, Metric objective) {
    (void)recommendation_data(read(text), draw_gemms(3, 1), objective, workers_, {});
  };
  const auto ask = [&](const std::string& text, Metric objective = Metric::latency) {
    return message_of([&] { write(text, objective); });
  };
  const auto with = [](const std::string& from, const std::string& to) {
    std::string changed = kStudy;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_THAT(ask(kStudy, Metric::accuracy), HasSubstr("expected latency, energy or edp"));
  EXPECT_THAT(ask(with("area: {at_most: 1mm2}", "latency: {at_most: 100cycles}")),
              HasSubstr("the constraint 'area' only: remove 'latency <= 100 cycles'"));
  EXPECT_THAT(ask(with("1mm2", "0.0001mm2")), HasSubstr("no accelerator is left"));
  EXPECT_THAT(ask(with("pe_columns: 8", "pe_columns: 8\n      clock: 100MHz")),
              HasSubstr("clocks differ"));
  EXPECT_NO_THROW(
      write(with("pe_columns: 8", "pe_columns: 8\n      clock: 100MHz"), Metric::energy));
}

TEST_F(RecommendationTest, RefusesDamagedFiles) {
  const std::filesystem::path path = folder_ / "data.h5";
  RecommendationData data =
      recommendation_data(read(kStudy), draw_gemms(5, 1), Metric::latency, workers_, {});
  EXPECT_THROW((void)read_recommendation_data(path), FileError);
  data.costs.pop_back();
  write_recommendation_data(path, data);
  EXPECT_THAT(message_of([&] { (void)read_recommendation_data(path); }),
              HasSubstr("its costs are damaged"));
  EXPECT_THAT(message_of([&] { (void)read_recommender(path); }), HasSubstr("recommender"));
}

// Two choices of which the workload's first feature alone decides; the wrong one costs twice.
RecommendationData made_up(std::size_t rows) {
  RecommendationData data;
  data.choices = {"a", "b"};
  const std::vector<Layer> layers = draw_gemms(rows, 5);
  data.features = features_of(layers);
  const std::size_t columns = data.features.columns.size();
  for (std::size_t row = 0; row < rows; ++row) {
    data.workloads.push_back(describe(layers[row]));
    data.best.push_back(data.features.features[row * columns + 2] > 7 ? 1 : 0);
    data.costs.push_back(data.best[row] == 0 ? 1 : 2);
    data.costs.push_back(data.best[row] == 1 ? 1 : 2);
  }
  return data;
}

TEST_F(RecommendationTest, TheBenchMeasuresRegret) {
  const RecommendationData data = made_up(400);
  const RecommendationBenchOptions options{
      .models = {"constant", "tree"}, .training = 300, .seeds = 3, .shortlist = 2};
  const auto rows = bench_recommenders(data, nullptr, options, workers_);
  ASSERT_EQ(rows.size(), 4U);
  for (std::size_t seed = 0; seed < 3; ++seed) {
    const RecommendationScore& random = rows[0].scores[seed];
    EXPECT_NEAR(random.mean_regret, std::sqrt(2) - 1, 1e-12);
    EXPECT_NEAR(random.exact, 0.5, 1e-12);
    EXPECT_EQ(random.worst_regret, 1);
    // With two choices of equal loss the one that is best most often is also best for all.
    const RecommendationScore& one = rows[1].scores[seed];
    const RecommendationScore& constant = rows[2].scores[seed];
    EXPECT_EQ(one.exact, constant.exact);
    EXPECT_NEAR(constant.mean_regret, std::exp2(1 - constant.exact) - 1, 1e-12);
    EXPECT_EQ(constant.shortlist_regret, 0);
    const RecommendationScore& tree = rows[3].scores[seed];
    EXPECT_GT(tree.exact, 0.98);
    EXPECT_LT(tree.mean_regret, 0.02);
    EXPECT_EQ(tree.misfits, 0);
  }
  Workers one(1);
  const auto again = bench_recommenders(data, nullptr, options, one);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t seed = 0; seed < 3; ++seed)
      EXPECT_EQ(again[row].scores[seed].mean_regret, rows[row].scores[seed].mean_regret);
}

// Four choices of costs 1, 2, 4 and 8 times the least; the first is best for none but ten of a
// hundred workloads, which all look alike: the constant recommends the second, then those best more
// often.
TEST_F(RecommendationTest, TheShortlistIsOfWhatIsRanked) {
  RecommendationData data;
  data.choices = {"a", "b", "c", "d"};
  const std::vector<Layer> layers = draw_gemms(100, 6);
  data.features = features_of(layers);
  for (std::size_t row = 0; row < 100; ++row) {
    data.workloads.push_back(describe(layers[row]));
    const bool is_odd_one = row < 10;
    data.best.push_back(is_odd_one ? 0 : 1);
    const std::vector<double> costs =
        is_odd_one ? std::vector<double>{1, 8, 4, 2} : std::vector<double>{2, 1, 4, 8};
    data.costs.insert(data.costs.end(), costs.begin(), costs.end());
  }
  // Learned from all but one, judged by the same ones under other names.
  RecommendationData unseen = data;
  const auto score = [&](std::size_t shortlist) {
    return bench_recommenders(
               data, &unseen,
               {.models = {"constant"}, .training = 99, .seeds = 1, .shortlist = shortlist},
               workers_)[2]
        .scores[0];
  };
  // Ranked b, a, then c and d, best for none. For ten workloads b costs 8, with a 1.
  EXPECT_NEAR(score(1).mean_regret, std::pow(8, 0.1) - 1, 1e-12);
  EXPECT_NEAR(score(1).shortlist_regret, score(1).mean_regret, 1e-12);
  EXPECT_NEAR(score(2).shortlist_regret, 0, 1e-12);
  EXPECT_NEAR(score(1).within_5_percent, 0.9, 1e-12);
  EXPECT_NEAR(score(1).p95_regret, 7, 1e-12);
  EXPECT_NEAR(score(1).worst_regret, 7, 1e-12);
}

TEST_F(RecommendationTest, WhatWasLearnedFromIsNotUnseen) {
  const RecommendationData data = made_up(50), more = made_up(80);
  const RecommendationData rest = without_known(more, data);
  ASSERT_EQ(rest.rows(), 30U);
  EXPECT_EQ(rest.workloads.front(), more.workloads[50]);
  EXPECT_EQ(rest.best.back(), more.best[79]);
  EXPECT_EQ(rest.costs_of(29)[1], more.costs_of(79)[1]);
  const RecommendationData none = without_known(data, data);
  EXPECT_THAT(message_of([&] {
                (void)bench_recommenders(data, &none, {.models = {}, .training = 9}, workers_);
              }),
              HasSubstr("are among those learned from"));
}

TEST_F(RecommendationTest, OneForAllFitsMostAndThenCostsLeast) {
  // Each choice misfits somewhere: a twice but is else best, b once, c once at a higher cost.
  RecommendationData data;
  data.choices = {"a", "b", "c"};
  const std::vector<Layer> layers = draw_gemms(5, 7);
  data.features = features_of(layers);
  data.costs = {NAN, 2, 3, NAN, 2, 3, 1, NAN, 3, 1, 2, NAN, 1, 2, 3};
  data.best = {1, 1, 0, 0, 0};
  for (const Layer& layer : layers) data.workloads.push_back(describe(layer));
  RecommendationData unseen = data;
  unseen.costs = {1, 2, 4, 1, 2, 4, 1, 2, 4, 1, 2, 4, 1, 2, 4};
  unseen.best = {0, 0, 0, 0, 0};
  const auto rows = bench_recommenders(
      data, &unseen, {.models = {}, .training = 5, .seeds = 1, .shortlist = 1}, workers_);
  EXPECT_NEAR(rows[1].scores[0].mean_regret, 1, 1e-12) << "b";
}

TEST_F(RecommendationTest, WhatDoesNotFitIsPassedOverAndCounted) {
  RecommendationData data = made_up(100);
  // Row 0's best stays; everywhere else the first choice does not fit, and the second is best.
  for (std::size_t row = 1; row < 100; ++row) {
    data.costs[2 * row] = NAN;
    data.best[row] = 1;
  }
  RecommendationData training = made_up(100);
  for (std::size_t row = 0; row < 100; ++row) training.best[row] = 0;
  const auto rows =
      bench_recommenders(training, &data, {.models = {"constant"}, .training = 100}, workers_);
  EXPECT_NEAR(rows[2].scores[0].misfits, 0.99, 1e-12);
  EXPECT_EQ(rows[2].scores[0].exact, data.best[0] == 0 ? 1 : 0.99);
  EXPECT_THAT(message_of([&] {
                data.choices[1] = "c";
                (void)bench_recommenders(training, &data, {.models = {}, .training = 9}, workers_);
              }),
              HasSubstr("other accelerators"));
}

TEST_F(RecommendationTest, ARecommenderComesBackFromItsFile) {
  const RecommendationData data = made_up(200);
  TrainedRecommender trained{.model = "tree",
                             .objective = Metric::edp,
                             .choices = data.choices,
                             .recommender = predictors::make_recommender("tree")};
  trained.recommender->fit(data.features, data.best, 2, 1);
  const std::filesystem::path path = folder_ / "recommender.h5";
  write_recommender(path, trained);
  const TrainedRecommender back = read_recommender(path);
  EXPECT_EQ(back.model, "tree");
  EXPECT_EQ(back.objective, Metric::edp);
  EXPECT_EQ(back.choices, data.choices);
  EXPECT_EQ(back.recommender->shares(data.features), trained.recommender->shares(data.features));
  EXPECT_THAT(message_of([&] { (void)read_recommendation_data(path); }),
              HasSubstr("recommendation data"));
}

}  // namespace
}  // namespace cosearch::codesign
