// How rankings of networks carry from chip to chip: Spearman matrices with a MACs-only control.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "codesign/joint_space.h"
#include "codesign/study.h"
#include "codesign/workers.h"

namespace cosearch::codesign {

/// One cost of every network on one chip; NaN where it is not known.
struct CostColumn {
  std::string name;
  std::vector<double> values;
};

/// Spearman's rho between columns, over the networks that both know.
struct RankMatrix {
  std::string metric;                   ///< "latency" or "energy"
  std::vector<std::string> names;       ///< of the columns
  std::vector<double> rho;              ///< row-major, names.size() squared
  std::vector<double> macs_rho;         ///< control: each column against plain MACs
  std::vector<std::uint64_t> networks;  ///< how many networks each column knows

  [[nodiscard]] double at(std::size_t row, std::size_t column) const {
    return rho[row * names.size() + column];
  }
};

/// Mean, least and median over pairs of different columns, and over the control.
struct RankSummary {
  double least = 0, median = 0, mean = 0;
  double macs_least = 0, macs_median = 0, macs_mean = 0;
};

/// Columns without a single value are left out.
[[nodiscard]] RankMatrix rank_matrix(std::string metric, std::vector<CostColumn> columns,
                                     const std::vector<double>& macs, Workers& workers);

/// NaN entries (a constant column) are passed over.
[[nodiscard]] RankSummary summary_of(const RankMatrix& matrix);

struct RankStudy {
  std::uint64_t networks = 0;
  std::vector<RankMatrix> matrices = {};  ///< latency, then energy; without those nobody knows
};

/// Costs of the study's networks by our model on its accelerators, then as its cost table has
/// them. Throws UserError when the study has neither, or the table and the networks share no id.
[[nodiscard]] RankStudy rank_study(const Study& study, Workers& workers);

/// The same over the points of a stored study.
[[nodiscard]] RankStudy rank_stored(const std::filesystem::path& store, Workers& workers);

}  // namespace cosearch::codesign
