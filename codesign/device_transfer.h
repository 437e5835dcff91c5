// Latencies of all networks on a new device from a few measured there, and what is known already:
// the same networks on other devices, or on chips as our own cost model has them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "codesign/accelerator_set.h"
#include "codesign/network_set.h"
#include "codesign/predictor_bench.h"
#include "codesign/rank_study.h"
#include "codesign/workers.h"
#include "predictors/few_sample.h"

namespace cosearch::codesign {

/// Latencies of every network on each chip, in cycles, by our own model. Throws UserError when a
/// network does not run on one.
[[nodiscard]] std::vector<CostColumn> modelled_latencies(const NetworkSet& networks,
                                                         const AcceleratorSet& chips,
                                                         Workers& workers);

/// What is known of the networks of a new device before it is measured.
struct TransferKnowledge {
  /// The same features of every network, networks x columns: how often it has each operation.
  predictors::FeatureGroups features;
  std::vector<CostColumn> devices;  ///< measured on every network
  std::vector<CostColumn> chips;    ///< modelled for every network
};

/// Learns from `knowledge` how much each part of it is to be trusted of a new device, each known
/// device playing that in turn; with fewer than two of them, all parts count alike.
class DeviceTransfer {
 public:
  /// Throws UserError, naming the network, when a device lacks a value or has none above zero.
  DeviceTransfer(const TransferKnowledge& knowledge, std::uint64_t seed);

  /// For every network, as if values below zero could be measured too. Throws UserError for fewer
  /// than two measurements and for one that is not above zero.
  [[nodiscard]] std::vector<predictors::Prediction> predict(std::span<const std::size_t> measured,
                                                            std::span<const double> values) const;
  /// `count` networks to measure, chosen so that each tells as much as it can, from a few hundred
  /// drawn at random.
  [[nodiscard]] std::vector<std::size_t> networks_to_measure(std::size_t count,
                                                             std::uint64_t seed) const;

 private:
  predictors::FeatureGroups groups_;
  predictors::FewSampleRegression regression_;
};

enum class MeasurementChoice : std::uint8_t { random, telling };

/// Spearman's rho over the networks that were not measured, a row of it for each seed.
struct TransferScore {
  std::string prior;  ///< "operations", "+ model", "+ devices", "+ devices, model"
  MeasurementChoice choice = MeasurementChoice::random;
  std::size_t measurements = 0;
  std::vector<std::vector<double>> spearman;  ///< [device][seed]
  std::vector<std::vector<double>> coverage;  ///< share inside the 95 % interval
};

struct TransferBenchOptions {
  std::vector<std::size_t> measurements{10, 20, 50};
  std::size_t seeds = 20;
  std::uint64_t seed = 1;
};

struct TransferBench {
  std::vector<std::string> devices;
  std::vector<double> macs_spearman;  ///< control, by device: no measurement at all
  std::vector<TransferScore> scores;
};

/// Each device in turn is new: its prior is learned from the others alone. The number of workers
/// changes nothing. Throws UserError when a device lacks a value, naming the network, or when there
/// are too few networks or devices.
[[nodiscard]] TransferBench bench_transfer(const TransferKnowledge& knowledge,
                                           std::span<const double> macs,
                                           const TransferBenchOptions& options, Workers& workers,
                                           const std::function<void(std::size_t)>& done);

}  // namespace cosearch::codesign
