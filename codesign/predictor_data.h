// Networks of a table as a predictor's examples: encodings of the genotype, size, and scores from
// further tables, beside the column that is to be predicted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "codesign/network_set.h"
#include "codesign/workers.h"
#include "datasets/table.h"
#include "nas/space.h"
#include "predictors/examples.h"
#include "predictors/target_scale.h"

namespace cosearch::codesign {

/// Which features a predictor sees. Written into its file, so that it can ask for them again.
struct FeatureSource {
  std::string space;            ///< of the program's own, or a file's path
  std::string space_text = {};  ///< of the file, else empty
  nas::SpaceOptions options = {};
  /// Encodings of the space (nas/encoding.h), and "size": logarithms of MACs and parameters.
  std::vector<std::string> features = {};
  /// Columns with one number a network, an empty cell where it is not known. They enter as
  /// asinh(value), which is the logarithm of what is large, of either sign.
  std::vector<std::string> scores = {};
};

/// "path", "cell" and "size" where the space has cells; "one-hot" and "size" elsewhere.
[[nodiscard]] std::vector<std::string> default_features(const nas::NetworkSpace& space);

struct ExampleTable {
  std::filesystem::path file;
  std::vector<std::string> genotype;  ///< columns, joined with ';'
  /// Tables with further columns of the same networks, one row each: found by the columns that both
  /// tables have.
  std::vector<std::filesystem::path> joined = {};
};

/// Everything a table says of its networks, row by row.
struct NetworkExamples {
  std::string file;  ///< the table, for messages
  predictors::Examples examples;
  std::vector<std::string> genotypes;
  std::vector<std::size_t> network;  ///< the same number for two spellings of one network
  std::size_t networks = 0;          ///< those numbers lie below it

  [[nodiscard]] std::size_t rows() const { return genotypes.size(); }
};

/// The tables, with rows of the joined ones found.
class JoinedTables {
 public:
  /// Throws UserError when a joined table shares no column with the first, or lacks one of its
  /// rows, or has it twice.
  explicit JoinedTables(const ExampleTable& source);

  [[nodiscard]] const datasets::Table& first() const { return tables_.front().table; }
  [[nodiscard]] std::size_t rows() const { return first().rows(); }

  /// Numbers of a column of any of the tables; NaN where a cell is empty. Throws UserError (with a
  /// suggestion) for a column that none has, and at its line for a cell that is no number.
  [[nodiscard]] std::vector<double> numbers(const std::string& column) const;

 private:
  struct Joined {
    datasets::Table table;
    std::vector<std::size_t> row;  // by row of the first table
  };
  std::vector<Joined> tables_;
};

/// The numbers of a column of targets; NaN where a cell is empty. Throws what `numbers` throws, and
/// UserError, at its row, for a number that the scale cannot take.
[[nodiscard]] std::vector<double> targets_of(const JoinedTables& tables, const std::string& column,
                                             predictors::ScaleKind scale);

/// Throws UserError, at its row, for a genotype that is not of the space.
[[nodiscard]] NetworkSet lower_table(const ExampleTable& table, const JoinedTables& tables,
                                     const FeatureSource& source, Workers& workers);

/// The features of the candidates `which`, row by row; the numbers of a score's column for all
/// candidates come from `numbers`. Throws UserError for an unknown feature and what `numbers`
/// throws.
[[nodiscard]] predictors::Examples features_of(
    const NetworkSet& networks, std::span<const std::uint32_t> which, const FeatureSource& source,
    const std::function<std::vector<double>(const std::string& column)>& numbers, Workers& workers);

/// The features of every row. Throws UserError for an unknown feature or column and as above.
[[nodiscard]] NetworkExamples examples_of(const NetworkSet& networks, const JoinedTables& tables,
                                          const FeatureSource& source, Workers& workers);

}  // namespace cosearch::codesign
