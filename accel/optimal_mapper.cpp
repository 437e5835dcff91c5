#include "accel/optimal_mapper.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "accel/link_costs.h"
#include "accel/loop_orders.h"
#include "accel/map_space.h"
#include "accel/misfit.h"

namespace cosearch::accel {
namespace {

/// What is better by a smaller share than this counts as equal: bounds and costs add up the same
/// numbers in different orders.
constexpr double kTolerance = 1e-9;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What has been found, and whether something at least as costly as a bound could still be of use.
class Incumbents {
 public:
  virtual ~Incumbents() = default;
  [[nodiscard]] virtual bool admits(double cycles, double energy_pj) const = 0;
  virtual void offer(const LoopNest& nest, const NestCost& cost) = 0;
};

/// The one best mapping.
class Best final : public Incumbents {
 public:
  explicit Best(const MappingObjective& objective) : objective_(objective) {}

  [[nodiscard]] bool admits(double cycles, double energy_pj) const override {
    const double value = objective_.value(cycles, energy_pj);
    if (value < value_ * (1 - kTolerance)) return true;
    return has_tie_break() && value <= value_ && tie(cycles, energy_pj) < tie_ * (1 - kTolerance);
  }
  void offer(const LoopNest& nest, const NestCost& cost) override {
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
class Front final : public Incumbents {
 public:
  [[nodiscard]] bool admits(double cycles, double energy_pj) const override {
    return std::none_of(points_.begin(), points_.end(), [&](const Point& p) {
      return p.cycles * (1 - kTolerance) <= cycles && p.energy * (1 - kTolerance) <= energy_pj;
    });
  }
  void offer(const LoopNest& nest, const NestCost& cost) override {
    const Point point{
        static_cast<double>(cost.cycles().value), cost.total_energy().value, {nest, cost, {}}};
    const auto beats = [](const Point& a, const Point& b) {
      return a.cycles <= b.cycles && a.energy <= b.energy;
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

/// A tile of one level and the least that what is decided and what is open will cost with it.
struct Candidate {
  Extents tile, temporal;
  double energy_pj = 0;
};

class MapSearch {
 public:
  MapSearch(const MapSpace& space, Incumbents& incumbents)
      : space_(space),
        incumbents_(incumbents),
        levels_(space.machine().levels.size()),
        tile_(levels_ + 1),
        temporal_(levels_),
        candidates_(levels_),
        orders_(levels_),
        order_classes_(levels_) {
    for (const Axis& axis : kAxes) axes_.emplace_back(space, axis);
    certificate_.space_size = space.size();
  }

  Certificate run() {
    const std::vector<SpatialChoice> choices = space_.spatial_choices();
    certificate_.spatial = choices.size();
    for (const auto& keep : space_.keep_choices()) {
      keep_ = keep;
      outer_tiles_.clear();
      for (const SpatialChoice& choice : choices) search(choice);
    }
    return certificate_;
  }

 private:
  void search(const SpatialChoice& choice) {
    ++certificate_.partial;
    // The most multipliers come first: what is slower even with free transfers need not be looked
    // at.
    LinkCosts costs(space_, axes_, keep_, choice);
    costs_ = &costs;
    spatial_ = &choice;
    Extents nothing;
    nothing.fill(1);
    open_pj_.assign(levels_ + 1, 0);
    for (std::size_t i = 1; i < levels_; ++i)
      open_pj_[i + 1] = open_pj_[i] + costs.at_least(i, nothing);
    if (!admits(costs.fixed_pj() + open_pj_[levels_])) {
      ++certificate_.bounded;
      return;
    }
    tile_[levels_].fill(1);
    Extents left = space_.extents();
    for (std::size_t d = 0; d < kDimensions; ++d) left[d] /= choice.product[d];
    descend(levels_ - 1, left, costs.fixed_pj());
  }

  [[nodiscard]] bool admits(double energy_pj) const {
    return incumbents_.admits(costs_->compute_cycles(), energy_pj);
  }

  /// Chooses the temporal loops of `level`, given those of the levels inside it; `left` are the
  /// factors not placed yet, `energy_pj` the least that the levels inside cost.
  void descend(std::size_t level, const Extents& left, double energy_pj) {
    Extents base = tile_[level + 1];
    for (std::size_t g = 0; g < space_.groups().size(); ++g)
      if (space_.groups()[g].level == level)
        for (const Dimension d : space_.dimensions())
          base[index_of(d)] *= spatial_->factors[g][index_of(d)];
    if (level == 0) return finish(base, left, energy_pj);
    std::vector<Candidate>& candidates = candidates_[level];
    candidates.clear();
    if (!space_.fits(level, keep_[level], base)) {
      ++certificate_.too_large;
      return;
    }
    Candidate candidate{base, {}, energy_pj};
    candidate.temporal.fill(1);
    choose(level, 0, left, candidate);
    std::sort(candidates.begin(), candidates.end(),
              [](const Candidate& a, const Candidate& b) { return a.energy_pj < b.energy_pj; });
    const std::vector<Candidate> chosen = candidates;
    for (const Candidate& c : chosen) {
      if (!admits(c.energy_pj + open_pj_[level])) {
        certificate_.bounded += 1;
        break;
      }
      tile_[level] = c.tile;
      temporal_[level] = c.temporal;
      Extents rest = left;
      for (const Dimension d : space_.dimensions()) rest[index_of(d)] /= c.temporal[index_of(d)];
      descend(level - 1, rest, c.energy_pj);
    }
  }

  /// Factors of the dimensions from `position` on; `candidate` has those before.
  void choose(std::size_t level, std::size_t position, const Extents& left, Candidate& candidate) {
    ++certificate_.partial;
    const double inside_pj = candidate.energy_pj;
    if (position == space_.dimensions().size()) {
      Extents above = left;
      for (const Dimension d : space_.dimensions())
        above[index_of(d)] /= candidate.temporal[index_of(d)];
      Candidate whole = candidate;
      whole.energy_pj = inside_pj + costs_->at_least(level, candidate.tile, above);
      if (admits(whole.energy_pj + open_pj_[level]))
        candidates_[level].push_back(whole);
      else
        ++certificate_.bounded;
      return;
    }
    const Dimension dimension = space_.dimensions()[position];
    const std::size_t d = index_of(dimension);
    const FactorRange& range = space_.temporal(level)[d];
    const std::int64_t base = candidate.tile[d];
    const std::vector<std::int64_t>& factors = space_.divisors(dimension).values;
    for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
      if (*factor > left[d] || !range.has(*factor) || left[d] % *factor != 0) continue;
      candidate.tile[d] = base * *factor;
      candidate.temporal[d] = *factor;
      if (*factor > 1 && !space_.fits(level, keep_[level], candidate.tile)) {
        ++certificate_.too_large;
        continue;
      }
      // Loops further out over the dimensions decided so far; the others may turn out to have none.
      Extents above;
      above.fill(1);
      for (std::size_t p = 0; p <= position; ++p) {
        const std::size_t k = index_of(space_.dimensions()[p]);
        above[k] = left[k] / candidate.temporal[k];
      }
      if (!admits(inside_pj + costs_->at_least(level, above) + open_pj_[level])) {
        ++certificate_.bounded;
        continue;
      }
      choose(level, position + 1, left, candidate);
    }
    candidate.tile[d] = base;
    candidate.temporal[d] = 1;
  }

  /// Level 0 takes what is left.
  void finish(const Extents& base, const Extents& left, double energy_pj) {
    for (const Dimension d : space_.dimensions())
      if (!space_.temporal(0)[index_of(d)].has(left[index_of(d)])) return;
    (void)energy_pj;
    tile_[0] = base;
    for (const Dimension d : space_.dimensions()) tile_[0][index_of(d)] *= left[index_of(d)];
    temporal_[0] = left;
    for (std::size_t i = 0; i < levels_; ++i) loop_orders(space_, i, temporal_[i], orders_[i]);
    ranked_.clear();
    order(0);
    std::sort(ranked_.begin(), ranked_.end(),
              [](const Ranked& a, const Ranked& b) { return a.value < b.value; });
    for (const Ranked& ranked : ranked_) {
      if (!incumbents_.admits(ranked.bound.cycles, ranked.bound.energy_pj)) continue;
      const LoopNest nest = build(ranked.choice);
      ++certificate_.evaluated;
      incumbents_.offer(nest,
                        evaluate(space_.layer(), space_.machine(), nest, space_.accounting()));
    }
  }

  void order(std::size_t level) {
    if (level == levels_) {
      const LinkCosts::Bound bound = costs_->of_mapping(temporal_, tile_, order_classes_);
      ++certificate_.partial;
      if (incumbents_.admits(bound.cycles, bound.energy_pj))
        ranked_.push_back({bound, bound.cycles * bound.energy_pj, choice_});
      else
        ++certificate_.bounded;
      return;
    }
    for (std::size_t i = 0; i < orders_[level].size(); ++i) {
      order_classes_[level] = orders_[level][i].order_class;
      choice_[level] = i;
      order(level + 1);
    }
  }

  using Choice = std::array<std::size_t, kMostLevels>;

  [[nodiscard]] LoopNest build(const Choice& choice) const {
    LoopNest nest;
    nest.levels.resize(levels_);
    Extents piece = space_.extents();
    for (std::size_t i = 0; i < levels_; ++i) {
      nest.levels[i].keep = keep_[i];
      const LoopOrderChoice& order = orders_[i][choice[i]];
      for (std::size_t j = order.count; j-- > 0;) {
        const Dimension d = order.innermost_first[j];
        piece[index_of(d)] /= temporal_[i][index_of(d)];
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
    LinkCosts::Bound bound;
    double value;
    Choice choice;
  };

  const MapSpace& space_;
  Incumbents& incumbents_;
  std::size_t levels_;
  std::vector<AxisTable> axes_;
  Certificate certificate_;

  std::vector<TensorSet> keep_;
  const SpatialChoice* spatial_ = nullptr;
  const LinkCosts* costs_ = nullptr;
  /// [i]: least pJ of the links into levels 1 to i-1.
  std::vector<double> open_pj_;
  std::vector<Extents> tile_, temporal_;
  std::vector<std::vector<Candidate>> candidates_;
  std::vector<Candidate> outer_tiles_;

  std::vector<std::vector<LoopOrderChoice>> orders_;
  std::vector<OrderClass> order_classes_;
  Choice choice_{};
  std::vector<Ranked> ranked_;
};

}  // namespace

double MappingObjective::value(double cycles, double energy_pj) const {
  if (latency == 1 && energy == 1) return cycles * energy_pj;
  if (energy == 0) return latency == 1 ? cycles : std::pow(cycles, latency);
  if (latency == 0) return energy == 1 ? energy_pj : std::pow(energy_pj, energy);
  return std::pow(cycles, latency) * std::pow(energy_pj, energy);
}

std::variant<Infeasible, MappedLayer> optimal_mapping(const Layer& layer, const Machine& machine,
                                                      const MapConstraints& constraints,
                                                      const MapperOptions& options) {
  const MapSpace space(layer, machine, constraints, options.accounting);
  Best best(options.objective);
  Certificate certificate = MapSearch(space, best).run();
  if (!best.found()) return explain_misfit(space);
  certificate.lower_bound = best.value();
  best.found()->certificate = certificate;
  return *std::move(best.found());
}

std::variant<Infeasible, std::vector<MappedLayer>> pareto_mappings(
    const Layer& layer, const Machine& machine, const MapConstraints& constraints,
    Accounting accounting) {
  const MapSpace space(layer, machine, constraints, accounting);
  Front front;
  const Certificate certificate = MapSearch(space, front).run();
  std::vector<MappedLayer> mapped = front.sorted();
  if (mapped.empty()) return explain_misfit(space);
  for (MappedLayer& one : mapped) {
    one.certificate = certificate;
    one.certificate.lower_bound = static_cast<double>(one.cost.cycles().value);
  }
  return mapped;
}

}  // namespace cosearch::accel
