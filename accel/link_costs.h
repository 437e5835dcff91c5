// What a mapping must at least cost, from the little that is known of it: the bounds of the optimal
// mapper. Energies are those of accel/nest_energy.h but for the rounding to whole blocks, as sums
// over links; each link's cost grows with how often its tiles come back.
#pragma once

#include <array>
#include <vector>

#include "accel/map_space.h"
#include "accel/window_axes.h"

namespace cosearch::accel {

/// Words that pieces of one window axis take, for every pair of piece lengths that divide. Lengths
/// are given by their indices among the divisors.
class AxisTable {
 public:
  AxisTable(const MapSpace& space, const Axis& axis);

  struct Entry {
    double whole = 1;    ///< all pieces, each by itself
    double sliding = 1;  ///< at least: pieces that slide over positions or over taps
    double first = 1;    ///< the first piece
    std::int64_t held = 1;  ///< the largest piece, as a buffer holds it
  };
  [[nodiscard]] const Entry& at(std::size_t positions, std::size_t taps) const {
    return entries_[positions * taps_ + taps];
  }
  /// The least that all pieces of any length take.
  [[nodiscard]] double least() const { return least_; }

 private:
  std::size_t taps_ = 1;
  std::vector<Entry> entries_;
  double least_ = 1;
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

/// Extents as indices among their divisors.
using DivisorIndices = std::array<std::uint16_t, kDimensions>;

class LinkCosts {
 public:
  LinkCosts(const MapSpace& space, const std::vector<AxisTable>& axes,
            const std::vector<TensorSet>& keep, const SpatialChoice& spatial);

  /// Does not depend on tiles or orders: multiplications and what feeds them.
  [[nodiscard]] double fixed_pj() const { return fixed_pj_; }
  [[nodiscard]] double compute_cycles() const { return compute_cycles_; }

  /// How often the loops outside a tile that do not move a tensor bring it back, per tensor; loops
  /// that move all tensors count in the last entry.
  using Visits = std::array<double, 4>;
  /// The tensor that loops over `d` do not move; 3 when they move all.
  [[nodiscard]] std::uint8_t unmoved_by(Dimension d) const { return unmoved_[index_of(d)]; }

  /// At least pJ of the links that end at `level`, whatever its tile.
  [[nodiscard]] double at_least(std::size_t level, const Visits& visits) const;
  /// The same with its tile.
  [[nodiscard]] double at_least(std::size_t level, const DivisorIndices& tile,
                                const Visits& visits) const;
  /// At least cycles in which the first tiles of `level` come and the last ones go while nothing
  /// else can happen. 0 in Timeloop's accounting.
  [[nodiscard]] double edge_cycles(std::size_t level, const DivisorIndices& tile) const;

  struct Bound {
    double energy_pj = 0, cycles = 0;
  };
  /// Temporal factors and tiles of a whole mapping, and what all its orders share.
  struct Tiling {
    std::array<Extents, kMostLevels> temporal;
    std::array<DivisorIndices, kMostLevels + 1> tile;
    std::array<Visits, kMostLevels> unmoved, further_out;  ///< by the loops of each level
    std::array<double, kMostLevels> loops{};               ///< product of each level's
    double edge_cycles = 0;
  };
  /// Fills in what follows from `temporal` and `tile`.
  void complete(Tiling& tiling) const;
  /// At least, for a whole mapping.
  [[nodiscard]] Bound of_mapping(const Tiling& tiling,
                                 const std::array<OrderClass, kMostLevels>& orders) const;

 private:
  /// Cost of an output's link as a function of its visits: `once` for one, else
  /// `constant + per_visit * visits`.
  struct Visited {
    double once = 0, constant = 0, per_visit = 0;
    [[nodiscard]] double at(double visits) const {
      return visits > 1 ? constant + per_visit * visits : once;
    }
  };
  struct Link {
    Tensor tensor = Tensor::input;
    std::size_t upper = 0, lower = 0;
    bool windowed = false;
    double elements = 1;  ///< of dimensions that are no window's
    double copies_above = 1, shared = 1, alone = 1;  ///< irrelevant spatial factors
    double spread = 1;                               ///< relevant spatial factors below `upper`
    std::array<bool, 3> may_slide{true, true, true};
    std::array<bool, 3> joint{true, true, true};  ///< spatial pieces are neighbours
    Extents joined{};                              ///< spatial factors that share
    bool joins = false;
    // Operands: pJ per value at the upper end and per value at the lower.
    double per_content_pj = 0, per_entry_pj = 0;
    // Outputs, [finished, partial].
    std::array<double, 2> per_update_pj{};
    std::array<double, 2> per_return_pj{};
    double finished_pj = 0;      ///< at level 0, per output
    double first_visits_pj = 0;  ///< of reads that are not made
    double per_return_below_pj = 0;
    double per_addition_pj = 0;
    /// With the smallest window.
    Visited least;
  };
  struct Amounts {
    double content = 0, entries = 0, returns = 0;
  };
  struct Window {
    double content = 1, entries = 1;
  };
  enum class Slide : std::uint8_t { none, along, any };

  void add_links(Tensor tensor);
  void pass_fanouts(Link& link, std::size_t lower) const;
  void price_operand(Link& link) const;
  void price_output(Link& link) const;
  void add_multipliers(const Link& link);
  [[nodiscard]] Amounts amounts(const Link& link, double visits, const Window& window) const;
  [[nodiscard]] double energy(const Link& link, const Amounts& amounts) const;
  [[nodiscard]] Window least_window(const Link& link) const;
  [[nodiscard]] Window window(const Link& link, const DivisorIndices& tile, Slide slide,
                              std::size_t axis) const;
  [[nodiscard]] double sum_along(const Link& link, const DivisorIndices& tile, bool joined,
                                 Slide slide, std::size_t axis) const;
  [[nodiscard]] double powered(std::size_t level) const;
  [[nodiscard]] double first_values(const Link& link, const DivisorIndices& tile,
                                    bool at_upper) const;

  const MapSpace& space_;
  const std::vector<AxisTable>& axes_;
  const std::vector<TensorSet>& keep_;
  const SpatialChoice& spatial_;
  std::array<double, kMostLevels + 1> instances_{};
  std::vector<Link> links_;
  std::array<std::uint8_t, kDimensions> unmoved_{};
  double fixed_pj_ = 0, compute_cycles_ = 0, outputs_ = 0;
  std::size_t innermost_output_ = 0;
  bool timeloop_;
};

}  // namespace cosearch::accel
