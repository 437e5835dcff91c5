// Rank studies and gap studies on published tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codesign/gap_study.h"
#include "codesign/rank_study.h"
#include "codesign/run_study.h"
#include "codesign/study.h"
#include "datasets/table.h"
#include "tests/support/reference_data.h"

namespace cosearch::codesign {
namespace {

using datasets::Table;

Study example(const std::string& name) {
  return read_study(std::filesystem::path(COSEARCH_SOURCE_DIR) / "examples" / name,
                    {{"data", test::reference_data().string()}});
}

// A published matrix of correlations: the first cell of a row names it as the header names its
// column; the cell above the names is empty.
Table read_matrix(const std::filesystem::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return Table::parse("name" + text, path.string());
}

void expect_equals_table(const RankMatrix& matrix, const std::string& file) {
  const Table table = read_matrix(test::reference_data() / file);
  const std::set<std::string> ours(matrix.names.begin(), matrix.names.end());
  const std::set<std::string> published(table.columns().begin() + 1, table.columns().end());
  EXPECT_EQ(ours, published);
  const auto position = [&](const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(matrix.names, name) - matrix.names.begin());
  };
  std::size_t cells = 0;
  for (std::size_t row = 0; row < table.rows(); ++row)
    for (std::size_t column = 1; column < table.columns().size(); ++column, ++cells) {
      const std::string &a = table.text(row, 0), &b = table.columns()[column];
      ASSERT_TRUE(ours.contains(a) && ours.contains(b)) << a << " x " << b;
      EXPECT_NEAR(matrix.at(position(a), position(b)), table.number(row, column), 0.0005)
          << a << " x " << b;
    }
  std::printf("%s: %zu rows checked, %zu correlations\n", file.c_str(), table.rows(), cells);
}

TEST(RankStudyReference, EqualsThePublishedMatricesToThreeDecimals) {
  for (const char* file : {"nasbench301_archs.csv.gz", "nasbench301_latency_energy.csv.gz",
                           "srcc_latency.csv", "srcc_energy.csv"})
    COSEARCH_NEEDS_REFERENCE(std::filesystem::path("ren2022") / file);
  Workers workers(2);
  const RankStudy study = rank_study(example("reference/ren2022.yaml"), workers);
  ASSERT_EQ(study.matrices.size(), 2U);
  for (const RankMatrix& matrix : study.matrices) {
    SCOPED_TRACE(matrix.metric);
    expect_equals_table(matrix, "ren2022/srcc_" + matrix.metric + ".csv");
    // The control has a coefficient for every column, none of them a perfect one by accident.
    ASSERT_EQ(matrix.macs_rho.size(), matrix.names.size());
    for (const double rho : matrix.macs_rho) EXPECT_TRUE(rho > -1 && rho < 1) << rho;
  }
}

StrategyChoice strategy(const std::string& name,
                        const std::map<std::string, std::string>& options) {
  return {.name = name, .options = options, .where = {}, .option_where = {}};
}

// Evaluations saved that "20 times fewer with 200 accelerators" promises with `accelerators`. When
// a share r of the networks is retained, every network is evaluated once and r of them on all A
// accelerators: A / (1 + r A) times fewer. Twenty at A = 200 means r <= 1/20 - 1/200.
double promised_saving(double accelerators) {
  return accelerators / (1 + accelerators * (1.0 / 20 - 1.0 / 200));
}

TEST(GapStudyReference, RetainingFiveLayersLosesLittleAndTheControlsMore) {
  COSEARCH_NEEDS_REFERENCE("nas/nb201_accuracy.csv.gz");
  Study study = example("nas_bench_201.yaml");
  study.accelerators.sample = 40;
  study.gap->strategies = {strategy("semi-decoupled", {{"layers", "5"}}),
                           strategy("random-retained", {}), strategy("decoupled-network-first", {}),
                           strategy("decoupled-hardware-first", {})};
  StudySetting setting(std::move(study), 2);
  const GapComparison comparison = compare_gaps(setting, [](std::uint64_t, const std::string&) {});
  std::printf("nas/nb201_accuracy.csv.gz: %u rows checked, on %u accelerators\n",
              static_cast<unsigned>(comparison.networks),
              static_cast<unsigned>(comparison.accelerators));
  for (const StrategyGap& gap : comparison.strategies)
    std::printf("  %-40s mean %.4f, exact %.3f, nothing %.3f, %llu evaluations\n",
                gap.label.c_str(), gap.joint.mean, gap.joint.share_exact,
                gap.joint.share_infeasible, static_cast<unsigned long long>(gap.counts.hardware));

  const StrategyGap& semi = comparison.strategies[0];
  EXPECT_LE(semi.joint.mean, 0.1);
  EXPECT_GE(static_cast<double>(comparison.exhaustive.hardware) /
                static_cast<double>(semi.counts.hardware),
            promised_saving(static_cast<double>(comparison.accelerators)));
  EXPECT_GT(comparison.strategies[1].joint.mean, semi.joint.mean);
  for (std::size_t i = 1; i < comparison.strategies.size(); ++i) {
    SCOPED_TRACE(comparison.strategies[i].label);
    EXPECT_LT(comparison.strategies[i].joint.share_exact, semi.joint.share_exact);
  }
}

}  // namespace
}  // namespace cosearch::codesign
