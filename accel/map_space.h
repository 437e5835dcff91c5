// The mappings among which the optimal mapper chooses, for one layer on one machine: every
// factorisation of the layer's loops into the places where loops may be, every order of the loops
// of a level, every choice of what a level keeps that the machine leaves open.
//
// Declared space: no temporal loops at levels that may keep nothing (there they mean the same as
// further out) but those that a constraint fixes; loops over the axes of a fan-out in the order of
// the axes. Dividing factors: their product is the extent, so that all pieces of a loop are alike.
// Imperfect spatial factors: any that leave fewer steps than one piece less would; the temporal
// factors are a product of those steps, and the last piece of the outermost loop is shorter.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "accel/access_counts.h"
#include "accel/dimension.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "accel/map_constraints.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Which factors a map space has.
enum class Factors : std::uint8_t { dividing, imperfect_spatial };

/// Pieces that loops over one dimension may make at one place.
struct FactorRange {
  std::int64_t least = 1, most = std::numeric_limits<std::int64_t>::max();
  [[nodiscard]] bool has(std::int64_t factor) const { return least <= factor && factor <= most; }
  friend bool operator==(const FactorRange&, const FactorRange&) = default;
};
using FactorRanges = std::array<FactorRange, kDimensions>;

/// All lengths that tiles may have along one dimension, in increasing order: the divisors of its
/// padded extents. The last may be longer than the dimension; what tiles of it hold is not.
struct Divisors {
  std::vector<std::int64_t> values;
  std::vector<std::vector<std::int64_t>> factors;  ///< of each value: what divides it
  [[nodiscard]] std::size_t index(std::int64_t divisor) const;
};

/// Axes of one fan-out that are alike: which of them a loop takes makes no difference, so they are
/// one place with a product of children.
struct AxisGroup {
  std::size_t level = 0;
  std::vector<std::int8_t> axes;
  std::vector<std::int64_t> sizes;
  FactorRanges ranges;
  bool multicast = true, reduction = true;

  [[nodiscard]] std::int64_t children() const;
};

/// How the layer is spread over the fan-outs.
struct SpatialChoice {
  static constexpr std::size_t kMostGroups = 16;
  std::vector<Extents> factors;  ///< by group
  Extents product;               ///< over all groups
  Extents steps;                 ///< left to temporal factors
  double all_steps = 1;          ///< of the multipliers

  /// What all factors together make of a dimension: its extent, or a little more.
  [[nodiscard]] Extents padded() const {
    Extents extents = product;
    for (std::size_t d = 0; d < kDimensions; ++d) extents[d] *= steps[d];
    return extents;
  }
};

class MapSpace {
 public:
  /// About half a gigabyte of them.
  static constexpr std::size_t kMostSpatialChoices = 1'000'000;

  /// Requires `constraints` to be without problems for `machine`. Throws UserError when one level
  /// has more groups of axes than SpatialChoice::kMostGroups, and when factors are imperfect but
  /// Timeloop's the accounting, which has no shorter pieces.
  MapSpace(const Layer& layer, const Machine& machine, const MapConstraints& constraints,
           Accounting accounting, Factors factors = Factors::dividing);

  [[nodiscard]] const Layer& layer() const { return layer_; }
  [[nodiscard]] const Machine& machine() const { return machine_; }
  [[nodiscard]] Accounting accounting() const { return accounting_; }
  [[nodiscard]] Factors factors() const { return factors_; }
  [[nodiscard]] const Extents& extents() const { return extents_; }
  /// Dimensions of more than one iteration.
  [[nodiscard]] const std::vector<Dimension>& dimensions() const { return dimensions_; }
  [[nodiscard]] const Divisors& divisors(Dimension d) const { return divisors_[index_of(d)]; }
  /// Iterations of a tile: of a padded dimension no more than it has.
  [[nodiscard]] std::int64_t length(Dimension d, std::size_t index) const {
    return std::min(divisors_[index_of(d)].values[index], extents_[index_of(d)]);
  }
  /// Index of `factor` times the divisor at `index`. Requires the product to divide.
  [[nodiscard]] std::size_t product(Dimension d, std::size_t index, std::int64_t factor) const {
    if (factor == 1) return index;
    const Divisors& divisors = divisors_[index_of(d)];
    return divisors.index(divisors.values[index] * factor);
  }
  [[nodiscard]] const FactorRanges& temporal(std::size_t level) const { return temporal_[level]; }
  [[nodiscard]] const std::vector<AxisGroup>& groups() const { return groups_; }
  /// Dimensions whose loops are inside all others of the level, innermost first.
  [[nodiscard]] const std::vector<Dimension>& innermost(std::size_t level) const {
    return innermost_[level];
  }

  /// Every choice of what the levels keep.
  [[nodiscard]] std::vector<std::vector<TensorSet>> keep_choices() const;

  /// Every way to spread the layer over the fan-outs, fewest steps first. Throws UserError when
  /// there are more than kMostSpatialChoices.
  [[nodiscard]] std::vector<SpatialChoice> spatial_choices() const;

  /// Words of each kept tensor in a tile of `level`, before double buffering; 0 of the others.
  [[nodiscard]] std::array<std::int64_t, 3> words(std::size_t level, TensorSet keep,
                                                  const Extents& padded) const;

  /// Number of mappings before capacities and sizes of fan-outs are looked at (of imperfect factors
  /// each is no more than its axis has): factorisations times orders of the loops that a level may
  /// have, times choices of what is kept.
  [[nodiscard]] double size() const;

 private:
  void resolve(const MapConstraints& constraints);
  void resolve_dimension(Dimension d, const MapConstraints& constraints);
  void group_axes(const std::vector<std::vector<FactorRanges>>& axes);
  /// One dimension's imperfect factors, by group, and the steps that they leave.
  struct Spread {
    std::array<std::int64_t, SpatialChoice::kMostGroups> factors{};
    std::int64_t product = 1, steps = 1;
  };
  /// Whether one piece less in some group, where constraints allow it, leaves as few steps.
  [[nodiscard]] bool is_wasteful(std::size_t d, const Spread& spread, std::size_t groups) const;
  void add_spreads(std::size_t d, std::size_t group, Spread& spread);
  void list_imperfect();
  void list_lengths(std::size_t d, const std::vector<std::int64_t>& padded);
  void combine_spreads(std::size_t position, SpatialChoice& choice,
                       std::array<std::int64_t, SpatialChoice::kMostGroups>& room,
                       std::vector<SpatialChoice>& choices) const;
  void spread(std::size_t group, std::size_t dimension, SpatialChoice& choice, std::int64_t room,
              std::vector<SpatialChoice>& choices) const;

  Layer layer_;
  Machine machine_;
  Accounting accounting_;
  Factors factors_;
  Extents extents_;
  std::vector<Dimension> dimensions_;
  std::array<Divisors, kDimensions> divisors_;
  std::vector<FactorRanges> temporal_;
  std::vector<std::vector<Dimension>> innermost_;
  std::vector<std::vector<FactorRanges>> axis_ranges_;  ///< [level][axis]
  std::vector<AxisGroup> groups_;
  std::array<std::vector<Spread>, kDimensions> spreads_;  ///< where factors are imperfect
};

/// Whether the factors can be shared out among bins of these sizes, each factor cut into one piece
/// per bin. Gives the pieces: [bin][dimension].
[[nodiscard]] bool pack(const Extents& factors, const std::vector<std::int64_t>& sizes,
                        std::vector<Extents>& pieces);

}  // namespace cosearch::accel
