#include "codesign/gap_study.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <optional>

#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

constexpr const char* kRandomRetained = "random-retained";

std::string label_of(const StrategyChoice& choice) {
  std::string options;
  for (const auto& [name, text] : choice.options)
    options += (options.empty() ? "" : ", ") + name + " " + text;
  return options.empty() ? choice.name : fmt::format("{} ({})", choice.name, options);
}

// Every network has an accuracy that no search has to wait for.
void check(StudySetting& setting) {
  const Study& study = setting.study;
  if (!study.gap)
    throw UserError({study.file}, "the study has no 'gap' section: name the strategies to compare");
  if (study.accuracy.then)
    throw UserError(study.accuracy.then->where,
                    "strategies are compared by accuracies of one source: leave 'then' out");
  const std::vector<Candidate>& candidates = setting.space.networks().candidates;
  std::vector<std::uint32_t> all(candidates.size());
  std::iota(all.begin(), all.end(), 0U);
  static_cast<void>(setting.accuracies.find(all));
  for (const std::uint32_t network : all)
    if (setting.accuracies.metric() != Metric::accuracy ||
        std::isnan(setting.accuracies.of(network).value))
      throw UserError({study.file}, fmt::format("network '{}' has no accuracy to lose: say in "
                                                "'accuracy' where it comes from",
                                                candidates[network].genotype));
}

// One search with a cache of its own; `sink` gets the trials. `budget` 0: no limit.
EvaluationCounts search(StudySetting& setting, SearchStrategy& strategy, std::uint64_t budget,
                        const std::function<void(std::span<const Trial>)>& sink,
                        const std::function<void(std::uint64_t)>& progress) {
  ModelEvaluator evaluator(setting.space, setting.workers);
  evaluator.use(setting.accuracies);
  ParetoArchive archive(setting.question());
  DriverOptions options;
  options.max_hardware_evaluations = budget;
  options.sink = [&](std::span<const Trial> trials, const EvaluationCounts& so_far) {
    sink(trials);
    progress(so_far.hardware);
  };
  return run_search(strategy, setting.space, evaluator, archive, setting.workers, options).counts;
}

// The named finding, when the strategy has it.
std::optional<double> finding(const SearchStrategy& strategy, std::string_view name) {
  for (const auto& [what, value] : strategy.findings())
    if (what == name) return value;
  return std::nullopt;
}

}  // namespace

GapComparison compare_gaps(
    StudySetting& setting,
    const std::function<void(std::uint64_t done, const std::string& strategy)>& progress) {
  check(setting);
  const GapOptions& options = *setting.study.gap;
  GapComparison comparison{.networks = setting.space.network_count(),
                           .accelerators = setting.space.accelerator_count(),
                           .latency_limits = options.latency_limits,
                           .energy_limits = options.energy_limits,
                           .exhaustive = {},
                           .strategies = {}};

  GapStudy study(
      {.latency_limits = options.latency_limits, .energy_limits = options.energy_limits});
  const auto exhaustive =
      setting.make({.name = "exhaustive", .options = {}, .where = {}, .option_where = {}});
  // What is wrong with a strategy is said now, not after the long search.
  for (const StrategyChoice& choice : options.strategies) static_cast<void>(setting.make(choice));

  // The study's budget is the strategies': the optimum is what all designs together give.
  comparison.exhaustive = search(
      setting, *exhaustive, 0, [&](std::span<const Trial> trials) { study.add(trials); },
      [&](std::uint64_t done) { progress(done, "exhaustive"); });
  study.close();

  std::optional<double> last_retained;
  for (StrategyChoice choice : options.strategies) {
    if (choice.name == kRandomRetained && !choice.options.contains("retained") && last_retained)
      choice.options["retained"] = fmt::format("{:.0f}", *last_retained);
    const std::unique_ptr<SearchStrategy> strategy = setting.make(choice);
    std::vector<Trial> trials;
    StrategyGap gap{.label = label_of(choice), .counts = {}, .joint = {}, .per_target = {}};
    gap.counts = search(
        setting, *strategy, setting.study.evaluations.value_or(0),
        [&](std::span<const Trial> batch) {
          trials.insert(trials.end(), batch.begin(), batch.end());
        },
        [&](std::uint64_t done) { progress(done, gap.label); });
    // The proxy was searched whole: counting it as a target would flatter the strategy.
    std::optional<std::uint32_t> proxy;
    if (const auto found = finding(*strategy, "proxy")) proxy = static_cast<std::uint32_t>(*found);
    if (const auto found = finding(*strategy, "retained")) last_retained = found;
    gap.joint = study.joint_report(trials);
    gap.per_target = study.target_report(trials, proxy);
    comparison.strategies.push_back(std::move(gap));
  }
  return comparison;
}

}  // namespace cosearch::codesign
