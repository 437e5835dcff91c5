#include "codesign/layer_coster.h"

#include <variant>

#include "accel/cost.h"

namespace cosearch::codesign {

void LocalLayerCoster::cost(std::span<const LayerTask> tasks, std::span<LayerOutcome> outcomes) {
  workers_.for_ranges(tasks.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto [accelerator, layer] = tasks[i];
      const auto cost =
          accel::layer_cost(space_.networks().layers[layer], space_.accelerators()[accelerator]);
      if (const auto* infeasible = std::get_if<accel::Infeasible>(&cost))
        outcomes[i].failure = infeasible->reason;
      else
        outcomes[i] = {std::get<accel::LayerCost>(cost).latency.value,
                       std::get<accel::LayerCost>(cost).energy().value,
                       {}};
    }
  });
}

}  // namespace cosearch::codesign
