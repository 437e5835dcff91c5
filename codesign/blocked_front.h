// Mutually non-dominated trials, kept so that a newcomer is compared with few of them.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "codesign/metrics.h"

namespace cosearch::codesign {

/// Minimised objectives; entries past the number of objectives are 0.
using Costs = std::array<double, kMetricCount>;

/// Members live in blocks of near neighbours, each with its bounding box: a block whose best corner
/// is not below a newcomer holds nothing that beats it, and one whose worst corner is not above
/// holds nothing that it beats. Source of the idea: A. Jaszkiewicz, T. Lust, "ND-Tree-based update:
/// a fast algorithm for the dynamic nondominance problem", IEEE Trans. Evol. Comput. 22(5), 2018;
/// here with a single level.
class BlockedFront {
 public:
  explicit BlockedFront(std::size_t objectives) : objectives_(objectives) {}

  /// Adds `trial` unless a member dominates it, and drops the members it dominates. Of trials with
  /// equal costs the first by design stays. True when `trial` is now a member.
  bool insert(const Costs& costs, const Trial& trial);

  [[nodiscard]] std::size_t size() const;

  /// In ascending order of costs.
  [[nodiscard]] std::vector<Trial> members() const;

 private:
  struct Block {
    Costs low{}, high{};  // corners of the box around `costs`
    // Two parallel lists: the costs are walked for every newcomer, the trials only at the end.
    std::vector<Costs> costs;
    std::vector<Trial> trials;
  };

  [[nodiscard]] bool not_worse(const Costs& a, const Costs& b) const;
  [[nodiscard]] const Trial* settle_with_rival(const Costs& costs, const Trial& trial);
  void erase_beaten_by(const Costs& costs);
  void add(const Costs& costs, const Trial& trial);
  [[nodiscard]] std::size_t nearest_block(const Costs& costs) const;
  void split(std::size_t block);
  void bound(Block& block) const;

  std::size_t objectives_;
  std::vector<Block> blocks_;
  Costs low_{}, high_{};  // of all members ever: the scale on which nearness is judged
};

}  // namespace cosearch::codesign
