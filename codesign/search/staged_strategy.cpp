#include "codesign/search/staged_strategy.h"

#include <algorithm>
#include <numeric>

#include "codesign/search/index_permutation.h"

namespace cosearch::codesign {

std::vector<Design> StagedStrategy::ask(std::size_t count) {
  while (asked_ == stage_.size() && !is_over_) {
    std::optional<std::vector<Design>> next = next_stage();
    is_over_ = !next.has_value();
    stage_ = std::move(next).value_or(std::vector<Design>{});
    asked_ = 0;
  }
  const std::size_t end = asked_ + std::min(count, stage_.size() - asked_);
  const auto first = stage_.begin();
  std::vector<Design> designs(first + static_cast<std::ptrdiff_t>(asked_),
                              first + static_cast<std::ptrdiff_t>(end));
  asked_ = end;
  return designs;
}

void StagedStrategy::tell(std::span<const Trial> trials) {
  for (const Trial& trial : trials) learn(trial);
}

std::vector<Design> on_every_accelerator(std::span<const std::uint32_t> networks,
                                         const DesignSpace& space) {
  std::vector<Design> designs;
  designs.reserve(networks.size() * space.accelerator_count());
  for (std::uint32_t accelerator = 0; accelerator < space.accelerator_count(); ++accelerator) {
    for (const std::uint32_t network : networks) designs.push_back({network, accelerator});
  }
  return designs;
}

std::vector<std::uint32_t> all_networks(const DesignSpace& space) {
  std::vector<std::uint32_t> networks(space.network_count());
  std::iota(networks.begin(), networks.end(), 0U);
  return networks;
}

std::vector<std::uint32_t> sampled_networks(const DesignSpace& space, std::uint64_t count,
                                            std::uint64_t seed, std::string_view purpose) {
  if (count == 0) return {};
  const IndexPermutation order(space.network_count(), seed, purpose);
  std::vector<std::uint32_t> networks(count);
  for (std::uint64_t i = 0; i < count; ++i) networks[i] = static_cast<std::uint32_t>(order.at(i));
  std::sort(networks.begin(), networks.end());
  return networks;
}

}  // namespace cosearch::codesign
