// Designs drawn at random, none twice: the control that every strategy has to beat.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codesign/search/index_permutation.h"
#include "codesign/search/strategy.h"

namespace cosearch::codesign {

struct RandomSearchOptions {
  /// Designs to draw; 0 draws until the space or the study's budget is used up.
  std::uint64_t evaluations = 0;
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const RandomSearchOptions& options,
                                                     const DesignSpace& space);

class RandomSearch final : public SearchStrategy {
 public:
  RandomSearch(const SearchContext& context, const RandomSearchOptions& options);

  [[nodiscard]] std::string name() const override { return "random"; }
  [[nodiscard]] std::vector<Design> ask(std::size_t count) override;
  void tell(std::span<const Trial> trials) override { static_cast<void>(trials); }

 private:
  const DesignSpace& space_;
  IndexPermutation order_;
  std::uint64_t end_;
  std::uint64_t next_ = 0;
};

}  // namespace cosearch::codesign
