#include "accel/misfit.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "accel/smallest_tiles.h"

namespace cosearch::accel {
namespace {

struct Shortage {
  std::size_t level = 0;
  std::int64_t missing_bits = 0;
  std::array<std::int64_t, 3> words{};
};

}  // namespace

std::string shortage_text(const Layer& layer, const StorageLevel& level,
                          const std::array<std::int64_t, 3>& words, std::int64_t missing_bits,
                          const char* is) {
  std::string text = "level " + level.name + " " + is + " " + std::to_string(missing_bits) +
                     " bits (" + std::to_string(ceil_div(missing_bits, 8)) + " bytes, " +
                     std::to_string(ceil_div(missing_bits, level.word_bits)) +
                     " words) too small for " + describe(layer) + ": its smallest tile takes";
  const char* separator = " ";
  for (const Tensor tensor : kTensors) {
    if (words[index_of(tensor)] == 0) continue;
    text += separator + std::to_string(level.buffers * words[index_of(tensor)]) + " words of " +
            std::string(name_of(tensor));
    separator = ", ";
  }
  return text + (level.buffers > 1 ? " (all buffers together)" : "");
}

Infeasible explain_misfit(const MapSpace& space) {
  std::optional<Shortage> least;
  const SmallestTiles smallest(space);
  const std::vector<SpatialChoice> choices = space.spatial_choices();
  for (const auto& keep : space.keep_choices())
    for (const SpatialChoice& choice : choices) {
      const auto tiles = smallest.of(choice);
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
  if (least->missing_bits == 0)
    return {"no factors of " + describe(space.layer()) +
            " give every level a tile that it can hold, though each level alone could"};
  return {shortage_text(space.layer(), space.machine().levels[least->level], least->words,
                        least->missing_bits, "is at least") +
          ", of what the constraints leave to choose"};
}

}  // namespace cosearch::accel
