#include "codesign/model_evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "accel/machine_costs.h"

namespace cosearch::codesign {

ModelEvaluator::ModelEvaluator(const JointSpace& space, Workers& workers)
    : space_(space),
      local_(space, workers),
      costs_(space.accelerator_count()),
      accuracy_reasons_(space.network_count()) {
  for (const Accelerator& accelerator : space.accelerators())
    area_mm2_.push_back(accel::area_of(accelerator.machine).value);
}

std::vector<ModelEvaluator::LayerEntry>& ModelEvaluator::row_of(std::uint32_t accelerator) {
  std::vector<LayerEntry>& row = costs_[accelerator];
  if (row.empty()) row.resize(space_.networks().layers.size());
  return row;
}

std::vector<LayerTask> ModelEvaluator::take_missing(std::span<const Design>& designs,
                                                    std::size_t most) {
  std::vector<LayerTask> missing;
  for (; !designs.empty() && missing.size() < most; designs = designs.subspan(1)) {
    const Design& design = designs.front();
    if (accuracies_ != nullptr && accuracy_reasons_[design.network] == 0) {
      const std::string& failure = accuracies_->of(design.network).failure;
      // Reasons are numbered design by design: first come those of the layers taken so far.
      if (!failure.empty() && !missing.empty()) break;
      if (!failure.empty())
        accuracy_reasons_[design.network] = reason_number(
            fmt::format("{}: {}", space_.networks().candidates[design.network].genotype, failure));
    }
    if (!design.has_accelerator()) continue;
    std::vector<LayerEntry>& row = row_of(design.accelerator);
    for (const LayerCount& use : space_.networks().candidates[design.network].layers) {
      LayerEntry& entry = row[use.layer];
      if (entry.known) continue;
      entry.known = true;  // claimed: filled by `cost`
      if (!std::exchange(entry.counted, true)) ++layer_evaluations_;
      missing.push_back({design.accelerator, use.layer});
    }
  }
  return missing;
}

std::uint16_t ModelEvaluator::reason_number(const std::string& reason) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
  if (const auto found = reason_numbers_.find(reason); found != reason_numbers_.end())
    return found->second;
  if (reasons_.size() == kMost)
    return reason_number("another reason (the list of reasons is full)");
  const auto number = static_cast<std::uint16_t>(reasons_.size());
  reasons_.push_back(reason);
  reason_numbers_.emplace(reason, number);
  return number;
}

bool ModelEvaluator::find_accuracies(std::span<const Design> designs) {
  if (accuracies_ == nullptr) return true;
  std::vector<std::uint32_t> networks;
  for (const Design& design : designs) networks.push_back(design.network);
  return accuracies_->find(networks);
}

std::size_t ModelEvaluator::prepare_some(std::span<const Design> designs) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::duration<double> kEnough(0.1), kAim(0.03);
  constexpr std::size_t kMostTasks = 1 << 20;
  const auto start = Clock::now();
  std::span<const Design> left = designs;
  while (!left.empty()) {
    const auto begin = Clock::now();
    const std::vector<LayerTask> missing = take_missing(left, tasks_at_once_);
    if (missing.empty()) break;
    cost(missing);
    const auto end = Clock::now();
    if (end - begin < kAim) tasks_at_once_ = std::min(kMostTasks, 2 * tasks_at_once_);
    if (end - begin > 2 * kAim) tasks_at_once_ = std::max<std::size_t>(1, tasks_at_once_ / 2);
    if (end - start > kEnough) break;
  }
  return designs.size() - left.size();
}

void ModelEvaluator::cost(std::span<const LayerTask> missing) {
  std::vector<LayerOutcome> outcomes(missing.size());
  coster_->cost(missing, outcomes);
  // Numbered serially, in the order of the designs, so that no thread can change a number.
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const auto [accelerator, layer] = missing[i];
    LayerEntry& entry = costs_[accelerator][layer];
    entry.cycles = outcomes[i].cycles;
    entry.energy_pj = outcomes[i].energy_pj;
    if (outcomes[i].failure.empty()) continue;
    entry.reason = reason_number(
        fmt::format("{} on {}: {}", describe(space_.networks().layers[layer]),
                    space_.accelerators()[accelerator].machine.name, outcomes[i].failure));
  }
}

void ModelEvaluator::recall(std::span<const Design> designs) {
  for (const Design& design : designs) {
    if (!design.has_accelerator()) continue;
    std::vector<LayerEntry>& row = row_of(design.accelerator);
    for (const LayerCount& use : space_.networks().candidates[design.network].layers)
      if (!std::exchange(row[use.layer].counted, true)) ++layer_evaluations_;
  }
}

void ModelEvaluator::recall_reasons(const std::vector<std::string>& reasons) {
  for (std::size_t i = reasons_.size(); i < reasons.size(); ++i) {
    reasons_.push_back(reasons[i]);
    if (!reasons[i].empty()) reason_numbers_.emplace(reasons[i], static_cast<std::uint16_t>(i));
  }
}

Trial ModelEvaluator::evaluate(Design design) const {
  const Candidate& candidate = space_.networks().candidates[design.network];
  Trial trial;
  trial.design = design;
  if (accuracies_ == nullptr)
    trial.metrics[Metric::accuracy] = candidate.accuracy_percent;
  else
    trial.metrics[accuracies_->metric()] = accuracies_->of(design.network).value;
  trial.metrics[Metric::macs] = static_cast<double>(candidate.macs);
  trial.metrics[Metric::parameters] = static_cast<double>(candidate.parameters);
  trial.reason = accuracy_reasons_[design.network];
  if (!design.has_accelerator() || !trial.runs()) return trial;

  trial.metrics[Metric::area] = area_mm2_[design.accelerator];
  std::int64_t cycles = 0;
  double energy_pj = 0;
  for (const auto& [layer, count] : candidate.layers) {
    const LayerEntry& entry = costs_[design.accelerator][layer];
    if (entry.reason != 0) {
      trial.reason = entry.reason;
      return trial;
    }
    cycles += count * entry.cycles;
    energy_pj += static_cast<double>(count) * entry.energy_pj;
  }
  trial.metrics[Metric::latency] = static_cast<double>(cycles);
  trial.metrics[Metric::time] =
      static_cast<double>(cycles) / space_.accelerators()[design.accelerator].machine.clock.value;
  trial.metrics[Metric::energy] = energy_pj;
  trial.metrics = with_edp(trial.metrics);
  return trial;
}

}  // namespace cosearch::codesign
