#include "codesign/rtl_calibration.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "accel/access_counts.h"
#include "accel/nest_latency.h"
#include "core/random.h"

namespace cosearch::codesign {
namespace {

using namespace accel;

constexpr Eigen::Index kConstants = 6;
using Vector = Eigen::Matrix<double, kConstants, 1>;
using Matrix = Eigen::Matrix<double, kConstants, kConstants>;

/// Where Huber's loss turns from square to linear, in log(model / RTL).
constexpr double kBend = 0.05;

constexpr ArrayConstants kStart{.instruction_spacing = 0.5,
                                .call_cycles = 100,
                                .request_cycles = 1,
                                .byte_cycles = 0.1,
                                .start_cycles = 1000,
                                .unhidden = 0.2};

Vector logarithms(const ArrayConstants& c) {
  Vector v;
  v << c.instruction_spacing, c.call_cycles, c.request_cycles, c.byte_cycles, c.start_cycles,
      c.unhidden;
  return v.array().log();
}

ArrayConstants constants_of(const Vector& logarithms) {
  const Vector v = logarithms.array().exp();
  return {v[0], v[1], v[2], v[3], v[4], v[5]};
}

/// d calibrated_cycles / d logarithm of each constant.
Vector gradient(const ArrayWork& work, const ArrayConstants& c) {
  const double instructions = c.instruction_spacing * work.instruction_sides;
  const double host = c.call_cycles * work.calls;
  const double requests = c.request_cycles * work.requests, bytes = c.byte_cycles * work.bytes;
  const double on_chip = std::max({work.array_cycles, instructions, host});
  const double transfers = requests + bytes;
  const double of_chip = on_chip >= transfers ? 1 : c.unhidden;
  const double of_transfers = on_chip >= transfers ? c.unhidden : 1;
  Vector d;
  d << (instructions == on_chip ? of_chip * instructions : 0),
      (host == on_chip ? of_chip * host : 0), of_transfers * requests, of_transfers * bytes,
      c.start_cycles, c.unhidden * std::min(on_chip, transfers);
  return d;
}

/// Huber's loss of all runs at one set of constants, with what a step of Gauss and Newton needs.
struct LossAt {
  double loss = 0;
  Matrix curvature = Matrix::Zero();
  Vector slope = Vector::Zero();

  void add(const RtlRun& run, const ArrayConstants& constants, double times) {
    const double model = calibrated_cycles(run.work, constants);
    const double error = std::log(model / run.cycles), size = std::abs(error);
    const bool square = size <= kBend;
    loss += times * (square ? size * size / 2 : kBend * (size - kBend / 2));
    const double weight = times * (square ? 1 : kBend / size);
    const Vector d = gradient(run.work, constants) / model;
    curvature += weight * d * d.transpose();
    slope += weight * error * d;
  }
};

LossAt loss_at(std::span<const RtlRun* const> runs, std::span<const double> times,
               const Vector& logarithms) {
  const ArrayConstants constants = constants_of(logarithms);
  LossAt at;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const double copies = times.empty() ? 1 : times[i];
    if (copies > 0) at.add(*runs[i], constants, copies);
  }
  return at;
}

double median(std::vector<double> values) { return predictors::quantile(values, 0.5); }

Agreement agreement_of(const std::vector<RtlRun>& runs, const std::vector<double>& model) {
  std::vector<double> rtl;
  for (const RtlRun& run : runs) rtl.push_back(run.cycles);
  return agreement(model, rtl);
}

std::vector<double> plain_cycles(const std::vector<RtlRun>& runs, Accounting accounting) {
  std::vector<double> cycles;
  for (const RtlRun& run : runs) {
    const AccessCounts counts = count_accesses(run.layer, run.machine, run.nest, accounting);
    const Cycles total = latency_of(counts, run.layer, run.machine, run.nest, accounting).total();
    cycles.push_back(static_cast<double>(total.value));
  }
  return cycles;
}

std::vector<double> calibrated(const std::vector<RtlRun>& runs, const ArrayConstants& constants) {
  std::vector<double> cycles;
  for (const RtlRun& run : runs) cycles.push_back(calibrated_cycles(run.work, constants));
  return cycles;
}

std::size_t shapes_in(std::span<const RtlFile> files) {
  std::size_t shapes = 0;
  for (const RtlFile& file : files)
    for (const RtlRun& run : file.runs) shapes = std::max(shapes, run.shape + 1);
  return shapes;
}

std::vector<const RtlRun*> runs_of(std::span<const RtlFile> files,
                                   const RtlFile* left_out = nullptr) {
  std::vector<const RtlRun*> runs;
  for (const RtlFile& file : files)
    if (&file != left_out)
      for (const RtlRun& run : file.runs) runs.push_back(&run);
  return runs;
}

/// Constants of every run's model when all runs of its shape are left out, [shape].
std::vector<ArrayConstants> constants_without_each_shape(std::span<const RtlFile> files) {
  const auto runs = runs_of(files);
  std::vector<ArrayConstants> constants;
  for (std::size_t shape = 0; shape < shapes_in(files); ++shape) {
    std::vector<double> times;
    for (const RtlRun* run : runs) times.push_back(run->shape == shape ? 0 : 1);
    constants.push_back(fit_constants(runs, times));
  }
  return constants;
}

/// Shapes are drawn with replacement, not runs: the runs of one shape err alike.
std::vector<predictors::Interval> bootstrap(std::span<const RtlFile> files,
                                            const CalibrationOptions& options) {
  const auto runs = runs_of(files);
  const std::size_t shapes = shapes_in(files);
  std::array<std::vector<double>, kConstants> drawn;
  for (std::size_t resample = 0; resample < options.resamples; ++resample) {
    Random random(options.seed, "rtl calibration bootstrap", resample);
    std::vector<double> copies(shapes);
    for (std::size_t i = 0; i < shapes; ++i) copies[random.below(shapes)] += 1;
    std::vector<double> times;
    for (const RtlRun* run : runs) times.push_back(copies[run->shape]);
    const Vector fit = logarithms(fit_constants(runs, times)).array().exp();
    for (std::size_t i = 0; i < drawn.size(); ++i)
      drawn[i].push_back(fit[static_cast<Eigen::Index>(i)]);
  }
  std::vector<predictors::Interval> intervals;
  for (auto& values : drawn) {
    std::sort(values.begin(), values.end());
    const double tail = (1 - options.confidence) / 2;
    intervals.push_back({predictors::quantile_of_sorted(values, tail),
                         predictors::quantile_of_sorted(values, 1 - tail)});
  }
  return intervals;
}

std::vector<LimitedRuns> limited_runs(const std::vector<RtlRun>& runs,
                                      const ArrayConstants& constants) {
  std::vector<LimitedRuns> parts;
  for (const Limit limit : kLimits) {
    std::vector<double> errors;
    for (const RtlRun& run : runs)
      if (limit_of(run.work, constants) == limit)
        errors.push_back(std::abs(calibrated_cycles(run.work, constants) / run.cycles - 1));
    const auto share = static_cast<double>(errors.size()) / static_cast<double>(runs.size());
    parts.push_back({limit, share, errors.empty() ? 0 : median(errors)});
  }
  return parts;
}

void count_repeats(const std::vector<RtlRun>& runs, FileAgreement& result) {
  std::map<std::pair<std::size_t, std::string>, std::vector<double>> same;
  for (const RtlRun& run : runs) same[{run.shape, run.mapping}].push_back(run.cycles);
  std::vector<double> excess;
  for (const auto& [key, cycles] : same)
    for (std::size_t i = 0; i < cycles.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        excess.push_back(std::max(cycles[i], cycles[j]) / std::min(cycles[i], cycles[j]) - 1);
  result.repeated = excess.size();
  if (excess.empty()) return;
  result.repeat_worst = *std::max_element(excess.begin(), excess.end());
  result.repeat_median = median(excess);
}

FileAgreement agreement_of_file(const RtlFile& file, std::span<const RtlFile> files,
                                const ArrayConstants& all) {
  FileAgreement result;
  result.name = file.name;
  result.runs = file.runs.size();
  std::map<std::size_t, bool> shapes;
  std::vector<double> timeloop;
  for (const RtlRun& run : file.runs) {
    shapes[run.shape] = true;
    if (run.timeloop_cycles) timeloop.push_back(*run.timeloop_cycles);
    const double excess = run.cycles / calibrated_cycles(run.work, all);
    if (excess > 5) ++result.stalled;
    result.worst_stall = std::max(result.worst_stall, excess);
  }
  result.limited = limited_runs(file.runs, all);
  result.shapes = shapes.size();
  if (timeloop.size() == file.runs.size()) result.timeloop = agreement_of(file.runs, timeloop);
  result.plain_timeloop = agreement_of(file.runs, plain_cycles(file.runs, Accounting::timeloop));
  result.plain = agreement_of(file.runs, plain_cycles(file.runs, Accounting::exact));
  result.fitted = agreement_of(file.runs, calibrated(file.runs, all));
  const auto others = runs_of(files, &file);
  if (others.empty()) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    result.other_files = {none, none, none, none};
  } else {
    result.other_files = agreement_of(file.runs, calibrated(file.runs, fit_constants(others)));
  }
  count_repeats(file.runs, result);
  return result;
}

}  // namespace

Agreement agreement(std::span<const double> model, std::span<const double> rtl) {
  std::vector<double> errors;
  double sum = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    errors.push_back(std::abs(model[i] / rtl[i] - 1));
    sum += errors.back();
  }
  std::sort(errors.begin(), errors.end());
  return {.median_error = predictors::quantile_of_sorted(errors, 0.5),
          .mean_error = sum / static_cast<double>(errors.size()),
          .percentile_90 = predictors::quantile_of_sorted(errors, 0.9),
          .spearman = predictors::spearman(model, rtl)};
}

ArrayConstants fit_constants(std::span<const RtlRun* const> runs, std::span<const double> times) {
  Vector best = logarithms(kStart);
  LossAt at = loss_at(runs, times, best);
  double damping = 1e-3;
  for (int step = 0; step < 200 && damping < 1e9; ++step) {
    Matrix damped = at.curvature;
    damped.diagonal() *= 1 + damping;
    damped.diagonal().array() += 1e-12;  // a constant may not matter to these runs at all
    Vector move = damped.ldlt().solve(at.slope);
    // No constant by more than a factor e at once: one that reaches 0 would never return.
    move /= std::max(1.0, move.cwiseAbs().maxCoeff());
    const Vector next = best - move;
    const LossAt there = loss_at(runs, times, next);
    if (!(there.loss < at.loss)) {
      damping *= 4;
      continue;
    }
    const bool settled = at.loss - there.loss < 1e-10 * at.loss;
    best = next;
    at = there;
    damping = std::max(damping / 4, 1e-9);
    if (settled) break;
  }
  return constants_of(best);
}

RtlCalibration calibrate(std::span<const RtlFile> files, const CalibrationOptions& options) {
  RtlCalibration result;
  result.constants = fit_constants(runs_of(files));
  result.intervals = bootstrap(files, options);
  const auto without = constants_without_each_shape(files);
  for (const RtlFile& file : files) {
    FileAgreement of_file = agreement_of_file(file, files, result.constants);
    std::vector<double> cycles;
    for (const RtlRun& run : file.runs)
      cycles.push_back(calibrated_cycles(run.work, without[run.shape]));
    of_file.cross_validated = agreement_of(file.runs, cycles);
    result.files.push_back(of_file);
    result.cross_validated_cycles.push_back(std::move(cycles));
  }
  return result;
}

std::vector<NamedConstant> named(const ArrayConstants& c) {
  return {{"instruction_spacing", "array sides", c.instruction_spacing},
          {"call_cycles", "cycles", c.call_cycles},
          {"request_cycles", "cycles", c.request_cycles},
          {"byte_cycles", "cycles/byte", c.byte_cycles},
          {"start_cycles", "cycles", c.start_cycles},
          {"unhidden", "share", c.unhidden}};
}

}  // namespace cosearch::codesign
