// Strategies ask; the driver tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codesign/metrics.h"
#include "core/random.h"

namespace cosearch::codesign {

/// What a strategy may know of the designs for free, that is, without an evaluation.
class DesignSpace {
 public:
  virtual ~DesignSpace() = default;

  [[nodiscard]] virtual std::uint32_t network_count() const = 0;
  /// 0 when only networks are searched: designs then carry `kNoAccelerator`.
  [[nodiscard]] virtual std::uint32_t accelerator_count() const = 0;

  /// Networks (accelerators) one step away, each once, without itself; may be empty.
  [[nodiscard]] virtual std::vector<std::uint32_t> network_neighbours(
      std::uint32_t network) const = 0;
  [[nodiscard]] virtual std::vector<std::uint32_t> accelerator_neighbours(
      std::uint32_t accelerator) const = 0;

  /// A candidate that takes each of its choices from one of the two, at random; nothing when the
  /// one drawn is no candidate, or networks here cannot be crossed.
  [[nodiscard]] virtual std::optional<std::uint32_t> crossover(std::uint32_t first,
                                                               std::uint32_t second,
                                                               Random& random) const;

  /// Multiply-accumulates of one inference.
  [[nodiscard]] virtual double macs(std::uint32_t network) const = 0;

  /// Scores that rank networks without training them, the higher the better.
  [[nodiscard]] virtual std::vector<std::string> score_names() const;
  /// Number `which` of score_names(); NaN where the network has no such score.
  [[nodiscard]] virtual double score(std::uint32_t network, std::size_t which) const;
};

/// Designs in `space`: networks x accelerators, or networks when there is no accelerator.
[[nodiscard]] std::uint64_t design_count(const DesignSpace& space);
/// The design at `index` in network-major order. Requires index < design_count(space).
[[nodiscard]] Design design_at(const DesignSpace& space, std::uint64_t index);

/// Proposes designs and learns what they cost. Never evaluates, prints or stores.
/// Call order: (ask tell)*. Each batch comes back whole, in order, in the next tell.
class SearchStrategy {
 public:
  virtual ~SearchStrategy() = default;

  /// Its name in the registry.
  [[nodiscard]] virtual std::string name() const = 0;

  /// At most `count` designs, all inside the space; empty when the search is finished. Requires
  /// count > 0.
  [[nodiscard]] virtual std::vector<Design> ask(std::size_t count) = 0;
  virtual void tell(std::span<const Trial> trials) = 0;

  /// What the strategy decided on its way, for the report: ("proxy", 12), ("retained", 85).
  [[nodiscard]] virtual std::vector<std::pair<std::string, double>> findings() const { return {}; }
};

/// What every strategy is made from. `space` must outlive the strategy.
struct SearchContext {
  const DesignSpace& space;
  SearchQuestion question;
  std::uint64_t seed = 0;
};

/// Something wrong with one option: "population = 1: must be at least 2".
struct OptionProblem {
  std::string option;
  std::string message;
};

}  // namespace cosearch::codesign
