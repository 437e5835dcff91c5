// What it costs to follow a recommender instead of trying every accelerator.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "codesign/recommendation_data.h"
#include "codesign/workers.h"

namespace cosearch::codesign {

/// Regret is the cost of what is recommended over the least cost, less 1. A recommender's
/// recommendation is the choice it finds likeliest among those that the layer fits: whether it fits
/// is known from one evaluation.
struct RecommendationScore {
  double exact = 0;             ///< share of workloads whose best choice is recommended
  double within_5_percent = 0;  ///< share of workloads with a regret of at most 0.05
  double mean_regret = 0;       ///< exp(mean logarithm of the ratio of costs) - 1
  double p95_regret = 0;
  double worst_regret = 0;
  double shortlist_regret = 0;  ///< the mean for the best of the choices on the shortlist
  double misfits = 0;           ///< share of workloads that do not fit the likeliest choice
  double fit_seconds = 0;       ///< of the processor
};

struct RecommendationBenchOptions {
  /// Names that predictors::make_recommender knows.
  std::vector<std::string> models;
  std::size_t training = 0;  ///< workloads to learn from, drawn anew for each seed
  std::size_t seeds = 5;
  std::uint64_t seed = 1;  ///< of the first split
  std::size_t shortlist = 5;
  std::filesystem::path module_folder = {};  ///< of the neural models
};

struct RecommendationBenchRow {
  std::string model;
  std::vector<RecommendationScore> scores;  ///< by seed
};

/// `unseen` without the workloads that `data` has too.
[[nodiscard]] RecommendationData without_known(const RecommendationData& unseen,
                                               const RecommendationData& data);

/// First two controls that know more or less than a recommender: "random", any choice that the
/// layer fits, all equally likely; and "one for all", the choice that fits most training workloads,
/// of those the one of least mean regret on what it fits. Then the models in order.
/// They learn from `data` and are judged by the rest of it, or by `unseen` where that is given.
/// Throws UserError when too few workloads are left to judge by, and when `unseen` has other
/// accelerators, another mapper or another objective than `data`.
[[nodiscard]] std::vector<RecommendationBenchRow> bench_recommenders(
    const RecommendationData& data, const RecommendationData* unseen,
    const RecommendationBenchOptions& options, Workers& workers);

}  // namespace cosearch::codesign
