#include "codesign/run_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "codesign/front_measurement.h"
#include "codesign/hypervolume.h"
#include "codesign/search/registry.h"
#include "codesign/study_points.h"
#include "core/user_error.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

// A cycle of one clock is not a cycle of another.
void require_comparable_cycles(const Study& study, const std::vector<Accelerator>& accelerators) {
  const auto clock_of = [](const Accelerator& a) { return a.machine.clock; };
  const auto [slowest, fastest] = std::ranges::minmax(accelerators, {}, clock_of);
  const auto is_in_cycles = [](const auto& asked) {
    return asked.metric == Metric::latency || asked.metric == Metric::edp;
  };
  const bool in_cycles = study.gap || std::ranges::any_of(study.objectives, is_in_cycles) ||
                         std::ranges::any_of(study.constraints, is_in_cycles);
  if (!in_cycles || clock_of(slowest) == clock_of(fastest)) return;
  throw UserError(
      {study.file},
      fmt::format("the accelerators' clocks differ ({} at {}, {} at {}), so their cycles "
                  "do not compare: ask for 'time' instead of 'latency' and 'edp', and "
                  "compare gaps at one clock",
                  slowest.machine.name, datasets::format_hertz(clock_of(slowest)),
                  fastest.machine.name, datasets::format_hertz(clock_of(fastest))));
}

JointSpace joint_space(const Study& study, Workers& workers) {
  if (!study.has_accelerators())
    throw UserError({study.file}, "the study has no 'accelerators' to search");
  NetworkSet networks = load_networks(study, workers);
  if (networks.candidates.empty()) throw UserError({study.file}, "the study has no networks");
  AcceleratorSet accelerators = load_accelerators(study);
  require_comparable_cycles(study, accelerators.list);
  return {std::move(networks), std::move(accelerators), study.mapping};
}

// The index of `name`, or UserError with the likeliest names.
template <class Items, class Name>
std::string index_named(const Items& items, Name name_of, const std::string& wanted,
                        std::string_view what) {
  constexpr std::size_t kMostSuggestions = 50;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (name_of(items[i]) == wanted) return std::to_string(i);
    if (known.size() < kMostSuggestions) known.push_back(name_of(items[i]));
  }
  throw UserError(
      fmt::format("the study has no {} '{}'{}", what, wanted, did_you_mean(wanted, known)));
}

std::string resolved(const JointSpace& space, const OptionInfo& option, const std::string& text) {
  if (text == "auto") return text;
  if (option.kind == OptionKind::network)
    return index_named(
        space.networks().candidates, [](const Candidate& c) { return c.genotype; }, text,
        "network");
  if (option.kind == OptionKind::accelerator)
    return index_named(
        space.accelerators(), [](const Accelerator& a) { return a.machine.name; }, text,
        "accelerator");
  return text;
}

// Ranks of latency and energy over the networks seen on every accelerator, chip against chip.
class RetainedRanks {
 public:
  explicit RetainedRanks(const JointSpace& space) : space_(space) {}

  void add(std::span<const Trial> trials) {
    for (const Trial& trial : trials)
      if (trial.design.has_accelerator() && trial.runs())
        seen_[trial.design.network].emplace_back(trial);
  }

  [[nodiscard]] std::vector<RankMatrix> matrices(Workers& workers) const {
    std::vector<double> macs;
    std::vector<CostColumn> latency, energy;
    for (const Accelerator& accelerator : space_.accelerators()) {
      latency.push_back({accelerator.machine.name, {}});
      energy.push_back({accelerator.machine.name, {}});
    }
    for (const auto& [network, trials] : seen_) {
      if (trials.size() < space_.accelerators().size()) continue;
      macs.push_back(space_.macs(network));
      for (const Trial& trial : trials) {
        latency[trial.design.accelerator].values.push_back(trial.metrics[Metric::latency]);
        energy[trial.design.accelerator].values.push_back(trial.metrics[Metric::energy]);
      }
    }
    if (macs.size() < 2) return {};
    return {rank_matrix("latency", std::move(latency), macs, workers),
            rank_matrix("energy", std::move(energy), macs, workers)};
  }

 private:
  const JointSpace& space_;
  std::map<std::uint32_t, std::vector<Trial>> seen_;
};

}  // namespace

StudySetting::StudySetting(Study given, int jobs, const AccuracyTools& tools)
    : study(std::move(given)),
      workers(jobs),
      space(joint_space(study, workers)),
      accuracies(study, space.networks(), workers, tools),
      evaluator(space, workers) {
  evaluator.use(accuracies);
}

std::unique_ptr<SearchStrategy> StudySetting::make(const StrategyChoice& choice) const {
  const StrategyInfo& info = strategy_named(choice.name);
  OptionTexts texts = choice.options;
  for (const OptionInfo& option : info.options) {
    const auto text = texts.find(option.name);
    if (text == texts.end()) continue;
    try {
      text->second = resolved(space, option, text->second);
    } catch (const UserError& error) {
      throw UserError(choice.option_where.at(option.name), error.what());
    }
  }
  for (const OptionProblem& problem : info.problems(space, texts)) {
    const auto where = choice.option_where.find(problem.option);
    throw UserError(where == choice.option_where.end() ? choice.where : where->second,
                    fmt::format("{}.{}", choice.name, problem.message));
  }
  return info.make({space, question(), study.seed}, texts);
}

namespace {

// How the search is cut short from outside, and how it is meant to end by the study itself.
void set_limits(DriverOptions& driver, const RunOptions& options, const Study& study) {
  const std::uint64_t budget = study.evaluations.value_or(0);
  driver.stop = options.stop;
  driver.stop_after = options.max_evaluations.value_or(0);
  driver.max_hardware_evaluations = driver.stop_after > budget ? 0 : budget;
}

// The networks on the front that the search found are measured, in a search of its own that asks
// for their designs again; `result` then tells of both.
void measure_front(StudySetting& setting, const RunOptions& options, PointWriter& writer,
                   FrontMeasurement& measurement, RunResult& result) {
  const EvaluationCounts found = result.summary.counts;
  const std::uint64_t steps = writer.next_step();
  const auto with_search = [&](const EvaluationCounts& counts) {
    return EvaluationCounts{found.trials + counts.trials, found.networks, found.hardware,
                            counts.layers};
  };
  DriverOptions driver;
  driver.stop = options.stop;
  driver.recall = [&](std::uint64_t first, std::span<const Design> designs,
                      std::span<Trial> trials) {
    return writer.recall(found.trials + first, designs, trials);
  };
  driver.record = [&](const TrialsPart& part) {
    const EvaluationCounts counts = with_search(part.so_far);
    writer.record({part.trials, steps + part.step, part.is_recalled, counts}, kFrontProposer);
    measurement.tell(part.trials);  // not only whole batches: what is stored counts
    if (options.progress) options.progress(counts, result.archive);
  };
  ParetoArchive asked_again(setting.question());
  const SearchSummary summary = run_search(measurement, setting.space, setting.evaluator,
                                           asked_again, setting.workers, driver);
  result.summary = {with_search(summary.counts), summary.cause == StopCause::stopped
                                                     ? StopCause::stopped
                                                     : result.summary.cause};
  result.archive = measurement.archive();
  const auto findings = measurement.findings();
  result.findings.insert(result.findings.end(), findings.begin(), findings.end());
}

}  // namespace

RunResult run_study(StudySetting& setting, const RunOptions& options) {
  const std::unique_ptr<SearchStrategy> strategy = setting.make(setting.study.strategy);
  RunResult result{.summary = {}, .front = {}, .archive = ParetoArchive(setting.question())};
  PointWriter writer(options, setting, strategy->name());
  setting.accuracies.keep_beside(options.output);
  setting.accuracies.watch({options.stop, options.measured});
  std::optional<FrontMeasurement> measurement;
  if (setting.accuracies.has_second())
    measurement.emplace(setting.question(), setting.space.networks(), setting.accuracies,
                        setting.study.accuracy.at_most);
  setting.evaluator.recall_reasons(writer.earlier_reasons());
  if (options.notice)
    for (const std::string& notice : writer.notices()) options.notice(notice);
  RetainedRanks ranks(setting.space);
  // A matrix of all pairs: for more accelerators it would take more room than the search.
  constexpr std::uint32_t kMostRanked = 2048;
  const bool wants_ranks =
      strategy->name() == "semi-decoupled" && setting.space.accelerator_count() <= kMostRanked;

  DriverOptions driver;
  set_limits(driver, options, setting.study);
  driver.recall = [&](std::uint64_t first, std::span<const Design> designs,
                      std::span<Trial> trials) { return writer.recall(first, designs, trials); };
  driver.record = [&](const TrialsPart& part) {
    writer.record(part, kSearchProposer);
    if (measurement) measurement->add(part.trials);
    if (wants_ranks) ranks.add(part.trials);
    if (options.progress) options.progress(part.so_far, result.archive);
  };
  result.summary = run_search(*strategy, setting.space, setting.evaluator, result.archive,
                              setting.workers, driver);
  result.findings = strategy->findings();
  if (measurement && result.summary.cause != StopCause::stopped)
    measure_front(setting, options, writer, *measurement, result);
  result.front = result.archive.front();
  result.hypervolume = normalised_hypervolume(result.front, setting.study.objectives,
                                              result.archive.ideal(), result.archive.worst());
  if (wants_ranks && result.summary.cause != StopCause::stopped)
    result.rank_agreement = ranks.matrices(setting.workers);
  result.is_stored = writer.finish(result);
  return result;
}

namespace {

// "energy <= 1000 pJ is met by no design, even alone; the best has 2000".
std::string describe(const ConstraintOutlook& outlook, bool is_whole_space) {
  return fmt::format("{} is met by no design, even alone; the best has {:g}{}",
                     describe(outlook.constraint),
                     outlook.closest ? outlook.closest->metrics[outlook.constraint.metric]
                                     : std::numeric_limits<double>::quiet_NaN(),
                     is_whole_space ? ", and the whole space was searched" : "");
}

}  // namespace

std::vector<BrokenConstraint> broken_constraints(std::span<const Constraint> constraints,
                                                 const Metrics& metrics) {
  std::vector<BrokenConstraint> broken;
  for (const Constraint& constraint : constraints)
    if (const double share = violation(constraint, metrics); share > 0)
      broken.push_back({constraint, metrics[constraint.metric], share});
  return broken;
}

std::string explain_infeasible(const StudySetting& setting, const ParetoArchive& archive) {
  const TrialCounts& counts = archive.counts();
  std::string text = fmt::format("no feasible design among {} that run ({} cannot run)",
                                 counts.violating + counts.incomplete, counts.failing);
  if (const auto& nearest = archive.least_violating()) {
    text += fmt::format("\nnearest: {} on {}",
                        setting.space.networks().candidates[nearest->design.network].genotype,
                        setting.space.accelerator_name(nearest->design));
    for (const BrokenConstraint& broken :
         broken_constraints(setting.study.constraints, nearest->metrics))
      text += fmt::format("\n  breaks {}: it has {:g}, off by {:.3g} %",
                          describe(broken.constraint), broken.value, 100 * broken.share);
  }
  // No strategy evaluates a design twice where it says that it is exhaustive.
  const bool is_whole_space =
      setting.study.strategy.name == "exhaustive" &&
      counts.violating + counts.incomplete + counts.failing == design_count(setting.space);
  for (const ConstraintOutlook& outlook : archive.outlook())
    if (!outlook.is_met_alone()) text += "\n" + describe(outlook, is_whole_space);
  if (archive.outlook().size() > 1 &&
      std::ranges::all_of(archive.outlook(), &ConstraintOutlook::is_met_alone))
    text += "\neach constraint is met by some design; no design meets all of them";
  if (counts.failing > 0 && setting.evaluator.reasons().size() > 1)
    text += "\nfirst reason why a design cannot run: " + setting.evaluator.reasons()[1];
  return text;
}

}  // namespace cosearch::codesign
