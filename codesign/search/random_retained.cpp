#include "codesign/search/random_retained.h"

#include <algorithm>

#include "codesign/search/option_problems.h"

namespace cosearch::codesign {

std::vector<OptionProblem> problems_in(const RandomRetainedOptions& options,
                                       const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "random-retained", problems);
  require_accelerators(space, "random-retained", problems);
  require(options.retained >= 1, "retained", options.retained, "must be at least 1", problems);
  return problems;
}

RandomRetained::RandomRetained(const SearchContext& context, const RandomRetainedOptions& options)
    : space_(context.space),
      retained_(sampled_networks(
          context.space, std::min<std::uint64_t>(options.retained, context.space.network_count()),
          context.seed, "random retained")) {}

std::optional<std::vector<Design>> RandomRetained::next_stage() {
  if (is_swept_) return std::nullopt;
  is_swept_ = true;
  return on_every_accelerator(retained_, space_);
}

}  // namespace cosearch::codesign
