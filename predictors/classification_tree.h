// One classification tree, grown until its leaves are pure or small. XGBoost 1.7, which Debian has,
// grows a tree for each class and not one for all.
//
// Source: L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and regression trees",
// 1984, section 4.3 (the Gini criterion).
#pragma once

#include "predictors/recommender.h"

namespace cosearch::predictors {

struct ClassificationTreeOptions {
  std::size_t least_leaf = 3;  ///< workloads in a leaf; not tuned
};

class ClassificationTree final : public Recommender {
 public:
  explicit ClassificationTree(ClassificationTreeOptions options = {}) : options_(options) {}

 protected:
  /// Draws nothing at random: of equally good splits the first column's lowest is taken.
  void learn(const Examples& workloads, std::span<const std::uint32_t> best,
             std::uint64_t seed) override;
  [[nodiscard]] std::vector<double> infer(const Examples& workloads) const override;
  void write(ModelState& state) const override;
  void read(const ModelState& state) override;

 private:
  struct Node {
    std::int32_t column = -1;  ///< of the split; -1 in a leaf
    double threshold = 0;      ///< values up to it go left, to the node that follows
    std::uint32_t right = 0;   ///< the other node; in a leaf, its row of shares
  };
  class Grower;

  ClassificationTreeOptions options_;
  std::vector<Node> nodes_;     // depth first, the root in front
  std::vector<double> shares_;  // leaves x choices that occur
};

}  // namespace cosearch::predictors
