#include "accel/outer_tiles.h"

#include <algorithm>
#include <utility>

namespace cosearch::accel {
namespace {

std::array<const std::vector<std::int64_t>*, kDimensions> all_lengths(const MapSpace& space) {
  std::array<const std::vector<std::int64_t>*, kDimensions> all{};
  for (const Dimension d : kAllDimensions) all[index_of(d)] = &space.divisors(d).values;
  return all;
}

}  // namespace

OuterTiles::Key OuterTiles::key_of(const MapSpace& space, const std::vector<TensorSet>& keep,
                                   const SpatialChoice& spatial) {
  Key key{keep[1], true, {}, spatial.padded()};
  for (std::size_t i = 2; i < keep.size(); ++i)
    if (keep[i].has(Tensor::output)) key.sums_outputs = false;
  for (std::size_t g = 0; g < space.groups().size(); ++g)
    if (space.groups()[g].level == 0) key.factors.push_back(spatial.factors[g]);
  return key;
}

OuterTiles::OuterTiles(const MapSpace& space, const TileSizes& sizes, const LinkCosts& costs,
                       Key key)
    : space_(space),
      sizes_(sizes),
      costs_(&costs),
      key_(std::move(key)),
      keys_(all_lengths(space), key_.padded) {
  spread_.fill(1);
  for (const Extents& factors : key_.factors)
    for (std::size_t d = 0; d < kDimensions; ++d) spread_[d] *= factors[d];
  OuterTile tile;
  add(0, tile, {1, 1, 1, 1});
  costs_ = nullptr;
  std::sort(tiles_.begin(), tiles_.end(), [](const OuterTile& a, const OuterTile& b) {
    return a.least.energy_pj < b.least.energy_pj;
  });
  tile_keys_.reserve(tiles_.size());
  for (const OuterTile& t : tiles_) tile_keys_.push_back(keys_.of(t.tile));
  if (!tiles_.empty()) least_ = tiles_.front().least;
  for (const OuterTile& t : tiles_) {
    least_.busy_cycles = std::min(least_.busy_cycles, t.least.busy_cycles);
    least_.port_cycles = std::min(least_.port_cycles, t.least.port_cycles);
  }
}

void OuterTiles::add(std::size_t position, OuterTile& tile, const LinkCosts::Visits& visits) {
  if (position == space_.dimensions().size()) {
    tile.visits = visits;
    tile.least = costs_->at_least(1, tile.tile, visits, {1, 1, 1, 1});
    tiles_.push_back(tile);
    return;
  }
  const Dimension dimension = space_.dimensions()[position];
  const std::size_t d = index_of(dimension);
  const std::int64_t whole = key_.padded[d] / spread_[d];
  const Divisors& divisors = space_.divisors(dimension);
  for (const std::int64_t length : divisors.factors[divisors.index(whole)]) {
    if (!space_.temporal(0)[d].has(whole / length)) continue;
    tile.tile[d] = static_cast<std::uint16_t>(divisors.index(length));
    if (!sizes_.fits(1, key_.keep, tile.tile)) break;
    LinkCosts::Visits further = visits;
    further[costs_->unmoved_by(dimension)] *= static_cast<double>(whole / length);
    add(position + 1, tile, further);
  }
  tile.tile[d] = 0;
}

OuterTiles::Multiples& OuterTiles::multiples_of(const DivisorIndices& tile) {
  const std::uint64_t key = keys_.of(tile);
  Multiples& multiples = multiples_[key];
  multiples.key = key;
  return multiples;
}

std::size_t OuterTiles::nth(Multiples& multiples, std::size_t n) const {
  if (n < multiples.found.size()) return multiples.found[n];
  // Long runs without a multiple are passed in a loop of a few instructions.
  const DivisorKeys::Divides divides = keys_.divides(multiples.key);
  const std::uint64_t* const keys = tile_keys_.data();
  const std::size_t count = tile_keys_.size();
  std::size_t i = multiples.looked_at;
  while (i < count && !divides(keys[i])) ++i;
  multiples.looked_at = std::min(i + 1, count);
  if (i < count) multiples.found.push_back(static_cast<std::uint32_t>(i));
  return i;
}

}  // namespace cosearch::accel
