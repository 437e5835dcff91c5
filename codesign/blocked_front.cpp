#include "codesign/blocked_front.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cosearch::codesign {
namespace {

// Members of a block at most: about as many as there are blocks in a front of a few thousand.
constexpr std::size_t kMostMembers = 64;

}  // namespace

bool BlockedFront::insert(const Costs& costs, const Trial& trial) {
  if (const Trial* const winner = settle_with_rival(costs, trial))
    return winner->design == trial.design;
  erase_beaten_by(costs);
  add(costs, trial);
  return true;
}

std::size_t BlockedFront::size() const {
  return std::accumulate(
      blocks_.begin(), blocks_.end(), std::size_t{0},
      [](std::size_t sum, const Block& block) { return sum + block.costs.size(); });
}

std::vector<Trial> BlockedFront::members() const {
  std::vector<std::pair<Costs, Trial>> sorted;
  for (const Block& block : blocks_) {
    for (std::size_t i = 0; i < block.costs.size(); ++i)
      sorted.emplace_back(block.costs[i], block.trials[i]);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Trial> trials;
  trials.reserve(sorted.size());
  for (const auto& [costs, trial] : sorted) trials.push_back(trial);
  return trials;
}

bool BlockedFront::not_worse(const Costs& a, const Costs& b) const {
  for (std::size_t k = 0; k < objectives_; ++k) {
    if (a[k] > b[k]) return false;
  }
  return true;
}

// The member that keeps `trial` out or, being equal, gives way to it; null when there is neither.
// What rejects much drifts to the head of the lists, where the next newcomer meets it first.
const Trial* BlockedFront::settle_with_rival(const Costs& costs, const Trial& trial) {
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    if (!not_worse(blocks_[b].low, costs)) continue;
    std::vector<Costs>& members = blocks_[b].costs;
    const auto rival = std::find_if(members.begin(), members.end(),
                                    [&](const Costs& member) { return not_worse(member, costs); });
    if (rival == members.end()) continue;
    const auto place = static_cast<std::size_t>(rival - members.begin());
    std::vector<Trial>& trials = blocks_[b].trials;
    // A rival that is not equal dominates; were another member equal, it would be dominated too.
    if (*rival == costs && trial.design < trials[place].design) trials[place] = trial;
    std::swap(members[place], members[place / 2]);
    std::swap(trials[place], trials[place / 2]);
    std::swap(blocks_[b], blocks_[b / 2]);
    return &blocks_[b / 2].trials[place / 2];
  }
  return nullptr;
}

void BlockedFront::erase_beaten_by(const Costs& costs) {
  bool is_any_empty = false;
  for (Block& block : blocks_) {
    if (!not_worse(costs, block.high)) continue;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < block.costs.size(); ++i) {
      if (not_worse(costs, block.costs[i])) continue;
      block.costs[kept] = block.costs[i];
      block.trials[kept] = block.trials[i];
      ++kept;
    }
    if (kept == block.costs.size()) continue;
    block.costs.resize(kept);
    block.trials.resize(kept);
    is_any_empty |= kept == 0;
    if (kept > 0) bound(block);
  }
  if (is_any_empty) std::erase_if(blocks_, [](const Block& block) { return block.costs.empty(); });
}

void BlockedFront::add(const Costs& costs, const Trial& trial) {
  if (blocks_.empty()) {
    blocks_.emplace_back();
    blocks_[0].low.fill(std::numeric_limits<double>::infinity());
    blocks_[0].high.fill(-std::numeric_limits<double>::infinity());
    low_ = high_ = costs;
  }
  const std::size_t home = nearest_block(costs);
  Block& block = blocks_[home];
  block.costs.push_back(costs);
  block.trials.push_back(trial);
  for (std::size_t k = 0; k < objectives_; ++k) {
    block.low[k] = std::min(block.low[k], costs[k]);
    block.high[k] = std::max(block.high[k], costs[k]);
    low_[k] = std::min(low_[k], costs[k]);
    high_[k] = std::max(high_[k], costs[k]);
  }
  if (block.costs.size() > kMostMembers) split(home);
}

std::size_t BlockedFront::nearest_block(const Costs& costs) const {
  Costs scale{};
  for (std::size_t k = 0; k < objectives_; ++k)
    scale[k] = high_[k] > low_[k] ? 1 / (high_[k] - low_[k]) : 0;
  std::size_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    double distance = 0;
    for (std::size_t k = 0; k < objectives_; ++k)
      distance += std::abs(costs[k] - (blocks_[b].low[k] + blocks_[b].high[k]) / 2) * scale[k];
    if (distance >= least) continue;
    least = distance;
    nearest = b;
  }
  return nearest;
}

// In two halves along the longest side of its box, as measured on the scale of the whole front.
void BlockedFront::split(std::size_t whole) {
  Block& block = blocks_[whole];
  std::size_t longest = 0;
  double length = -1;
  for (std::size_t k = 0; k < objectives_; ++k) {
    if (high_[k] == low_[k]) continue;
    const double here = (block.high[k] - block.low[k]) / (high_[k] - low_[k]);
    if (here > length) {
      length = here;
      longest = k;
    }
  }
  std::vector<std::size_t> order(block.costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t half = order.size() / 2;
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(half), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return block.costs[a][longest] < block.costs[b][longest];
                   });
  std::array<Block, 2> halves;
  for (std::size_t i = 0; i < order.size(); ++i) {
    Block& side = halves[i < half ? 0 : 1];
    side.costs.push_back(block.costs[order[i]]);
    side.trials.push_back(block.trials[order[i]]);
  }
  for (Block& side : halves) bound(side);
  blocks_[whole] = std::move(halves[0]);
  blocks_.push_back(std::move(halves[1]));
}

void BlockedFront::bound(Block& block) const {
  block.low = block.high = block.costs.front();
  for (const Costs& costs : block.costs) {
    for (std::size_t k = 0; k < objectives_; ++k) {
      block.low[k] = std::min(block.low[k], costs[k]);
      block.high[k] = std::max(block.high[k], costs[k]);
    }
  }
}

}  // namespace cosearch::codesign
