// What a search has spent: trials, and of networks and pairs the distinct ones.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "codesign/design.h"
#include "codesign/driver.h"

namespace cosearch::codesign {

/// Counts distinct pairs: by one bit per pair, or by a hash set where the space is too big for
/// that.
class DistinctPairs {
 public:
  DistinctPairs(std::uint32_t networks, std::uint32_t accelerators) : accelerators_(accelerators) {
    // 2^31 bits are 256 MiB.
    constexpr std::uint64_t kMostBits = std::uint64_t{1} << 31;
    const std::uint64_t pairs = std::uint64_t{networks} * accelerators_;
    if (pairs <= kMostBits) seen_.resize(pairs, false);
  }

  void add(const Design& design) {
    const std::uint64_t index = std::uint64_t{design.network} * accelerators_ + design.accelerator;
    if (seen_.empty()) {
      count_ += seen_sparsely_.insert(index).second ? 1 : 0;
    } else if (!seen_[index]) {
      seen_[index] = true;
      ++count_;
    }
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t accelerators_;
  std::uint64_t count_ = 0;
  std::vector<bool> seen_;
  std::unordered_set<std::uint64_t> seen_sparsely_;  // only asked about membership, never walked
};

/// Counts each design, network and pair as it comes.
class Ledger {
 public:
  Ledger(std::uint32_t networks, std::uint32_t accelerators)
      : pairs_(networks, accelerators), network_seen_(networks, false) {}

  void enter(const Design& design) {
    if (!network_seen_[design.network]) {
      network_seen_[design.network] = true;
      ++counts_.networks;
    }
    if (design.has_accelerator()) pairs_.add(design);
    ++counts_.trials;
    counts_.hardware = pairs_.count();
  }
  void set_layers(std::uint64_t layers) { counts_.layers = layers; }

  [[nodiscard]] const EvaluationCounts& counts() const { return counts_; }

 private:
  DistinctPairs pairs_;
  std::vector<bool> network_seen_;
  EvaluationCounts counts_;
};

}  // namespace cosearch::codesign
