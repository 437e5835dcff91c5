#include "accel/cost.h"

#include <algorithm>

#include "accel/vector_layer.h"

namespace cosearch::accel {
namespace {

LayerCost cost_of_counts(const Layer& layer, const Accelerator& accelerator, const Counts& counts) {
  LayerCost cost;
  cost.counts = counts;
  cost.latency_parts = latency_of(counts, layer, accelerator);
  cost.latency = cost.latency_parts.total();
  cost.energy_parts = energy_of(counts, layer, accelerator);
  const double possible =
      static_cast<double>(accelerator.pe_count()) * static_cast<double>(cost.latency.value);
  cost.utilisation = static_cast<double>(std::max(counts.macs, counts.vector_ops)) / possible;
  return cost;
}

}  // namespace

LayerCost cost_of_mapping(const Layer& layer, const Accelerator& accelerator,
                          const Mapping& mapping) {
  return cost_of_counts(layer, accelerator, count(layer, mapping));
}

std::variant<Infeasible, LayerCost> layer_cost(const Layer& layer, const Accelerator& accelerator,
                                               const Mapper& mapper) {
  if (layer.is_memory_bound()) {
    const auto counts = count_vector_layer(layer, accelerator);
    if (const auto* infeasible = std::get_if<Infeasible>(&counts)) return *infeasible;
    return cost_of_counts(layer, accelerator, std::get<Counts>(counts));
  }
  const auto mapping = mapper.map(layer, accelerator);
  if (const auto* infeasible = std::get_if<Infeasible>(&mapping)) return *infeasible;
  return cost_of_mapping(layer, accelerator, std::get<Mapping>(mapping));
}

std::variant<Infeasible, LayerCost> layer_cost(const Layer& layer, const Accelerator& accelerator) {
  return layer_cost(layer, accelerator, TemplateMapper{});
}

}  // namespace cosearch::accel
