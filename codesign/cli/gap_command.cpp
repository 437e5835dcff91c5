// cosearch gap: the accuracy each strategy gives away against the exhaustive optimum.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "codesign/cli/console.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/study_options.h"
#include "codesign/cli/text_table.h"
#include "codesign/gap_study.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

json report_json(const GapReport& report) {
  return {{"cells", report.cells},
          {"mean", report.mean},
          {"percentile_95", report.percentile_95},
          {"worst", report.worst},
          {"share_exact", report.share_exact},
          {"share_infeasible", report.share_infeasible}};
}

json as_json(const GapComparison& comparison) {
  json rows = json::array();
  for (const StrategyGap& gap : comparison.strategies)
    rows.push_back({{"strategy", gap.label},
                    {"networks", gap.counts.networks},
                    {"hardware", gap.counts.hardware},
                    {"layers", gap.counts.layers},
                    {"joint", report_json(gap.joint)},
                    {"per_accelerator", report_json(gap.per_target)}});
  return {{"networks", comparison.networks},
          {"accelerators", comparison.accelerators},
          {"exhaustive_hardware", comparison.exhaustive.hardware},
          {"strategies", rows}};
}

void print_reports(const Console& console, const GapComparison& comparison, const char* title,
                   GapReport StrategyGap::*which) {
  console.out << title << '\n';
  TextTable table(
      {"strategy", "evaluations", "fewer", "mean", "95th", "worst", "exact %", "nothing %"});
  for (const StrategyGap& gap : comparison.strategies) {
    const GapReport& report = gap.*which;
    table.add({gap.label, grouped(static_cast<double>(gap.counts.hardware)),
               fixed(static_cast<double>(comparison.exhaustive.hardware) /
                         static_cast<double>(gap.counts.hardware),
                     1) +
                   "x",
               fixed(report.mean, 3), fixed(report.percentile_95, 3), fixed(report.worst, 3),
               fixed(100 * report.share_exact, 1), fixed(100 * report.share_infeasible, 1)});
  }
  table.print(console.out);
}

void gap(const StudyOptions& options, const Console& console) {
  StudySetting setting(options.read(), options.job_count(), program_accuracy_tools());
  Progress progress(console);
  const GapComparison comparison =
      compare_gaps(setting, [&](std::uint64_t done, const std::string& strategy) {
        progress.update(done, design_count(setting.space), [&] { return strategy; });
      });
  if (console.json) return console.print(as_json(comparison));
  console.out << fmt::format(
      "{} networks x {} accelerators, exhaustively: {} evaluations, {} layer costs\n"
      "accuracy given away in percentage points, over {} latency limits x {} energy limits\n\n",
      grouped(static_cast<double>(comparison.networks)),
      grouped(static_cast<double>(comparison.accelerators)),
      grouped(static_cast<double>(comparison.exhaustive.hardware)),
      grouped(static_cast<double>(comparison.exhaustive.layers)), comparison.latency_limits,
      comparison.energy_limits);
  print_reports(console, comparison, "best design on any accelerator", &StrategyGap::joint);
  console.out << '\n';
  print_reports(console, comparison, "best design on each accelerator by itself",
                &StrategyGap::per_target);
}

}  // namespace

void add_gap_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<StudyOptions>();
  CLI::App* command =
      app.add_subcommand("gap", "Accuracy strategies give away against the exhaustive optimum");
  options->add_to(*command);
  command->callback([options, &console] { gap(*options, console); });
}

}  // namespace cosearch::codesign
