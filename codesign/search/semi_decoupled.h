// Semi-decoupled co-design: search the networks on one accelerator (the proxy), keep the good ones,
// try only those on every accelerator. Loses nothing where all accelerators order the networks
// alike. Source: B. Lu, Z. Yan, Y. Shi, S. Ren, "A semi-decoupled approach to fast and optimal
// hardware-software co-design of neural accelerators", tinyML Research Symposium 2022. Unlike
// there, whole non-dominated layers are kept rather than the winners of a few limits: more robust
// where orders differ.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codesign/search/staged_strategy.h"

namespace cosearch::codesign {

struct SemiDecoupledOptions {
  /// The accelerator on which networks are searched. Unset: the one whose latency and energy order
  /// agrees best with all others' on a small sample of networks; its cost is counted.
  std::optional<std::uint32_t> proxy = std::nullopt;

  /// Networks in the sample that chooses the proxy; not used when the proxy is given.
  std::uint64_t proxy_sample = 32;

  /// Non-dominated layers of networks to keep, over accuracy, latency and energy on the proxy. More
  /// costs evaluations and makes up for accelerators that order the networks differently.
  std::uint64_t layers = 5;

  /// Networks searched on the proxy, drawn at random; 0 for all.
  std::uint64_t networks = 0;
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const SemiDecoupledOptions& options,
                                                     const DesignSpace& space);

/// The accelerator whose ranks agree best with the others': the largest mean, over the others, of
/// the Spearman coefficients of latency and of energy. `latencies` and `energies` hold
/// `accelerators` rows, one number per sampled network, infinite where the network does not run.
/// Accelerators that run the most of the sample come first; ties go to the first. A coefficient
/// that is undefined (constant ranks) counts as 0.
[[nodiscard]] std::uint32_t most_agreeing_accelerator(std::span<const double> latencies,
                                                      std::span<const double> energies,
                                                      std::uint32_t accelerators);

/// A network as seen on the proxy.
struct ProxyCost {
  std::uint32_t network = 0;
  double accuracy = 0;  // maximised
  double latency = 0;   // minimised
  double energy = 0;    // minimised
};

/// The networks of the first `layers` non-dominated layers, and the fastest and the most frugal
/// whatever their layer (ties: the first), ascending. Networks given must have run on the proxy.
[[nodiscard]] std::vector<std::uint32_t> retained_networks(std::span<const ProxyCost> candidates,
                                                           std::uint64_t layers);

/// Constraints do not narrow what is retained: a network too slow on the proxy may be fast enough
/// elsewhere. A network that does not run on the proxy cannot be judged and is not retained; nor is
/// one of unknown accuracy, unless the question does not ask for accuracy: it then counts as the
/// least accurate. No design is asked for twice.
class SemiDecoupled final : public StagedStrategy {
 public:
  SemiDecoupled(const SearchContext& context, const SemiDecoupledOptions& options);

  [[nodiscard]] std::string name() const override { return "semi-decoupled"; }
  [[nodiscard]] std::vector<std::pair<std::string, double>> findings() const override;

  /// The proxy, once it is known.
  [[nodiscard]] std::optional<std::uint32_t> proxy() const { return proxy_; }
  /// The networks kept, ascending; empty before the second stage.
  [[nodiscard]] const std::vector<std::uint32_t>& retained() const { return retained_; }

 protected:
  std::optional<std::vector<Design>> next_stage() override;
  void learn(const Trial& trial) override;

 private:
  enum class Stage : std::uint8_t { begin, sampling, on_proxy, sweeping };

  std::vector<Design> sample_stage();
  std::vector<Design> proxy_stage();
  std::vector<Design> sweep_stage();
  void choose_proxy();
  [[nodiscard]] bool is_sampled(std::uint32_t network) const;

  const DesignSpace& space_;
  std::uint64_t seed_;
  SemiDecoupledOptions options_;
  bool needs_accuracy_;
  Stage stage_ = Stage::begin;
  std::optional<std::uint32_t> proxy_;
  std::vector<std::uint32_t> sample_;    // ascending; empty when the proxy was given
  std::vector<ProxyCost> sample_costs_;  // accelerator by accelerator; infinite where it fails
  std::vector<ProxyCost> candidates_;
  std::vector<std::uint32_t> retained_;
};

}  // namespace cosearch::codesign
