#include "predictors/recommender.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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
  write(state);
  return state;
}

void Recommender::restore(const ModelState& state, std::vector<FeatureColumn> columns) {
  const double choices = state.number("choices");
  const std::vector<double>& occurring = state.numbers_of("occurring");
  const auto is_choice = [&](double value) { return value >= 0 && value < choices; };
  if (!(choices >= 1 && choices <= 0x1p32 - 1) || occurring.empty() ||
      !std::ranges::all_of(occurring, is_choice))
    throw UserError("the recommender's choices are damaged");
  columns_ = std::move(columns);
  choices_ = static_cast<std::uint32_t>(choices);
  occurring_.clear();
  for (const double choice : occurring) occurring_.push_back(static_cast<std::uint32_t>(choice));
  read(state);
}

std::vector<std::uint32_t> by_share(std::span<const double> shares) {
  std::vector<std::uint32_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order,
                           [&](std::uint32_t a, std::uint32_t b) { return shares[a] > shares[b]; });
  return order;
}

const std::vector<RecommenderInfo>& recommenders() {
  static const std::vector<RecommenderInfo> kRecommenders{
      {"constant", false, "what was best most often"},
      {"tree", false, "one classification tree"},
      {"mlp", true, "a perceptron with two hidden layers and a class for each choice"},
  };
  return kRecommenders;
}

std::unique_ptr<Recommender> make_recommender(const std::string& name,
                                              const std::filesystem::path& module_folder) {
  if (name == "constant") return std::make_unique<ConstantRecommender>();
  if (name == "tree") return std::make_unique<ClassificationTree>();
  if (name == "mlp") return load_neural_recommender(name, module_folder);
  std::vector<std::string> known;
  for (const RecommenderInfo& info : recommenders()) known.push_back(info.name);
  throw UserError("unknown recommender '" + name + "'" + did_you_mean(name, known));
}

}  // namespace cosearch::predictors
