#include "codesign/search/random_search.h"

#include <algorithm>

#include "codesign/search/option_problems.h"

namespace cosearch::codesign {

std::vector<OptionProblem> problems_in(const RandomSearchOptions&, const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "random", problems);
  return problems;
}

RandomSearch::RandomSearch(const SearchContext& context, const RandomSearchOptions& options)
    : space_(context.space),
      order_(design_count(context.space), context.seed, "random search"),
      end_(options.evaluations == 0 ? order_.size()
                                    : std::min(options.evaluations, order_.size())) {}

std::vector<Design> RandomSearch::ask(std::size_t count) {
  const std::uint64_t end = next_ + std::min<std::uint64_t>(count, end_ - next_);
  std::vector<Design> designs;
  designs.reserve(end - next_);
  for (; next_ < end; ++next_) designs.push_back(design_at(space_, order_.at(next_)));
  return designs;
}

}  // namespace cosearch::codesign
