#include "codesign/search/decoupled_hardware_first.h"

#include <algorithm>
#include <cmath>

#include "codesign/search/option_problems.h"

namespace cosearch::codesign {
namespace {

std::uint32_t median_network(const DesignSpace& space) {
  std::vector<std::uint32_t> networks = all_networks(space);
  const auto middle = networks.begin() + static_cast<std::ptrdiff_t>((networks.size() - 1) / 2);
  std::nth_element(networks.begin(), middle, networks.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(space.macs(a), a) < std::pair(space.macs(b), b);
  });
  return *middle;
}

}  // namespace

std::vector<OptionProblem> problems_in(const DecoupledHardwareFirstOptions& options,
                                       const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "decoupled-hardware-first", problems);
  require_accelerators(space, "decoupled-hardware-first", problems);
  const MetricInfo& metric = info_of(options.metric);
  require(metric.of_hardware, "metric", metric.name,
          "must depend on the accelerator (latency, energy, area, edp or time)", problems);
  if (options.reference_network)
    require(*options.reference_network < space.network_count(), "reference_network",
            *options.reference_network,
            fmt::format("the space has {} networks, counted from 0", space.network_count()),
            problems);
  return problems;
}

DecoupledHardwareFirst::DecoupledHardwareFirst(const SearchContext& context,
                                               const DecoupledHardwareFirstOptions& options)
    : space_(context.space),
      objective_{options.metric},
      reference_(options.reference_network ? *options.reference_network
                                           : median_network(context.space)) {
  for (const Constraint& constraint : context.question.constraints) {
    if (info_of(constraint.metric).of_hardware) hardware_constraints_.push_back(constraint);
  }
}

std::optional<std::vector<Design>> DecoupledHardwareFirst::next_stage() {
  switch (stage_++) {
    case 0:
      return on_every_accelerator(std::vector{reference_}, space_);
    case 1: {
      if (!best_) return std::nullopt;
      std::vector<Design> designs;
      for (std::uint32_t network = 0; network < space_.network_count(); ++network) {
        if (network != reference_) designs.push_back({network, best_->accelerator});
      }
      return designs;
    }
    default:
      return std::nullopt;
  }
}

void DecoupledHardwareFirst::learn(const Trial& trial) {
  if (trial.design.network != reference_ || !trial.runs()) return;
  const Best here{violation(hardware_constraints_, trial.metrics),
                  cost_of(objective_, trial.metrics), trial.design.accelerator};
  if (std::isnan(here.cost)) return;
  if (!best_ || here < *best_) best_ = here;
}

std::vector<std::pair<std::string, double>> DecoupledHardwareFirst::findings() const {
  std::vector<std::pair<std::string, double>> findings{{"reference_network", reference_}};
  if (best_) findings.emplace_back("accelerator", best_->accelerator);
  return findings;
}

}  // namespace cosearch::codesign
