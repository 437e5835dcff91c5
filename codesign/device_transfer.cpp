#include "codesign/device_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "codesign/driver.h"
#include "codesign/joint_space.h"
#include "codesign/model_evaluator.h"
#include "core/random.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using predictors::FeatureGroups;
using predictors::Matrix;

// Of networks to measure: each costs a row and a column of a covariance.
constexpr std::size_t kCandidates = 400;

Matrix matrix_of(const std::vector<CostColumn>& columns, const CostColumn* left_out) {
  std::vector<const CostColumn*> kept;
  for (const CostColumn& column : columns)
    if (&column != left_out) kept.push_back(&column);
  Matrix values(std::ssize(columns.front().values), std::ssize(kept));
  for (std::size_t i = 0; i < kept.size(); ++i)
    values.col(static_cast<Eigen::Index>(i)) =
        Eigen::Map<const Eigen::VectorXd>(kept[i]->values.data(), std::ssize(kept[i]->values));
  return values;
}

// The features, then the known columns without the device `left_out`.
FeatureGroups groups_of(const TransferKnowledge& knowledge, const CostColumn* left_out) {
  FeatureGroups groups;
  for (const Matrix& group : knowledge.features) groups.push_back(predictors::standardised(group));
  for (const std::vector<CostColumn>* columns : {&knowledge.devices, &knowledge.chips})
    if (!columns->empty())
      groups.push_back(predictors::standardised(matrix_of(*columns, left_out)));
  return groups;
}

void refuse_unless_positive(double value, std::size_t row, const std::string& device) {
  if (!(value > 0) || std::isinf(value))
    throw UserError(fmt::format("network {} has {} on {}: what is measured there is above zero",
                                row + 1, value, device));
}

void check_known(const TransferKnowledge& knowledge) {
  for (const CostColumn& device : knowledge.devices)
    for (std::size_t row = 0; row < device.values.size(); ++row) {
      if (std::isnan(device.values[row]))
        throw UserError(fmt::format("network {} has no value on device '{}', which is to be known",
                                    row + 1, device.name));
      refuse_unless_positive(device.values[row], row, device.name);
    }
}

// The devices, each with what the others and the chips say. Chips of our model do not play the new
// device: without noise of measurement they would teach that none is to be expected.
std::vector<predictors::KnownDevice> known_devices(const TransferKnowledge& knowledge) {
  check_known(knowledge);
  std::vector<predictors::KnownDevice> known;
  if (knowledge.devices.size() < 2) return known;
  for (const CostColumn& device : knowledge.devices)
    known.push_back({groups_of(knowledge, &device), device.values});
  return known;
}

std::vector<std::size_t> drawn_rows(std::size_t rows, std::size_t count, std::uint64_t seed,
                                    std::string_view purpose) {
  std::vector<std::size_t> drawn(rows);
  std::iota(drawn.begin(), drawn.end(), std::size_t{0});
  Random(seed, purpose).shuffle(std::span(drawn));
  drawn.resize(std::min(rows, count));
  return drawn;
}

struct Outcome {
  double spearman = 0, coverage = 0;
};

Outcome outcome_of(const DeviceTransfer& transfer, const std::vector<double>& values,
                   const std::vector<std::size_t>& measured) {
  std::vector<double> known;
  for (const std::size_t row : measured) known.push_back(values[row]);
  const auto predictions = transfer.predict(measured, known);
  std::vector<double> predicted, actual;
  double inside = 0;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (std::ranges::find(measured, row) != measured.end()) continue;
    predicted.push_back(predictions[row].mean);
    actual.push_back(values[row]);
    if (std::abs(values[row] - predictions[row].mean) <= 1.96 * predictions[row].deviation)
      ++inside;
  }
  return {predictors::spearman(predicted, actual), inside / static_cast<double>(actual.size())};
}

struct Prior {
  std::string name;
  bool devices, chips;
};

std::vector<Prior> priors_of(const TransferKnowledge& knowledge) {
  std::vector<Prior> priors{{"operations", false, false}};
  const bool devices = !knowledge.devices.empty(), chips = !knowledge.chips.empty();
  if (chips) priors.push_back({"+ model", false, true});
  if (devices) priors.push_back({"+ devices", true, false});
  if (devices && chips) priors.push_back({"+ devices, model", true, true});
  return priors;
}

// What is known when `device` is new.
TransferKnowledge without(const TransferKnowledge& knowledge, std::size_t device,
                          const Prior& prior) {
  TransferKnowledge rest{.features = knowledge.features, .devices = {}, .chips = {}};
  if (prior.chips) rest.chips = knowledge.chips;
  if (!prior.devices) return rest;
  rest.devices = knowledge.devices;
  rest.devices.erase(rest.devices.begin() + static_cast<std::ptrdiff_t>(device));
  return rest;
}

void check(const TransferKnowledge& knowledge, const TransferBenchOptions& options) {
  if (knowledge.devices.size() < 2)
    throw UserError("leaving one device out needs two or more; name their columns");
  check_known(knowledge);
  const std::size_t networks = knowledge.devices.front().values.size();
  for (const std::size_t measurements : options.measurements) {
    if (measurements < 2)
      throw UserError(fmt::format("{} measurements are too few: 2 or more", measurements));
    if (measurements + 2 > std::min(networks, kCandidates))
      throw UserError(fmt::format("{} measurements: at most {} of {} networks can be measured",
                                  measurements, std::min(networks, kCandidates) - 2, networks));
  }
}

}  // namespace

std::vector<CostColumn> modelled_latencies(const NetworkSet& networks, const AcceleratorSet& chips,
                                           Workers& workers) {
  const JointSpace space(networks, chips);
  ModelEvaluator evaluator(space, workers);
  std::vector<CostColumn> columns;
  for (std::uint32_t chip = 0; chip < space.accelerator_count(); ++chip) {
    std::vector<Design> designs;
    for (std::uint32_t network = 0; network < space.network_count(); ++network)
      designs.push_back({network, chip});
    columns.push_back({chips.list[chip].machine.name, std::vector<double>(designs.size())});
    for (const Trial& trial : evaluate_all(designs, evaluator, {}, workers)) {
      const double cycles = trial.metrics[Metric::latency];
      if (!std::isfinite(cycles))
        throw UserError(fmt::format("network {} does not run on '{}'", trial.design.network + 1,
                                    chips.list[chip].machine.name));
      columns.back().values[trial.design.network] = cycles;
    }
  }
  return columns;
}

DeviceTransfer::DeviceTransfer(const TransferKnowledge& knowledge, std::uint64_t seed)
    : groups_(groups_of(knowledge, nullptr)),
      regression_(groups_.size(), known_devices(knowledge), seed) {}

std::vector<predictors::Prediction> DeviceTransfer::predict(std::span<const std::size_t> measured,
                                                            std::span<const double> values) const {
  if (measured.size() < 2)
    throw UserError(fmt::format("{} networks are measured on the new device: 2 or more are needed",
                                measured.size()));
  for (std::size_t i = 0; i < measured.size(); ++i)
    refuse_unless_positive(values[i], measured[i], "the new device");
  return regression_.predict(groups_, measured, values);
}

std::vector<std::size_t> DeviceTransfer::networks_to_measure(std::size_t count,
                                                             std::uint64_t seed) const {
  const auto candidates = drawn_rows(static_cast<std::size_t>(groups_.front().rows()), kCandidates,
                                     seed, "candidates to measure");
  if (count > candidates.size())
    throw UserError(fmt::format("{} networks to measure: at most {}", count, candidates.size()));
  return regression_.most_telling(groups_, candidates, count);
}

TransferBench bench_transfer(const TransferKnowledge& knowledge, std::span<const double> macs,
                             const TransferBenchOptions& options, Workers& workers,
                             const std::function<void(std::size_t)>& done) {
  check(knowledge, options);
  const std::size_t devices = knowledge.devices.size();
  TransferBench bench;
  for (const CostColumn& device : knowledge.devices) {
    bench.devices.push_back(device.name);
    bench.macs_spearman.push_back(predictors::spearman(macs, device.values));
  }
  const std::vector<Prior> priors = priors_of(knowledge);
  const std::vector<std::vector<double>> empty(devices, std::vector<double>(options.seeds));
  for (const Prior& prior : priors)
    for (const auto choice : {MeasurementChoice::random, MeasurementChoice::telling})
      for (const std::size_t measurements : options.measurements)
        bench.scores.push_back({prior.name, choice, measurements, empty, empty});

  const std::size_t per_prior = bench.scores.size() / priors.size();
  std::mutex mutex;
  std::size_t finished = 0;
  workers.for_ranges(priors.size() * devices, [&](std::size_t begin, std::size_t end) {
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t prior = task / devices, device = task % devices;
      const DeviceTransfer transfer(without(knowledge, device, priors[prior]), options.seed);
      const std::vector<double>& values = knowledge.devices[device].values;
      for (std::size_t i = 0; i < per_prior; ++i) {
        TransferScore& score = bench.scores[prior * per_prior + i];
        for (std::size_t number = 0; number < options.seeds; ++number) {
          const std::uint64_t seed = options.seed + number;
          const auto measured =
              score.choice == MeasurementChoice::random
                  ? drawn_rows(values.size(), score.measurements, seed, "networks measured")
                  : transfer.networks_to_measure(score.measurements, seed);
          const Outcome outcome = outcome_of(transfer, values, measured);
          score.spearman[device][number] = outcome.spearman;
          score.coverage[device][number] = outcome.coverage;
        }
      }
      const std::lock_guard lock(mutex);
      done(++finished);
    }
  });
  return bench;
}

}  // namespace cosearch::codesign
