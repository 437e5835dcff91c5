// Several models of one kind, each fitted without one share of the examples. Their mean predicts;
// how they disagree, and how far each was off on the examples it did not see, says how well.
//
// Source: cross-validation committees, A. Krogh, J. Vedelsby, "Neural network ensembles, cross
// validation, and active learning", NIPS 1994.
#pragma once

#include <memory>

#include "predictors/predictor.h"

namespace cosearch::predictors {

class FoldEnsemble : public Predictor {
 public:
  static constexpr std::size_t kFolds = 5;

  /// Two held-out examples a fold, so that each fold says something of the error.
  [[nodiscard]] std::size_t least_examples() const override { return 2 * kFolds; }

  /// One fitted model.
  class Member {
   public:
    virtual ~Member() = default;
    /// One number for each row, in any unit.
    [[nodiscard]] virtual std::vector<double> predict(const Examples& examples) const = 0;
    [[nodiscard]] virtual std::vector<std::uint8_t> bytes() const = 0;
  };

 protected:
  /// `number`: which member, for its random stream.
  [[nodiscard]] virtual std::unique_ptr<Member> train(const Examples& examples,
                                                      std::span<const double> targets,
                                                      std::uint64_t seed,
                                                      std::size_t number) const = 0;
  /// Throws UserError when the bytes are not those of a member.
  [[nodiscard]] virtual std::unique_ptr<Member> load(
      const std::vector<std::uint8_t>& bytes) const = 0;

  void learn(const Examples& examples, std::span<const double> targets,
             std::uint64_t seed) override;
  [[nodiscard]] std::vector<Prediction> infer(const Examples& examples) const override;
  void write(ModelState& state) const override;
  void read(const ModelState& state) override;

 private:
  struct Scaled {
    std::unique_ptr<Member> member;
    double mean = 0, deviation = 1;  // of its outputs on its own examples
  };
  struct MeanAndVariance {
    double mean, variance;
  };

  [[nodiscard]] std::vector<std::vector<double>> outputs(const Examples& examples) const;
  [[nodiscard]] static MeanAndVariance across(const std::vector<std::vector<double>>& outputs,
                                              std::size_t row);

  std::vector<Scaled> members_;
  double intercept_ = 0, slope_ = 1;  // from mean scaled output to target
  double noise_variance_ = 0;         // mean squared error on examples not seen
};

}  // namespace cosearch::predictors
