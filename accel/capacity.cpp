#include "accel/capacity.h"

#include <string>

namespace cosearch::accel {

std::array<Bytes, 3> buffer_needs(const Layer& layer, const Accelerator& accelerator,
                                  const Extents& tile) {
  constexpr std::int64_t copies = 2;
  const auto words = tile_words(layer, tile);
  const std::int64_t width = accelerator.word_bytes();
  return {Bytes{copies * words[0] * width}, Bytes{copies * words[1] * width},
          Bytes{copies * words[2] * Accelerator::accumulator_bytes()}};
}

std::optional<Infeasible> misfit(const Layer& layer, const Accelerator& accelerator, Level level,
                                 const Extents& tile) {
  const bool in_pe = level == Level::pe_buffer;
  const Bytes have =
      in_pe ? accelerator.parameters.pe_buffer : accelerator.parameters.shared_buffer;
  const auto needs = buffer_needs(layer, accelerator, tile);
  const Bytes need = needs[0] + needs[1] + needs[2];
  if (need <= have) return std::nullopt;
  const auto text = [](Bytes b) { return std::to_string(b.value); };
  return Infeasible{std::string(in_pe ? "per-PE buffer" : "shared buffer") + " of " + text(have) +
                    " bytes is " + text(need - have) + " bytes too small for " + describe(layer) +
                    ": the smallest tiles, double-buffered, take " + text(need) + " bytes (input " +
                    text(needs[0]) + ", weights " + text(needs[1]) + ", output " + text(needs[2]) +
                    ")"};
}

}  // namespace cosearch::accel
