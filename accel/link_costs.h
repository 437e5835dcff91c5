// What a mapping must at least cost, from the little that is known of it: the bounds of the optimal
// mapper. Energies are those of accel/nest_energy.h but for the rounding to whole blocks, as sums
// over links; each link's cost grows with how often its tiles come back.
#pragma once

#include <array>
#include <vector>

#include "accel/map_space.h"
#include "accel/window_axes.h"

namespace cosearch::accel {

/// Words that pieces of one window axis take, for every pair of piece lengths that divide.
class AxisTable {
 public:
  AxisTable(const MapSpace& space, const Axis& axis);

  /// Each piece by itself.
  [[nodiscard]] double whole(std::size_t positions, std::size_t taps) const {
    return whole_[positions * taps_ + taps];
  }
  /// At least: pieces that slide over positions or over taps.
  [[nodiscard]] double sliding(std::size_t positions, std::size_t taps) const {
    return sliding_[positions * taps_ + taps];
  }
  /// The least that any pieces take.
  [[nodiscard]] double least() const { return least_; }

 private:
  std::size_t taps_ = 1;
  std::vector<double> whole_, sliding_;
  double least_ = 0;
};

/// How the loops of one level are ordered, as far as a cost can tell.
struct OrderClass {
  static constexpr std::uint8_t kNoTensor = 3;
  /// The tensor that the innermost loops do not move.
  std::uint8_t stationary = kNoTensor;
  /// Product of its other loops that do not move it, outside one that does.
  double outside_run = 1;
  /// The innermost loop that moves the windowed tensor.
  Dimension slide = Dimension::N;
};

class LinkCosts {
 public:
  LinkCosts(const MapSpace& space, const std::vector<AxisTable>& axes,
            const std::vector<TensorSet>& keep, const SpatialChoice& spatial);

  /// Does not depend on tiles or orders: multiplications and what feeds them.
  [[nodiscard]] double fixed_pj() const { return fixed_pj_; }
  [[nodiscard]] double compute_cycles() const { return compute_cycles_; }

  /// At least pJ of the links that end at `level`, whose instances hold `tile`; `above` are the
  /// temporal loops further out.
  [[nodiscard]] double at_least(std::size_t level, const Extents& tile, const Extents& above) const;
  /// The same before the tile is known, with loops of at least `above`.
  [[nodiscard]] double at_least(std::size_t level, const Extents& above) const;

  struct Bound {
    double energy_pj = 0, cycles = 0;
  };
  /// At least, for a whole mapping: temporal factors of each level and how its loops are ordered.
  [[nodiscard]] Bound of_mapping(const std::vector<Extents>& temporal,
                                 const std::vector<Extents>& tile,
                                 const std::vector<OrderClass>& orders) const;

 private:
  struct Link {
    Tensor tensor = Tensor::input;
    std::size_t upper = 0, lower = 0;
    double elements = 1;                             ///< of dimensions that are no window's
    double copies_above = 1, shared = 1, alone = 1;  ///< irrelevant spatial factors
    std::array<bool, 3> may_slide{true, true, true};
    std::array<bool, 3> joint{true, true, true};  ///< spatial pieces are neighbours
    Extents joined{};                             ///< spatial factors that share
    // Operands: pJ per value at the upper end and per value at the lower.
    double per_content_pj = 0, per_entry_pj = 0;
    // Outputs, [finished, partial].
    std::array<double, 2> per_update_pj{};
    std::array<double, 2> per_return_pj{};
    double finished_pj = 0;      ///< at level 0, per output
    double first_visits_pj = 0;  ///< of reads that are not made
    double per_return_below_pj = 0;
    double per_addition_pj = 0;
  };
  struct Amounts {
    double content = 0, entries = 0, returns = 0;
  };

  void add_links(Tensor tensor);
  void price_operand(Link& link) const;
  void price_output(Link& link) const;
  void add_multipliers(const Link& link);
  [[nodiscard]] Amounts amounts(const Link& link, double visits, const Extents* tile,
                                bool any_slide, Dimension slide) const;
  [[nodiscard]] double energy(const Link& link, const Amounts& amounts) const;
  [[nodiscard]] double window(const Link& link, const Extents& tile, bool joined, bool any_slide,
                              Dimension slide) const;
  [[nodiscard]] double cheapest(const std::array<double, 3>& visits, std::size_t level,
                                const Extents* tile) const;
  [[nodiscard]] double powered(std::size_t level) const;

  const MapSpace& space_;
  const std::vector<AxisTable>& axes_;
  const std::vector<TensorSet>& keep_;
  SpatialChoice spatial_;
  std::array<double, kMostLevels + 1> instances_{};
  std::vector<Link> links_;
  std::array<std::uint8_t, kDimensions> unmoved_{};  ///< tensor that each loop does not move, or 3
  double fixed_pj_ = 0, compute_cycles_ = 0, outputs_ = 0;
  std::size_t innermost_output_ = 0;
};

}  // namespace cosearch::accel
