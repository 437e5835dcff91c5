#include "codesign/predictor_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include "core/processor_time.h"
#include "core/random.h"
#include "core/user_error.h"
#include "predictors/normal_distribution.h"
#include "predictors/registry.h"

namespace cosearch::codesign {
namespace {

using predictors::Prediction;

constexpr std::size_t kFolds = 5;

std::vector<double> pick(std::span<const double> values, std::span<const std::size_t> rows) {
  std::vector<double> picked;
  for (const std::size_t row : rows) picked.push_back(values[row]);
  return picked;
}

// Of targets, larger is better here.
double regret(std::span<const double> targets, const std::vector<double>& predicted,
              std::size_t top) {
  std::vector<std::size_t> order(targets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::size_t row) { return predicted[row]; });
  double best_found = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(top, order.size()); ++i)
    best_found = std::max(best_found, targets[order[i]]);
  return std::ranges::max(targets) - best_found;
}

// How many standard deviations each target lies from its prediction, on the model's scale: the
// share inside an interval is the same on every scale.
std::vector<double> standardised_errors(std::span<const double> scaled_targets,
                                        const std::vector<Prediction>& predictions) {
  std::vector<double> errors;
  for (std::size_t row = 0; row < predictions.size(); ++row)
    errors.push_back(std::abs(scaled_targets[row] - predictions[row].mean) /
                     std::max(predictions[row].deviation, 1e-300));
  return errors;
}

double share_within(const std::vector<double>& errors, double level) {
  const double limit = predictors::normal_quantile(0.5 + level / 2);
  return static_cast<double>(
             std::ranges::count_if(errors, [&](double error) { return error <= limit; })) /
         static_cast<double>(errors.size());
}

double calibration_error(const std::vector<double>& errors) {
  constexpr int kLevels = 19;
  double sum = 0;
  for (int i = 1; i <= kLevels; ++i) {
    const double level = static_cast<double>(i) / (kLevels + 1);
    sum += std::abs(share_within(errors, level) - level);
  }
  return sum / kLevels;
}

PredictorScore score_of(const std::vector<Prediction>& predictions, std::span<const double> targets,
                        const predictors::TargetScale& scale,
                        const PredictorBenchOptions& options) {
  std::vector<double> means, better_means, better_targets;
  double squares = 0;
  const double sign = options.more_is_better ? 1 : -1;
  for (std::size_t row = 0; row < targets.size(); ++row) {
    means.push_back(predictions[row].mean);
    better_means.push_back(sign * predictions[row].mean);
    better_targets.push_back(sign * targets[row]);
    const double error = scale.inverse(predictions[row].mean) - targets[row];
    squares += error * error;
  }
  const std::vector<double> errors = standardised_errors(scale.forward(targets), predictions);
  PredictorScore score;
  score.kendall = predictors::kendall_tau_b(means, targets);
  score.spearman = predictors::spearman(means, targets);
  score.regret = regret(better_targets, better_means, options.top);
  score.rmse = std::sqrt(squares / static_cast<double>(targets.size()));
  score.coverage = share_within(errors, 0.95);
  score.calibration_error = calibration_error(errors);
  return score;
}

PredictorScore run_once(const NetworkExamples& networks, std::span<const double> targets,
                        const std::string& model, const Split& split, std::uint64_t seed,
                        const PredictorBenchOptions& options) {
  const std::vector<double> known = pick(targets, split.training);
  const predictors::TargetScale scale(options.scale, known);
  const auto predictor = predictors::make_predictor(model, options.module_folder);
  const predictors::Examples examples = networks.examples.subset(split.training);
  const predictors::Examples unseen = networks.examples.subset(split.test);

  const double start = thread_processor_seconds();
  predictor->fit(examples, scale.forward(known), seed);
  const double fitted = thread_processor_seconds();
  const std::vector<Prediction> predictions = predictor->predict(unseen);
  const double predicted = thread_processor_seconds();

  PredictorScore score = score_of(predictions, pick(targets, split.test), scale, options);
  score.fit_seconds = fitted - start;
  score.predict_seconds = (predicted - fitted) / static_cast<double>(split.test.size());
  return score;
}

void check(const NetworkExamples& networks, std::span<const double> targets,
           const PredictorBenchOptions& options) {
  for (const std::string& model : options.models) (void)predictors::find_predictor(model);
  for (std::size_t row = 0; row < targets.size(); ++row)
    if (std::isnan(targets[row]))
      throw UserError({networks.file},
                      fmt::format("network {} ('{}') has no value in the column to predict",
                                  row + 1, networks.genotypes[row]));
  for (const std::size_t training : options.training)
    if (training + 2 > networks.networks)
      throw UserError({networks.file},
                      fmt::format("{} networks to train on leave fewer than two of {} to test on",
                                  training, networks.networks));
}

}  // namespace

Split split_by_network(const NetworkExamples& networks, std::size_t training, std::uint64_t seed) {
  std::vector<std::size_t> order(networks.networks), rows(networks.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  Random(seed, "split by network").shuffle(std::span(order));
  Random(seed, "spelling to train on").shuffle(std::span(rows));

  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> spelling(networks.networks, kNone);
  for (const std::size_t row : rows) spelling[networks.network[row]] = row;
  Split split;
  std::vector<char> is_training(networks.networks, 0);
  for (std::size_t i = 0; i < training; ++i) {
    is_training[order[i]] = 1;
    split.training.push_back(spelling[order[i]]);
  }
  for (std::size_t row = 0; row < networks.rows(); ++row)
    if (is_training[networks.network[row]] == 0) split.test.push_back(row);
  return split;
}

std::vector<Split> folds_by_network(const NetworkExamples& networks,
                                    std::span<const std::size_t> rows, std::uint64_t seed) {
  // Networks are dealt out one by one in a drawn order, among those that have a row here.
  std::vector<std::size_t> order;
  for (const std::size_t row : rows) order.push_back(networks.network[row]);
  std::ranges::sort(order);
  order.erase(std::unique(order.begin(), order.end()), order.end());
  Random(seed, "folds by network").shuffle(std::span(order));
  std::vector<std::size_t> fold_of(networks.networks);
  for (std::size_t i = 0; i < order.size(); ++i) fold_of[order[i]] = i % kFolds;

  std::vector<Split> folds(kFolds);
  for (const std::size_t row : rows)
    for (std::size_t fold = 0; fold < kFolds; ++fold)
      (fold_of[networks.network[row]] == fold ? folds[fold].test : folds[fold].training)
          .push_back(row);
  return folds;
}

PredictorScore cross_validate(const NetworkExamples& networks, std::span<const double> targets,
                              std::span<const std::size_t> rows, const std::string& model,
                              const PredictorBenchOptions& options, Workers& workers) {
  const std::vector<Split> folds = folds_by_network(networks, rows, options.seed);
  std::vector<PredictorScore> scores(folds.size());
  workers.for_ranges(folds.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t fold = begin; fold < end; ++fold)
      scores[fold] = run_once(networks, targets, model, folds[fold], options.seed, options);
  });
  PredictorScore mean;
  for (double PredictorScore::*value :
       {&PredictorScore::kendall, &PredictorScore::spearman, &PredictorScore::regret,
        &PredictorScore::rmse, &PredictorScore::coverage, &PredictorScore::calibration_error,
        &PredictorScore::fit_seconds, &PredictorScore::predict_seconds})
    for (const PredictorScore& score : scores)
      mean.*value += score.*value / static_cast<double>(scores.size());
  return mean;
}

std::vector<PredictorBenchCell> bench_predictors(const NetworkExamples& networks,
                                                 std::span<const double> targets,
                                                 const PredictorBenchOptions& options,
                                                 Workers& workers,
                                                 const std::function<void(std::size_t)>& done) {
  check(networks, targets, options);
  std::vector<PredictorBenchCell> cells;
  for (const std::string& model : options.models)
    for (const std::size_t training : options.training)
      cells.push_back({model, training, std::vector<PredictorScore>(options.seeds)});

  std::mutex mutex;
  std::size_t finished = 0;
  workers.for_ranges(cells.size() * options.seeds, [&](std::size_t begin, std::size_t end) {
    for (std::size_t task = begin; task < end; ++task) {
      PredictorBenchCell& cell = cells[task / options.seeds];
      const std::size_t number = task % options.seeds;
      cell.scores[number] =
          run_once(networks, targets, cell.model,
                   split_by_network(networks, cell.training, options.seed + number),
                   options.seed + number, options);
      const std::lock_guard lock(mutex);
      done(++finished);
    }
  });
  return cells;
}

MeanInterval mean_interval(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  if (values.size() < 2) return {mean, {kUnknown, kUnknown}};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double standard_error = std::sqrt(squares / (count - 1) / count);
  const double reach =
      boost::math::quantile(boost::math::students_t(count - 1), 0.975) * standard_error;
  return {mean, {mean - reach, mean + reach}};
}

}  // namespace cosearch::codesign
