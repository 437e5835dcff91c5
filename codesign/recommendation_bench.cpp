#include "codesign/recommendation_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "core/processor_time.h"
#include "core/random.h"
#include "core/user_error.h"
#include "predictors/rank_correlation.h"
#include "predictors/recommender.h"

namespace cosearch::codesign {
namespace {

struct RecommendationSplit {
  std::vector<std::size_t> training;
  const RecommendationData* test_data;
  std::vector<std::size_t> test;
};

RecommendationSplit split(const RecommendationData& data, const RecommendationData* unseen,
                          std::size_t training, std::uint64_t seed) {
  std::vector<std::size_t> order(data.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed, "recommendation split");
  random.shuffle(std::span(order));
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(training);
  RecommendationSplit result{{order.begin(), middle}, &data, {middle, order.end()}};
  if (unseen == nullptr) return result;
  result.test_data = unseen;
  result.test.resize(unseen->rows());
  std::iota(result.test.begin(), result.test.end(), std::size_t{0});
  return result;
}

double ratio_of(const RecommendationData& data, std::size_t row, std::uint32_t choice) {
  return data.costs_of(row)[choice] / data.least_cost(row);
}

/// Collects ratios of costs, each as likely as the others.
class Regrets {
 public:
  void add(double ratio, bool is_best) {
    ratios_.push_back(ratio);
    exact_ += is_best ? 1 : 0;
  }
  [[nodiscard]] RecommendationScore score() {
    const auto count = static_cast<double>(ratios_.size());
    double logarithms = 0, close = 0;
    for (const double ratio : ratios_) {
      logarithms += std::log(ratio);
      close += ratio <= 1.05 ? 1 : 0;
    }
    RecommendationScore score{.exact = exact_ / count, .within_5_percent = close / count};
    score.mean_regret = std::expm1(logarithms / count);
    score.p95_regret = predictors::quantile(ratios_, 0.95) - 1;
    score.worst_regret = *std::ranges::max_element(ratios_) - 1;
    return score;
  }

 private:
  std::vector<double> ratios_;
  double exact_ = 0;
};

RecommendationScore score_of_random(const RecommendationSplit& split) {
  Regrets regrets;
  const RecommendationData& data = *split.test_data;
  for (const std::size_t row : split.test)
    for (std::uint32_t choice = 0; choice < data.choices.size(); ++choice)
      if (!std::isnan(data.costs_of(row)[choice]))
        regrets.add(ratio_of(data, row, choice), choice == data.best[row]);
  RecommendationScore score = regrets.score();
  score.shortlist_regret = std::numeric_limits<double>::quiet_NaN();
  score.misfits = std::numeric_limits<double>::quiet_NaN();
  return score;
}

/// The first of `order` that the workload fits, and the best of the first `shortlist` of those.
struct Followed {
  std::uint32_t first = 0, best_of_shortlist = 0;
  bool likeliest_fits = true;
};

Followed follow(const RecommendationData& data, std::size_t row,
                std::span<const std::uint32_t> order, std::size_t shortlist) {
  const std::span<const double> costs = data.costs_of(row);
  Followed followed{.likeliest_fits = !std::isnan(costs[order.front()])};
  std::size_t tried = 0;
  for (const std::uint32_t choice : order) {
    if (std::isnan(costs[choice])) continue;
    if (tried == 0) followed.first = followed.best_of_shortlist = choice;
    if (costs[choice] < costs[followed.best_of_shortlist]) followed.best_of_shortlist = choice;
    if (++tried == shortlist) break;
  }
  return followed;
}

/// `order_of(i)`: all choices, best first, for the i-th test workload.
template <class OrderOf>
RecommendationScore score_of(const RecommendationSplit& split, std::size_t shortlist,
                             const OrderOf& order_of) {
  const RecommendationData& data = *split.test_data;
  Regrets first, best_of_shortlist;
  double misfits = 0;
  for (std::size_t i = 0; i < split.test.size(); ++i) {
    const std::size_t row = split.test[i];
    const Followed followed = follow(data, row, order_of(i), shortlist);
    misfits += followed.likeliest_fits ? 0 : 1;
    first.add(ratio_of(data, row, followed.first), followed.first == data.best[row]);
    best_of_shortlist.add(ratio_of(data, row, followed.best_of_shortlist), false);
  }
  RecommendationScore score = first.score();
  score.shortlist_regret = best_of_shortlist.score().mean_regret;
  score.misfits = misfits / static_cast<double>(split.test.size());
  return score;
}

/// Choices by how many training workloads do not fit them, then by their mean log regret on those
/// that do.
std::vector<std::uint32_t> one_for_all(const RecommendationData& data,
                                       std::span<const std::size_t> training) {
  struct Goodness {
    std::size_t misfits = 0;
    double log_regret = 0;
  };
  std::vector<Goodness> goodness(data.choices.size());
  for (const std::size_t row : training)
    for (std::uint32_t choice = 0; choice < data.choices.size(); ++choice)
      if (const double ratio = ratio_of(data, row, choice); std::isnan(ratio))
        ++goodness[choice].misfits;
      else
        goodness[choice].log_regret += std::log(ratio);
  std::vector<std::uint32_t> order(data.choices.size());
  std::iota(order.begin(), order.end(), 0U);
  // Of as many misfits, so the mean is in order of the sum.
  std::ranges::stable_sort(order, {}, [&](std::uint32_t choice) {
    return std::pair(goodness[choice].misfits, goodness[choice].log_regret);
  });
  return order;
}

RecommendationScore score_of_model(const std::string& model, const RecommendationData& data,
                                   const RecommendationSplit& split, std::uint64_t seed,
                                   const RecommendationBenchOptions& options) {
  std::vector<std::uint32_t> best;
  for (const std::size_t row : split.training) best.push_back(data.best[row]);
  const auto recommender = predictors::make_recommender(model, options.module_folder);
  const double start = thread_processor_seconds();
  recommender->fit(data.features.subset(split.training), best,
                   static_cast<std::uint32_t>(data.choices.size()), seed);
  const double fit_seconds = thread_processor_seconds() - start;
  const std::vector<double> shares =
      recommender->shares(split.test_data->features.subset(split.test));
  const std::size_t choices = data.choices.size();
  RecommendationScore score = score_of(split, options.shortlist, [&](std::size_t i) {
    return recommender->ranked(std::span(shares).subspan(i * choices, choices));
  });
  score.fit_seconds = fit_seconds;
  return score;
}

void check(const RecommendationData& data, const RecommendationData* unseen,
           const RecommendationBenchOptions& options) {
  const std::size_t left = unseen == nullptr ? 1 : 0;
  if (data.rows() < 1 + left)
    throw UserError("one workload is too few: one has to be learned from, another judged by");
  if (options.training < 1 || options.training + left > data.rows())
    throw UserError(fmt::format("{} workloads to learn from, of {}: expected 1 to {}",
                                options.training, data.rows(), data.rows() - left));
  if (unseen == nullptr) return;
  if (unseen->choices != data.choices || unseen->setting != data.setting)
    throw UserError(
        "the unseen workloads were tried on other accelerators, in another technology or with "
        "another mapper than those learned from: write both with one study");
  if (unseen->objective != data.objective)
    throw UserError(
        fmt::format("the unseen workloads' objective is {}, that of those learned from "
                    "{}: write both with one --objective",
                    info_of(unseen->objective).name, info_of(data.objective).name));
  if (unseen->rows() == 0) throw UserError("all unseen workloads are among those learned from");
}

}  // namespace

RecommendationData without_known(const RecommendationData& unseen, const RecommendationData& data) {
  std::set<std::vector<double>> known;
  const auto features = [](const RecommendationData& of, std::size_t row) {
    const std::span<const double> values = of.features.row(row);
    return std::vector<double>(values.begin(), values.end());
  };
  for (std::size_t row = 0; row < data.rows(); ++row) known.insert(features(data, row));
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < unseen.rows(); ++row)
    if (!known.contains(features(unseen, row))) kept.push_back(row);
  RecommendationData rest{.objective = unseen.objective,
                          .setting = unseen.setting,
                          .choices = unseen.choices,
                          .features = unseen.features.subset(kept)};
  for (const std::size_t row : kept) {
    rest.workloads.push_back(unseen.workloads[row]);
    const std::span<const double> costs = unseen.costs_of(row);
    rest.costs.insert(rest.costs.end(), costs.begin(), costs.end());
    rest.best.push_back(unseen.best[row]);
  }
  return rest;
}

std::vector<RecommendationBenchRow> bench_recommenders(const RecommendationData& data,
                                                       const RecommendationData* unseen,
                                                       const RecommendationBenchOptions& options,
                                                       Workers& workers) {
  check(data, unseen, options);
  std::vector<RecommendationBenchRow> rows{{"random", {}}, {"one for all", {}}};
  for (const std::string& model : options.models) {
    (void)predictors::make_recommender(model, options.module_folder);
    rows.push_back({model, {}});
  }
  for (RecommendationBenchRow& row : rows) row.scores.resize(options.seeds);
  workers.for_ranges(rows.size() * options.seeds, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t row = i / options.seeds, number = i % options.seeds;
      const std::uint64_t seed = options.seed + number;
      const RecommendationSplit parts = split(data, unseen, options.training, seed);
      rows[row].scores[number] =
          row == 0   ? score_of_random(parts)
          : row == 1 ? score_of(parts, options.shortlist,
                                [order = one_for_all(data, parts.training)](std::size_t) {
                                  return std::span<const std::uint32_t>(order);
                                })
                     : score_of_model(options.models[row - 2], data, parts, seed, options);
    }
  });
  return rows;
}

}  // namespace cosearch::codesign
