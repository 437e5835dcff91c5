// Scores of 500 cells of NAS-Bench-201 beside the published ones, and how well they rank: prints
// Spearman's rho with 95 % intervals. Some five minutes on one core.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/random.h"
#include "datasets/table.h"
#include "nas/scores/scorer.h"
#include "nas/space.h"
#include "predictors/rank_correlation.h"
#include "tests/support/reference_data.h"

namespace cosearch::nas {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

struct Cell {
  std::string genotype;
  double accuracy;
  std::array<double, 3> published, ours;  // synflow, logsynflow, naswot
};

const std::vector<Score> kScores{Score::synflow, Score::logsynflow, Score::naswot};

std::vector<Cell> sampled_cells(const std::filesystem::path& folder, std::size_t count) {
  const auto accuracies = datasets::Table::read(folder / "nb201_accuracy.csv.gz");
  const auto scores = datasets::Table::read(folder / "nb201_zerocost.csv.gz");
  std::vector<std::size_t> rows(accuracies.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  Random(1, "sampled cells").shuffle(std::span(rows));
  rows.resize(count);
  std::vector<Cell> cells;
  for (const std::size_t row : rows) {
    Cell cell{accuracies.text(row, accuracies.column("arch")),
              accuracies.number(row, accuracies.column("acc_cifar10")),
              {},
              {}};
    for (std::size_t i = 0; i < kScores.size(); ++i) {
      const std::size_t column = scores.column(std::string(name_of(kScores[i])) + "_cifar10");
      cell.published[i] = scores.text(row, column).empty() ? kMissing : scores.number(row, column);
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

void score(std::vector<Cell>& cells) {
  const auto scorer = load_scorer(COSEARCH_TRAINING_FOLDER);
  // The published scores are of the networks with all their operations.
  const auto space = make_space("nas-bench-201", {{"prune", 0}});
  const auto every_other = [&](std::size_t first) {
    for (std::size_t i = first; i < cells.size(); i += 2) {
      const auto scores = scorer->score(space->blueprint(cells[i].genotype), kScores,
                                        {.batch = 64, .repeats = 1}, nullptr, 1);
      std::ranges::copy(scores, cells[i].ours.begin());
    }
  };
  std::thread second(every_other, 1);
  every_other(0);
  second.join();
}

/// Prints and returns Spearman's rho of the pairs of which both are known.
double compared(const std::string& what, const std::vector<double>& x,
                const std::vector<double>& y) {
  std::vector<double> a, b;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    a.push_back(x[i]);
    b.push_back(y[i]);
  }
  const double rho = predictors::spearman(a, b);
  const auto [low, high] = predictors::spearman_interval(a, b);
  std::printf("%-48s %5zu networks  Spearman %.3f (%.3f to %.3f)\n", what.c_str(), a.size(), rho,
              low, high);
  return rho;
}

TEST(PublishedScores, RankCellsOfNasBench201AsOursDo) {
  COSEARCH_NEEDS_REFERENCE("nas/nb201_zerocost.csv.gz");
  std::vector<Cell> cells = sampled_cells(test::reference_data() / "nas", 500);
  score(cells);
  std::vector<double> accuracy;
  for (const Cell& cell : cells) accuracy.push_back(cell.accuracy);
  const double least[]{0.95, 0.95, 0.9};
  for (std::size_t i = 0; i < kScores.size(); ++i) {
    std::vector<double> published, ours;
    for (const Cell& cell : cells) {
      published.push_back(cell.published[i]);
      ours.push_back(cell.ours[i]);
    }
    const std::string name(name_of(kScores[i]));
    EXPECT_GE(compared(name + ", published and ours", published, ours), least[i]);
    const double theirs = compared(name + ", published and accuracy", published, accuracy);
    EXPECT_NEAR(compared(name + ", ours and accuracy", ours, accuracy), theirs, 0.1);
  }
}

/// What FreeREA ranks by, over the whole table at once: a poor order with an excellent maximum.
TEST(PublishedScores, SumToAPoorOrderWithAGoodMaximum) {
  COSEARCH_NEEDS_REFERENCE("nas/nb201_zerocost.csv.gz");
  const auto folder = test::reference_data() / "nas";
  const auto accuracies = datasets::Table::read(folder / "nb201_accuracy.csv.gz");
  const auto table = datasets::Table::read(folder / "nb201_zerocost.csv.gz");
  const auto space = make_space("nas-bench-201");
  std::vector<double> sums(table.rows(), 0), accuracy;
  const auto add = [&](const auto& score_of) {
    std::vector<double> values;
    for (std::size_t row = 0; row < table.rows(); ++row) values.push_back(score_of(row));
    const double largest = std::ranges::max(values);
    for (std::size_t row = 0; row < table.rows(); ++row) sums[row] += values[row] / largest;
  };
  for (const char* name : {"naswot_cifar10", "logsynflow_cifar10"})
    add([&, column = table.column(name)](std::size_t row) {
      return table.text(row, column).empty() ? 0 : table.number(row, column);
    });
  add([&, column = accuracies.column("arch")](std::size_t row) {
    return space->skip_length(accuracies.text(row, column)).value();
  });
  for (std::size_t row = 0; row < table.rows(); ++row)
    accuracy.push_back(accuracies.number(row, accuracies.column("acc_cifar10")));
  const double rho = compared("sum of naswot, logsynflow and skip, and accuracy", sums, accuracy);
  const auto best = static_cast<std::size_t>(std::ranges::max_element(sums) - sums.begin());
  std::printf("largest sum: cell %zu, %.2f %%; most accurate: %.2f %%\n", best, accuracy[best],
              std::ranges::max(accuracy));
  EXPECT_LT(rho, 0.6);
  EXPECT_GT(accuracy[best], 94.3);
}

/// The released code of FreeREA takes log(1 + gradient); its table was made with log(1e-6 +
/// gradient), so that every weight which the gradient does not reach counts |log 1e-6| times.
TEST(PublishedScores, OfLogsynflowCountWeightsThatReachNothing) {
  COSEARCH_NEEDS_REFERENCE("nas/nb201_zerocost.csv.gz");
  const auto folder = test::reference_data() / "nas";
  const auto accuracies = datasets::Table::read(folder / "nb201_accuracy.csv.gz");
  const auto scores = datasets::Table::read(folder / "nb201_zerocost.csv.gz");
  const std::size_t arch = accuracies.column("arch"), synflow = scores.column("synflow_cifar10"),
                    logsynflow = scores.column("logsynflow_cifar10");
  const auto space = make_space("nas-bench-201", {{"prune", 0}});
  int compared = 0;
  for (std::size_t row = 0; row < scores.rows(); ++row) {
    if (scores.text(row, synflow).empty() || scores.number(row, synflow) != 0) continue;
    // Mean of |x| for a Gaussian x of deviation s: s * sqrt(2 / pi).
    double magnitude = 0;
    const Network network = space->lower(accuracies.text(row, arch));
    for (const NetworkNode& node : network.nodes()) {
      if (node.layer.kind != LayerKind::convolution) continue;
      const double fan_out = static_cast<double>(node.layer.K * node.layer.R * node.layer.S);
      magnitude += static_cast<double>(node.layer.parameters()) * std::sqrt(2 / fan_out) *
                   std::sqrt(2 / std::numbers::pi);
    }
    EXPECT_NEAR(scores.number(row, logsynflow) / (magnitude * -std::log(1e-6)), 1, 0.01)
        << accuracies.text(row, arch);
    ++compared;
  }
  std::printf("%d cells of synflow 0 compared\n", compared);
  EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace cosearch::nas
