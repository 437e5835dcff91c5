#include "codesign/search/decoupled_network_first.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "codesign/search/option_problems.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

std::vector<double> macs_of_all(const DesignSpace& space) {
  std::vector<double> macs(space.network_count());
  for (std::uint32_t i = 0; i < space.network_count(); ++i) macs[i] = space.macs(i);
  return macs;
}

}  // namespace

std::vector<OptionProblem> problems_in(const DecoupledNetworkFirstOptions& options,
                                       const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "decoupled-network-first", problems);
  require(options.macs_quantile >= 0 && options.macs_quantile <= 1, "macs_quantile",
          options.macs_quantile, "must be in [0, 1]", problems);
  if (!options.macs_limit) return problems;
  require(options.macs_quantile == 1, "macs_quantile", options.macs_quantile,
          "cannot be given together with macs_limit", problems);
  if (space.network_count() == 0) return problems;
  const std::vector<double> macs = macs_of_all(space);
  const double fewest = *std::min_element(macs.begin(), macs.end());
  require(*options.macs_limit >= fewest, "macs_limit", *options.macs_limit,
          fmt::format("no network has so few; the smallest has {} MACs", fewest), problems);
  return problems;
}

DecoupledNetworkFirst::DecoupledNetworkFirst(const SearchContext& context,
                                             const DecoupledNetworkFirstOptions& options)
    : space_(context.space) {
  std::vector<double> macs = macs_of_all(space_);
  macs_limit_ =
      options.macs_limit ? *options.macs_limit : predictors::quantile(macs, options.macs_quantile);
}

std::optional<std::vector<Design>> DecoupledNetworkFirst::next_stage() {
  switch (stage_++) {
    case 0: {
      std::vector<Design> networks;
      for (std::uint32_t i = 0; i < space_.network_count(); ++i) {
        if (space_.macs(i) <= macs_limit_) networks.push_back({i, kNoAccelerator});
      }
      return networks;
    }
    case 1:
      if (!best_) return std::nullopt;
      return on_every_accelerator(std::vector{best_->network}, space_);
    default:
      return std::nullopt;
  }
}

void DecoupledNetworkFirst::learn(const Trial& trial) {
  const double accuracy = trial.metrics[Metric::accuracy];
  if (trial.design.has_accelerator() || !trial.runs() || std::isnan(accuracy)) return;
  const Best here{trial.design.network, accuracy, space_.macs(trial.design.network)};
  const auto key = [](const Best& b) { return std::tuple(-b.accuracy, b.macs, b.network); };
  if (!best_ || key(here) < key(*best_)) best_ = here;
}

std::vector<std::pair<std::string, double>> DecoupledNetworkFirst::findings() const {
  std::vector<std::pair<std::string, double>> findings{{"macs_limit", macs_limit_}};
  if (best_) findings.emplace_back("network", best_->network);
  return findings;
}

}  // namespace cosearch::codesign
