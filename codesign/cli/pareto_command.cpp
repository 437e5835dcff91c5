// cosearch pareto and merge: stored studies, for people and other programs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <string>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/text_table.h"
#include "codesign/open_study.h"
#include "codesign/results.h"
#include "codesign/study_points.h"
#include "codesign/study_union.h"
#include "core/user_error.h"
#include "datasets/front_file.h"
#include "datasets/study_store.h"

namespace cosearch::codesign {

// Opens `files`, folding what interrupted searches left.
[[nodiscard]] StudyUnion open_studies(const std::vector<std::string>& files,
                                      const Console& console);

namespace {

std::string cell(const datasets::LabelledColumn& column, std::size_t row) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&column.values))
    return (*texts)[row];
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
    return std::to_string((*integers)[row]);
  const double value = std::get<std::vector<double>>(column.values)[row];
  return std::isnan(value) ? "-" : fmt::format("{:.6g}", value);
}

void print(const Console& console, const datasets::Columns& columns) {
  std::vector<std::string> header;
  for (const datasets::LabelledColumn& column : columns.columns)
    header.push_back(column.unit.empty() ? column.name : column.name + "[" + column.unit + "]");
  TextTable table(header);
  for (std::size_t row = 0; row < columns.rows(); ++row) {
    std::vector<std::string> cells;
    for (const datasets::LabelledColumn& column : columns.columns)
      cells.push_back(cell(column, row));
    table.add(std::move(cells));
  }
  table.print(console.out);
}

nlohmann::json as_json(const StudyUnion& studies, const datasets::Columns& columns) {
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t row = 0; row < columns.rows(); ++row) {
    nlohmann::json one;
    for (const datasets::LabelledColumn& column : columns.columns)
      std::visit([&](const auto& values) { one[column.name] = values[row]; }, column.values);
    rows.push_back(std::move(one));
  }
  std::vector<std::string> names;
  std::uint64_t points = 0;
  for (const StudyUnion::Member& member : studies.members()) {
    names.push_back(member.store.header().name);
    points += member.store.point_count();
  }
  nlohmann::json result{{"points", points}, {"front", rows}};
  if (names.size() == 1) {
    result["study"] = names.front();
    result["hypervolume"] = studies.members().front().store.front().hypervolume;
  } else {
    result["studies"] = names;
  }
  return result;
}

struct Options {
  std::vector<std::string> inputs, conditions;
  std::string output, trace;
};

// What the store says itself costs nothing; anything else is found anew among all points.
datasets::Columns front_of(const StudyUnion& studies, const Options& options) {
  if (options.inputs.size() == 1 && options.conditions.empty())
    return front_columns(studies.members().front().store);
  return front_of(studies, parse_filter(options.conditions));
}

void pareto(const Options& options, Console& console) {
  for (const std::string& input : options.inputs) {
    refuse_as_output(options.output, input);
    refuse_as_output(options.trace, input);
  }
  const PointFilter filter = parse_filter(options.conditions);
  const StudyUnion studies = open_studies(options.inputs, console);
  const datasets::Columns columns = front_of(studies, options);
  const std::string inputs = fmt::format("{}", fmt::join(options.inputs, ", "));
  if (!options.trace.empty()) datasets::write_columns(options.trace, trace_of(studies, filter));
  if (!options.output.empty()) {
    datasets::write_columns(options.output, columns);
    std::uint64_t points = 0;
    for (const StudyUnion::Member& member : studies.members()) points += member.store.point_count();
    console.note(fmt::format("{}: {} designs of {} points -> {}", inputs, columns.rows(), points,
                             options.output));
  } else if (console.json) {
    console.print(as_json(studies, columns));
  } else {
    print(console, columns);
  }
  if (columns.rows() == 0) {
    console.err << "cosearch: " << inputs
                << (filter.is_empty() ? " holds no feasible design\n"
                                      : " holds no feasible design that meets every --where\n");
    console.exit_code = kNothingFeasible;
  }
}

}  // namespace

StudyUnion open_studies(const std::vector<std::string>& files, const Console& console) {
  std::vector<StudyUnion::Member> members;
  for (const std::string& file : files)
    members.push_back({file, open_study(file, [&](const std::string& text) {
                         console.note("cosearch: " + text);
                       })});
  return StudyUnion(std::move(members));
}

void add_pareto_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("pareto", "Export the front of a stored study, or of several together");
  command->add_option("STORE", options->inputs, "study stores, .h5")->required();
  command->add_option("-o,--output", options->output,
                      "a .csv, .json or .h5 file (default: a table on standard output)");
  command
      ->add_option("-w,--where", options->conditions,
                   "only points with METRIC<=VALUE, METRIC>=VALUE, network=, accelerator= or "
                   "template=NAME; may be given again")
      ->take_all();
  command->add_option("--trace", options->trace,
                      "the hypervolume after each evaluation that changed the front, a .csv, .json "
                      "or .h5 file");
  command->callback([options, &console] { pareto(*options, console); });
}

void add_merge_command(CLI::App& app, Console& console) {
  struct MergeOptions {
    std::vector<std::string> inputs;
    std::string output;
    bool overwrite = false;
  };
  const auto options = std::make_shared<MergeOptions>();
  CLI::App* command = app.add_subcommand(
      "merge", "Put the points of several stores into one; equal designs count once");
  command->add_option("STORE", options->inputs, "study stores, .h5")->required();
  command->add_option("-o,--output", options->output, "the store to write")->required();
  command->add_flag("-f,--force", options->overwrite, "replace the store if it exists");
  command->callback([options, &console] {
    for (const std::string& input : options->inputs) refuse_as_output(options->output, input);
    if (!options->overwrite && std::filesystem::exists(options->output))
      throw FileError({options->output}, "exists already (add --force to replace it)");
    const StudyUnion studies = open_studies(options->inputs, console);
    write_merged(
        studies, options->output,
        fmt::format("cosearch merge {} -o {}", fmt::join(options->inputs, " "), options->output));
    console.note(fmt::format("{} points -> {}",
                             datasets::StudyStore::open(options->output).point_count(),
                             options->output));
  });
}

}  // namespace cosearch::codesign
