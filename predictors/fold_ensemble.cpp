#include "predictors/fold_ensemble.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "core/user_error.h"

namespace cosearch::predictors {
namespace {

std::vector<std::size_t> folds_of(std::size_t rows, std::uint64_t seed) {
  std::vector<std::size_t> folds(rows);
  for (std::size_t row = 0; row < rows; ++row) folds[row] = row % FoldEnsemble::kFolds;
  Random(seed, "folds").shuffle(std::span(folds));
  return folds;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size());
}

std::vector<double> pick(std::span<const double> values, std::span<const std::size_t> rows) {
  std::vector<double> picked;
  for (const std::size_t row : rows) picked.push_back(values[row]);
  return picked;
}

std::string member_name(std::size_t number) { return "member" + std::to_string(number); }

}  // namespace

std::vector<std::vector<double>> FoldEnsemble::outputs(const Examples& examples) const {
  std::vector<std::vector<double>> outputs;
  for (const Scaled& scaled : members_) {
    outputs.push_back(scaled.member->predict(examples));
    for (double& output : outputs.back()) output = (output - scaled.mean) / scaled.deviation;
  }
  return outputs;
}

FoldEnsemble::MeanAndVariance FoldEnsemble::across(const std::vector<std::vector<double>>& outputs,
                                                   std::size_t row) {
  std::vector<double> values;
  for (const std::vector<double>& of_member : outputs) values.push_back(of_member[row]);
  const auto count = static_cast<double>(values.size());
  return {mean_of(values), variance_of(values) * count / (count - 1)};
}

void FoldEnsemble::learn(const Examples& examples, std::span<const double> targets,
                         std::uint64_t seed) {
  members_.clear();
  const std::vector<std::size_t> folds = folds_of(examples.rows(), seed);
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<std::size_t> seen;
    for (std::size_t row = 0; row < folds.size(); ++row)
      if (folds[row] != fold) seen.push_back(row);
    const Examples training = examples.subset(seen);
    Scaled scaled{.member = train(training, pick(targets, seen), seed, fold)};
    const std::vector<double> fitted = scaled.member->predict(training);
    scaled.mean = mean_of(fitted);
    if (const double variance = variance_of(fitted); variance > 0)
      scaled.deviation = std::sqrt(variance);
    members_.push_back(std::move(scaled));
  }

  // Each example as the member that has not seen it predicts it: a line through these puts outputs
  // of any unit back on the scale of the targets.
  const std::vector<std::vector<double>> all = outputs(examples);
  std::vector<double> held_out;
  for (std::size_t row = 0; row < folds.size(); ++row) held_out.push_back(all[folds[row]][row]);
  const double mean_output = mean_of(held_out), output_variance = variance_of(held_out);
  double covariance = 0, mean_target = 0;
  for (std::size_t row = 0; row < folds.size(); ++row) {
    mean_target += targets[row] / static_cast<double>(folds.size());
    covariance += (held_out[row] - mean_output) * targets[row] / static_cast<double>(folds.size());
  }
  // A negative slope would say that the model ranks backwards: that is chance, not knowledge.
  slope_ = output_variance > 0 ? std::max(covariance / output_variance, 1e-3) : 1;
  intercept_ = mean_target - slope_ * mean_output;

  // That of single members, so a little more than that of their mean.
  noise_variance_ = 0;
  for (std::size_t row = 0; row < folds.size(); ++row) {
    const double residual = targets[row] - intercept_ - slope_ * held_out[row];
    noise_variance_ += residual * residual / static_cast<double>(folds.size());
  }
}

std::vector<Prediction> FoldEnsemble::infer(const Examples& examples) const {
  const std::vector<std::vector<double>> all = outputs(examples);
  std::vector<Prediction> predictions;
  for (std::size_t row = 0; row < examples.rows(); ++row) {
    const auto [mean, variance] = across(all, row);
    predictions.push_back(
        {intercept_ + slope_ * mean, std::sqrt(noise_variance_ + slope_ * slope_ * variance)});
  }
  return predictions;
}

void FoldEnsemble::write(ModelState& state) const {
  std::vector<double>& scales = state.numbers["member_scales"];
  for (std::size_t i = 0; i < members_.size(); ++i) {
    state.bytes[member_name(i)] = members_[i].member->bytes();
    scales.insert(scales.end(), {members_[i].mean, members_[i].deviation});
  }
  state.numbers["line"] = {intercept_, slope_, noise_variance_};
}

void FoldEnsemble::read(const ModelState& state) {
  const std::vector<double>& scales = state.numbers_of("member_scales", 2 * kFolds);
  members_.clear();
  for (std::size_t i = 0; i < kFolds; ++i)
    members_.push_back({load(state.bytes_of(member_name(i))), scales[2 * i], scales[2 * i + 1]});
  const std::vector<double>& line = state.numbers_of("line", 3);
  intercept_ = line[0], slope_ = line[1], noise_variance_ = line[2];
}

}  // namespace cosearch::predictors
