#include "predictors/classification_tree.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/user_error.h"

namespace cosearch::predictors {
namespace {

/// How many rows of each class lie on one side of a split, with the sum of their squares.
class ClassCounts {
 public:
  explicit ClassCounts(std::size_t classes) : counts_(classes) {}
  void add(std::uint32_t choice) { squares_ += 2 * counts_[choice]++ + 1; }
  void remove(std::uint32_t choice) { squares_ -= 2 * counts_[choice]-- - 1; }
  /// Rows times (1 - Gini impurity), for `rows` rows.
  [[nodiscard]] double purity(std::size_t rows) const {
    return static_cast<double>(squares_) / static_cast<double>(rows);
  }

 private:
  std::vector<std::int64_t> counts_;
  std::int64_t squares_ = 0;
};

}  // namespace

class ClassificationTree::Grower {
 public:
  Grower(ClassificationTree& tree, const Examples& workloads, std::span<const std::uint32_t> best)
      : tree_(tree), workloads_(workloads), best_(best), rows_(best.size()) {
    std::iota(rows_.begin(), rows_.end(), std::size_t{0});
  }

  void grow() { grow(rows_); }

 private:
  struct Split {
    std::size_t column = 0;
    double threshold = 0;
    double purity = 0;  ///< rows times (1 - Gini impurity), both sides together
  };

  void grow(std::span<std::size_t> rows) {
    const std::size_t node = tree_.nodes_.size();
    tree_.nodes_.emplace_back();
    const Split split = best_split(rows);
    if (!(split.purity > 0)) return make_leaf(node, rows);
    const auto right = std::stable_partition(rows.begin(), rows.end(), [&](std::size_t row) {
      return value(row, split.column) <= split.threshold;
    });
    const auto left_rows = static_cast<std::size_t>(right - rows.begin());
    grow(rows.first(left_rows));
    tree_.nodes_[node] = {static_cast<std::int32_t>(split.column), split.threshold,
                          static_cast<std::uint32_t>(tree_.nodes_.size())};
    grow(rows.subspan(left_rows));
  }

  void make_leaf(std::size_t node, std::span<const std::size_t> rows) {
    const std::size_t classes = tree_.occurring();
    tree_.nodes_[node].right = static_cast<std::uint32_t>(tree_.shares_.size() / classes);
    const std::size_t first = tree_.shares_.size();
    tree_.shares_.resize(first + classes);
    for (const std::size_t row : rows)
      tree_.shares_[first + best_[row]] += 1 / static_cast<double>(rows.size());
  }

  /// Of purity 0 where no split makes the rows purer.
  [[nodiscard]] Split best_split(std::span<const std::size_t> rows) const {
    Split best;
    ClassCounts all(tree_.occurring());
    for (const std::size_t row : rows) all.add(best_[row]);
    const double before = all.purity(rows.size());
    const bool is_pure = before == static_cast<double>(rows.size());
    if (is_pure || rows.size() < 2 * tree_.options_.least_leaf) return best;
    best.purity = before;
    for (std::size_t column = 0; column < workloads_.columns.size(); ++column)
      consider(column, rows, all, best);
    return best.purity > before ? best : Split{};
  }

  /// Takes the best threshold of `column` if it beats `best`.
  void consider(std::size_t column, std::span<const std::size_t> rows, ClassCounts right,
                Split& best) const {
    std::vector<std::pair<double, std::uint32_t>> sorted;
    sorted.reserve(rows.size());
    for (const std::size_t row : rows) sorted.emplace_back(value(row, column), best_[row]);
    std::ranges::sort(sorted);
    ClassCounts left(tree_.occurring());
    for (std::size_t count = 1; count < sorted.size(); ++count) {
      const auto [low, choice] = sorted[count - 1];
      left.add(choice);
      right.remove(choice);
      const double high = sorted[count].first;
      const std::size_t rest = sorted.size() - count;
      if (low == high || std::min(count, rest) < tree_.options_.least_leaf) continue;
      const double purity = left.purity(count) + right.purity(rest);
      // Halfway between two values; their lower one where rounding would reach the higher.
      const double middle = std::midpoint(low, high);
      if (purity > best.purity * (1 + 1e-12)) best = {column, middle < high ? middle : low, purity};
    }
  }

  [[nodiscard]] double value(std::size_t row, std::size_t column) const {
    return workloads_.features[row * workloads_.columns.size() + column];
  }

  ClassificationTree& tree_;
  const Examples& workloads_;
  std::span<const std::uint32_t> best_;
  std::vector<std::size_t> rows_;
};

void ClassificationTree::learn(const Examples& workloads, std::span<const std::uint32_t> best,
                               std::uint64_t) {
  nodes_.clear();
  shares_.clear();
  Grower(*this, workloads, best).grow();
}

std::vector<double> ClassificationTree::infer(const Examples& workloads) const {
  std::vector<double> shares;
  shares.reserve(workloads.rows() * occurring());
  for (std::size_t row = 0; row < workloads.rows(); ++row) {
    std::size_t node = 0;
    while (nodes_[node].column >= 0) {
      const auto column = static_cast<std::size_t>(nodes_[node].column);
      node = workloads.row(row)[column] <= nodes_[node].threshold ? node + 1 : nodes_[node].right;
    }
    const auto leaf = std::span(shares_).subspan(nodes_[node].right * occurring(), occurring());
    shares.insert(shares.end(), leaf.begin(), leaf.end());
  }
  return shares;
}

void ClassificationTree::write(ModelState& state) const {
  for (const Node& node : nodes_) {
    state.numbers["split_columns"].push_back(node.column);
    state.numbers["thresholds"].push_back(node.threshold);
    state.numbers["right_nodes"].push_back(node.right);
  }
  state.numbers["leaf_shares"] = shares_;
}

void ClassificationTree::read(const ModelState& state) {
  const std::vector<double>& split_columns = state.numbers_of("split_columns");
  const std::size_t count = split_columns.size();
  const std::vector<double>& thresholds = state.numbers_of("thresholds", count);
  const std::vector<double>& right = state.numbers_of("right_nodes", count);
  shares_ = state.numbers_of("leaf_shares");
  const std::size_t leaves = shares_.size() / occurring();
  nodes_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_leaf = split_columns[i] == -1;
    // A path only leads forward, so it ends.
    const bool fits = is_leaf ? is_index(right[i], 0, leaves)
                              : is_index(split_columns[i], 0, columns().size()) &&
                                    is_index(right[i], i + 1, count);
    if (!fits) throw UserError("the tree is damaged at node " + std::to_string(i));
    nodes_.push_back({static_cast<std::int32_t>(split_columns[i]), thresholds[i],
                      static_cast<std::uint32_t>(right[i])});
  }
  if (nodes_.empty()) throw UserError("the tree has no nodes");
}

}  // namespace cosearch::predictors
