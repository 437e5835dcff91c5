// A strategy that works in stages: each is a fixed list of designs, chosen from what came before.
#pragma once

#include <optional>
#include <vector>

#include "codesign/search/strategy.h"

namespace cosearch::codesign {

/// Hands out one stage after the other; a stage begins once every trial of the last was told.
class StagedStrategy : public SearchStrategy {
 public:
  [[nodiscard]] std::vector<Design> ask(std::size_t count) final;
  void tell(std::span<const Trial> trials) final;

 protected:
  /// The designs of the next stage, perhaps none; nothing once the search is over. Called in turn.
  virtual std::optional<std::vector<Design>> next_stage() = 0;
  virtual void learn(const Trial& trial) = 0;

 private:
  std::vector<Design> stage_;
  std::size_t asked_ = 0;
  bool is_over_ = false;
};

/// `networks` x every accelerator of `space`, accelerator by accelerator.
[[nodiscard]] std::vector<Design> on_every_accelerator(std::span<const std::uint32_t> networks,
                                                       const DesignSpace& space);

/// Every network of `space`, in order.
[[nodiscard]] std::vector<std::uint32_t> all_networks(const DesignSpace& space);

/// `count` networks drawn without repetition, ascending. Requires count <= network_count().
[[nodiscard]] std::vector<std::uint32_t> sampled_networks(const DesignSpace& space,
                                                          std::uint64_t count, std::uint64_t seed,
                                                          std::string_view purpose);

}  // namespace cosearch::codesign
