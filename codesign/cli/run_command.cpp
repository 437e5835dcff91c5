// cosearch run: searches a study, prints its front, stores every point.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/stop_signal.h"
#include "codesign/cli/study_options.h"
#include "codesign/cli/text_table.h"
#include "codesign/hypervolume.h"
#ifdef COSEARCH_HAS_MPI
#include "codesign/mpi/ranks.h"
#endif
#include "codesign/run_study.h"
#include "core/user_error.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

struct RunCommandOptions {
  StudyOptions study;
  std::string output;
  bool overwrite = false, resume = false, on_all_ranks = false;
  std::optional<std::uint64_t> max_evaluations;
  std::string time_limit;
};

void print_front(const Console& console, const StudySetting& setting,
                 const std::vector<Trial>& front) {
  constexpr std::size_t kRows = 20;
  const bool by_score = setting.accuracies.metric() == Metric::score;
  TextTable table({by_score ? "score" : "accuracy[%]", "latency[cycles]", "energy[pJ]", "area[mm2]",
                   "network", "accelerator"});
  const std::size_t rows = std::min(kRows, front.size());
  for (std::size_t row = 0; row < rows; ++row) {
    // Evenly spaced over the front, both ends included.
    const Trial& trial = front[rows == 1 ? 0 : row * (front.size() - 1) / (rows - 1)];
    const Metrics& metrics = trial.metrics;
    table.add({by_score ? fmt::format("{:.6g}", metrics[Metric::score])
                        : fixed(metrics[Metric::accuracy], 2),
               grouped(metrics[Metric::latency]), grouped(metrics[Metric::energy]),
               fixed(metrics[Metric::area], 3),
               setting.space.networks().candidates[trial.design.network].genotype,
               setting.space.accelerator_name(trial.design)});
  }
  table.print(console.out);
  if (front.size() > rows)
    console.out << fmt::format("({} of the {} designs on the front)\n", rows, front.size());
}

// Findings are indices where they name something; people want the name.
std::string finding_text(const StudySetting& setting, const std::string& what, double value) {
  const auto index = static_cast<std::size_t>(value);
  if (what == "proxy" || what == "accelerator")
    return setting.space.accelerators()[index].machine.name;
  if (what == "network" || what == "reference_network" || what == "reference")
    return setting.space.networks().candidates[index].genotype;
  return grouped(value);
}

void print_rank_agreement(const Console& console, const std::vector<RankMatrix>& matrices) {
  if (matrices.empty()) return;
  console.out << fmt::format(
      "\nwhy this works: Spearman between accelerators over the {} networks tried on all of them\n",
      matrices.front().networks.empty() ? 0 : matrices.front().networks.front());
  TextTable table({"metric", "least", "median", "mean", "MACs alone: least", "median", "mean"});
  for (const RankMatrix& matrix : matrices) {
    const RankSummary s = summary_of(matrix);
    table.add({matrix.metric, fixed(s.least, 3), fixed(s.median, 3), fixed(s.mean, 3),
               fixed(s.macs_least, 3), fixed(s.macs_median, 3), fixed(s.macs_mean, 3)});
  }
  table.print(console.out);
}

// "accuracy: from predictor, on the front from train"; nothing where all are of a table.
std::string sources_text(const StudySetting& setting) {
  const AccuracySourcing& sourcing = setting.study.accuracy;
  if (sourcing.first.kind == AccuracyKind::score)
    return fmt::format("score: {}", nas::name_of(sourcing.first.score));
  if (sourcing.first.kind == AccuracyKind::none ||
      (sourcing.first.kind == AccuracyKind::table && !sourcing.then))
    return "";
  std::string text = fmt::format("accuracy: from {}", name_of(sourcing.first.kind));
  if (sourcing.then) text += fmt::format(", on the front from {}", name_of(sourcing.then->kind));
  return text;
}

void print_result(const Console& console, const StudySetting& setting, const RunResult& result,
                  const std::string& output) {
  const EvaluationCounts& counts = result.summary.counts;
  const double pairs = static_cast<double>(setting.space.network_count()) *
                       static_cast<double>(setting.space.accelerator_count());
  console.out << fmt::format("study {}: {} networks x {} accelerators, {}, seed {}\n",
                             setting.study.name, grouped(setting.space.network_count()),
                             grouped(setting.space.accelerator_count()),
                             setting.study.strategy.name, setting.study.seed);
  console.out << fmt::format("evaluated {} of {} designs ({} networks, {} layer costs)\n",
                             grouped(static_cast<double>(counts.hardware)), grouped(pairs),
                             grouped(static_cast<double>(counts.networks)),
                             grouped(static_cast<double>(counts.layers)));
  if (const std::string sources = sources_text(setting); !sources.empty())
    console.out << sources << '\n';
  for (const auto& [what, value] : result.findings)
    console.out << what << ": " << finding_text(setting, what, value) << '\n';
  console.out << fmt::format("front: {} designs, hypervolume {:.4f}\n\n", result.front.size(),
                             result.hypervolume);
  if (!result.front.empty()) print_front(console, setting, result.front);
  print_rank_agreement(console, result.rank_agreement);
  console.out << "\nevery point is in " << output << '\n';
}

json trial_json(const StudySetting& setting, const Trial& trial) {
  json row{{"network", setting.space.networks().candidates[trial.design.network].genotype},
           {"accelerator", setting.space.accelerator_name(trial.design)}};
  for (const Metric metric : kMetrics) {
    if (metric == Metric::score && setting.accuracies.metric() != Metric::score) continue;
    const MetricInfo& info = info_of(metric);
    row[std::string(info.name)] = trial.metrics[metric];
  }
  return row;
}

// Null where something is feasible.
json infeasibility_json(const StudySetting& setting, const ParetoArchive& archive) {
  if (archive.size() > 0) return nullptr;
  json broken = json::array(), impossible = json::array();
  const auto& nearest = archive.least_violating();
  if (nearest)
    for (const BrokenConstraint& one :
         broken_constraints(setting.study.constraints, nearest->metrics))
      broken.push_back({{"constraint", describe(one.constraint)},
                        {"value", one.value},
                        {"excess_share", one.share}});
  for (const ConstraintOutlook& outlook : archive.outlook())
    if (!outlook.is_met_alone())
      impossible.push_back(
          {{"constraint", describe(outlook.constraint)},
           {"best", outlook.closest ? json(outlook.closest->metrics[outlook.constraint.metric])
                                    : json(nullptr)}});
  return {{"nearest", nearest ? trial_json(setting, *nearest) : json(nullptr)},
          {"breaks", broken},
          {"impossible_alone", impossible}};
}

json result_json(const StudySetting& setting, const RunResult& result, const std::string& output) {
  const EvaluationCounts& counts = result.summary.counts;
  json findings = json::object(), front = json::array(), ranks = json::object();
  for (const auto& [what, value] : result.findings)
    findings[what] = finding_text(setting, what, value);
  for (const Trial& trial : result.front) front.push_back(trial_json(setting, trial));
  for (const RankMatrix& matrix : result.rank_agreement) {
    const RankSummary s = summary_of(matrix);
    ranks[matrix.metric] = {
        {"least", s.least},           {"median", s.median},           {"mean", s.mean},
        {"macs_least", s.macs_least}, {"macs_median", s.macs_median}, {"macs_mean", s.macs_mean}};
  }
  return {{"study", setting.study.name},
          {"seed", setting.study.seed},
          {"strategy", setting.study.strategy.name},
          {"store", output},
          {"complete", result.summary.cause != StopCause::stopped},
          {"evaluations",
           {{"trials", counts.trials},
            {"networks", counts.networks},
            {"hardware", counts.hardware},
            {"layers", counts.layers}}},
          {"findings", findings},
          {"hypervolume", result.hypervolume},
          {"rank_agreement", ranks},
          {"infeasibility", infeasibility_json(setting, result.archive)},
          {"front", front}};
}

std::string output_of(const RunCommandOptions& options) {
  if (!options.output.empty()) return options.output;
  return std::filesystem::path(options.study.file).stem().string() + ".h5";
}

// In seconds; infinite without one.
double time_limit_of(const RunCommandOptions& options) {
  if (options.time_limit.empty()) return std::numeric_limits<double>::infinity();
  const double limit = datasets::parse_seconds(options.time_limit);
  if (!(limit > 0)) throw UserError("--time-limit " + options.time_limit + ": must be above 0");
  return limit;
}

// Hardware evaluations after which the search ends as far as is known; 0 where it is not.
std::uint64_t planned_evaluations(const RunCommandOptions& options, const StudySetting& setting) {
  constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();
  const bool exhaustive = setting.study.strategy.name == "exhaustive";
  const std::uint64_t budget = setting.study.evaluations.value_or(kUnknown);
  const std::uint64_t limit = options.max_evaluations.value_or(kUnknown);
  const std::uint64_t planned =
      std::min({exhaustive ? design_count(setting.space) : kUnknown,
                limit != kUnknown && limit > budget ? kUnknown : budget, limit});
  return planned == kUnknown ? 0 : planned;
}

// "front 12, hypervolume 0.8312, best accuracy 94.37 percent, best latency 1.2e+06 cycles".
std::string state_text(const StudySetting& setting, const ParetoArchive& archive) {
  if (archive.size() == 0) return "nothing feasible yet";
  const std::vector<double> ideal = archive.ideal();
  std::string text = fmt::format("front {}", archive.size());
  constexpr std::size_t kMostMembers = 2'000;  // a larger front's would hold up the search
  if (archive.size() <= kMostMembers)
    text += fmt::format(
        ", hypervolume {:.4f}",
        normalised_hypervolume(archive.front(), setting.study.objectives, ideal, archive.worst()));
  for (std::size_t i = 0; i < ideal.size(); ++i) {
    const MetricInfo& info = info_of(setting.study.objectives[i].metric);
    const double best = info.direction == Direction::maximise ? -ideal[i] : ideal[i];
    text += fmt::format(", best {} {:.4g}{}{}", info.name, best, info.unit.empty() ? "" : " ",
                        info.unit);
  }
  return text;
}

RunOptions run_options(const RunCommandOptions& options, const std::string& command_line,
                       const StudySetting& setting, Progress& progress) {
  RunOptions run;
  run.output = output_of(options);
  run.overwrite = options.overwrite;
  run.resume = options.resume;
  run.command_line = command_line;
  run.max_evaluations = options.max_evaluations;
  run.stop = stop_was_requested;
  run.progress = [total = planned_evaluations(options, setting), &setting, &progress](
                     const EvaluationCounts& counts, const ParetoArchive& archive) {
    progress.update(counts.hardware, total, [&] { return state_text(setting, archive); });
  };
  run.measured = [&progress](std::uint64_t done, std::uint64_t all, const std::string& last) {
    progress.show([&] { return fmt::format("{} ({} of {} at once)", last, done, all); });
  };
  return run;
}

#ifdef COSEARCH_HAS_MPI
// The setting's layers are costed by all ranks of the job; rank 0 alone goes on to search.
class AllRanks {
 public:
  AllRanks(const MpiJob& job, StudySetting& setting)
      : job_(job), local_(setting.space, setting.workers) {
    if (!is_first()) return;
    coster_.emplace(job_, local_);
    setting.evaluator.use(*coster_);
  }
  [[nodiscard]] bool is_first() const { return job_.rank() == 0; }
  void serve() {
    // Whoever stops the job tells every process; rank 0 is the one to act on it.
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
    serve_layer_costs(job_, local_);
  }

 private:
  const MpiJob& job_;
  LocalLayerCoster local_;
  std::optional<MpiLayerCoster> coster_;
};

// What `make` makes, on every rank. Where a rank fails, the first that does throws what it threw,
// and the others return nothing: a mistake in the study is told once.
template <class Make>
auto made_on_every_rank(const MpiJob& job, Make make) -> decltype(make()) {
  decltype(make()) made = nullptr;
  std::exception_ptr failure;
  try {
    made = make();
  } catch (...) {
    failure = std::current_exception();
  }
  const int first = job.first_failed(failure != nullptr);
  if (first == job.size()) return made;
  if (first == job.rank()) std::rethrow_exception(failure);
  return nullptr;
}
#endif

// What is written where the second of StopDeadline is over.
const char* farewell(const Console& console) {
  if (console.quiet) return "";
  return console.is_terminal
             ? "\r\033[Kcosearch: stopped at once: to end in order would have taken longer than a "
               "second; --resume goes on\n"
             : "cosearch: stopped at once: to end in order would have taken longer than a second; "
               "--resume goes on\n";
}

std::unique_ptr<StudySetting> setting_of(const RunCommandOptions& options,
                                         const std::string& output) {
  Study study = options.study.read();
  for (const std::filesystem::path& input : input_files(study)) refuse_as_output(output, input);
  return std::make_unique<StudySetting>(std::move(study), options.study.job_count(),
                                        program_accuracy_tools());
}

void search(const RunCommandOptions& options, StudySetting& setting,
            std::optional<StopDeadline>& deadline, const std::string& command_line,
            Console& console) {
  const std::string output = output_of(options);
  const RunResult result = [&] {
    Progress progress(console);
    RunOptions run = run_options(options, command_line, setting, progress);
    run.notice = [&](const std::string& text) { console.note("cosearch: " + text); };
    return run_study(setting, run);
  }();
  deadline.reset();

  if (console.json)
    console.print(result_json(setting, result, output));
  else
    print_result(console, setting, result, output);
  if (result.summary.cause == StopCause::stopped) {
    console.note(result.is_stored
                     ? "cosearch: stopped before the strategy had finished; --resume goes on"
                     : "cosearch: stopped while reading back what was there, which is unchanged; "
                       "--resume goes on");
    console.exit_code = kStopped;
  } else if (result.front.empty()) {
    console.err << "cosearch: " << explain_infeasible(setting, result.archive) << '\n';
    console.exit_code = kNothingFeasible;
  }
}

void run(const RunCommandOptions& options, const std::string& command_line, Console& console) {
  watch_for_stop();
  // Until the store stands: what was evaluated is in the journal, and before that there is nothing.
  std::optional<StopDeadline> deadline;
  const auto make = [&] {
    deadline.emplace(time_limit_of(options), farewell(console));
    return setting_of(options, output_of(options));
  };
#ifdef COSEARCH_HAS_MPI
  if (options.on_all_ranks) {
    const MpiJob job;
    const std::unique_ptr<StudySetting> setting = made_on_every_rank(job, make);
    if (setting == nullptr) return;
    AllRanks ranks(job, *setting);
    if (ranks.is_first()) return search(options, *setting, deadline, command_line, console);
    deadline.reset();  // rank 0 ends the job
    return ranks.serve();
  }
#endif
  search(options, *make(), deadline, command_line, console);
}

}  // namespace

void add_run_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<RunCommandOptions>();
  CLI::App* command = app.add_subcommand("run", "Search a study and store every evaluated point");
  options->study.add_to(*command);
  command->add_option("-o,--output", options->output, "the store (default: the study's name, .h5)");
  command->add_flag("-f,--force", options->overwrite, "replace the store if it exists");
  command
      ->add_flag("--resume", options->resume,
                 "go on with the search that the store or its journal holds, if any, and end as if "
                 "it had never been interrupted")
      ->excludes("--force");
  command
      ->add_option("--max-evaluations", options->max_evaluations,
                   "stop after so many hardware evaluations")
      ->check(whole_number(1));
#ifdef COSEARCH_HAS_MPI
  command->add_flag("--mpi", options->on_all_ranks,
                    "under mpirun: spread the work over all ranks; the answer is the same for any "
                    "number");
#endif
  command->add_option("--time-limit", options->time_limit, "stop after so long, such as 10min");
  command->callback(
      [options, &console] { run(*options, "cosearch run " + options->study.file, console); });
}

}  // namespace cosearch::codesign
