#include "codesign/rank_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "codesign/model_evaluator.h"
#include "codesign/open_study.h"
#include "core/user_error.h"
#include "datasets/study_store.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Latency and energy columns, chip by chip.
struct CostColumns {
  std::vector<CostColumn> latency, energy;

  void add_chip(const std::string& name, std::size_t networks) {
    latency.push_back({name, std::vector<double>(networks, kUnknown)});
    energy.push_back({name, std::vector<double>(networks, kUnknown)});
  }
};

// A column with its ranks, which are worth keeping when every network is known: sorting is what a
// matrix costs.
struct RankedColumn {
  explicit RankedColumn(const std::vector<double>& column) : values(column) {
    if (std::ranges::none_of(values, [](double value) { return std::isnan(value); }))
      ranks = predictors::average_ranks(values);
  }
  const std::vector<double>& values;
  std::vector<double> ranks;  // empty when some value is not known
};

double spearman_where_known(const RankedColumn& x, const RankedColumn& y) {
  if (!x.ranks.empty() && !y.ranks.empty()) return predictors::pearson(x.ranks, y.ranks);
  std::vector<double> known_x, known_y;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    if (std::isnan(x.values[i]) || std::isnan(y.values[i])) continue;
    known_x.push_back(x.values[i]);
    known_y.push_back(y.values[i]);
  }
  return predictors::spearman(known_x, known_y);
}

void add_model_costs(CostColumns& columns, const JointSpace& space, Workers& workers) {
  ModelEvaluator evaluator(space, workers);
  for (std::uint32_t chip = 0; chip < space.accelerator_count(); ++chip) {
    std::vector<Design> designs;
    for (std::uint32_t network = 0; network < space.network_count(); ++network)
      designs.push_back({network, chip});
    columns.add_chip(space.accelerators()[chip].machine.name, designs.size());
    for (const Trial& trial : evaluate_all(designs, evaluator, {}, workers)) {
      columns.latency.back().values[trial.design.network] = trial.metrics[Metric::latency];
      columns.energy.back().values[trial.design.network] = trial.metrics[Metric::energy];
    }
  }
}

// An empty cell is a cost nobody measured.
double number_or_unknown(const datasets::Table& table, std::size_t row, const std::string& column) {
  if (column.empty()) return kUnknown;
  const std::size_t index = table.column(column);
  return table.text(row, index).empty() ? kUnknown : table.number(row, index);
}

void add_table_costs(CostColumns& columns, const CostTableSource& source,
                     const NetworkSet& networks) {
  const datasets::Table table = datasets::Table::read(source.file);
  std::map<std::string, std::size_t> network_by_id, chip_by_name;
  for (std::size_t i = 0; i < networks.candidates.size(); ++i)
    network_by_id.emplace(networks.candidates[i].id, i);
  const std::size_t first_chip = columns.latency.size();
  bool any = false;
  for (const std::size_t row : matching_rows(table, source.where)) {
    const auto network = network_by_id.find(joined_cells(table, row, source.network, ";"));
    if (network == network_by_id.end()) continue;
    any = true;
    const std::string name = joined_cells(table, row, source.accelerator, "/");
    const auto [chip, is_new] = chip_by_name.try_emplace(name, first_chip + chip_by_name.size());
    if (is_new) columns.add_chip(name, networks.candidates.size());
    columns.latency[chip->second].values[network->second] =
        number_or_unknown(table, row, source.latency);
    columns.energy[chip->second].values[network->second] =
        number_or_unknown(table, row, source.energy);
  }
  if (!any)
    throw UserError({table.name()},
                    "no row names a network of the study (check 'networks.table.id' "
                    "against 'costs.network')");
}

RankStudy study_of(CostColumns columns, const std::vector<double>& macs, Workers& workers) {
  RankStudy study{.networks = macs.size()};
  for (auto [metric, of_metric] :
       {std::pair{"latency", &columns.latency}, {"energy", &columns.energy}}) {
    RankMatrix matrix = rank_matrix(metric, std::move(*of_metric), macs, workers);
    if (!matrix.names.empty()) study.matrices.push_back(std::move(matrix));
  }
  return study;
}

}  // namespace

RankMatrix rank_matrix(std::string metric, std::vector<CostColumn> columns,
                       const std::vector<double>& macs, Workers& workers) {
  std::erase_if(columns, [](const CostColumn& column) {
    return std::ranges::all_of(column.values, [](double value) { return std::isnan(value); });
  });
  const std::size_t count = columns.size();
  RankMatrix matrix{.metric = std::move(metric),
                    .names = {},
                    .rho = std::vector<double>(count * count, 1.0),
                    .macs_rho = std::vector<double>(count),
                    .networks = {}};
  for (const CostColumn& column : columns) {
    matrix.names.push_back(column.name);
    matrix.networks.push_back(static_cast<std::uint64_t>(
        std::ranges::count_if(column.values, [](double value) { return !std::isnan(value); })));
  }
  std::vector<RankedColumn> ranked;
  for (const CostColumn& column : columns) ranked.emplace_back(column.values);
  const RankedColumn ranked_macs(macs);
  workers.for_ranges(count, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      matrix.macs_rho[row] = spearman_where_known(ranked[row], ranked_macs);
      for (std::size_t column = 0; column < row; ++column)
        matrix.rho[row * count + column] = matrix.rho[column * count + row] =
            spearman_where_known(ranked[row], ranked[column]);
    }
  });
  return matrix;
}

RankSummary summary_of(const RankMatrix& matrix) {
  std::vector<double> pairs, control;
  for (std::size_t row = 0; row < matrix.names.size(); ++row) {
    if (!std::isnan(matrix.macs_rho[row])) control.push_back(matrix.macs_rho[row]);
    for (std::size_t column = 0; column < row; ++column)
      if (!std::isnan(matrix.at(row, column))) pairs.push_back(matrix.at(row, column));
  }
  const auto three = [](std::vector<double>& values) -> std::array<double, 3> {
    if (values.empty()) return {kUnknown, kUnknown, kUnknown};
    double sum = 0;
    for (const double value : values) sum += value;
    return {std::ranges::min(values), predictors::quantile(values, 0.5),
            sum / static_cast<double>(values.size())};
  };
  const auto [least, median, mean] = three(pairs);
  const auto [macs_least, macs_median, macs_mean] = three(control);
  return {least, median, mean, macs_least, macs_median, macs_mean};
}

RankStudy rank_study(const Study& study, Workers& workers) {
  if (!study.has_accelerators() && !study.costs)
    throw UserError({study.file},
                    "nothing to rank: give 'accelerators', a table of 'costs', or both");
  NetworkSet networks = load_networks(study, workers);
  std::vector<double> macs;
  for (const Candidate& candidate : networks.candidates)
    macs.push_back(static_cast<double>(candidate.macs));

  AcceleratorSet accelerators;
  if (study.has_accelerators()) accelerators = load_accelerators(study);
  const JointSpace space(std::move(networks), std::move(accelerators), study.mapping);
  CostColumns columns;
  add_model_costs(columns, space, workers);
  if (study.costs) add_table_costs(columns, *study.costs, space.networks());
  return study_of(std::move(columns), macs, workers);
}

RankStudy rank_stored(const std::filesystem::path& path, Workers& workers) {
  constexpr std::uint64_t kBatch = 1 << 18;
  const datasets::StudyStore store = open_study(path);
  const auto metric = [&](std::string_view name) {
    const auto found = std::ranges::find(store.metrics(), name, &datasets::MetricColumn::name);
    if (found == store.metrics().end())
      throw UserError({path.string()}, fmt::format("the study stores no '{}'", name));
    return static_cast<std::size_t>(found - store.metrics().begin());
  };
  const std::size_t latency = metric("latency"), energy = metric("energy");

  std::vector<double> macs;
  for (const datasets::NetworkRow& network : store.networks())
    macs.push_back(static_cast<double>(network.macs));
  CostColumns columns;
  for (const datasets::AcceleratorRow& accelerator : store.accelerators().rows)
    columns.add_chip(accelerator.name, macs.size());
  for (std::uint64_t first = 0; first < store.point_count(); first += kBatch) {
    const datasets::PointBatch points = store.points(first, kBatch);
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points.accelerator[i] == datasets::kNoStoredAccelerator) continue;
      columns.latency[points.accelerator[i]].values[points.network[i]] = points.metrics[latency][i];
      columns.energy[points.accelerator[i]].values[points.network[i]] = points.metrics[energy][i];
    }
  }
  return study_of(std::move(columns), macs, workers);
}

}  // namespace cosearch::codesign
