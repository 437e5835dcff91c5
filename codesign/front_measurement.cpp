#include "codesign/front_measurement.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace cosearch::codesign {

FrontMeasurement::FrontMeasurement(SearchQuestion question, const NetworkSet& networks,
                                   Accuracies& accuracies, std::optional<std::uint64_t> at_most)
    : question_(std::move(question)),
      networks_(networks),
      accuracies_(accuracies),
      at_most_(at_most),
      measured_(networks.candidates.size()) {}

void FrontMeasurement::add(std::span<const Trial> trials) {
  trials_.insert(trials_.end(), trials.begin(), trials.end());
  archive_.reset();
}

// It was chosen and is not evaluated again yet, though others of its network may be.
bool FrontMeasurement::is_awaited(const Design& design) const {
  return std::binary_search(queue_.begin() + static_cast<std::ptrdiff_t>(told_), queue_.end(),
                            design);
}

const ParetoArchive& FrontMeasurement::archive() const {
  if (archive_) return *archive_;
  archive_.emplace(question_);
  for (Trial trial : trials_) {
    const std::optional<double>& accuracy = measured_[trial.design.network];
    if (accuracy && !is_awaited(trial.design)) {
      trial.metrics[Metric::accuracy] = *accuracy;
      trial.violation = violation(question_.constraints, trial.metrics);
    }
    archive_->insert(trial);
  }
  return *archive_;
}

// In the order of the front, each once.
std::vector<std::uint32_t> FrontMeasurement::unmeasured_on_front() const {
  std::vector<std::uint32_t> networks;
  for (const Trial& trial : archive().front()) {
    const std::uint32_t network = trial.design.network;
    if (!measured_[network] && std::ranges::find(networks, network) == networks.end())
      networks.push_back(network);
  }
  return networks;
}

// Those that are most likely to be something else than they look; the order of the front where
// nothing says how far off an accuracy may be.
void FrontMeasurement::put_least_certain_first(std::vector<std::uint32_t>& networks) {
  // Where an earlier run had asked about them, nobody did in this one.
  static_cast<void>(accuracies_.find(networks));
  std::ranges::stable_sort(networks, std::ranges::greater(), [&](std::uint32_t network) {
    const double spread = accuracies_.of(network).spread;
    return std::isnan(spread) ? -1 : spread;
  });
}

// Two spellings of one network are measured as one.
void FrontMeasurement::choose_networks() {
  std::vector<std::uint32_t> chosen, candidates = unmeasured_on_front();
  if (at_most_) put_least_certain_first(candidates);
  for (const std::uint32_t network : candidates) {
    const std::string& canonical = networks_.candidates[network].canonical;
    if (at_most_ && distinct_.size() >= *at_most_ && !distinct_.contains(canonical)) continue;
    distinct_.insert(canonical);
    chosen.push_back(network);
  }
  std::ranges::sort(chosen);
  queue_.clear();
  next_ = told_ = 0;
  for (const Trial& trial : trials_)
    if (std::ranges::binary_search(chosen, trial.design.network)) queue_.push_back(trial.design);
  std::ranges::sort(queue_);
  queue_.erase(std::unique(queue_.begin(), queue_.end()), queue_.end());
  accuracies_.measure(chosen);
  if (!chosen.empty()) ++rounds_;
}

std::vector<Design> FrontMeasurement::ask(std::size_t count) {
  if (next_ == queue_.size()) choose_networks();
  const auto first = queue_.begin() + static_cast<std::ptrdiff_t>(next_);
  next_ = std::min(next_ + count, queue_.size());
  return {first, queue_.begin() + static_cast<std::ptrdiff_t>(next_)};
}

void FrontMeasurement::tell(std::span<const Trial> trials) {
  for (const Trial& trial : trials)
    measured_[trial.design.network] = trial.metrics[Metric::accuracy];
  told_ = static_cast<std::size_t>(std::ranges::upper_bound(queue_, trials.back().design) -
                                   queue_.begin());
  archive_.reset();
}

std::vector<std::pair<std::string, double>> FrontMeasurement::findings() const {
  std::vector<std::pair<std::string, double>> findings{
      {"measured_networks", static_cast<double>(distinct_.size())},
      {"measuring_rounds", static_cast<double>(rounds_)}};
  if (const std::size_t left = unmeasured_on_front().size(); left > 0)
    findings.emplace_back("unmeasured_on_front", static_cast<double>(left));
  return findings;
}

}  // namespace cosearch::codesign
