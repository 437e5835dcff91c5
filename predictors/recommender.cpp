#include "predictors/recommender.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "core/user_error.h"
#include "predictors/classification_tree.h"
#include "predictors/neural/loader.h"

namespace cosearch::predictors {
namespace {

void check_complete(const Examples& workloads) {
  for (std::size_t row = 0; row < workloads.rows(); ++row)
    for (std::size_t column = 0; column < workloads.columns.size(); ++column)
      if (!std::isfinite(workloads.row(row)[column]))
        throw UserError("workload " + std::to_string(row) + ": feature '" +
                        workloads.columns[column].name + "' is not a finite number");
}

/// Recommends what was best most often, whatever the workload: what every other one has to beat.
class ConstantRecommender final : public Recommender {
 protected:
  void learn(const Examples&, std::span<const std::uint32_t> best, std::uint64_t) override {
    shares_.assign(occurring(), 0);
    for (const std::uint32_t choice : best) shares_[choice] += 1 / static_cast<double>(best.size());
  }
  [[nodiscard]] std::vector<double> infer(const Examples& workloads) const override {
    std::vector<double> shares;
    shares.reserve(workloads.rows() * shares_.size());
    for (std::size_t row = 0; row < workloads.rows(); ++row)
      shares.insert(shares.end(), shares_.begin(), shares_.end());
    return shares;
  }
  void write(ModelState& state) const override { state.numbers["shares"] = shares_; }
  void read(const ModelState& state) override { shares_ = state.numbers_of("shares", occurring()); }

 private:
  std::vector<double> shares_;  // by choice that occurs
};

}  // namespace

void Recommender::fit(const Examples& workloads, std::span<const std::uint32_t> best,
                      std::uint32_t choices, std::uint64_t seed) {
  if (workloads.rows() == 0 || workloads.rows() != best.size())
    throw UserError(std::to_string(workloads.rows()) + " workloads with " +
                    std::to_string(best.size()) + " best choices; expected as many, 1 or more");
  for (std::size_t row = 0; row < best.size(); ++row)
    if (best[row] >= choices)
      throw UserError("workload " + std::to_string(row) + ": there is no choice " +
                      std::to_string(best[row]) + " of " + std::to_string(choices));
  check_complete(workloads);
  columns_ = workloads.columns;
  choices_ = choices;
  occurring_.assign(best.begin(), best.end());
  std::ranges::sort(occurring_);
  occurring_.erase(std::unique(occurring_.begin(), occurring_.end()), occurring_.end());
  std::vector<std::uint32_t> numbers;
  for (const std::uint32_t choice : best)
    numbers.push_back(static_cast<std::uint32_t>(std::ranges::lower_bound(occurring_, choice) -
                                                 occurring_.begin()));
  times_best_.assign(occurring_.size(), 0);
  for (const std::uint32_t number : numbers) ++times_best_[number];
  lows_.clear();
  highs_.clear();
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    double low = workloads.row(0)[column], high = low;
    for (std::size_t row = 1; row < workloads.rows(); ++row) {
      low = std::min(low, workloads.row(row)[column]);
      high = std::max(high, workloads.row(row)[column]);
    }
    lows_.push_back(low);
    highs_.push_back(high);
  }
  learn(workloads, numbers, seed);
}

std::vector<double> Recommender::shares(const Examples& workloads) const {
  check_columns(columns_, workloads);
  check_complete(workloads);
  const std::vector<double> inferred = infer(workloads);
  std::vector<double> shares(workloads.rows() * choices_);
  for (std::size_t row = 0; row < workloads.rows(); ++row)
    for (std::size_t i = 0; i < occurring_.size(); ++i)
      shares[row * choices_ + occurring_[i]] = inferred[row * occurring_.size() + i];
  return shares;
}

ModelState Recommender::state() const {
  ModelState state;
  state.numbers["choices"] = {static_cast<double>(choices_)};
  state.numbers["occurring"].assign(occurring_.begin(), occurring_.end());
  state.numbers["times_best"] = times_best_;
  state.numbers["lows"] = lows_;
  state.numbers["highs"] = highs_;
  write(state);
  return state;
}

void Recommender::restore(const ModelState& state, std::vector<FeatureColumn> columns) {
  const double choices = state.number("choices");
  const std::vector<double>& occurring = state.numbers_of("occurring");
  bool fits = is_index(choices, 1, std::size_t{1} << 32) && !occurring.empty();
  std::size_t least = 0;
  for (const double choice : occurring) {  // in ascending order
    fits = fits && is_index(choice, least, static_cast<std::size_t>(choices));
    if (fits) least = static_cast<std::size_t>(choice) + 1;
  }
  if (!fits) throw UserError("the recommender's choices are damaged");
  columns_ = std::move(columns);
  choices_ = static_cast<std::uint32_t>(choices);
  occurring_.clear();
  for (const double choice : occurring) occurring_.push_back(static_cast<std::uint32_t>(choice));
  times_best_ = state.numbers_of("times_best", occurring_.size());
  lows_ = state.numbers_of("lows", columns_.size());
  highs_ = state.numbers_of("highs", columns_.size());
  read(state);
}

std::vector<std::uint32_t> Recommender::ranked(std::span<const double> shares) const {
  std::vector<double> times_best(choices_);
  for (std::size_t i = 0; i < occurring_.size(); ++i) times_best[occurring_[i]] = times_best_[i];
  std::vector<std::uint32_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::uint32_t choice) {
    return std::pair(shares[choice], times_best[choice]);
  });
  return order;
}

std::vector<std::string> Recommender::unfamiliar(std::span<const double> row) const {
  std::vector<std::string> names;
  for (std::size_t column = 0; column < columns_.size(); ++column)
    if (row[column] < lows_[column] || row[column] > highs_[column])
      names.push_back(columns_[column].name);
  return names;
}

const std::vector<std::string>& recommender_names() {
  static const std::vector<std::string> kNames{"constant", "tree", "mlp"};
  return kNames;
}

std::unique_ptr<Recommender> make_recommender(const std::string& name,
                                              const std::filesystem::path& module_folder) {
  if (name == "constant") return std::make_unique<ConstantRecommender>();
  if (name == "tree") return std::make_unique<ClassificationTree>();
  if (name == "mlp") return load_neural_recommender(name, module_folder);
  throw UserError("unknown recommender '" + name + "'" + did_you_mean(name, recommender_names()));
}

}  // namespace cosearch::predictors
