#include "codesign/search/registry.h"

#include "codesign/search/decoupled_hardware_first.h"
#include "codesign/search/decoupled_network_first.h"
#include "codesign/search/exhaustive.h"
#include "codesign/search/free_rea.h"
#include "codesign/search/option_fields.h"
#include "codesign/search/random_retained.h"
#include "codesign/search/random_search.h"
#include "codesign/search/regularised_evolution.h"
#include "codesign/search/semi_decoupled.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

StrategyInfo exhaustive() {
  using O = ExhaustiveOptions;
  return strategy_info<Exhaustive, O>(
      "exhaustive", "Every network on every accelerator: fully coupled, and the truth.",
      {{"order",
        OptionKind::choice,
        &O::order,
        "Which side changes slowest.",
        {"accelerator-major", "network-major"}}});
}

StrategyInfo random_search() {
  using O = RandomSearchOptions;
  return strategy_info<RandomSearch, O>(
      "random", "Designs drawn at random, none twice: the control.",
      {{"evaluations", OptionKind::count, &O::evaluations,
        "Designs to draw; 0 draws until the space or the budget is used up."}});
}

StrategyInfo regularised_evolution() {
  using O = RegularisedEvolutionOptions;
  return strategy_info<RegularisedEvolution, O>(
      "regularised-evolution", "Tournaments, mutation, and death by age (Real et al., AAAI 2019).",
      {{"population", OptionKind::count, &O::population, "Designs alive at once."},
       {"tournament", OptionKind::count, &O::tournament, "Contestants per parent draw."},
       {"batch", OptionKind::count, &O::batch, "Children per ask, all of one population."},
       {"evaluations", OptionKind::count, &O::evaluations, "Designs to evaluate in all."},
       {"network_mutation", OptionKind::number, &O::network_mutation,
        "Probability that a mutation changes the network."}});
}

StrategyInfo free_rea() {
  using O = FreeReaOptions;
  return strategy_info<FreeRea, O>(
      "free-rea",
      "Evolution by training-free scores; only the best it saw is evaluated (Cavagnero et al., "
      "WACV 2023).",
      {{"population", OptionKind::count, &O::population, "Networks alive at once."},
       {"tournament", OptionKind::count, &O::tournament, "Contestants per choice of parents."},
       {"scored", OptionKind::count, &O::scored, "Distinct networks to score."},
       {"scores", OptionKind::names, &O::scores, "Scores whose sum ranks, joined by commas."},
       {"retained", OptionKind::count, &O::retained, "Networks to evaluate in the end."}});
}

StrategyInfo decoupled_network_first() {
  using O = DecoupledNetworkFirstOptions;
  return strategy_info<DecoupledNetworkFirst, O>(
      "decoupled-network-first",
      "The most accurate network under a limit on MACs, then every accelerator for it.",
      {{"macs_limit", OptionKind::number, &O::macs_limit, "Most multiply-accumulates allowed."},
       {"macs_quantile", OptionKind::number, &O::macs_quantile,
        "The limit as a quantile of the space's MACs; 1 admits every network."}});
}

StrategyInfo decoupled_hardware_first() {
  using O = DecoupledHardwareFirstOptions;
  return strategy_info<DecoupledHardwareFirst, O>(
      "decoupled-hardware-first",
      "The best accelerator for a reference network, then every network on it.",
      {{"metric", OptionKind::metric, &O::metric, "What makes an accelerator best."},
       {"reference_network", OptionKind::network, &O::reference_network,
        "The network accelerators are judged by; auto: the one with median MACs."}});
}

StrategyInfo semi_decoupled() {
  using O = SemiDecoupledOptions;
  return strategy_info<SemiDecoupled, O>(
      "semi-decoupled",
      "Networks searched on one proxy accelerator; the best layers of them on every accelerator.",
      {{"proxy", OptionKind::accelerator, &O::proxy,
        "Accelerator on which networks are searched; auto: the one that agrees best with all."},
       {"proxy_sample", OptionKind::count, &O::proxy_sample,
        "Networks that choose an automatic proxy, costed on every accelerator."},
       {"layers", OptionKind::count, &O::layers, "Non-dominated layers of networks to retain."},
       {"networks", OptionKind::count, &O::networks,
        "Networks searched on the proxy, drawn at random; 0 for all."}});
}

StrategyInfo random_retained() {
  using O = RandomRetainedOptions;
  return strategy_info<RandomRetained, O>(
      "random-retained", "A random set of networks on every accelerator: semi-decoupled's control.",
      {{"retained", OptionKind::count, &O::retained, "Networks to draw."}});
}

}  // namespace

std::string_view name_of(OptionKind kind) {
  switch (kind) {
    case OptionKind::count:
      return "count";
    case OptionKind::number:
      return "number";
    case OptionKind::metric:
      return "metric";
    case OptionKind::network:
      return "network";
    case OptionKind::accelerator:
      return "accelerator";
    case OptionKind::choice:
      return "choice";
    case OptionKind::names:
      return "names";
  }
  return "";
}

const std::vector<StrategyInfo>& strategies() {
  static const std::vector<StrategyInfo> all{
      exhaustive(),     random_search(),           regularised_evolution(),
      free_rea(),       decoupled_network_first(), decoupled_hardware_first(),
      semi_decoupled(), random_retained(),
  };
  return all;
}

const StrategyInfo& strategy_named(std::string_view name) {
  std::vector<std::string> known;
  for (const StrategyInfo& strategy : strategies()) {
    if (strategy.name == name) return strategy;
    known.push_back(strategy.name);
  }
  throw UserError("unknown strategy '" + std::string(name) + "'" + did_you_mean(name, known));
}

std::unique_ptr<SearchStrategy> make_strategy(std::string_view name, const SearchContext& context,
                                              const OptionTexts& texts) {
  return strategy_named(name).make(context, texts);
}

}  // namespace cosearch::codesign
