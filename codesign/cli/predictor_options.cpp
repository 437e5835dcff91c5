#include "codesign/cli/predictor_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

#include "codesign/cli/text_table.h"
#include "codesign/space_file.h"
#include "core/user_error.h"
#include "datasets/front_file.h"

namespace cosearch::codesign {
namespace {

// NAME or NAME:OPTION=VALUE,...
void parse_space(const std::string& space, FeatureSource& source) {
  const std::size_t colon = space.find(':');
  source.space = space.substr(0, colon);
  source.space_text = space_source(source.space).text;
  for (std::size_t at = colon; at != std::string::npos;) {
    const std::size_t comma = space.find(',', at + 1);
    const std::string part = space.substr(at + 1, comma - at - 1);
    const std::size_t equals = part.find('=');
    std::int64_t value = 0;
    const char* const end = part.data() + part.size();
    const bool is_number = equals != std::string::npos &&
                           std::from_chars(part.data() + equals + 1, end, value).ptr == end &&
                           equals + 1 < part.size();
    if (!is_number)
      throw UserError(fmt::format("--space {}: '{}': expected OPTION=WHOLE NUMBER", space, part));
    source.options[part.substr(0, equals)] = value;
    at = comma;
  }
}

}  // namespace

void NetworkTableOptions::add_table_to(CLI::App& command) {
  command.add_option("TABLE", table.file, "a CSV file with one network a row, .gz too")->required();
  command.add_option("--genotype", table.genotype, "its columns that spell the network")
      ->delimiter(',')
      ->default_str("genotype");
  command.add_option("--with", table.joined,
                     "further tables of the same networks, found by the columns they share");
  command.add_option("-j,--jobs", jobs, "threads (default: all cores)")->check(CLI::Range(1, 1024));
}

void NetworkTableOptions::add_space_to(CLI::App& command) {
  command
      .add_option("--space", space,
                  "the space, or a file that describes one, with options: nas-bench-201:prune=0")
      ->required();
}

void NetworkTableOptions::add_features_to(CLI::App& command) {
  command
      .add_option("--features", source.features,
                  "encodings of the space, and size (default: path,cell,size for cells, "
                  "one-hot,size elsewhere)")
      ->delimiter(',');
  command
      .add_option("--scores", source.scores,
                  "columns of numbers that are known of every network, such as training-free "
                  "scores")
      ->delimiter(',');
}

void NetworkTableOptions::complete() {
  if (table.genotype.empty()) table.genotype = {"genotype"};
  if (space.empty()) return;  // of a predictor's file
  parse_space(space, source);
  if (source.features.empty())
    source.features =
        default_features(*make_space({source.space, source.space_text}, source.options));
}

void TargetOptions::add_to(CLI::App& command) {
  command.add_option("--target", column, "the column to predict")->required();
  command
      .add_option("--kind", kind,
                  "what it is: accuracy (percent, more is better), latency or energy (positive, "
                  "less is better)")
      ->check(CLI::IsMember({"accuracy", "latency", "energy"}))
      ->capture_default_str();
  command.add_option("--scale", scale,
                     fmt::format("on which the model sees it: {} (default: error for accuracies, "
                                 "logarithm for latencies and energies)",
                                 fmt::join(predictors::scale_names(), ", ")));
}

predictors::ScaleKind TargetOptions::scale_kind() const {
  if (!scale.empty()) return predictors::scale_named(scale);
  return more_is_better() ? predictors::ScaleKind::error : predictors::ScaleKind::logarithm;
}

std::string with_interval(const MeanInterval& value, int decimals) {
  if (std::isnan(value.interval.low)) return fixed(value.mean, decimals);
  return fmt::format("{} [{}, {}]", fixed(value.mean, decimals),
                     fixed(value.interval.low, decimals), fixed(value.interval.high, decimals));
}

nlohmann::json interval_json(const std::vector<double>& values) {
  const MeanInterval value = mean_interval(values);
  nlohmann::json result{{"mean", value.mean}, {"by_seed", values}};
  if (!std::isnan(value.interval.low))
    result["interval_95"] = {value.interval.low, value.interval.high};
  return result;
}

void show_predictions(const PredictionTable& table,
                      const std::vector<predictors::PredictedRange>& predictions,
                      const std::string& output, const Console& console) {
  std::vector<double> mean, low, high;
  for (const predictors::PredictedRange& range : predictions) {
    mean.push_back(range.mean);
    low.push_back(range.low);
    high.push_back(range.high);
  }
  if (!output.empty()) {
    datasets::Columns columns;
    columns.columns.push_back({"genotype", "", table.genotypes});
    columns.columns.push_back({table.target, "", std::move(mean)});
    columns.columns.push_back({table.target + "_low", "", std::move(low)});
    columns.columns.push_back({table.target + "_high", "", std::move(high)});
    datasets::write_columns(output, columns);
    return console.note(fmt::format("{} networks -> {}", table.genotypes.size(), output));
  }
  nlohmann::json rows = nlohmann::json::array();
  TextTable text({"network", table.target, "low", "high"});
  for (std::size_t row = 0; row < mean.size(); ++row) {
    rows.push_back({{"genotype", table.genotypes[row]},
                    {table.target, mean[row]},
                    {"low", low[row]},
                    {"high", high[row]}});
    text.add({table.genotypes[row], fmt::format("{:.6g}", mean[row]),
              fmt::format("{:.6g}", low[row]), fmt::format("{:.6g}", high[row])});
  }
  if (console.json) return console.print(rows);
  text.print(console.out);
}

}  // namespace cosearch::codesign
