// The control for semi-decoupled search: the same sweep, with networks retained at random.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codesign/search/staged_strategy.h"

namespace cosearch::codesign {

struct RandomRetainedOptions {
  /// Networks to draw (all, when the space has no more); for a fair control, as many as the
  /// semi-decoupled search retained.
  std::uint64_t retained = 100;
};

[[nodiscard]] std::vector<OptionProblem> problems_in(const RandomRetainedOptions& options,
                                                     const DesignSpace& space);

class RandomRetained final : public StagedStrategy {
 public:
  RandomRetained(const SearchContext& context, const RandomRetainedOptions& options);

  [[nodiscard]] std::string name() const override { return "random-retained"; }
  [[nodiscard]] std::vector<std::pair<std::string, double>> findings() const override {
    return {{"retained", static_cast<double>(retained_.size())}};
  }

 protected:
  std::optional<std::vector<Design>> next_stage() override;
  void learn(const Trial& trial) override { static_cast<void>(trial); }

 private:
  const DesignSpace& space_;
  std::vector<std::uint32_t> retained_;
  bool is_swept_ = false;
};

}  // namespace cosearch::codesign
