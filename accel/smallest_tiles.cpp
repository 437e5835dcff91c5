#include "accel/smallest_tiles.h"

#include <algorithm>

namespace cosearch::accel {
namespace {

using Flags = std::vector<bool>;  ///< of divisors

/// Flags in `to` the products of a flagged divisor and a factor in `range`.
void multiply(const std::vector<std::int64_t>& values, const Flags& from, const FactorRange& range,
              Flags& to) {
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i; j < values.size() && from[i]; ++j)
      if (values[j] % values[i] == 0 && range.has(values[j] / values[i])) to[j] = true;
}

}  // namespace

SmallestTiles::SmallestTiles(const MapSpace& space)
    : space_(space), levels_(space.machine().levels.size()) {
  for (const Dimension d : space.dimensions()) fill(d);
}

void SmallestTiles::fill(Dimension d) {
  const std::vector<std::int64_t>& values = space_.divisors(d).values;
  // Products that the temporal loops outside (and those at and inside) each level can make.
  std::vector<Flags> outside(levels_ + 1, Flags(values.size())), inside = outside;
  outside[0][0] = inside[levels_][0] = true;
  for (std::size_t i = 0; i < levels_; ++i)
    multiply(values, outside[i], space_.temporal(i)[index_of(d)], outside[i + 1]);
  for (std::size_t i = levels_; i-- > 0;)
    multiply(values, inside[i + 1], space_.temporal(i)[index_of(d)], inside[i]);
  for (std::size_t i = 0; i < levels_; ++i) {
    std::vector<std::int64_t>& least = inside_[index_of(d)].emplace_back(values.size(), 0);
    for (std::size_t left = 0; left < values.size(); ++left)
      for (std::size_t m = 0; m <= left && least[left] == 0; ++m)
        if (inside[i][m] && values[left] % values[m] == 0 &&
            outside[i][space_.divisors(d).index(values[left] / values[m])])
          least[left] = values[m];
  }
}

std::optional<std::array<Extents, kMostLevels>> SmallestTiles::of(
    const SpatialChoice& choice) const {
  Extents spread;
  spread.fill(1);
  std::array<Extents, kMostLevels> tiles;
  std::array<std::size_t, kDimensions> left{};
  for (const Dimension d : space_.dimensions()) {
    const std::size_t k = index_of(d);
    left[k] = space_.divisors(d).index(choice.steps[k]);
  }
  for (std::size_t i = levels_; i-- > 0;) {
    for (std::size_t g = 0; g < space_.groups().size(); ++g)
      if (space_.groups()[g].level == i)
        for (const Dimension d : space_.dimensions())
          spread[index_of(d)] *= choice.factors[g][index_of(d)];
    tiles[i].fill(1);
    for (const Dimension d : space_.dimensions()) {
      const std::size_t k = index_of(d);
      const std::int64_t inside = inside_[k][i][left[k]];
      if (inside == 0) return std::nullopt;
      tiles[i][k] = inside * spread[k];
    }
  }
  return tiles;
}

std::int64_t missing_bits(const MapSpace& space, std::size_t level, TensorSet keep,
                          const Extents& tile) {
  const StorageLevel& l = space.machine().levels[level];
  const auto words = space.words(level, keep, tile);
  std::int64_t shared = 0, missing = 0;
  for (const Tensor tensor : kTensors) {
    const std::int64_t bits = l.buffers * words[index_of(tensor)] * l.word_bits;
    if (const auto room = l.partition_bits[index_of(tensor)])
      missing += std::max<std::int64_t>(0, bits - *room);
    else
      shared += bits;
  }
  if (l.capacity_bits) missing += std::max<std::int64_t>(0, shared - *l.capacity_bits);
  return missing;
}

}  // namespace cosearch::accel
