#include "codesign/search/free_rea.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "codesign/search/option_problems.h"
#include "core/random.h"

namespace cosearch::codesign {
namespace {

std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream stream(text);
  for (std::string name; std::getline(stream, name, ',');) names.push_back(name);
  return names;
}

}  // namespace

std::vector<OptionProblem> problems_in(const FreeReaOptions& options, const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "free-rea", problems);
  require(options.population >= 2, "population", options.population, "must be at least 2",
          problems);
  require(options.tournament >= 2 && options.tournament <= options.population, "tournament",
          options.tournament, fmt::format("must be in [2, population = {}]", options.population),
          problems);
  require(options.scored >= 1, "scored", options.scored, "must be at least 1", problems);
  require(options.retained >= 1, "retained", options.retained, "must be at least 1", problems);
  const std::vector<std::string> names = names_in(options.scores), known = space.score_names();
  require(!names.empty(), "scores", options.scores, "must name at least one score", problems);
  for (const std::string& name : names)
    require(std::ranges::find(known, name) != known.end(), "scores", name,
            fmt::format("is no score of the study's networks, which have {}: add its column to "
                        "'networks.scores'",
                        fmt::join(known, ", ")),
            problems);
  return problems;
}

FreeRea::FreeRea(const SearchContext& context, const FreeReaOptions& options)
    : space_(context.space), options_(options), seed_(context.seed) {
  const std::vector<std::string> known = space_.score_names();
  for (const std::string& name : names_in(options.scores))
    scores_.push_back(static_cast<std::size_t>(std::ranges::find(known, name) - known.begin()));
}

std::optional<std::vector<Design>> FreeRea::next_stage() {
  if (is_done_) return std::nullopt;
  is_done_ = true;
  search();
  best_ = ranked(seen_);
  best_.resize(std::min<std::size_t>(best_.size(), options_.retained));
  if (space_.accelerator_count() > 0) return on_every_accelerator(best_, space_);
  std::vector<Design> designs;
  for (const std::uint32_t network : best_) designs.push_back({network, kNoAccelerator});
  return designs;
}

void FreeRea::search() {
  Random random(seed_, "free-rea first population");
  for (std::uint64_t i = 0; i < options_.population && seen_.size() < options_.scored; ++i)
    propose(static_cast<std::uint32_t>(random.below(space_.network_count())), 0);
  constexpr std::uint64_t kPatience = 1000;
  std::uint64_t idle = 0;
  for (std::uint64_t step = 1; seen_.size() < options_.scored && idle < kPatience; ++step) {
    const std::size_t seen_before = seen_.size();
    breed(step);
    bury();
    idle = seen_.size() == seen_before ? idle + 1 : 0;
  }
}

void FreeRea::propose(std::uint32_t network, std::uint64_t step) {
  const auto twin = std::ranges::find(alive_, network, &Member::network);
  if (twin != alive_.end()) {
    twin->born = step;
    return;
  }
  alive_.push_back({network, step});
  if (seen_set_.insert(network).second) seen_.push_back(network);
}

void FreeRea::breed(std::uint64_t step) {
  Random random(seed_, "free-rea", step);
  std::vector<std::uint32_t> contestants;
  for (const Member& member : alive_) contestants.push_back(member.network);
  random.shuffle(std::span(contestants));
  contestants.resize(std::min<std::size_t>(contestants.size(), options_.tournament));
  const std::vector<std::uint32_t> winners = ranked(contestants);
  const std::uint32_t first = winners[0],
                      second = winners[std::min<std::size_t>(1, winners.size() - 1)];
  for (const std::uint32_t parent : {first, second}) {
    const std::vector<std::uint32_t> neighbours = space_.network_neighbours(parent);
    if (!neighbours.empty()) propose(neighbours[random.below(neighbours.size())], step);
  }
  if (const auto child = space_.crossover(first, second, random)) propose(*child, step);
}

void FreeRea::bury() {
  if (alive_.size() <= options_.population) return;
  alive_.erase(std::ranges::min_element(alive_, {}, &Member::born));
  if (alive_.size() <= options_.population) return;
  std::vector<std::uint32_t> networks;
  for (const Member& member : alive_) networks.push_back(member.network);
  networks = ranked(networks);
  const std::set<std::uint32_t> worst(
      networks.begin() + static_cast<std::ptrdiff_t>(options_.population), networks.end());
  std::erase_if(alive_, [&](const Member& member) { return worst.contains(member.network); });
}

std::vector<std::uint32_t> FreeRea::ranked(std::vector<std::uint32_t> networks) const {
  std::vector<double> sums(networks.size(), 0);
  for (const std::size_t score : scores_) {
    std::vector<double> values;
    double largest = 0;
    for (const std::uint32_t network : networks) {
      const double value = space_.score(network, score);
      values.push_back(std::isnan(value) ? 0 : value);
      largest = std::max(largest, std::abs(values.back()));
    }
    if (largest == 0) continue;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += values[i] / largest;
  }
  std::vector<std::size_t> order(networks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
  std::vector<std::uint32_t> sorted;
  for (const std::size_t i : order) sorted.push_back(networks[i]);
  return sorted;
}

std::vector<std::pair<std::string, double>> FreeRea::findings() const {
  std::vector<std::pair<std::string, double>> findings{
      {"scored", static_cast<double>(seen_.size())}};
  if (!best_.empty()) findings.emplace_back("network", best_.front());
  return findings;
}

}  // namespace cosearch::codesign
