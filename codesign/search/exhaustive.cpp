#include "codesign/search/exhaustive.h"

#include <algorithm>

#include "codesign/search/option_problems.h"

namespace cosearch::codesign {

std::vector<OptionProblem> problems_in(const ExhaustiveOptions& options, const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "exhaustive", problems);
  require(options.order == "accelerator-major" || options.order == "network-major", "order",
          options.order, "must be accelerator-major or network-major", problems);
  return problems;
}

Exhaustive::Exhaustive(const SearchContext& context, const ExhaustiveOptions& options)
    : space_(context.space),
      accelerator_major_(options.order == "accelerator-major" &&
                         context.space.accelerator_count() > 0) {}

std::vector<Design> Exhaustive::ask(std::size_t count) {
  const std::uint64_t end = next_ + std::min<std::uint64_t>(count, design_count(space_) - next_);
  std::vector<Design> designs;
  designs.reserve(end - next_);
  const std::uint64_t networks = space_.network_count();
  for (; next_ < end; ++next_) {
    designs.push_back(accelerator_major_ ? Design{static_cast<std::uint32_t>(next_ % networks),
                                                  static_cast<std::uint32_t>(next_ / networks)}
                                         : design_at(space_, next_));
  }
  return designs;
}

}  // namespace cosearch::codesign
