#include "codesign/search/semi_decoupled.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "codesign/archive.h"
#include "codesign/search/option_problems.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

constexpr double kDoesNotRun = std::numeric_limits<double>::infinity();

bool asks_for_accuracy(const SearchQuestion& question) {
  const auto is_accuracy = [](const auto& asked) { return asked.metric == Metric::accuracy; };
  return std::ranges::any_of(question.objectives, is_accuracy) ||
         std::ranges::any_of(question.constraints, is_accuracy);
}

ProxyCost cost_from(const Trial& trial, bool needs_accuracy) {
  const Metrics& metrics = trial.metrics;
  ProxyCost cost{trial.design.network, metrics[Metric::accuracy], metrics[Metric::latency],
                 metrics[Metric::energy]};
  if (!needs_accuracy && std::isnan(cost.accuracy)) cost.accuracy = 0;
  const bool is_known =
      !std::isnan(cost.accuracy) && !std::isnan(cost.latency) && !std::isnan(cost.energy);
  if (trial.runs() && is_known) return cost;
  return {trial.design.network, -kDoesNotRun, kDoesNotRun, kDoesNotRun};
}

// Ranks of each accelerator's row of `values`.
std::vector<std::vector<double>> ranks_by_row(std::span<const double> values, std::size_t rows) {
  const std::size_t columns = values.size() / rows;
  std::vector<std::vector<double>> ranks;
  for (std::size_t row = 0; row < rows; ++row)
    ranks.push_back(predictors::average_ranks(values.subspan(row * columns, columns)));
  return ranks;
}

// Mean zero and length one, so that the product of two rows is their Pearson coefficient; all zero
// where the row is constant.
void normalise(std::vector<double>& row) {
  double mean = 0;
  for (const double value : row) mean += value;
  mean /= static_cast<double>(row.size());
  double squares = 0;
  for (double& value : row) {
    value -= mean;
    squares += value * value;
  }
  for (double& value : row) value = squares > 0 ? value / std::sqrt(squares) : 0;
}

// Adds to each row's entry the sum of its coefficients with all rows: its product with their sum,
// so the time is linear in the rows. Its own coefficient, 1 for every row that is not constant, is
// among them.
void add_agreement(std::vector<std::vector<double>> ranks, std::vector<double>& agreement) {
  std::vector<double> sum(ranks.front().size(), 0.0);
  for (std::vector<double>& row : ranks) {
    normalise(row);
    for (std::size_t i = 0; i < row.size(); ++i) sum[i] += row[i];
  }
  for (std::size_t a = 0; a < ranks.size(); ++a)
    for (std::size_t i = 0; i < sum.size(); ++i) agreement[a] += ranks[a][i] * sum[i];
}

}  // namespace

std::vector<OptionProblem> problems_in(const SemiDecoupledOptions& options,
                                       const DesignSpace& space) {
  std::vector<OptionProblem> problems;
  require_networks(space, "semi-decoupled", problems);
  require_accelerators(space, "semi-decoupled", problems);
  if (options.proxy)
    require(*options.proxy < space.accelerator_count(), "proxy", *options.proxy,
            fmt::format("the space has {} accelerators, counted from 0", space.accelerator_count()),
            problems);
  require(options.proxy_sample >= 2, "proxy_sample", options.proxy_sample,
          "must be at least 2 to rank anything", problems);
  require(options.layers >= 1, "layers", options.layers, "must be at least 1", problems);
  require(options.networks <= space.network_count(), "networks", options.networks,
          fmt::format("the space has only {}", space.network_count()), problems);
  return problems;
}

std::uint32_t most_agreeing_accelerator(std::span<const double> latencies,
                                        std::span<const double> energies,
                                        std::uint32_t accelerators) {
  std::vector<double> agreement(accelerators, 0.0);
  add_agreement(ranks_by_row(latencies, accelerators), agreement);
  add_agreement(ranks_by_row(energies, accelerators), agreement);

  const std::size_t sample = latencies.size() / accelerators;
  const auto failures = [&](std::uint32_t accelerator) {
    const auto row = latencies.subspan(accelerator * sample, sample);
    return std::count(row.begin(), row.end(), kDoesNotRun);
  };
  std::uint32_t best = 0;
  for (std::uint32_t i = 1; i < accelerators; ++i) {
    if (std::tuple(failures(i), -agreement[i]) < std::tuple(failures(best), -agreement[best]))
      best = i;
  }
  return best;
}

std::vector<std::uint32_t> retained_networks(std::span<const ProxyCost> candidates,
                                             std::uint64_t layers) {
  if (candidates.empty()) return {};
  std::vector<double> costs;
  for (const ProxyCost& candidate : candidates)
    costs.insert(costs.end(), {-candidate.accuracy, candidate.latency, candidate.energy});
  const std::vector<std::uint32_t> layer_of = nondominated_layers(costs, 3);

  std::vector<std::uint32_t> networks;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (layer_of[i] < layers) networks.push_back(candidates[i].network);
  }
  const auto least = [&](double ProxyCost::*cost) {
    return std::min_element(candidates.begin(), candidates.end(),
                            [&](const ProxyCost& a, const ProxyCost& b) {
                              return std::tuple(a.*cost, a.network) <
                                     std::tuple(b.*cost, b.network);
                            })
        ->network;
  };
  networks.push_back(least(&ProxyCost::latency));
  networks.push_back(least(&ProxyCost::energy));
  std::sort(networks.begin(), networks.end());
  networks.erase(std::unique(networks.begin(), networks.end()), networks.end());
  return networks;
}

SemiDecoupled::SemiDecoupled(const SearchContext& context, const SemiDecoupledOptions& options)
    : space_(context.space),
      seed_(context.seed),
      options_(options),
      needs_accuracy_(asks_for_accuracy(context.question)),
      proxy_(options.proxy) {}

std::optional<std::vector<Design>> SemiDecoupled::next_stage() {
  switch (stage_) {
    case Stage::begin:
      stage_ = Stage::sampling;
      return sample_stage();
    case Stage::sampling:
      stage_ = Stage::on_proxy;
      return proxy_stage();
    case Stage::on_proxy:
      stage_ = Stage::sweeping;
      return sweep_stage();
    case Stage::sweeping:
      break;
  }
  return std::nullopt;
}

std::vector<Design> SemiDecoupled::sample_stage() {
  if (proxy_) return {};
  const std::uint64_t count =
      std::min<std::uint64_t>(options_.proxy_sample, space_.network_count());
  sample_ = sampled_networks(space_, count, seed_, "proxy sample");
  return on_every_accelerator(sample_, space_);
}

std::vector<Design> SemiDecoupled::proxy_stage() {
  if (!proxy_) choose_proxy();
  std::vector<Design> designs;
  const std::vector<std::uint32_t> networks =
      options_.networks == 0
          ? all_networks(space_)
          : sampled_networks(space_, options_.networks, seed_, "networks on proxy");
  for (const std::uint32_t network : networks) {
    if (!is_sampled(network)) designs.push_back({network, *proxy_});
  }
  return designs;
}

void SemiDecoupled::choose_proxy() {
  std::vector<double> latencies, energies;
  for (const ProxyCost& cost : sample_costs_) {
    latencies.push_back(cost.latency);
    energies.push_back(cost.energy);
  }
  proxy_ = most_agreeing_accelerator(latencies, energies, space_.accelerator_count());
  // What the sample already told about the proxy is not asked again.
  for (std::size_t i = 0; i < sample_.size(); ++i) {
    const ProxyCost& cost = sample_costs_[*proxy_ * sample_.size() + i];
    if (cost.latency != kDoesNotRun) candidates_.push_back(cost);
  }
}

std::vector<Design> SemiDecoupled::sweep_stage() {
  retained_ = retained_networks(candidates_, options_.layers);
  std::vector<Design> designs = on_every_accelerator(retained_, space_);
  std::erase_if(designs, [&](const Design& design) {
    return design.accelerator == *proxy_ || is_sampled(design.network);
  });
  return designs;
}

void SemiDecoupled::learn(const Trial& trial) {
  if (stage_ == Stage::sweeping) return;
  const ProxyCost cost = cost_from(trial, needs_accuracy_);
  if (stage_ == Stage::sampling) {
    sample_costs_.push_back(cost);
  } else if (cost.latency != kDoesNotRun) {
    candidates_.push_back(cost);
  }
}

bool SemiDecoupled::is_sampled(std::uint32_t network) const {
  return std::binary_search(sample_.begin(), sample_.end(), network);
}

std::vector<std::pair<std::string, double>> SemiDecoupled::findings() const {
  std::vector<std::pair<std::string, double>> findings;
  if (proxy_) findings.emplace_back("proxy", *proxy_);
  findings.emplace_back("candidates", static_cast<double>(candidates_.size()));
  findings.emplace_back("retained", static_cast<double>(retained_.size()));
  return findings;
}

}  // namespace cosearch::codesign
