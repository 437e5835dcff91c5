// A study: the question a user asks, as one YAML file (schema: codesign/schema/study.schema.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codesign/accelerator_file.h"
#include "codesign/mapper_choice.h"
#include "codesign/metrics.h"
#include "core/user_error.h"
#include "datasets/document.h"
#include "datasets/image_set.h"
#include "nas/scores/score.h"
#include "nas/space.h"
#include "nas/training/trainer.h"

namespace cosearch::codesign {

/// Rows of a table to keep: the row's cell must equal one of the values, column by column.
using RowFilter = std::map<std::string, std::vector<std::string>>;

/// A CSV file with one network a row.
struct NetworkTableSource {
  std::filesystem::path file = {};
  std::vector<std::string> genotype = {};  ///< columns, joined with ';'
  std::string accuracy = {};               ///< column, from `accuracy: {table}`; may be empty
  std::string id = {};                     ///< column; empty: the genotype itself
  std::vector<std::string> require = {};   ///< columns that must not be empty
  RowFilter where = {};
};

/// A CSV file with one (network, accelerator) a row, measured elsewhere.
struct CostTableSource {
  std::filesystem::path file;
  std::vector<std::string> network, accelerator;  ///< columns, joined with ';' and '/'
  std::string latency, energy;                    ///< columns; empty: not given
  RowFilter where;
};

/// A CSV file of training-free scores with one network a row.
struct ScoreTableSource {
  std::filesystem::path file = {};
  std::vector<std::string> network = {};  ///< columns of the network's id, joined with ';'
  std::map<std::string, std::string> columns = {};  ///< column by score
};

struct NetworkSource {
  std::string space;  ///< of the program's own, or a file's path; empty when networks are named
  std::string space_text = {};  ///< of the file, else empty
  nas::SpaceOptions options;
  bool embedded_table = false;
  std::optional<NetworkTableSource> table;
  std::optional<ScoreTableSource> scores;
  std::vector<std::string> named;
  std::optional<std::uint64_t> sample;
  bool merge_equivalent = false;  ///< one candidate for all spellings of a network
};

/// Who says how accurate a network is.
enum class AccuracyKind : std::uint8_t { none, table, predictor, train, score, supernet };

/// As a study and its store spell it; empty for `none`.
[[nodiscard]] std::string_view name_of(AccuracyKind kind);

/// One source of accuracies, and what its kind needs.
struct AccuracyChoice {
  AccuracyKind kind = AccuracyKind::none;
  std::string key = {};             ///< "accuracy.then.train": how messages call it
  SourceLocation where = {};        ///< of its key in the study
  std::filesystem::path file = {};  ///< predictor, supernet
  nas::Score score = nas::Score::synflow;
  std::filesystem::path images = {};  ///< train, supernet: the folder
  datasets::ArrayLayout array_layout = datasets::ArrayLayout::unstated;
  nas::TrainingRecipe recipe = {};
  nas::Device device = nas::Device::cpu;
};

/// Where the accuracies of a study come from.
struct AccuracySourcing {
  AccuracyChoice first = {};
  /// Measures the networks on the front of what `first` says, until all on it are measured.
  std::optional<AccuracyChoice> then = {};
  std::optional<std::uint64_t> at_most = {};  ///< networks that `then` measures
};

struct AcceleratorSource {
  /// Of templates that give none: a node or the path of a CSV file.
  std::string technology = "45nm";
  std::vector<std::string> named;
  std::vector<std::string> machines;  ///< as find_machine() takes them
  std::vector<MachineGrid> grids;
  std::optional<std::uint64_t> sample;
};

/// A strategy by name, with the texts of its options and where each stands in the study.
struct StrategyChoice {
  std::string name = "semi-decoupled";
  std::map<std::string, std::string> options = {};
  SourceLocation where = {};
  std::map<std::string, SourceLocation> option_where = {};
};

struct GapOptions {
  std::size_t latency_limits = 20;
  std::size_t energy_limits = 5;
  std::vector<StrategyChoice> strategies;
};

struct Study {
  std::string file;
  std::string text;  ///< the YAML, verbatim
  std::string name;
  std::uint64_t seed = 1;
  NetworkSource networks;
  AccuracySourcing accuracy;
  AcceleratorSource accelerators;
  MapperChoice mapping;
  std::optional<CostTableSource> costs;
  std::vector<Objective> objectives;
  std::vector<Constraint> constraints;
  StrategyChoice strategy;
  std::optional<std::uint64_t> evaluations;  ///< hardware evaluations at most
  std::optional<GapOptions> gap;

  [[nodiscard]] bool has_accelerators() const {
    return !accelerators.named.empty() || !accelerators.machines.empty() ||
           !accelerators.grids.empty();
  }
};

/// Sizes of batches, one or a list, as records and studies say it.
[[nodiscard]] std::vector<int> batches_in(const nlohmann::json& value);

/// The files that are read for `study`, itself included; of folders of images only the folder.
[[nodiscard]] std::vector<std::filesystem::path> input_files(const Study& study);

/// Values for `${NAME}` in the study's file names, from the command line.
using Definitions = std::map<std::string, std::string>;

extern const std::string_view kStudySchema;

/// A metric's value as people write it: "85%", "2e5cycles", "1.5mJ", "3mm2", "20ms", and a plain
/// number for the others. Throws UserError.
[[nodiscard]] double parse_metric(Metric metric, const std::string& text);

/// `document`, a study in any version of its schema, as the newest one spells it. Throws UserError,
/// at the key, for one that the study's version does not have.
[[nodiscard]] datasets::Document in_newest_version(datasets::Document document);

/// `part`, the 'mapping' of a study.
[[nodiscard]] MapperChoice mapping_of(const nlohmann::json& part);

/// Throws FileError when the file cannot be read and UserError, at its line and column, for
/// everything the schema, the spaces, the templates and the strategies do not accept.
[[nodiscard]] Study read_study(const std::filesystem::path& path, const Definitions& definitions);

}  // namespace cosearch::codesign
