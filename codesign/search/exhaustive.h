// Every design once: the fully coupled search, and the truth that shortcuts are measured against.
#pragma once

#include <string>
#include <vector>

#include "codesign/search/strategy.h"

namespace cosearch::codesign {

struct ExhaustiveOptions {
  /// "accelerator-major" visits all networks on one accelerator before the next, "network-major"
  /// all accelerators for one network: pick the one whose layer costs stay in cache.
  std::string order = "accelerator-major";
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const ExhaustiveOptions& options,
                                                     const DesignSpace& space);

class Exhaustive final : public SearchStrategy {
 public:
  Exhaustive(const SearchContext& context, const ExhaustiveOptions& options);

  [[nodiscard]] std::string name() const override { return "exhaustive"; }
  [[nodiscard]] std::vector<Design> ask(std::size_t count) override;
  void tell(std::span<const Trial> trials) override { static_cast<void>(trials); }

 private:
  const DesignSpace& space_;
  bool accelerator_major_;
  std::uint64_t next_ = 0;
};

}  // namespace cosearch::codesign
