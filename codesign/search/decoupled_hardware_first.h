// Fully decoupled, hardware first: the best accelerator for one reference network; then every
// network on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codesign/search/staged_strategy.h"

namespace cosearch::codesign {

struct DecoupledHardwareFirstOptions {
  /// What makes an accelerator best; a metric of the hardware, such as edp or latency.
  Metric metric = Metric::edp;

  /// The network it is judged by. Unset: the one with the (lower) median of the space's MACs.
  std::optional<std::uint32_t> reference_network = std::nullopt;
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const DecoupledHardwareFirstOptions& options,
                                                     const DesignSpace& space);

/// Accelerators that meet the question's hardware constraints (latency, energy, area, edp, time)
/// with the reference network come first; when none does, the least violating. Ties go to the
/// first.
class DecoupledHardwareFirst final : public StagedStrategy {
 public:
  DecoupledHardwareFirst(const SearchContext& context,
                         const DecoupledHardwareFirstOptions& options);

  [[nodiscard]] std::string name() const override { return "decoupled-hardware-first"; }
  [[nodiscard]] std::vector<std::pair<std::string, double>> findings() const override;

 protected:
  std::optional<std::vector<Design>> next_stage() override;
  void learn(const Trial& trial) override;

 private:
  struct Best {
    double violation;
    double cost;
    std::uint32_t accelerator;
    friend auto operator<=>(const Best&, const Best&) = default;
  };

  const DesignSpace& space_;
  std::vector<Constraint> hardware_constraints_;
  Objective objective_;
  std::uint32_t reference_;
  int stage_ = 0;
  std::optional<Best> best_;
};

}  // namespace cosearch::codesign
