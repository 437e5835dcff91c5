// Predicts a number, and how far off it may be, from what is known of a network for free. One
// interface for every model: fit, predict, and a state that can be kept and restored.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "predictors/examples.h"
#include "predictors/model_state.h"

namespace cosearch::predictors {

/// Of a new measurement: its mean, and the standard deviation around it, noise included.
struct Prediction {
  double mean = 0;
  double deviation = 0;
};

/// A mean, and where 95 % of all values lie.
struct PredictedRange {
  double mean = 0, low = 0, high = 0;
};

[[nodiscard]] PredictedRange range_of(const Prediction& prediction);
/// Of what can only be above zero: of the part of the normal distribution that lies there.
[[nodiscard]] PredictedRange positive_range_of(const Prediction& prediction);

/// Call order: (fit | restore) predict*. Runs on the caller's thread alone; predicting is safe from
/// several threads at once.
class Predictor {
 public:
  virtual ~Predictor() = default;

  /// The fewest examples it can be fitted to.
  [[nodiscard]] virtual std::size_t least_examples() const = 0;

  /// Learns `targets`, one for each row of `examples` and best of mean 0 and variance 1
  /// (TargetScale). The same arguments give the same predictor. Throws UserError, naming the row
  /// and the column, for a target that is not a number or a feature that is infinite, and for fewer
  /// examples than least_examples().
  void fit(const Examples& examples, std::span<const double> targets, std::uint64_t seed);

  /// One for each row. Throws UserError when the columns are not those it was fitted to.
  [[nodiscard]] std::vector<Prediction> predict(const Examples& examples) const;

  [[nodiscard]] ModelState state() const;
  /// Predicts from now on as the predictor whose state this is, bit by bit. Throws UserError when
  /// the state is not one of this kind of predictor.
  void restore(const ModelState& state, std::vector<FeatureColumn> columns);

  [[nodiscard]] const std::vector<FeatureColumn>& columns() const { return columns_; }

 protected:
  virtual void learn(const Examples& examples, std::span<const double> targets,
                     std::uint64_t seed) = 0;
  [[nodiscard]] virtual std::vector<Prediction> infer(const Examples& examples) const = 0;
  virtual void write(ModelState& state) const = 0;
  virtual void read(const ModelState& state) = 0;

 private:
  std::vector<FeatureColumn> columns_;
};

/// What a model minimises.
enum class Loss : std::uint8_t {
  squared,   ///< the squared error of each target
  pairwise,  ///< the logistic loss of the order of pairs
};

}  // namespace cosearch::predictors
