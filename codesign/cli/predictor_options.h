// What the predictor commands share: which table, which features, which column.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "codesign/cli/console.h"
#include "codesign/predictor_bench.h"
#include "codesign/predictor_data.h"
#include "predictors/predictor.h"
#include "predictors/target_scale.h"

namespace cosearch::codesign {

/// A table of networks and the features that are made of it.
struct NetworkTableOptions {
  ExampleTable table = {};
  FeatureSource source = {};
  std::string space = {};
  int jobs = 0;

  void add_table_to(CLI::App& command);
  void add_space_to(CLI::App& command);
  void add_features_to(CLI::App& command);

  /// Once the options are parsed: fills in what was not given.
  void complete();
};

/// What a column of targets is.
struct TargetOptions {
  std::string column = {}, kind = "accuracy", scale = {};

  void add_to(CLI::App& command);
  [[nodiscard]] bool more_is_better() const { return kind == "accuracy"; }
  [[nodiscard]] predictors::ScaleKind scale_kind() const;
};

/// "0.812 [0.801, 0.823]", or the mean alone where there is no interval.
[[nodiscard]] std::string with_interval(const MeanInterval& value, int decimals);
/// Mean, interval and the values themselves.
[[nodiscard]] nlohmann::json interval_json(const std::vector<double>& values);

/// Which networks were asked about, and the column that was predicted.
struct PredictionTable {
  const std::vector<std::string>& genotypes;
  const std::string& target;
};

/// Writes predictions to `output`, or to the console where that is empty.
void show_predictions(const PredictionTable& table,
                      const std::vector<predictors::PredictedRange>& predictions,
                      const std::string& output, const Console& console);

// Each adds one subcommand of `cosearch predictor`.
void add_predictor_bench(CLI::App& command, const Console& console);
void add_predictor_train(CLI::App& command, const Console& console);
void add_predictor_predict(CLI::App& command, const Console& console);
void add_predictor_transfer(CLI::App& command, const Console& console);
void add_predictor_bench_transfer(CLI::App& command, const Console& console);

}  // namespace cosearch::codesign
