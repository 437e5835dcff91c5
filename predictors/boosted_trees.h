// Gradient-boosted regression trees: an ensemble of XGBoost models. Source: T. Chen, C. Guestrin,
// "XGBoost: a scalable tree boosting system", KDD 2016.
#pragma once

#include "predictors/fold_ensemble.h"

namespace cosearch::predictors {

struct BoostedTreesOptions {
  Loss loss = Loss::squared;
  int trees = 300;
  int depth = 5;
  double learning_rate = 0.05;
  /// Shares of the examples and of the columns that each tree sees.
  double row_share = 0.8, column_share = 0.5;
};

class BoostedTrees final : public FoldEnsemble {
 public:
  explicit BoostedTrees(BoostedTreesOptions options = {}) : options_(options) {}

 protected:
  [[nodiscard]] std::unique_ptr<Member> train(const Examples& examples,
                                              std::span<const double> targets, std::uint64_t seed,
                                              std::size_t number) const override;
  [[nodiscard]] std::unique_ptr<Member> load(const std::vector<std::uint8_t>& bytes) const override;

 private:
  BoostedTreesOptions options_;
};

}  // namespace cosearch::predictors
