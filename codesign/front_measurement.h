// "Predict all, train the front": after a search whose accuracies were predicted, the networks on
// its front are measured, which changes the front, until every network on it is measured.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codesign/accuracies.h"
#include "codesign/archive.h"
#include "codesign/network_set.h"
#include "codesign/search/strategy.h"

namespace cosearch::codesign {

/// Call order: add*, then as any strategy, in which every design that was added of a measured
/// network is evaluated again.
class FrontMeasurement : public SearchStrategy {
 public:
  /// Keeps references to `networks` and `accuracies`, which has a second source. `at_most`:
  /// distinct networks that may be measured; where the front has more, those with the largest
  /// spread are.
  FrontMeasurement(SearchQuestion question, const NetworkSet& networks, Accuracies& accuracies,
                   std::optional<std::uint64_t> at_most);

  /// Trials of the search that went before.
  void add(std::span<const Trial> trials);

  [[nodiscard]] std::string name() const override { return "front-measurement"; }
  [[nodiscard]] std::vector<Design> ask(std::size_t count) override;
  /// Also part by part, as trials become known: what is told again changes nothing.
  void tell(std::span<const Trial> trials) override;

  /// "measured_networks", "measuring_rounds", and, where `at_most` ended it, "unmeasured_on_front".
  [[nodiscard]] std::vector<std::pair<std::string, double>> findings() const override;

  /// All trials that were added, those that were evaluated again with the accuracy they have since.
  [[nodiscard]] const ParetoArchive& archive() const;

 private:
  void choose_networks();
  [[nodiscard]] bool is_awaited(const Design& design) const;
  void put_least_certain_first(std::vector<std::uint32_t>& networks);
  [[nodiscard]] std::vector<std::uint32_t> unmeasured_on_front() const;

  SearchQuestion question_;
  const NetworkSet& networks_;
  Accuracies& accuracies_;
  std::optional<std::uint64_t> at_most_;

  std::vector<Trial> trials_;
  std::vector<std::optional<double>> measured_;  // by network; NaN where measuring failed
  std::set<std::string> distinct_;               // measured so far, by canonical form
  std::vector<Design> queue_;                    // to be evaluated again, in order
  std::size_t next_ = 0, told_ = 0;              // of it, asked for and told
  std::uint64_t rounds_ = 0;
  mutable std::optional<ParetoArchive> archive_;  // made when it is asked for
};

}  // namespace cosearch::codesign
