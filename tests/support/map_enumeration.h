// Every mapping of a declared map space, one by one, with nothing left out: the slow and obvious
// counterpart of the optimal mapper.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "accel/optimal_mapper.h"
#include "tests/support/random_map_space.h"

namespace cosearch::accel::test {

/// A pool of loops: the temporal ones of a level, or those over one axis.
struct Place {
  std::size_t level;
  std::int8_t axis;
};

inline std::vector<Place> places_of(const Machine& machine) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    places.push_back({i, Loop::kTemporal});
    for (std::size_t axis = 0; axis < machine.levels[i].fanout.size(); ++axis)
      places.push_back({i, static_cast<std::int8_t>(axis)});
  }
  return places;
}

/// Whether tiles have room; by Timeloop's rule: dense boxes, a word each.
inline bool has_room(const LoopNest& nest, const Layer& layer, const Machine& machine,
                     Accounting accounting) {
  Extents piece = extents_of(layer);
  for (std::size_t i = 0; i < nest.levels.size(); ++i) {
    const StorageLevel& level = machine.levels[i];
    std::int64_t shared = 0;
    for (const Tensor tensor : kTensors) {
      if (!nest.levels[i].keep.has(tensor)) continue;
      const std::int64_t words =
          accounting == Accounting::timeloop
              ? box_values(layer, tensor, piece)
              : tile_values(layer, tensor, piece) * words_per_value(layer, level, tensor);
      const std::int64_t bits = level.buffers * words * level.word_bits;
      if (const auto room = level.partition_bits[index_of(tensor)]) {
        if (bits > *room) return false;
      } else {
        shared += bits;
      }
    }
    if (level.capacity_bits && shared > *level.capacity_bits) return false;
    for (const Loop& loop : nest.levels[i].loops) piece[index_of(loop.dimension)] = loop.tile;
  }
  return true;
}

class Enumeration {
 public:
  explicit Enumeration(const MapCase& made)
      : made_(made), places_(places_of(made.machine)), without_order_(made.constraints) {
    for (LevelConstraints& level : without_order_.levels) {
      has_order_ = has_order_ || !level.innermost.empty();
      level.innermost.clear();
    }
  }

  /// Calls visit(nest) for each mapping; false when there are more than `most`.
  template <class Visit>
  bool run(std::size_t most, const Visit& visit) {
    left_ = most;
    factors_.assign(places_.size(), Extents{});
    for (Extents& f : factors_) f.fill(1);
    orders_.resize(places_.size());
    nest_.levels.resize(made_.machine.levels.size());
    return keep(1, visit);
  }

 private:
  template <class Visit>
  bool keep(std::size_t level, const Visit& visit) {
    if (level == made_.machine.levels.size())
      return factorise(0, 0, extents_of(made_.layer)[0], visit);
    const StorageLevel& l = made_.machine.levels[level];
    for (unsigned bits = 0; bits < 8; ++bits) {
      TensorSet set;
      for (const Tensor tensor : kTensors)
        if (((bits >> index_of(tensor)) & 1U) != 0) set.add(tensor);
      if (!l.may_keep.contains(set) || !set.contains(l.must_keep)) continue;
      nest_.levels[level].keep = set;
      if (!keep(level + 1, visit)) return false;
    }
    return true;
  }

  template <class Visit>
  bool factorise(std::size_t d, std::size_t place, std::int64_t left, const Visit& visit) {
    if (d == kDimensions) return is_allowed() ? permute(0, visit) : spend(0);
    if (made_.options.factors == Factors::imperfect_spatial) return spread(d, 0, visit);
    if (place + 1 == places_.size()) {
      factors_[place][d] = left;
      const bool more =
          !fan_outs_hold() || !may_loop(place, d) ||
          factorise(d + 1, 0, d + 1 < kDimensions ? extents_of(made_.layer)[d + 1] : 1, visit);
      factors_[place][d] = 1;
      return more;
    }
    for (std::int64_t f = 1; f <= left; ++f) {
      if (left % f != 0) continue;
      factors_[place][d] = f;
      if (fan_outs_hold() && may_loop(place, d) && !factorise(d, place + 1, left / f, visit))
        return false;
    }
    factors_[place][d] = 1;
    return true;
  }

  /// Imperfect factors: any of the axes, then what is left to the temporal loops.
  template <class Visit>
  bool spread(std::size_t d, std::size_t place, const Visit& visit) {
    if (place == places_.size()) {
      const std::int64_t steps = steps_with(d, places_.size());
      for (std::size_t p = 0; p < places_.size(); ++p)
        if (is_axis(p) && !is_fixed(p, d) && factors_[p][d] > 1 && steps_with(d, p) == steps)
          return true;
      return divide(d, 0, steps, visit);
    }
    if (!is_axis(place)) return spread(d, place + 1, visit);
    for (std::int64_t f = 1; f <= extents_of(made_.layer)[d]; ++f) {
      factors_[place][d] = f;
      if (fan_outs_hold() && !spread(d, place + 1, visit)) return false;
    }
    factors_[place][d] = 1;
    return true;
  }

  template <class Visit>
  bool divide(std::size_t d, std::size_t place, std::int64_t left, const Visit& visit) {
    if (place == places_.size())
      return left > 1 || !has_all_pieces(d) || factorise(d + 1, 0, 1, visit);
    if (is_axis(place)) return divide(d, place + 1, left, visit);
    for (std::int64_t f = 1; f <= left; ++f) {
      if (left % f != 0) continue;
      factors_[place][d] = f;
      if (may_loop(place, d) && !divide(d, place + 1, left / f, visit)) return false;
    }
    factors_[place][d] = 1;
    return true;
  }

  [[nodiscard]] bool is_axis(std::size_t place) const {
    return places_[place].axis != Loop::kTemporal;
  }
  [[nodiscard]] bool is_fixed(std::size_t place, std::size_t d) const {
    if (made_.constraints.levels.empty()) return false;
    const auto& axes = made_.constraints.levels[places_[place].level].axes;
    const auto fixed = axes[static_cast<std::size_t>(places_[place].axis)].factors[d];
    return fixed && *fixed != kAllThatIsLeft;
  }
  /// Steps that the axes leave, with a piece less at `fewer`.
  [[nodiscard]] std::int64_t steps_with(std::size_t d, std::size_t fewer) const {
    std::int64_t product = 1;
    for (std::size_t p = 0; p < places_.size(); ++p)
      if (is_axis(p)) product *= factors_[p][d] - (p == fewer ? 1 : 0);
    return ceil_div(extents_of(made_.layer)[d], product);
  }
  [[nodiscard]] std::int64_t padded(std::size_t d) const {
    std::int64_t product = 1;
    for (const Extents& factors : factors_) product *= factors[d];
    return product;
  }
  /// Whether the outermost loop really makes as many pieces as its factor says.
  [[nodiscard]] bool has_all_pieces(std::size_t d) const {
    const std::int64_t whole = padded(d), extent = extents_of(made_.layer)[d];
    for (const Extents& factors : factors_)
      if (factors[d] > 1) return ceil_div(extent, whole / factors[d]) == factors[d];
    return true;
  }

  /// Counts work against the limit.
  bool spend(std::size_t amount) {
    if (left_ < amount + 1) return false;
    left_ -= amount + 1;
    return true;
  }

  /// Levels that may keep nothing have temporal loops only where constraints fix them.
  [[nodiscard]] bool may_loop(std::size_t place, std::size_t d) const {
    const auto [level, axis] = places_[place];
    if (axis != Loop::kTemporal || factors_[place][d] == 1 || level == 0) return true;
    if (!made_.machine.levels[level].may_keep.empty()) return true;
    return !made_.constraints.levels.empty() &&
           made_.constraints.levels[level].temporal.factors[d].has_value();
  }

  [[nodiscard]] bool fan_outs_hold() const {
    for (std::size_t p = 0; p < places_.size(); ++p) {
      if (places_[p].axis == Loop::kTemporal) continue;
      std::int64_t product = 1;
      for (const std::int64_t f : factors_[p]) product *= f;
      const auto& fanout = made_.machine.levels[places_[p].level].fanout;
      if (product > fanout[static_cast<std::size_t>(places_[p].axis)].size) return false;
    }
    return true;
  }

  /// Room and constraints, as far as factors decide: with the loops in any order.
  [[nodiscard]] bool is_allowed() {
    for (std::size_t p = 0; p < places_.size(); ++p) orders_[p] = present(p);
    build();
    if (!violations_of(without_order_, nest_, made_.layer, made_.machine).empty()) return false;
    return has_room(nest_, made_.layer, made_.machine, made_.options.accounting);
  }

  [[nodiscard]] std::vector<Dimension> present(std::size_t place) const {
    std::vector<Dimension> dimensions;
    for (const Dimension d : kAllDimensions)
      if (factors_[place][index_of(d)] > 1) dimensions.push_back(d);
    return dimensions;
  }

  template <class Visit>
  bool permute(std::size_t place, const Visit& visit) {
    if (place == places_.size()) {
      if (!spend(1)) return false;
      build();
      if (!has_order_ ||
          violations_of(made_.constraints, nest_, made_.layer, made_.machine).empty())
        visit(nest_);
      return true;
    }
    std::vector<Dimension> dimensions = present(place);
    orders_[place] = dimensions;
    if (places_[place].axis != Loop::kTemporal) return permute(place + 1, visit);
    do {
      orders_[place] = dimensions;
      if (!permute(place + 1, visit)) return false;
    } while (std::next_permutation(dimensions.begin(), dimensions.end()));
    return true;
  }

  void build() {
    Extents piece;
    for (std::size_t d = 0; d < kDimensions; ++d) piece[d] = padded(d);
    for (LevelNest& level : nest_.levels) level.loops.clear();
    for (std::size_t p = 0; p < places_.size(); ++p)
      for (const Dimension d : orders_[p]) {
        piece[index_of(d)] /= factors_[p][index_of(d)];
        nest_.levels[places_[p].level].loops.push_back({d, piece[index_of(d)], places_[p].axis});
      }
  }

  const MapCase& made_;
  std::vector<Place> places_;
  MapConstraints without_order_;
  bool has_order_ = false;
  std::size_t left_ = 0;
  std::vector<Extents> factors_;
  std::vector<std::vector<Dimension>> orders_;
  LoopNest nest_;
};

/// The best of a space, by looking at all of it.
struct Enumerated {
  bool complete = false;  ///< false: the space was larger than the limit
  std::size_t mappings = 0;
  double value = std::numeric_limits<double>::infinity();
  LoopNest best;
  std::vector<std::pair<double, double>> front;  ///< cycles, pJ; by cycles
};

inline Enumerated enumerate(const MapCase& made, std::size_t most) {
  Enumerated found;
  std::set<std::pair<double, double>> points;
  found.complete = Enumeration(made).run(most, [&](const LoopNest& nest) {
    ++found.mappings;
    const NestCost cost = evaluate(made.layer, made.machine, nest, made.options.accounting);
    const auto cycles = static_cast<double>(cost.cycles().value);
    const double energy = cost.total_energy().value;
    const double value = made.options.objective.value(cycles, energy);
    if (value < found.value) {
      found.value = value;
      found.best = nest;
    }
    points.emplace(cycles, energy);
  });
  for (const auto& point : points)
    // Sums of the same numbers in different orders are the same.
    if (found.front.empty() || point.second < found.front.back().second * (1 - 1e-9))
      found.front.push_back(point);
  return found;
}

}  // namespace cosearch::accel::test
