#include "accel/optimal_mapper.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "accel/flat_nest.h"
#include "accel/link_costs.h"
#include "accel/loop_orders.h"
#include "accel/map_space.h"
#include "accel/misfit.h"
#include "accel/outer_tiles.h"
#include "accel/smallest_tiles.h"

namespace cosearch::accel {
namespace {

/// What is better by a smaller share than this counts as equal: bounds and costs add up the same
/// numbers in different orders.
constexpr double kTolerance = 1e-9;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What has been found, and whether something at least as costly as a bound could still be of use:
// Best or Front.

/// The one best mapping.
class Best {
 public:
  explicit Best(const MappingObjective& objective) : objective_(objective) {}

  [[nodiscard]] bool admits(double cycles, double energy_pj) const {
    const double value = objective_.value(cycles, energy_pj);
    if (value < value_ * (1 - kTolerance)) return true;
    return has_tie_break() && value <= value_ && tie(cycles, energy_pj) < tie_ * (1 - kTolerance);
  }
  void offer(const LoopNest& nest, const NestCost& cost) {
    const auto cycles = static_cast<double>(cost.cycles().value);
    const double energy = cost.total_energy().value;
    const double value = objective_.value(cycles, energy), second = tie(cycles, energy);
    if (value > value_ || (value == value_ && second >= tie_)) return;
    value_ = value;
    tie_ = second;
    found_ = MappedLayer{nest, cost, {}};
  }
  [[nodiscard]] std::optional<MappedLayer>& found() { return found_; }
  [[nodiscard]] double value() const { return value_; }

 private:
  [[nodiscard]] bool has_tie_break() const {
    return objective_.energy == 0 || objective_.latency == 0;
  }
  /// Of equals the faster, or the more frugal, whichever has no weight.
  [[nodiscard]] double tie(double cycles, double energy_pj) const {
    return objective_.energy == 0 ? energy_pj : cycles;
  }

  MappingObjective objective_;
  double value_ = kInfinity, tie_ = kInfinity;
  std::optional<MappedLayer> found_;
};

/// All mappings that none beats.
class Front {
 public:
  [[nodiscard]] bool admits(double cycles, double energy_pj) const {
    return std::none_of(points_.begin(), points_.end(), [&](const Point& p) {
      return p.cycles * (1 - kTolerance) <= cycles && p.energy * (1 - kTolerance) <= energy_pj;
    });
  }
  void offer(const LoopNest& nest, const NestCost& cost) {
    const Point point{
        static_cast<double>(cost.cycles().value), cost.total_energy().value, {nest, cost, {}}};
    const auto beats = [](const Point& a, const Point& b) {
      return a.cycles <= b.cycles && a.energy * (1 - kTolerance) <= b.energy;
    };
    if (std::any_of(points_.begin(), points_.end(),
                    [&](const Point& p) { return beats(p, point); }))
      return;
    std::erase_if(points_, [&](const Point& p) { return beats(point, p); });
    points_.push_back(point);
  }
  [[nodiscard]] std::vector<MappedLayer> sorted() {
    std::sort(points_.begin(), points_.end(),
              [](const Point& a, const Point& b) { return a.cycles < b.cycles; });
    std::vector<MappedLayer> mapped;
    for (Point& point : points_) mapped.push_back(std::move(point.mapped));
    return mapped;
  }

 private:
  struct Point {
    double cycles, energy;
    MappedLayer mapped;
  };
  std::vector<Point> points_;
};

/// Where a search may begin: what is kept and how the fan-outs are used.
struct Start {
  double least;               ///< energy-delay product of any mapping that begins so
  std::size_t keep, spatial;  ///< indices of the choices

  /// The most promising last, as heaps want it.
  friend bool operator<(const Start& a, const Start& b) {
    return std::tie(b.least, b.keep, b.spatial) < std::tie(a.least, a.keep, a.spatial);
  }
};

/// A tile of one level, and the least that what is decided costs with it.
struct Candidate {
  DivisorIndices tile{};
  Extents temporal{};          ///< factors of the level's temporal loops
  LinkCosts::Visits visits{};  ///< by the loops further out
  LinkCosts::Bound least;      ///< with what is decided further in
};

std::vector<AxisTable> axis_tables(const MapSpace& space) {
  std::vector<AxisTable> tables;
  for (std::size_t a = 0; a < kAxes.size(); ++a) tables.emplace_back(space, a);
  return tables;
}

/// pJ of any mapping at least: multiplications, and every word at the outermost level once.
double least_energy(const MapSpace& space, const std::vector<AxisTable>& axes) {
  const Layer& layer = space.layer();
  const StorageLevel& outermost = space.machine().levels[0];
  double energy = static_cast<double>(layer.macs()) * space.machine().compute.mac_energy_pj;
  // Timeloop lets windows share what they do not.
  if (space.accounting() == Accounting::timeloop) return energy;
  for (const Tensor tensor : kTensors) {
    double words = static_cast<double>(ceil_div(layer.bits(tensor), outermost.word_bits));
    const bool windowed = tensor == windowed_tensor(layer.transposed);
    for (const Dimension d : space.dimensions())
      if (is_relevant(tensor, d, layer.transposed) && !(windowed && is_window_dimension(d)))
        words *= static_cast<double>(space.extents()[index_of(d)]);
    for (std::size_t a = 0; windowed && a < axes.size(); ++a) words *= axes[a].distinct();
    energy += words / static_cast<double>(outermost.block_words) *
              (tensor == Tensor::output ? outermost.write_energy_pj : outermost.read_energy_pj);
  }
  return energy;
}

template <class Incumbents>
class MapSearch {
 public:
  MapSearch(const MapSpace& space, Incumbents& incumbents)
      : space_(space),
        incumbents_(incumbents),
        levels_(space.machine().levels.size()),
        axes_(axis_tables(space)),
        sizes_(space, axes_),
        smallest_(space),
        spatial_choices_(space.spatial_choices()),
        keep_choices_(space.keep_choices()),
        candidates_(levels_),
        orders_(levels_),
        shares_(levels_) {
    certificate_.space_size = space.size();
    least_energy_pj_ = least_energy(space, axes_);
    if (space.accounting() == Accounting::exact)
      leakage_pj_per_cycle_ = leakage_of(space.machine()) * 1e9 / space.machine().clock.value;
  }

  Certificate run() {
    certificate_.spatial = spatial_choices_.size();
    for (std::size_t i = 0; i < spatial_choices_.size(); ++i) {
      // Those that follow take no fewer steps.
      const Bound rest{least_energy_pj_, spatial_choices_[i].all_steps, 0};
      search_starts([&](const Start& most_promising) {
        return most_promising.least <= edp(rest) || starts_.size() > kMostStarts;
      });
      if (!admits(rest)) {
        certificate_.bounded += keep_choices_.size() * (spatial_choices_.size() - i);
        break;
      }
      for (std::size_t k = 0; k < keep_choices_.size(); ++k) add_start(k, i);
    }
    search_starts([](const Start&) { return true; });
    return certificate_;
  }

 private:
  using Bound = LinkCosts::Bound;

  // Beginnings, the most promising first: an early good mapping spares most of the search.

  void add_start(std::size_t keep, std::size_t spatial) {
    ++certificate_.partial;
    keep_ = keep_choices_[keep];
    if (!has_room(spatial_choices_[spatial])) {
      ++certificate_.too_large;
      return;
    }
    const LinkCosts costs(space_, axes_, keep_, spatial_choices_[spatial]);
    const Bound least = begin(costs, spatial_choices_[spatial], false) + open_[levels_];
    if (!admits(least)) {
      ++certificate_.bounded;
      return;
    }
    starts_.push_back({edp(least), keep, spatial});
    std::push_heap(starts_.begin(), starts_.end());
  }

  template <class While>
  void search_starts(const While& is_due) {
    while (!starts_.empty() && is_due(starts_.front())) {
      std::pop_heap(starts_.begin(), starts_.end());
      const Start start = starts_.back();
      starts_.pop_back();
      keep_ = keep_choices_[start.keep];
      search(spatial_choices_[start.spatial]);
    }
  }

  /// Returns the least that the multipliers and their links cost, whatever is chosen further. Lists
  /// of tiles that serve few choices are made only where they are `needed`.
  Bound begin(const LinkCosts& costs, const SpatialChoice& choice, bool needed) {
    costs_ = &costs;
    spatial_ = &choice;
    const bool lists = levels_ > 1 && (needed || space_.factors() == Factors::dividing);
    if (lists) outer_ = &outer_tiles();
    open_[1] = {};
    for (std::size_t i = 1; i < levels_; ++i)
      open_[i + 1] =
          open_[i] + (i == 1 && lists ? outer_->least() : costs.at_least(i, {1, 1, 1, 1}));
    return costs.fixed();
  }

  void search(const SpatialChoice& choice) {
    const LinkCosts costs(space_, axes_, keep_, choice);
    // Where lists of tiles serve few choices, what is known without one may spare it.
    const bool lists_are_cheap = space_.factors() == Factors::dividing;
    if (!lists_are_cheap && !admits(begin(costs, choice, false), levels_)) {
      ++certificate_.bounded;
      return;
    }
    const Bound decided = begin(costs, choice, true);
    if (!admits(decided, levels_)) {
      ++certificate_.bounded;
      return;
    }
    padded_ = choice.padded();
    tiling_.tile[levels_].fill(0);
    descend(levels_ - 1, choice.steps, decided);
  }

  /// Whether every level could hold the smallest tile that it may get.
  [[nodiscard]] bool has_room(const SpatialChoice& choice) const {
    const auto tiles = smallest_.of(choice);
    if (!tiles) return false;
    for (std::size_t i = 1; i < levels_; ++i)
      if (missing_bits(space_, i, keep_[i], (*tiles)[i]) > 0) return false;
    return true;
  }

  [[nodiscard]] bool admits(const Bound& all) const {
    const double cycles = all.cycles();
    return incumbents_.admits(cycles, all.energy_pj + leakage_pj_per_cycle_ * cycles);
  }
  /// For any objective what promises a small energy-delay product is worth a look first.
  [[nodiscard]] double edp(const Bound& all) const {
    const double cycles = all.cycles();
    return cycles * (all.energy_pj + leakage_pj_per_cycle_ * cycles);
  }
  /// With what the levels 1 to `level` - 1 will cost at least.
  [[nodiscard]] bool admits(const Bound& decided, std::size_t level) const {
    return admits(decided + open_[level]);
  }

  [[nodiscard]] DivisorIndices indices_of(const Extents& extents) const {
    DivisorIndices indices{};
    for (const Dimension d : space_.dimensions())
      indices[index_of(d)] =
          static_cast<std::uint16_t>(space_.divisors(d).index(extents[index_of(d)]));
    return indices;
  }

  [[nodiscard]] Extents extents_of_tile(const DivisorIndices& tile) const {
    Extents extents;
    extents.fill(1);
    for (const Dimension d : space_.dimensions())
      extents[index_of(d)] = space_.divisors(d).values[tile[index_of(d)]];
    return extents;
  }

  /// Factors of the fan-outs of `level`.
  [[nodiscard]] Extents spread_at(std::size_t level) const {
    Extents spread;
    spread.fill(1);
    for (std::size_t g = 0; g < space_.groups().size(); ++g)
      if (space_.groups()[g].level == level)
        for (const Dimension d : space_.dimensions())
          spread[index_of(d)] *= spatial_->factors[g][index_of(d)];
    return spread;
  }

  /// The list of level 1's tiles, most often one that is made already.
  [[nodiscard]] OuterTiles& outer_tiles() {
    OuterTiles::Key key = OuterTiles::key_of(space_, keep_, *spatial_);
    for (const auto& tiles : outer_tiles_)
      if (tiles->key() == key) return *tiles;
    if (outer_tiles_.size() == kMostOuterTiles) outer_tiles_.clear();
    outer_tiles_.push_back(std::make_unique<OuterTiles>(space_, sizes_, *costs_, std::move(key)));
    return *outer_tiles_.back();
  }

  // Tiles from the inside out.

  /// Chooses the temporal loops of `level`, given those of the levels inside it; `left` are the
  /// factors not placed yet, `decided` the least that the levels inside cost.
  void descend(std::size_t level, const Extents& left, const Bound& decided) {
    Extents base = extents_of_tile(tiling_.tile[level + 1]);
    const Extents spread = spread_at(level);
    for (std::size_t d = 0; d < kDimensions; ++d) base[d] *= spread[d];
    const DivisorIndices tile = indices_of(base);
    if (level == 0) {
      tiling_.tile[0] = tile;
      return finish(left, decided);
    }
    if (!sizes_.fits(level, keep_[level], tile)) {
      ++certificate_.too_large;
      return;
    }
    if (level == 1) return take_outer_tiles(base, left, decided);
    std::vector<Candidate>& candidates = candidates_[level];
    candidates.clear();
    Candidate candidate{tile, {}, {}, decided};
    candidate.temporal.fill(1);
    choose(level, 0, left, {1, 1, 1, 1}, candidate);
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
      return a.least.energy_pj < b.least.energy_pj;
    });
    // Deeper calls use other levels' candidates only.
    for (const Candidate& c : candidates) {
      if (!admits(c.least, level)) {
        ++certificate_.bounded;
        continue;
      }
      tiling_.tile[level] = c.tile;
      tiling_.temporal[level] = c.temporal;
      Extents rest = left;
      for (const Dimension d : space_.dimensions()) rest[index_of(d)] /= c.temporal[index_of(d)];
      visits_ = c.visits;
      inside_ = decided;
      descend(level - 1, rest, c.least);
    }
  }

  /// Factors of the dimensions from `position` on; `candidate` has those before,
  /// and `visits` is what they leave to loops further out.
  void choose(std::size_t level, std::size_t position, const Extents& left,
              const LinkCosts::Visits& visits, Candidate& candidate) {
    ++certificate_.partial;
    if (position == space_.dimensions().size()) {
      Candidate whole = candidate;
      whole.visits = visits;
      whole.least = whole.least + costs_->at_least(level, candidate.tile, visits, {1, 1, 1, 1});
      if (admits(whole.least, level))
        candidates_[level].push_back(whole);
      else
        ++certificate_.bounded;
      return;
    }
    const Dimension dimension = space_.dimensions()[position];
    const std::size_t d = index_of(dimension);
    const FactorRange& range = space_.temporal(level)[d];
    const std::uint16_t base_index = candidate.tile[d];
    const Divisors& divisors = space_.divisors(dimension);
    for (const std::int64_t factor : divisors.factors[divisors.index(left[d])]) {
      if (factor > range.most) break;
      if (factor < range.least) continue;
      candidate.tile[d] = static_cast<std::uint16_t>(space_.product(dimension, base_index, factor));
      candidate.temporal[d] = factor;
      if (factor > 1 && !sizes_.fits(level, keep_[level], candidate.tile)) {
        ++certificate_.too_large;
        break;
      }
      // The dimensions still open may turn out to have no loops further out.
      LinkCosts::Visits further = visits;
      further[costs_->unmoved_by(dimension)] *= static_cast<double>(left[d] / factor);
      Bound open = candidate.least;
      open.energy_pj += costs_->energy_at_least(level, further);
      if (!admits(open, level)) {
        ++certificate_.bounded;
        continue;
      }
      choose(level, position + 1, left, further, candidate);
    }
    candidate.tile[d] = base_index;
    candidate.temporal[d] = 1;
  }

  /// Level 1: its tiles are listed already.
  void take_outer_tiles(const Extents& base, const Extents& left, const Bound& decided) {
    const LinkCosts::Visits visits = visits_;
    const Bound inside = inside_;
    const DivisorIndices base_tile = indices_of(base);
    OuterTiles::Multiples& multiples = outer_->multiples_of(base_tile);
    std::size_t end = affordable(decided);
    for (std::size_t n = 0;; ++n) {
      const std::size_t i = outer_->nth(multiples, n);
      if (i >= end) {
        certificate_.bounded += i < outer_->size() ? 1 : 0;
        break;
      }
      const OuterTile& outer = (*outer_)[i];
      const Bound all = decided + outer.least;
      if (!admits(all) || !set_temporal(1, outer.tile, base)) continue;
      ++certificate_.partial;
      tiling_.tile[1] = outer.tile;
      // Now that the loops of level 1 are known, so is how often level 0 brings back what stays
      // during them.
      if (levels_ > 2 &&
          !admits(inside + costs_->at_least(2, tiling_.tile[2], visits, stay(outer, visits)) +
                  outer.least)) {
        ++certificate_.bounded;
        continue;
      }
      Extents rest = left;
      for (const Dimension d : space_.dimensions())
        rest[index_of(d)] /= tiling_.temporal[1][index_of(d)];
      descend(0, rest, all);
      end = affordable(decided);
    }
  }

  /// How many of level 1's tiles, cheapest first, could be part of something of use.
  [[nodiscard]] std::size_t affordable(const Bound& decided) const {
    return outer_->count_while([&](const OuterTile& outer) {
      Bound cheapest = outer_->least();
      cheapest.energy_pj = outer.least.energy_pj;
      return admits(decided + cheapest);
    });
  }

  /// How often a tensor that stays during the loops of level 1 comes back: as often as loops of
  /// level 0 outside others say, but once where level 1 has no loop that moves it.
  [[nodiscard]] LinkCosts::Visits stay(const OuterTile& outer,
                                       const LinkCosts::Visits& visits) const {
    double loops = 1;
    LinkCosts::Visits still;
    for (const Dimension d : space_.dimensions())
      loops *= static_cast<double>(tiling_.temporal[1][index_of(d)]);
    for (std::size_t t = 0; t < still.size(); ++t)
      still[t] = outer.visits[t] * loops == visits[t] ? 1 : outer.visits[t];
    return still;
  }

  /// Whether loops of `level` can make the tile `whole` out of tiles of `base`.
  [[nodiscard]] bool set_temporal(std::size_t level, const DivisorIndices& whole,
                                  const Extents& base) {
    for (const Dimension dimension : space_.dimensions()) {
      const std::size_t d = index_of(dimension);
      const std::int64_t extent = space_.divisors(dimension).values[whole[d]];
      const std::int64_t factor = quotient(extent, base[d]);
      if (factor * base[d] != extent || !space_.temporal(level)[d].has(factor)) return false;
      tiling_.temporal[level][d] = factor;
    }
    return true;
  }

  // Whole mappings.

  /// Level 0 takes what is left; the orders of all loops are tried.
  void finish(const Extents& left, const Bound& decided) {
    for (const Dimension d : space_.dimensions())
      if (!space_.temporal(0)[index_of(d)].has(left[index_of(d)])) return;
    tiling_.temporal[0] = left;
    if (!has_all_pieces()) return;
    costs_->complete(tiling_);
    for (std::size_t i = 0; i < levels_; ++i) rank_orders(i);
    LinkCosts::Share least;
    for (std::size_t i = levels_; i-- > 0;) {
      least += LinkCosts::Share::least_of(shares_[i]);
      least_shares_[i] = least;
    }
    busy_cycles_ = decided.busy_cycles;
    ranked_.clear();
    order(0, costs_->decided_anyway(tiling_));
    std::sort(ranked_.begin(), ranked_.end(), [](const Ranked& a, const Ranked& b) {
      return a.bound.cycles() * a.bound.energy_pj < b.bound.cycles() * b.bound.energy_pj;
    });
    for (const Ranked& ranked : ranked_) {
      if (!admits(ranked.bound)) continue;
      const LoopNest nest = build(ranked.choice);
      ++certificate_.evaluated;
      incumbents_.offer(nest,
                        evaluate(space_.layer(), space_.machine(), nest, space_.accounting()));
    }
  }

  /// Whether the outermost loop over each padded dimension makes as many pieces as its factor says.
  /// It does wherever no constraint asks for a factor that wastes some.
  [[nodiscard]] bool has_all_pieces() const {
    for (const Dimension dimension : space_.dimensions()) {
      const std::size_t d = index_of(dimension);
      const std::int64_t added = padded_[d] - space_.extents()[d];
      if (added > 0 && added >= padded_[d] / outermost_factor(d)) return false;
    }
    return true;
  }
  [[nodiscard]] std::int64_t outermost_factor(std::size_t d) const {
    for (std::size_t i = 0, g = 0; i < levels_; ++i) {
      if (tiling_.temporal[i][d] > 1) return tiling_.temporal[i][d];
      for (; g < space_.groups().size() && space_.groups()[g].level == i; ++g)
        if (spatial_->factors[g][d] > 1) return spatial_->factors[g][d];
    }
    return 1;
  }

  void rank_orders(std::size_t level) {
    distinct_orders(space_, *costs_, tiling_, level, orders_[level]);
    shares_[level].clear();
    for (const LoopOrderChoice& order : orders_[level])
      shares_[level].push_back(costs_->decided_at(level, order.order_class, tiling_));
  }

  void order(std::size_t level, const LinkCosts::Share& share) {
    LinkCosts::Share least = share;
    if (level < levels_) least += least_shares_[level];
    const Bound bound{least.energy_pj, busy_cycles_, costs_->port_cycles(least)};
    ++certificate_.partial;
    if (!admits(bound)) {
      ++certificate_.bounded;
      return;
    }
    if (level == levels_) {
      ranked_.push_back({bound, choice_});
      return;
    }
    for (std::size_t i = 0; i < orders_[level].size(); ++i) {
      LinkCosts::Share sum = share;
      sum += shares_[level][i];
      choice_[level] = i;
      order(level + 1, sum);
    }
  }

  using Choice = std::array<std::size_t, kMostLevels>;

  [[nodiscard]] LoopNest build(const Choice& choice) const {
    LoopNest nest;
    nest.levels.resize(levels_);
    Extents piece = padded_;
    for (std::size_t i = 0; i < levels_; ++i) {
      nest.levels[i].keep = keep_[i];
      const LoopOrderChoice& order = orders_[i][choice[i]];
      for (std::size_t j = order.count; j-- > 0;) {
        const Dimension d = order.innermost_first[j];
        piece[index_of(d)] /= tiling_.temporal[i][index_of(d)];
        nest.levels[i].loops.push_back({d, piece[index_of(d)], Loop::kTemporal});
      }
      add_spatial(i, piece, nest.levels[i]);
    }
    return nest;
  }

  void add_spatial(std::size_t level, Extents& piece, LevelNest& nest) const {
    for (std::size_t g = 0; g < space_.groups().size(); ++g) {
      const AxisGroup& group = space_.groups()[g];
      if (group.level != level) continue;
      std::vector<Extents> bins;
      if (!pack(spatial_->factors[g], group.sizes, bins)) continue;  // never: it was packed before
      for (std::size_t bin = 0; bin < bins.size(); ++bin)
        for (const Dimension d : space_.dimensions()) {
          const std::int64_t factor = bins[bin][index_of(d)];
          if (factor == 1) continue;
          piece[index_of(d)] /= factor;
          nest.loops.push_back({d, piece[index_of(d)], group.axes[bin]});
        }
    }
  }

  struct Ranked {
    Bound bound;
    Choice choice;
  };

  const MapSpace& space_;
  Incumbents& incumbents_;
  std::size_t levels_;
  std::vector<AxisTable> axes_;
  TileSizes sizes_;
  SmallestTiles smallest_;
  std::vector<SpatialChoice> spatial_choices_;
  std::vector<std::vector<TensorSet>> keep_choices_;
  /// A heap. Beyond so many the first are searched before others are looked for.
  static constexpr std::size_t kMostStarts = 1'000'000;
  std::vector<Start> starts_;
  Certificate certificate_;
  double least_energy_pj_ = 0;       ///< of any mapping
  double leakage_pj_per_cycle_ = 0;  ///< 1 mW is 10^9 pJ/s

  // What is decided so far, from the outside in: kept tensors, spatial factors, tiles.
  std::vector<TensorSet> keep_;
  const SpatialChoice* spatial_ = nullptr;
  const LinkCosts* costs_ = nullptr;
  LinkCosts::Tiling tiling_;
  LinkCosts::Visits visits_{};  ///< of the level chosen last, by loops further out
  Bound inside_;                ///< the least that the levels inside it cost

  Extents padded_{};  ///< what all factors together make of the dimensions
  /// As many as there are choices of what level 1 keeps, with outputs summed up there or not.
  static constexpr std::size_t kMostOuterTiles = 16;
  std::vector<std::unique_ptr<OuterTiles>> outer_tiles_;
  OuterTiles* outer_ = nullptr;
  /// [i]: the least that levels 1 to i-1 cost.
  std::array<Bound, kMostLevels + 1> open_{};
  std::vector<std::vector<Candidate>> candidates_;

  std::vector<std::vector<LoopOrderChoice>> orders_;
  std::vector<std::vector<LinkCosts::Share>> shares_;       ///< of each order
  std::array<LinkCosts::Share, kMostLevels> least_shares_;  ///< of a level and those further in
  double busy_cycles_ = 0;
  Choice choice_{};
  std::vector<Ranked> ranked_;
};

}  // namespace

std::variant<Infeasible, MappedLayer> optimal_mapping(const Layer& layer, const Machine& machine,
                                                      const MapConstraints& constraints,
                                                      const MapperOptions& options) {
  const MapSpace space(layer, machine, constraints, options.accounting, options.factors);
  Best best(options.objective);
  Certificate certificate = MapSearch<Best>(space, best).run();
  if (!best.found()) return explain_misfit(space);
  certificate.lower_bound = best.value();
  best.found()->certificate = certificate;
  return *std::move(best.found());
}

std::variant<Infeasible, std::vector<MappedLayer>> pareto_mappings(
    const Layer& layer, const Machine& machine, const MapConstraints& constraints,
    Accounting accounting, Factors factors) {
  const MapSpace space(layer, machine, constraints, accounting, factors);
  Front front;
  const Certificate certificate = MapSearch<Front>(space, front).run();
  std::vector<MappedLayer> mapped = front.sorted();
  if (mapped.empty()) return explain_misfit(space);
  for (MappedLayer& one : mapped) {
    one.certificate = certificate;
    one.certificate.lower_bound = static_cast<double>(one.cost.cycles().value);
  }
  return mapped;
}

}  // namespace cosearch::accel
