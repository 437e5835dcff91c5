// What a mapping must at least cost, from the little that is known of it: the bounds of the optimal
// mapper. Energies are those of accel/nest_energy.h but for the rounding to whole blocks, as sums
// over links; each link's cost grows with how often its tiles come back.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "accel/map_space.h"
#include "accel/window_axes.h"

namespace cosearch::accel {

/// Words that pieces of one window axis take, for every pair of piece lengths that divide. Lengths
/// are given by their indices among the divisors.
class AxisTable {
 public:
  /// `a`: which of kAxes.
  AxisTable(const MapSpace& space, std::size_t a);

  struct Entry {
    double whole = 1;       ///< all pieces, each by itself
    double sliding = 1;     ///< at least: pieces that slide over positions or over taps
    double first = 1;       ///< the first piece
    std::int64_t held = 1;  ///< the largest piece, as a buffer holds it
  };
  [[nodiscard]] const Entry& at(std::size_t positions, std::size_t taps) const {
    return entries_[positions * taps_ + taps];
  }
  /// The least that all pieces of any length take.
  [[nodiscard]] double least() const { return least_; }
  /// Of the whole axis, each word once.
  [[nodiscard]] double distinct() const { return distinct_; }
  /// Whether windows reach beyond what is stored: pieces at the ends are then smaller.
  [[nodiscard]] bool is_clipped() const { return clipped_; }

 private:
  std::size_t taps_ = 1;
  std::vector<Entry> entries_;
  double least_ = 1, distinct_ = 1;
  bool clipped_ = false;
};

/// How the loops of one level are ordered, as far as a cost can tell.
struct OrderClass {
  static constexpr std::uint8_t kNoTensor = 3;
  Dimension innermost = Dimension::N;
  /// The tensor that the innermost loops do not move.
  std::uint8_t stationary = kNoTensor;
  /// Product of its other loops that do not move it, outside one that does.
  double outside_run = 1;
  /// The innermost loop that moves the windowed tensor, and the next one if it is along the same
  /// axis (else N).
  Dimension slide = Dimension::N, slides_on = Dimension::N;
};

/// Extents as indices among their divisors.
using DivisorIndices = std::array<std::uint16_t, kDimensions>;

/// What tiles take in each level, from tables.
class TileSizes {
 public:
  TileSizes(const MapSpace& space, const std::vector<AxisTable>& axes);
  [[nodiscard]] bool fits(std::size_t level, TensorSet keep, const DivisorIndices& tile) const;

 private:
  struct Level {
    std::array<std::int64_t, 3> bits_per_value{};  ///< of all buffers together
    std::array<std::int64_t, 3> partition{};       ///< 0: shares `shared`
    std::int64_t shared = 0;
  };
  [[nodiscard]] std::array<std::int64_t, 3> values(const DivisorIndices& tile) const;

  const MapSpace& space_;
  const std::vector<AxisTable>& axes_;
  std::vector<Level> levels_;
};

class LinkCosts {
 public:
  LinkCosts(const MapSpace& space, const std::vector<AxisTable>& axes,
            const std::vector<TensorSet>& keep, const SpatialChoice& spatial);

  /// How often the loops outside a tile that do not move a tensor bring it back, per tensor; loops
  /// that move all tensors count in the last entry.
  using Visits = std::array<double, 4>;
  /// The tensor that loops over `d` do not move; 3 when they move all.
  [[nodiscard]] std::uint8_t unmoved_by(Dimension d) const { return unmoved_[index_of(d)]; }

  /// Lower bounds of what some links cost.
  struct Bound {
    double energy_pj = 0;
    double busy_cycles = 0;  ///< one after the other: compute, fills and drains
    double port_cycles = 0;  ///< of the slowest port

    [[nodiscard]] double cycles() const { return std::max(busy_cycles, port_cycles); }
    friend Bound operator+(const Bound& a, const Bound& b) {
      return {a.energy_pj + b.energy_pj, a.busy_cycles + b.busy_cycles,
              std::max(a.port_cycles, b.port_cycles)};
    }
  };

  /// Does not depend on tiles or orders: multiplications and what feeds them.
  [[nodiscard]] Bound fixed() const;

  /// Of the links that end at `level`, whatever its tile, when loops bring tiles back `moving`
  /// times but for one tensor that stays: `still` times.
  [[nodiscard]] Bound at_least(std::size_t level, const Visits& moving) const;
  /// Its energy alone, in pJ, fast.
  [[nodiscard]] double energy_at_least(std::size_t level, const Visits& moving) const {
    double all = 0, best_gain = 0;
    for (std::size_t i = 0; i < link_count_[level]; ++i) {
      const Link& link = links_[links_into_[level][i]];
      const double energy = link.least.at(moving[index_of(link.tensor)]);
      all += energy;
      best_gain = std::max(best_gain, energy - link.least.once);
    }
    return all - best_gain;
  }
  /// The same with its tile, whose first and last transfers nothing can overlap.
  [[nodiscard]] Bound at_least(std::size_t level, const DivisorIndices& tile, const Visits& moving,
                               const Visits& still) const;

  /// Temporal factors and tiles of a whole mapping, and what all its orders share.
  struct Tiling {
    std::array<Extents, kMostLevels> temporal;
    std::array<DivisorIndices, kMostLevels + 1> tile;
    std::array<Visits, kMostLevels> unmoved, further_out;  ///< by the loops of each level
    std::array<double, kMostLevels> loops{};               ///< product of each level's
  };
  /// Fills in what follows from `temporal` and `tile`.
  void complete(Tiling& tiling) const;

  /// Energy and words of links, to be added up over levels.
  struct Share {
    struct Words {
      double read = 0, write = 0, network = 0;
      double down = 0;  ///< of `read`, what goes down the links
    };
    double energy_pj = 0;
    std::array<Words, kMostLevels> words{};  ///< of all instances of levels with limited ports

    Share& operator+=(const Share& other);
    /// Of each part the least among `shares`, of which there is one at least.
    [[nodiscard]] static Share least_of(const std::vector<Share>& shares);
  };
  /// What the order of `level`'s loops decides: the links to tiles which that level's loops are the
  /// innermost to move. Every link is decided at one level, whatever the orders.
  [[nodiscard]] Share decided_at(std::size_t level, const OrderClass& order,
                                 const Tiling& tiling) const;
  /// Whether outputs that visit a level more often may cost less. Children that add up their sums
  /// each begin anew after every visit, all but one from zero: levels further in then read back
  /// fewer partial sums. It pays only where many children are summed up above two levels that keep
  /// outputs and cost about as much as those further out.
  [[nodiscard]] bool visits_may_pay() const { return visits_may_pay_; }

  /// What an order does to the traffic of the links that it decides, and to slides that loops of
  /// levels further in begin.
  struct OrderEffect {
    Visits inside{1, 1, 1, 1};  ///< loops of the level that bring each tensor back
    /// One over those of the output where visits may pay.
    double output_stays = 0;
    Dimension slide = Dimension::N, slides_on = Dimension::N, innermost = Dimension::N;

    /// Whether no link moves more than under `other`.
    [[nodiscard]] bool at_most(const OrderEffect& other) const;
  };
  [[nodiscard]] OrderEffect effect_of(std::size_t level, const OrderClass& order,
                                      const Tiling& tiling) const;

  /// What no loop decides: multiplications, and tensors that no temporal loop moves.
  [[nodiscard]] Share decided_anyway(const Tiling& tiling) const;
  /// Cycles that the slowest port needs.
  [[nodiscard]] double port_cycles(const Share& share) const;

 private:
  /// pJ of a link with the smallest window, as a function of its visits: `once` for one, else
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
    double elements = 1;                             ///< of dimensions that are no window's
    double copies_above = 1, shared = 1, alone = 1;  ///< irrelevant spatial factors
    double spread = 1;                               ///< relevant spatial factors below `upper`
    std::array<bool, 3> may_slide{true, true, true};
    std::array<bool, 3> joint{true, true, true};  ///< spatial pieces are neighbours
    Extents joined{};                             ///< spatial factors that share
    bool joins = false;
    /// Whether all instances of the upper (of the lower) level receive the same amount.
    bool even_above = true, even_below = true;
    // Operands: pJ per value at the upper end and per value at the lower.
    double per_content_pj = 0, per_entry_pj = 0;
    // Outputs, [finished, partial].
    std::array<double, 2> per_update_pj{};
    std::array<double, 2> per_return_pj{};
    double finished_pj = 0;      ///< at level 0, per output
    double first_visits_pj = 0;  ///< of reads that are not made
    double per_return_below_pj = 0;
    double most_per_return_pj = 0;  ///< at both ends and in between, unlike the others at most
    double per_addition_pj = 0;
    Visited least;
    double words = 1;                   ///< per value of an operand, at the upper end
    std::array<double, 2> sum_words{};  ///< per value of an output there, [finished, partial]
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
  void add_words(Share& share, const Link& link, const Amounts& amounts) const;
  [[nodiscard]] Share share_of(const Link& link, double visits, const Window& window) const;
  [[nodiscard]] Bound cheapest(std::size_t level, const DivisorIndices* tile, const Visits& moving,
                               const Visits& still) const;
  [[nodiscard]] double edge_cycles(std::size_t level, const DivisorIndices& tile) const;
  [[nodiscard]] Share::Words words_of(const Link& link, const Amounts& amounts) const;
  [[nodiscard]] double cycles_of(std::size_t level, const Share::Words& words) const;
  /// At least so many of the children's windows at one time are different, as a share: positions
  /// touched are no fewer than either loop has by itself.
  [[nodiscard]] static double fewest_groups(const Link& link);
  /// Partial sums that come back to the instance that is first along every axis, times the
  /// instances: it gets those of all that are summed up with it, and none of what others, by
  /// themselves, leave to each other.
  [[nodiscard]] double returns_to_first(const Link& link, const Amounts& amounts) const;
  [[nodiscard]] Window least_window(const Link& link) const;
  [[nodiscard]] Window window(const Link& link, const DivisorIndices& tile, Slide slide,
                              std::size_t axis) const;
  [[nodiscard]] double sum_along(const Link& link, const DivisorIndices& tile, bool joined,
                                 Slide slide, std::size_t axis) const;
  [[nodiscard]] double powered(std::size_t level) const;
  [[nodiscard]] double first_values(const Link& link, const DivisorIndices& tile,
                                    bool at_upper) const;
  [[nodiscard]] bool find_whether_visits_pay() const;
  /// A window's dimension whose loop may begin a slide that goes on in loops of `level`; N when
  /// there is none.
  [[nodiscard]] Dimension slide_from_inside(std::size_t level, const Tiling& tiling) const;
  /// The level whose loops decide a link; the number of levels when none does.
  [[nodiscard]] std::size_t deciding_level(const Link& link, const Tiling& tiling) const;

  const MapSpace& space_;
  const std::vector<AxisTable>& axes_;
  const std::vector<TensorSet>& keep_;
  const SpatialChoice& spatial_;
  std::array<double, kMostLevels + 1> instances_{};
  std::array<bool, kMostLevels> limited_{};
  std::vector<Link> links_;
  std::array<std::array<std::uint8_t, 3>, kMostLevels> links_into_{};  ///< places in links_
  std::array<std::uint8_t, kMostLevels> link_count_{};
  std::array<std::uint8_t, kDimensions> unmoved_{};
  Share fixed_;
  std::array<Share::Words, kMostLevels> fed_{};  ///< of each level to and from the multipliers
  double compute_cycles_ = 0, outputs_ = 0, return_to_multipliers_pj_ = 0;
  std::size_t innermost_output_ = 0;
  DimensionMask padded_ = 0;  ///< dimensions that factors make longer
  bool timeloop_, visits_may_pay_ = false;
};

}  // namespace cosearch::accel
