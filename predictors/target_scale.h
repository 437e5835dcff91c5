// Targets as a model sees them: on a scale on which errors are alike everywhere, with mean 0 and
// variance 1. Every scale is a strictly increasing map, so it changes no rank.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "predictors/model_state.h"

namespace cosearch::predictors {

enum class ScaleKind : std::uint8_t {
  linear,     ///< as they are
  logarithm,  ///< of a positive target: latencies and energies, whose errors are relative
  error,      ///< minus the logarithm of 100 minus a percentage: spreads out the best accuracies
  normal_scores,  ///< the normal quantile of the rank among the training targets
};

[[nodiscard]] const std::vector<std::string>& scale_names();
/// Throws UserError (with a suggestion) for an unknown name.
[[nodiscard]] ScaleKind scale_named(const std::string& name);

/// Why a scale cannot take `target`, in the user's words; empty where it can.
[[nodiscard]] std::string problem_with(ScaleKind kind, double target);

class TargetScale {
 public:
  /// Learns the map from the training targets. Throws UserError, naming the row, for a target that
  /// the scale cannot take: zero or less for `logarithm`, above 100 for `error`.
  TargetScale(ScaleKind kind, std::span<const double> targets);

  /// The inverse of `write`. Throws UserError for a damaged state.
  explicit TargetScale(const ModelState& state);
  void write(ModelState& state) const;

  [[nodiscard]] double forward(double target) const;
  /// A target again, in its own unit.
  [[nodiscard]] double inverse(double scaled) const;
  /// `forward` of every target.
  [[nodiscard]] std::vector<double> forward(std::span<const double> targets) const;

 private:
  [[nodiscard]] double bend(double target) const;
  [[nodiscard]] double unbend(double bent) const;

  ScaleKind kind_;
  double mean_ = 0, deviation_ = 1;
  std::vector<double> targets_, scores_;  // of normal_scores: both ascending
};

}  // namespace cosearch::predictors
