#include "codesign/layer_coster.h"

#include <variant>

#include "codesign/network_mapping.h"

namespace cosearch::codesign {

void LocalLayerCoster::cost(std::span<const LayerTask> tasks, std::span<LayerOutcome> outcomes) {
  workers_.for_ranges(tasks.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto [accelerator, layer] = tasks[i];
      const Accelerator& chip = space_.accelerators()[accelerator];
      const auto run = run_layer(space_.networks().layers[layer], chip.machine, *chip.constraints,
                                 chip.dataflow, space_.mapping());
      if (const auto* infeasible = std::get_if<accel::Infeasible>(&run)) {
        outcomes[i].failure = infeasible->reason;
        continue;
      }
      const accel::NestCost& cost = std::get<LayerRun>(run).cost;
      outcomes[i] = {cost.cycles().value, cost.total_energy().value, {}};
    }
  });
}

}  // namespace cosearch::codesign
