// cosearch pareto: the front of a stored study, for people and other programs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <string>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/text_table.h"
#include "codesign/open_study.h"
#include "codesign/study_points.h"
#include "datasets/front_file.h"
#include "datasets/study_store.h"

namespace cosearch::codesign {
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

nlohmann::json as_json(const datasets::StudyStore& store, const datasets::Columns& columns) {
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t row = 0; row < columns.rows(); ++row) {
    nlohmann::json one;
    for (const datasets::LabelledColumn& column : columns.columns)
      std::visit([&](const auto& values) { one[column.name] = values[row]; }, column.values);
    rows.push_back(std::move(one));
  }
  return {{"study", store.header().name},
          {"points", store.point_count()},
          {"hypervolume", store.front().hypervolume},
          {"front", rows}};
}

void pareto(const std::string& input, const std::string& output, Console& console) {
  refuse_as_output(output, input);
  const datasets::StudyStore store =
      open_study(input, [&](const std::string& text) { console.note("cosearch: " + text); });
  const datasets::Columns columns = front_columns(store);
  if (!output.empty()) {
    datasets::write_columns(output, columns);
    console.note(fmt::format("{}: {} designs of {} points -> {}", input, columns.rows(),
                             store.point_count(), output));
  } else if (console.json) {
    console.print(as_json(store, columns));
  } else {
    print(console, columns);
  }
  if (columns.rows() == 0) {
    console.err << "cosearch: " << input << " holds no feasible design\n";
    console.exit_code = kNothingFeasible;
  }
}

}  // namespace

void add_pareto_command(CLI::App& app, Console& console) {
  struct Options {
    std::string input, output;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("pareto", "Export the front of a stored study");
  command->add_option("STORE", options->input, "a study store, .h5")->required();
  command->add_option("-o,--output", options->output,
                      "a .csv, .json or .h5 file (default: a table on standard output)");
  command->callback([options, &console] { pareto(options->input, options->output, console); });
}

}  // namespace cosearch::codesign
