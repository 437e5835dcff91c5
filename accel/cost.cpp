#include "accel/cost.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

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

/// What the counts of accel/traffic.h do not know.
std::optional<Infeasible> beyond_templates(const Layer& layer) {
  const char* what = nullptr;
  if (layer.transposed) what = "transposed convolutions";
  if (layer.D > 1 || layer.T > 1 || layer.input_d > 1) what = "3-D convolutions";
  if (layer.partial_sum_bits > 8 * Accelerator::accumulator_bytes())
    what = "partial sums of more than 32 bits";
  if (what == nullptr) return std::nullopt;
  return Infeasible{std::string("the templates run no ") + what + ": use a machine"};
}

}  // namespace

LayerCost cost_of_mapping(const Layer& layer, const Accelerator& accelerator,
                          const Mapping& mapping) {
  return cost_of_counts(layer, accelerator, count(layer, mapping));
}

std::variant<Infeasible, LayerCost> layer_cost(const Layer& layer, const Accelerator& accelerator,
                                               const Mapper& mapper) {
  if (auto beyond = beyond_templates(layer)) return *std::move(beyond);
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
