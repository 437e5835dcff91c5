// Fully decoupled, network first: the most accurate network under a limit on MACs, chosen without
// looking at any hardware; then every accelerator for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codesign/search/staged_strategy.h"

namespace cosearch::codesign {

struct DecoupledNetworkFirstOptions {
  /// Networks with more multiply-accumulates are passed over. Unset: `macs_quantile` decides.
  std::optional<double> macs_limit = std::nullopt;

  /// The limit as a quantile in [0, 1] of the space's MACs; 1 admits every network.
  double macs_quantile = 1;
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const DecoupledNetworkFirstOptions& options,
                                                     const DesignSpace& space);

/// Ties in accuracy go to the network with fewer MACs, then to the first.
class DecoupledNetworkFirst final : public StagedStrategy {
 public:
  DecoupledNetworkFirst(const SearchContext& context, const DecoupledNetworkFirstOptions& options);

  [[nodiscard]] std::string name() const override { return "decoupled-network-first"; }
  [[nodiscard]] std::vector<std::pair<std::string, double>> findings() const override;

 protected:
  std::optional<std::vector<Design>> next_stage() override;
  void learn(const Trial& trial) override;

 private:
  struct Best {
    std::uint32_t network;
    double accuracy;
    double macs;
  };

  const DesignSpace& space_;
  double macs_limit_;
  int stage_ = 0;
  std::optional<Best> best_;
};

}  // namespace cosearch::codesign
