#include "codesign/search/regularised_evolution.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "codesign/archive.h"
#include "codesign/search/option_problems.h"

namespace cosearch::codesign {
namespace {

// Replaces `value` by one of `neighbours`; false when there is none.
bool step(std::uint32_t& value, const std::vector<std::uint32_t>& neighbours, Random& random) {
  if (neighbours.empty()) return false;
  value = neighbours[random.below(neighbours.size())];
  return true;
}

}  // namespace

std::vector<OptionProblem> problems_in(const RegularisedEvolutionOptions& options,
                                       const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "regularised-evolution", problems);
  require(options.population >= 2, "population", options.population, "must be at least 2",
          problems);
  require(options.tournament >= 1 && options.tournament <= options.population, "tournament",
          options.tournament, fmt::format("must be in [1, population = {}]", options.population),
          problems);
  require(options.batch >= 1, "batch", options.batch, "must be at least 1", problems);
  require(options.evaluations >= 1, "evaluations", options.evaluations, "must be at least 1",
          problems);
  require(options.network_mutation >= 0 && options.network_mutation <= 1, "network_mutation",
          options.network_mutation, "must be in [0, 1]", problems);
  return problems;
}

RegularisedEvolution::RegularisedEvolution(const SearchContext& context,
                                           const RegularisedEvolutionOptions& options)
    : space_(context.space),
      question_(context.question),
      seed_(context.seed),
      options_(options),
      random_order_(design_count(context.space), context.seed, "first population"),
      evaluations_(std::min(options.evaluations, design_count(context.space))) {}

std::vector<Design> RegularisedEvolution::ask(std::size_t count) {
  const std::uint64_t first_population = std::min(options_.population, evaluations_);
  const bool is_first = asked_.size() < first_population;
  const std::uint64_t wanted = is_first ? first_population - asked_.size()
                                        : std::min(options_.batch, evaluations_ - asked_.size());
  std::vector<Design> designs;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(wanted, count); ++i) {
    designs.push_back(is_first ? next_unseen() : child(asked_.size()));
    asked_.insert(designs.back());
  }
  return designs;
}

void RegularisedEvolution::tell(std::span<const Trial> trials) {
  for (const Trial& trial : trials) alive_.push_back(member_of(trial));
  while (alive_.size() > options_.population) alive_.pop_front();
  rank_members();
}

RegularisedEvolution::Member RegularisedEvolution::member_of(const Trial& trial) const {
  Member member{.design = trial.design, .costs = {}, .violation = trial.violation};
  if (!trial.runs() || !has_objectives(question_.objectives, trial))
    member.violation = std::numeric_limits<double>::infinity();
  for (const Objective& objective : question_.objectives)
    member.costs.push_back(cost_of(objective, trial.metrics));
  return member;
}

void RegularisedEvolution::rank_members() {
  std::vector<double> costs;
  for (const Member& member : alive_) {
    if (member.violation == 0) costs.insert(costs.end(), member.costs.begin(), member.costs.end());
  }
  const auto layers = nondominated_layers(costs, question_.objectives.size());
  auto layer = layers.begin();
  for (Member& member : alive_) {
    if (member.violation == 0) member.layer = *layer++;
  }
}

Design RegularisedEvolution::child(std::uint64_t number) {
  constexpr int kAttempts = 32;
  Random random(seed_, "regularised evolution", number);
  Design design = tournament_winner(random).design;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    design = mutated(design, random);
    if (!asked_.contains(design)) return design;
  }
  return next_unseen();
}

const RegularisedEvolution::Member& RegularisedEvolution::tournament_winner(Random& random) const {
  const Member* winner = &alive_[random.below(alive_.size())];
  for (std::uint64_t i = 1; i < options_.tournament; ++i) {
    const Member& rival = alive_[random.below(alive_.size())];
    if (std::tie(rival.violation, rival.layer) < std::tie(winner->violation, winner->layer))
      winner = &rival;
  }
  return *winner;
}

Design RegularisedEvolution::mutated(Design design, Random& random) const {
  const auto change_network = [&] {
    return step(design.network, space_.network_neighbours(design.network), random);
  };
  const auto change_accelerator = [&] {
    return design.has_accelerator() &&
           step(design.accelerator, space_.accelerator_neighbours(design.accelerator), random);
  };
  // Where one side is frozen, the other is changed.
  if (random.uniform() < options_.network_mutation) {
    if (!change_network()) change_accelerator();
  } else {
    if (!change_accelerator()) change_network();
  }
  return design;
}

// Requires that some design was not asked for yet.
Design RegularisedEvolution::next_unseen() {
  for (;;) {
    const Design design = design_at(space_, random_order_.at(drawn_++));
    if (!asked_.contains(design)) return design;
  }
}

}  // namespace cosearch::codesign
