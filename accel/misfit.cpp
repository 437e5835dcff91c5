#include "accel/misfit.h"

#include <algorithm>
#include <optional>
#include <string>

namespace cosearch::accel {
namespace {

struct Shortage {
  std::size_t level = 0;
  std::int64_t missing_bits = 0;
  std::array<std::int64_t, 3> words{};
};

/// Bits by which `tile` is too much for a level; 0 when it fits.
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

/// Places temporal factors as far out as they may go: the smallest tiles that a spatial choice
/// allows. Empty when factors find no place.
std::optional<std::vector<Extents>> smallest_tiles(const MapSpace& space,
                                                   const SpatialChoice& choice) {
  const std::size_t levels = space.machine().levels.size();
  std::vector<Extents> tile(levels + 1, space.extents());
  Extents left = space.extents();
  for (std::size_t d = 0; d < kDimensions; ++d) left[d] /= choice.product[d];
  for (std::size_t i = 0; i < levels; ++i) {
    tile[i + 1] = tile[i];
    for (const Dimension d : space.dimensions()) {
      const FactorRange& range = space.temporal(i)[index_of(d)];
      const auto& factors = space.divisors(d).values;
      std::int64_t taken = 0;
      for (const std::int64_t factor : factors)
        if (range.has(factor) && left[index_of(d)] % factor == 0) taken = factor;
      if (taken == 0) return std::nullopt;
      left[index_of(d)] /= taken;
      tile[i + 1][index_of(d)] /= taken;
    }
    for (std::size_t g = 0; g < space.groups().size(); ++g)
      if (space.groups()[g].level == i)
        for (const Dimension d : space.dimensions())
          tile[i + 1][index_of(d)] /= choice.factors[g][index_of(d)];
  }
  for (const Dimension d : space.dimensions())
    if (left[index_of(d)] != 1) return std::nullopt;
  return tile;
}

std::string text_of(const MapSpace& space, const Shortage& worst) {
  const StorageLevel& level = space.machine().levels[worst.level];
  std::string text = "level " + level.name + " is at least " + std::to_string(worst.missing_bits) +
                     " bits (" + std::to_string(ceil_div(worst.missing_bits, 8)) + " bytes, " +
                     std::to_string(ceil_div(worst.missing_bits, level.word_bits)) +
                     " words) too small for " + describe(space.layer()) +
                     ": its smallest tile takes";
  const char* separator = " ";
  for (const Tensor tensor : kTensors) {
    const std::int64_t words = worst.words[index_of(tensor)];
    if (words == 0) continue;
    text += separator + std::to_string(level.buffers * words) + " words of " +
            std::string(name_of(tensor));
    separator = ", ";
  }
  return text + (level.buffers > 1 ? " (all buffers together)" : "") +
         ", of what the constraints leave to choose";
}

}  // namespace

Infeasible explain_misfit(const MapSpace& space) {
  std::optional<Shortage> least;
  for (const auto& keep : space.keep_choices())
    for (const SpatialChoice& choice : space.spatial_choices()) {
      const auto tiles = smallest_tiles(space, choice);
      if (!tiles) continue;
      // The level that is worst off decides; of all choices the one where it is best off.
      Shortage worst;
      for (std::size_t i = 1; i < space.machine().levels.size(); ++i) {
        const std::int64_t missing = missing_bits(space, i, keep[i], (*tiles)[i]);
        if (missing > worst.missing_bits)
          worst = {i, missing, space.words(i, keep[i], (*tiles)[i])};
      }
      if (!least || worst.missing_bits < least->missing_bits) least = worst;
    }
  if (!least)
    return {"the constraints leave factors of " + describe(space.layer()) +
            " without a place: no loop may take them"};
  return {text_of(space, *least)};
}

}  // namespace cosearch::accel
