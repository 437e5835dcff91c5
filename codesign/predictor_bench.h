// How well predictors rank networks they have not seen: a grid of models, training sizes and seeds,
// on splits in which no network stands on both sides under two spellings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "codesign/predictor_data.h"
#include "codesign/workers.h"
#include "predictors/rank_correlation.h"
#include "predictors/target_scale.h"

namespace cosearch::codesign {

struct PredictorBenchOptions {
  std::vector<std::string> models;    ///< names that predictors::make_predictor knows
  std::vector<std::size_t> training;  ///< networks to train on
  std::size_t seeds = 10;             ///< splits, each with a seed of its own
  std::uint64_t seed = 1;             ///< of the first
  predictors::ScaleKind scale = predictors::ScaleKind::linear;
  bool more_is_better = true;
  /// Regret is taken over so many networks that are predicted best.
  std::size_t top = 10;
  std::filesystem::path module_folder = {};  ///< of the neural models
};

/// Rows to train on and rows to test on. `training` networks are drawn, and one spelling of each;
/// all spellings of all others are for testing.
struct Split {
  std::vector<std::size_t> training, test;
};
[[nodiscard]] Split split_by_network(const NetworkExamples& networks, std::size_t training,
                                     std::uint64_t seed);

/// Five splits of `rows`, each of which is tested once; no network stands on both sides of one.
[[nodiscard]] std::vector<Split> folds_by_network(const NetworkExamples& networks,
                                                  std::span<const std::size_t> rows,
                                                  std::uint64_t seed);

/// What one predictor did on one split.
struct PredictorScore {
  double kendall = 0, spearman = 0;
  /// The best target there is less the best among the `top` networks predicted best, in the
  /// target's unit; never negative.
  double regret = 0;
  /// In the target's unit.
  double rmse = 0;
  /// Share of targets inside the central interval said to hold 95 % of them.
  double coverage = 0;
  /// Mean over 19 levels of |share of targets inside the central interval - its level|.
  double calibration_error = 0;
  /// Time of the processor: to fit, and to predict one network.
  double fit_seconds = 0, predict_seconds = 0;
};

struct PredictorBenchCell {
  std::string model;
  std::size_t training = 0;
  std::vector<PredictorScore> scores;  ///< by seed
};

/// In order of models, then training sizes. The number of workers changes times only. `done` is
/// called, from one thread at a time, with how many fits are done. Throws UserError when a target
/// is missing, naming its row, or when too few networks are left to test on.
[[nodiscard]] std::vector<PredictorBenchCell> bench_predictors(
    const NetworkExamples& networks, std::span<const double> targets,
    const PredictorBenchOptions& options, Workers& workers,
    const std::function<void(std::size_t)>& done);

/// Means over the folds of `rows`, whose targets are known: what a model trained on four fifths of
/// them makes of the rest. Throws UserError as fitting does, when a fold has too few.
[[nodiscard]] PredictorScore cross_validate(const NetworkExamples& networks,
                                            std::span<const double> targets,
                                            std::span<const std::size_t> rows,
                                            const std::string& model,
                                            const PredictorBenchOptions& options, Workers& workers);

/// Mean over seeds, with the interval that holds the mean with probability 0.95 if scores are
/// normal (Student's t); the interval is NaN for one seed.
struct MeanInterval {
  double mean = 0;
  predictors::Interval interval;
};
[[nodiscard]] MeanInterval mean_interval(std::span<const double> values);

}  // namespace cosearch::codesign
