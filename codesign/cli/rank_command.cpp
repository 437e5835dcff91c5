// cosearch rank: how rankings of networks carry from chip to chip.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>

#include "codesign/cli/console.h"
#include "codesign/cli/study_options.h"
#include "codesign/cli/text_table.h"
#include "codesign/rank_study.h"
#include "datasets/front_file.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// Wider matrices are for files, not for screens.
constexpr std::size_t kWidestMatrix = 20;

void print_matrix(const Console& console, const RankMatrix& matrix) {
  std::vector<std::string> header{matrix.metric};
  header.insert(header.end(), matrix.names.begin(), matrix.names.end());
  TextTable table(header);
  for (std::size_t row = 0; row < matrix.names.size(); ++row) {
    std::vector<std::string> cells{matrix.names[row]};
    for (std::size_t column = 0; column < matrix.names.size(); ++column)
      cells.push_back(fixed(matrix.at(row, column), 3));
    table.add(std::move(cells));
  }
  std::vector<std::string> control{"MACs only"};
  for (const double rho : matrix.macs_rho) control.push_back(fixed(rho, 3));
  table.add(std::move(control));
  table.print(console.out);
}

void print_summary(const Console& console, const RankMatrix& matrix) {
  const RankSummary s = summary_of(matrix);
  console.out << fmt::format(
      "{}: {} accelerators, pairs least {} median {} mean {}; MACs only least {} median {} mean "
      "{}\n",
      matrix.metric, matrix.names.size(), fixed(s.least, 3), fixed(s.median, 3), fixed(s.mean, 3),
      fixed(s.macs_least, 3), fixed(s.macs_median, 3), fixed(s.macs_mean, 3));
}

json as_json(const RankStudy& study) {
  json result{{"networks", study.networks}};
  for (const RankMatrix& matrix : study.matrices) {
    json rows = json::array();
    for (std::size_t row = 0; row < matrix.names.size(); ++row) {
      json line = json::array();
      for (std::size_t column = 0; column < matrix.names.size(); ++column)
        line.push_back(matrix.at(row, column));
      rows.push_back(std::move(line));
    }
    result[matrix.metric] = {{"names", matrix.names},
                             {"spearman", rows},
                             {"macs_only", matrix.macs_rho},
                             {"networks", matrix.networks}};
  }
  return result;
}

void write_matrix(const std::string& path, const RankMatrix& matrix) {
  datasets::Columns columns;
  std::vector<std::string> names = matrix.names;
  names.push_back("MACs only");
  columns.columns.push_back({"accelerator", "", std::move(names)});
  for (std::size_t column = 0; column < matrix.names.size(); ++column) {
    std::vector<double> values;
    for (std::size_t row = 0; row < matrix.names.size(); ++row)
      values.push_back(matrix.at(row, column));
    values.push_back(matrix.macs_rho[column]);
    columns.columns.push_back({matrix.names[column], "", std::move(values)});
  }
  datasets::write_columns(path, columns);
}

void rank(const StudyOptions& options, const std::string& output, const Console& console) {
  Workers workers(options.job_count());
  const bool stored = options.file.ends_with(".h5") || options.file.ends_with(".hdf5");
  const RankStudy study =
      stored ? rank_stored(options.file, workers) : rank_study(options.read(), workers);
  if (console.json) {
    console.print(as_json(study));
  } else {
    console.out << fmt::format("Spearman over {} networks\n",
                               grouped(static_cast<double>(study.networks)));
    for (const RankMatrix& matrix : study.matrices) {
      console.out << '\n';
      if (matrix.names.size() <= kWidestMatrix) print_matrix(console, matrix);
      print_summary(console, matrix);
    }
  }
  if (output.empty()) return;
  const std::filesystem::path path(output);
  for (const RankMatrix& matrix : study.matrices)
    write_matrix((path.parent_path() /
                  (path.stem().string() + "_" + matrix.metric + path.extension().string()))
                     .string(),
                 matrix);
}

}  // namespace

void add_rank_command(CLI::App& app, Console& console) {
  struct Options {
    StudyOptions study;
    std::string output;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("rank", "How rankings of networks carry from chip to chip");
  options->study.add_to(*command);
  command->get_option("STUDY")->description("a study (.yaml) or a study store (.h5)");
  command->add_option("-o,--output", options->output,
                      "also write NAME_latency.csv and NAME_energy.csv");
  command->callback([options, &console] { rank(options->study, options->output, console); });
}

}  // namespace cosearch::codesign
