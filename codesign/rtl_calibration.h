// How well the latency models match runs of Gemmini's RTL, and the constants that make them match.
//
// The runs are those that accompany C. Hong et al., "DOSA: differentiable model-based one-loop
// search for DNN accelerators", MICRO 2023: cycles of the RTL under FireSim for given mappings. Two
// kinds of files: mappings on arrays of 16 x 16 with Timeloop's cycles beside them, and mappings
// of a 128 x 128 machine, each run on an array no larger than it needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "accel/calibration.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {

/// One mapping with the cycles it took.
struct RtlRun {
  Layer layer;                            ///< as the mapping was made for it: without padding
  accel::Machine machine;                 ///< of the mapping
  accel::LoopNest nest;                   ///< DRAM, scratchpad, accumulator, registers
  std::string mapping;                    ///< as the file has it
  std::size_t shape = 0;                  ///< number of the layer's shape, the same in all files
  double cycles = 0;                      ///< of the RTL
  std::optional<double> timeloop_cycles;  ///< as the file has them
  accel::ArrayWork work;                  ///< of what ran
};

struct RtlFile {
  std::string name;
  std::vector<RtlRun> runs;
};

/// Reads one file of runs after another. Throws UserError for what it cannot make sense of.
[[nodiscard]] std::vector<RtlFile> read_rtl_files(std::span<const std::filesystem::path> paths);

/// How far cycles of a model are from those of the RTL, and how well they order the runs.
struct Agreement {
  double median_error = 0, mean_error = 0;  ///< of |model / RTL - 1|
  double percentile_90 = 0;
  double spearman = 0;
};
[[nodiscard]] Agreement agreement(std::span<const double> model, std::span<const double> rtl);

/// Constants that minimise Huber's loss of log(model / RTL), `times[i]` copies of run i (1 each
/// when empty): Levenberg-Marquardt on the logarithms of the constants. Source of the loss: P. J.
/// Huber, "Robust estimation of a location parameter", Ann. Math. Statist. 35(1), 1964; its bend
/// lies at 5 %, about the model's own error.
[[nodiscard]] accel::ArrayConstants fit_constants(std::span<const RtlRun* const> runs,
                                                  std::span<const double> times = {});

struct CalibrationOptions {
  /// Resamples of the shapes for the constants' intervals.
  std::size_t resamples = 200;
  double confidence = 0.9;
  std::uint64_t seed = 0;
};

/// Runs that one part of the machine limits, by the calibrated model.
struct LimitedRuns {
  accel::Limit limit = accel::Limit::array;
  double share = 0;
  double median_error = 0;  ///< 0 where there are none
};

/// What each model makes of one file's runs.
struct FileAgreement {
  std::string name;
  std::size_t runs = 0, shapes = 0;
  std::optional<Agreement> timeloop;  ///< the file's own Timeloop cycles
  Agreement plain_timeloop;           ///< ours in Timeloop's accounting
  Agreement plain;                    ///< ours in exact accounting
  Agreement fitted;                   ///< calibrated on all runs of all files
  Agreement cross_validated;          ///< calibrated on all files without the run's shape
  Agreement other_files;              ///< calibrated on the other files only; NaN if there are none
  /// Runs that took more than five times what the calibrated model says.
  std::size_t stalled = 0;
  double worst_stall = 0;  ///< the largest RTL / calibrated model
  std::vector<LimitedRuns> limited;
  /// Pairs of runs with one layer and one mapping, and the largest and the median excess of the
  /// slower over the faster: no model of layer and mapping can be closer than that.
  std::size_t repeated = 0;
  double repeat_median = 0, repeat_worst = 0;
};

struct RtlCalibration {
  std::vector<FileAgreement> files;
  accel::ArrayConstants constants;
  /// One interval for each constant, in the order of accel::ArrayConstants.
  std::vector<predictors::Interval> intervals;
  /// The model's cycles with the run's shape left out, [file][run].
  std::vector<std::vector<double>> cross_validated_cycles;
};

[[nodiscard]] RtlCalibration calibrate(std::span<const RtlFile> files,
                                       const CalibrationOptions& options = {});

/// Name, unit and value of each constant, in order.
struct NamedConstant {
  std::string name, unit;
  double value = 0;
};
[[nodiscard]] std::vector<NamedConstant> named(const accel::ArrayConstants& constants);

}  // namespace cosearch::codesign
