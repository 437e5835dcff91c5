#include "accel/map_space.h"

#include <algorithm>

#include "core/user_error.h"

namespace cosearch::accel {
namespace {

std::vector<std::int64_t> divisors_of(std::int64_t number) {
  std::vector<std::int64_t> low, high;
  for (std::int64_t d = 1; d * d <= number; ++d)
    if (number % d == 0) {
      low.push_back(d);
      if (d * d != number) high.push_back(number / d);
    }
  low.insert(low.end(), high.rbegin(), high.rend());
  return low;
}

// Shares dimensions out one by one, each divisor of a factor to the bin at hand.
bool pack_from(std::size_t d, Extents& left, std::vector<std::int64_t>& room, std::size_t bin,
               std::vector<Extents>& pieces) {
  if (d == kDimensions) return true;
  if (bin + 1 == room.size()) {
    const std::int64_t before = room[bin];
    if (left[d] > before) return false;
    pieces[bin][d] = left[d];
    room[bin] /= left[d];
    if (pack_from(d + 1, left, room, 0, pieces)) return true;
    room[bin] = before;
    return false;
  }
  const std::int64_t whole = left[d];
  for (std::int64_t piece = std::min(whole, room[bin]); piece >= 1; --piece) {
    if (whole % piece != 0) continue;
    const std::int64_t before = room[bin];
    pieces[bin][d] = piece;
    room[bin] /= piece;
    left[d] = whole / piece;
    const bool packed = pack_from(d, left, room, bin + 1, pieces);
    left[d] = whole;
    if (packed) return true;
    room[bin] = before;
  }
  return false;
}

void add(const SpatialChoice& choice, std::vector<SpatialChoice>& choices) {
  if (choices.size() == MapSpace::kMostSpatialChoices)
    throw UserError("there are more than " + std::to_string(MapSpace::kMostSpatialChoices) +
                    " ways to spread the layer over the machine's fan-outs: constrain which "
                    "dimensions an axis may have, or take dividing factors");
  choices.push_back(choice);
}

}  // namespace

bool pack(const Extents& factors, const std::vector<std::int64_t>& sizes,
          std::vector<Extents>& pieces) {
  Extents left = factors;
  std::vector<std::int64_t> room = sizes;
  pieces.assign(sizes.size(), Extents{});
  for (Extents& piece : pieces) piece.fill(1);
  return pack_from(0, left, room, 0, pieces);
}

std::size_t Divisors::index(std::int64_t divisor) const {
  return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), divisor) -
                                  values.begin());
}

std::int64_t AxisGroup::children() const {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) product *= size;
  return product;
}

MapSpace::MapSpace(const Layer& layer, const Machine& machine, const MapConstraints& constraints,
                   Accounting accounting, Factors factors)
    : layer_(layer),
      machine_(machine),
      accounting_(accounting),
      factors_(factors),
      extents_(extents_of(layer)) {
  if (factors == Factors::imperfect_spatial && accounting == Accounting::timeloop)
    throw UserError(
        "imperfect factors cannot be counted as Timeloop counts: take exact accounting, or "
        "dividing factors");
  for (const Dimension d : kAllDimensions) {
    list_lengths(index_of(d), {extents_[index_of(d)]});
    if (extents_[index_of(d)] > 1) dimensions_.push_back(d);
  }
  resolve(constraints);
  if (factors == Factors::imperfect_spatial) list_imperfect();
}

void MapSpace::list_lengths(std::size_t d, const std::vector<std::int64_t>& padded) {
  Divisors& lengths = divisors_[d];
  lengths = {};
  for (const std::int64_t extent : padded) {
    const std::vector<std::int64_t> divisors = divisors_of(extent);
    lengths.values.insert(lengths.values.end(), divisors.begin(), divisors.end());
  }
  std::sort(lengths.values.begin(), lengths.values.end());
  lengths.values.erase(std::unique(lengths.values.begin(), lengths.values.end()),
                       lengths.values.end());
  for (const std::int64_t value : lengths.values) lengths.factors.push_back(divisors_of(value));
}

void MapSpace::list_imperfect() {
  for (const Dimension dimension : dimensions_) {
    const std::size_t d = index_of(dimension);
    Spread spread;
    spread.factors.fill(1);
    add_spreads(d, 0, spread);
    std::vector<std::int64_t> padded{extents_[d]};
    for (const Spread& each : spreads_[d]) padded.push_back(each.product * each.steps);
    std::sort(padded.begin(), padded.end());
    padded.erase(std::unique(padded.begin(), padded.end()), padded.end());
    list_lengths(d, padded);
  }
}

bool MapSpace::is_wasteful(std::size_t d, const Spread& spread, std::size_t groups) const {
  const std::int64_t steps = ceil_div(extents_[d], spread.product);
  for (std::size_t g = 0; g < groups; ++g) {
    const std::int64_t factor = spread.factors[g];
    if (factor == 1 || factor == groups_[g].ranges[d].least) continue;
    if (ceil_div(extents_[d], spread.product / factor * (factor - 1)) == steps) return true;
  }
  return false;
}

void MapSpace::add_spreads(std::size_t d, std::size_t group, Spread& spread) {
  if (group == groups_.size()) {
    spread.steps = ceil_div(extents_[d], spread.product);
    spreads_[d].push_back(spread);
    return;
  }
  const FactorRange& range = groups_[group].ranges[d];
  const std::int64_t most = std::min(range.most, groups_[group].children());
  const std::int64_t before = spread.product;
  for (std::int64_t factor = range.least; factor <= most; ++factor) {
    spread.factors[group] = factor;
    spread.product = before * factor;
    // Further factors mend no waste: steps of steps are steps of the whole.
    if (!is_wasteful(d, spread, group + 1)) add_spreads(d, group + 1, spread);
  }
  spread.factors[group] = 1;
  spread.product = before;
}

void MapSpace::resolve(const MapConstraints& constraints) {
  const std::size_t levels = machine_.levels.size();
  temporal_.resize(levels);
  innermost_.resize(levels);
  axis_ranges_.resize(levels);
  for (std::size_t i = 0; i < levels; ++i) {
    axis_ranges_[i].resize(machine_.levels[i].fanout.size());
    if (!constraints.levels.empty()) innermost_[i] = constraints.levels[i].innermost;
  }
  for (const Dimension d : kAllDimensions) resolve_dimension(d, constraints);
  group_axes(axis_ranges_);
}

void MapSpace::resolve_dimension(Dimension d, const MapConstraints& constraints) {
  const std::size_t k = index_of(d);
  const std::int64_t extent = extents_[k];
  struct Place {
    FactorRange* range;
    const LoopConstraints* allowed;
    bool keeps;
  };
  std::vector<Place> places;
  static const LoopConstraints anything;
  for (std::size_t i = 0; i < machine_.levels.size(); ++i) {
    const bool keeps = i == 0 || !machine_.levels[i].may_keep.empty();
    const auto* level = constraints.levels.empty() ? nullptr : &constraints.levels[i];
    places.push_back({&temporal_[i][k], level != nullptr ? &level->temporal : &anything, keeps});
    for (std::size_t axis = 0; axis < axis_ranges_[i].size(); ++axis)
      places.push_back(
          {&axis_ranges_[i][axis][k], level != nullptr ? &level->axes[axis] : &anything, true});
  }
  const bool someone_takes_the_rest =
      std::any_of(places.begin(), places.end(),
                  [&](const Place& p) { return p.allowed->factors[k] == kAllThatIsLeft; });
  for (const Place& place : places) {
    const auto fixed = place.allowed->factors[k];
    FactorRange& range = *place.range;
    range = {1, extent};
    if (place.allowed->most[k]) range.most = std::min(range.most, *place.allowed->most[k]);
    if (!place.allowed->dimensions.has(d) || (!place.keeps && !fixed)) range.most = 1;
    if (fixed && *fixed > 0) range.least = range.most = std::min(*fixed, extent);
    // What takes the rest takes whatever the fixed factors leave; the free ones take nothing.
    if (someone_takes_the_rest && !fixed) range.most = 1;
  }
}

void MapSpace::group_axes(const std::vector<std::vector<FactorRanges>>& axes) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t first_of_level = groups_.size();
    for (std::size_t axis = 0; axis < axes[i].size(); ++axis) {
      const Fanout& fanout = machine_.levels[i].fanout[axis];
      if (fanout.size == 1) continue;
      // Dimensions with limits of their own on an axis cannot be pooled: only free or forbidden
      // ones. Neither can axes with others in between: loops over them are not neighbours.
      bool pools = true;
      for (std::size_t d = 0; d < kDimensions; ++d) {
        const FactorRange& range = axes[i][axis][d];
        pools = pools && range.least == 1 && (range.most == 1 || range.most >= extents_[d]);
      }
      // Imperfect factors of two axes are no factors of their product.
      pools = pools && factors_ == Factors::dividing;
      AxisGroup* last = groups_.size() > first_of_level ? &groups_.back() : nullptr;
      if (pools && last != nullptr && last->multicast == fanout.multicast &&
          last->reduction == fanout.reduction && last->ranges == axes[i][axis]) {
        last->axes.push_back(static_cast<std::int8_t>(axis));
        last->sizes.push_back(fanout.size);
        continue;
      }
      groups_.push_back({i,
                         {static_cast<std::int8_t>(axis)},
                         {fanout.size},
                         axes[i][axis],
                         fanout.multicast,
                         fanout.reduction});
    }
  }
  if (groups_.size() > SpatialChoice::kMostGroups)
    throw UserError("machine " + machine_.name + " has " + std::to_string(groups_.size()) +
                    " different axes: the mapper takes at most " +
                    std::to_string(SpatialChoice::kMostGroups));
}

std::vector<std::vector<TensorSet>> MapSpace::keep_choices() const {
  std::vector<std::vector<TensorSet>> choices{{TensorSet::all()}};
  for (std::size_t i = 1; i < machine_.levels.size(); ++i) {
    const StorageLevel& level = machine_.levels[i];
    std::vector<TensorSet> of_level{level.must_keep};
    for (const Tensor tensor : kTensors) {
      if (level.must_keep.has(tensor) || !level.may_keep.has(tensor)) continue;
      for (std::size_t j = 0, end = of_level.size(); j < end; ++j) {
        TensorSet with = of_level[j];
        with.add(tensor);
        of_level.push_back(with);
      }
    }
    // What keeps most comes first: it is most often best.
    std::reverse(of_level.begin(), of_level.end());
    std::vector<std::vector<TensorSet>> longer;
    for (const auto& choice : choices)
      for (const TensorSet set : of_level) {
        longer.push_back(choice);
        longer.back().push_back(set);
      }
    choices = std::move(longer);
  }
  return choices;
}

std::vector<SpatialChoice> MapSpace::spatial_choices() const {
  std::vector<SpatialChoice> choices;
  SpatialChoice choice;
  choice.factors.resize(groups_.size());
  for (Extents& factors : choice.factors) factors.fill(1);
  choice.product.fill(1);
  choice.steps = extents_;
  if (factors_ == Factors::dividing) {
    spread(0, 0, choice, groups_.empty() ? 1 : groups_[0].children(), choices);
  } else {
    std::array<std::int64_t, SpatialChoice::kMostGroups> room{};
    for (std::size_t g = 0; g < groups_.size(); ++g) room[g] = groups_[g].children();
    combine_spreads(0, choice, room, choices);
  }
  for (SpatialChoice& each : choices) {
    each.all_steps = 1;
    for (const std::int64_t steps : each.steps) each.all_steps *= static_cast<double>(steps);
  }
  std::stable_sort(choices.begin(), choices.end(),
                   [](const auto& a, const auto& b) { return a.all_steps < b.all_steps; });
  return choices;
}

void MapSpace::combine_spreads(std::size_t position, SpatialChoice& choice,
                               std::array<std::int64_t, SpatialChoice::kMostGroups>& room,
                               std::vector<SpatialChoice>& choices) const {
  if (position == dimensions_.size()) {
    add(choice, choices);
    return;
  }
  const std::size_t d = index_of(dimensions_[position]);
  for (const Spread& spread : spreads_[d]) {
    bool fits = true;
    for (std::size_t g = 0; g < groups_.size(); ++g) fits = fits && spread.factors[g] <= room[g];
    if (!fits) continue;
    auto left = room;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      choice.factors[g][d] = spread.factors[g];
      left[g] /= spread.factors[g];
    }
    choice.product[d] = spread.product;
    choice.steps[d] = spread.steps;
    combine_spreads(position + 1, choice, left, choices);
  }
}

void MapSpace::spread(std::size_t group, std::size_t dimension, SpatialChoice& choice,
                      std::int64_t room, std::vector<SpatialChoice>& choices) const {
  if (group == groups_.size()) {
    add(choice, choices);
    return;
  }
  if (dimension == kDimensions) {
    const AxisGroup& g = groups_[group];
    std::vector<Extents> pieces;
    if (g.sizes.size() > 1 && !pack(choice.factors[group], g.sizes, pieces)) return;
    const std::int64_t next =
        group + 1 < groups_.size() ? groups_[group + 1].children() : std::int64_t{1};
    return spread(group + 1, 0, choice, next, choices);
  }
  const FactorRange& range = groups_[group].ranges[dimension];
  std::int64_t& product = choice.product[dimension];
  const std::int64_t before = product;
  const std::int64_t left = extents_[dimension] / before;
  for (const std::int64_t factor : divisors_[dimension].values) {
    if (factor > room || factor > left || factor > range.most) break;
    if (factor < range.least || left % factor != 0) continue;
    choice.factors[group][dimension] = factor;
    product = before * factor;
    choice.steps[dimension] = left / factor;
    spread(group, dimension + 1, choice, room / factor, choices);
  }
  product = before;
  choice.steps[dimension] = left;
  choice.factors[group][dimension] = 1;
}

std::array<std::int64_t, 3> MapSpace::words(std::size_t level, TensorSet keep,
                                            const Extents& padded) const {
  std::array<std::int64_t, 3> words{};
  Extents tile = padded;
  for (std::size_t d = 0; d < kDimensions; ++d) tile[d] = std::min(tile[d], extents_[d]);
  for (const Tensor tensor : kTensors) {
    if (!keep.has(tensor)) continue;
    // By Timeloop's rule a dense box, a word each.
    words[index_of(tensor)] = accounting_ == Accounting::timeloop
                                  ? box_values(layer_, tensor, tile)
                                  : tile_values(layer_, tensor, tile) *
                                        words_per_value(layer_, machine_.levels[level], tensor);
  }
  return words;
}

double MapSpace::size() const {
  double size = static_cast<double>(keep_choices().size());
  for (const Dimension d : dimensions_) {
    // Ways to write the extent as a product over the places, one place after another.
    const std::vector<std::int64_t>& values = divisors_[index_of(d)].values;
    std::vector<double> ways(values.size(), 0);
    ways[0] = 1;
    const auto add_place = [&](const FactorRange& range) {
      std::vector<double> next(values.size(), 0);
      for (std::size_t i = 0; i < values.size(); ++i)
        for (std::size_t j = i; j < values.size() && ways[i] > 0; ++j)
          if (values[j] % values[i] == 0 && range.has(values[j] / values[i])) next[j] += ways[i];
      ways = std::move(next);
    };
    for (const FactorRanges& level : temporal_) add_place(level[index_of(d)]);
    if (factors_ == Factors::imperfect_spatial) {
      double all = 0;
      for (const Spread& spread : spreads_[index_of(d)])
        all += ways[divisors_[index_of(d)].index(spread.steps)];
      size *= all;
      continue;
    }
    for (const auto& level : axis_ranges_)
      for (const FactorRanges& axis : level) add_place(axis[index_of(d)]);
    size *= ways.back();
  }
  for (std::size_t i = 0; i < temporal_.size(); ++i) {
    double loops = 0;
    for (const Dimension d : dimensions_)
      if (temporal_[i][index_of(d)].most > 1 &&
          std::find(innermost_[i].begin(), innermost_[i].end(), d) == innermost_[i].end())
        size *= ++loops;
  }
  return size;
}

}  // namespace cosearch::accel
