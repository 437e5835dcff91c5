// cosearch validate: the models against measurements of others.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "codesign/cli/console.h"
#include "codesign/cli/text_table.h"
#include "codesign/cli/validation_report.h"
#include "codesign/rtl_calibration.h"
#include "codesign/validation.h"
#include "codesign/workers.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

struct ValidateOptions {
  std::vector<std::string> case_files;  ///< instead of the shipped cases
  ValidationOptions cases;
  int jobs = 0;  ///< 0: one per core
  std::string rtl_folder;
  CalibrationOptions calibration;
};

/// The files of runs in a folder, in alphabetical order.
std::vector<std::filesystem::path> rtl_files_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().filename().string().find("firesim_rtl") != std::string::npos)
      paths.push_back(entry.path());
  if (error) throw FileError(folder.string() + ": cannot be listed: " + error.message());
  if (paths.empty()) throw UserError(folder.string() + ": has no file *firesim_rtl*.csv");
  std::sort(paths.begin(), paths.end());
  return paths;
}

void add_row(TextTable& table, const std::string& file, const std::string& model,
             const Agreement& a) {
  table.add({file, model, fixed(100 * a.median_error, 2), fixed(100 * a.mean_error, 1),
             fixed(100 * a.percentile_90, 1), fixed(a.spearman, 4)});
}

void print_files(const Console& console, const RtlCalibration& calibration) {
  TextTable table({"file", "model", "median %", "mean %", "90th %", "Spearman"});
  for (const FileAgreement& file : calibration.files) {
    if (file.timeloop) add_row(table, file.name, "Timeloop's own cycles", *file.timeloop);
    add_row(table, file.name, "plain, Timeloop's accounting", file.plain_timeloop);
    add_row(table, file.name, "plain, exact accounting", file.plain);
    add_row(table, file.name, "calibrated, on all runs", file.fitted);
    add_row(table, file.name, "calibrated, its shape left out", file.cross_validated);
    if (calibration.files.size() > 1)
      add_row(table, file.name, "calibrated, on the other files", file.other_files);
  }
  table.print(console.out);
}

void print_details(const Console& console, const FileAgreement& file) {
  console.out << fmt::format(
      "\n{}: {} runs of {} shapes\n  {} took over 5 times the calibrated model's cycles, at most "
      "{:.0f} times\n  {} pairs of runs have one layer and one mapping; the slower took {:.1f} % "
      "more (median), {:.1f} % (worst)\n",
      file.name, file.runs, file.shapes, file.stalled, file.worst_stall, file.repeated,
      100 * file.repeat_median, 100 * file.repeat_worst);
  for (const LimitedRuns& part : file.limited)
    console.out << fmt::format("  {:.0f} % limited by {}: median error {:.1f} %\n",
                               100 * part.share, accel::name_of(part.limit),
                               100 * part.median_error);
}

/// A constant that fits best near 0 ends somewhere below any use.
double rounded(double value) { return value < 1e-6 ? 0 : value; }

void print_constants(const Console& console, const RtlCalibration& calibration, double confidence) {
  TextTable table({"constant", "value", "from", "to", "unit"});
  const auto constants = named(calibration.constants);
  for (std::size_t i = 0; i < constants.size(); ++i)
    table.add({constants[i].name, fmt::format("{:.4g}", constants[i].value),
               fmt::format("{:.4g}", rounded(calibration.intervals[i].low)),
               fmt::format("{:.4g}", calibration.intervals[i].high), constants[i].unit});
  console.out << fmt::format("constants, with {:g} % of the mass of a bootstrap over shapes\n",
                             100 * confidence);
  table.print(console.out);
}

json as_json(const Agreement& a) {
  return {{"median_error", a.median_error},
          {"mean_error", a.mean_error},
          {"percentile_90", a.percentile_90},
          {"spearman", a.spearman}};
}

json as_json(const RtlCalibration& calibration) {
  json files = json::array(), constants = json::array();
  for (const FileAgreement& file : calibration.files)
    files.push_back({{"file", file.name},
                     {"runs", file.runs},
                     {"shapes", file.shapes},
                     {"timeloop", file.timeloop ? as_json(*file.timeloop) : json()},
                     {"plain_timeloop", as_json(file.plain_timeloop)},
                     {"plain", as_json(file.plain)},
                     {"calibrated", as_json(file.fitted)},
                     {"cross_validated", as_json(file.cross_validated)},
                     {"other_files", as_json(file.other_files)},
                     {"stalled", file.stalled}});
  const auto values = named(calibration.constants);
  for (std::size_t i = 0; i < values.size(); ++i)
    constants.push_back({{"name", values[i].name},
                         {"unit", values[i].unit},
                         {"value", values[i].value},
                         {"low", calibration.intervals[i].low},
                         {"high", calibration.intervals[i].high}});
  return {{"files", files}, {"constants", constants}};
}

void validate_on_rtl(const ValidateOptions& options, const Console& console) {
  const RtlCalibration calibration =
      calibrate(read_rtl_files(rtl_files_in(options.rtl_folder)), options.calibration);
  if (console.json) return console.print(as_json(calibration));
  print_files(console, calibration);
  for (const FileAgreement& file : calibration.files) print_details(console, file);
  console.out << '\n';
  print_constants(console, calibration, options.calibration.confidence);
}

std::vector<ValidationSuite> suites_of(const ValidateOptions& options) {
  if (options.case_files.empty()) return shipped_validation();
  std::vector<ValidationSuite> suites;
  for (const std::string& file : options.case_files)
    suites.push_back(read_validation(datasets::read_yaml(file)));
  return suites;
}

/// A case that cannot run is told of on `err`; an error, however large, is a result.
void validate_cases(const ValidateOptions& options, Console& console) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  Workers workers(options.jobs > 0 ? options.jobs : std::max(1, cores));
  const std::vector<ValidationReport> reports =
      run_validation(suites_of(options), options.cases, workers);
  for (const ValidationReport& report : reports)
    for (const std::string& failure : report.failures) {
      console.err << fmt::format("cosearch: {}: {}\n", report.suite, failure);
      console.exit_code = kNothingFeasible;
    }
  if (console.json) return console.print(validation_json(reports));
  print_validation(console, reports);
}

void validate(const ValidateOptions& options, Console& console) {
  options.rtl_folder.empty() ? validate_cases(options, console) : validate_on_rtl(options, console);
}

}  // namespace

void add_validate_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<ValidateOptions>();
  CLI::App* command =
      app.add_subcommand("validate", "The models against chips, published numbers and other tools");
  command->add_option("--cases", options->case_files,
                      "YAML files of cases, instead of the shipped ones");
  command->add_option("-j,--jobs", options->jobs, "threads; the answer is the same for any number")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--slow", options->cases.slow, "cases that take minutes, too");
  command->add_option("--rtl", options->rtl_folder,
                      "calibrate on this folder of DOSA's runs of Gemmini's RTL "
                      "(*firesim_rtl*.csv), instead of the cases");
  command
      ->add_option("--resamples", options->calibration.resamples,
                   "resamples for the constants' intervals")
      ->check(CLI::Range(2, 100000))
      ->capture_default_str();
  command->add_option("--seed", options->calibration.seed, "of the resamples")
      ->capture_default_str();
  command->callback([options, &console] { validate(*options, console); });
}

}  // namespace cosearch::codesign
