#include "codesign/choice_latencies.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codesign/mapper_choice.h"
#include "codesign/network_mapping.h"
#include "codesign/network_set.h"
#include "core/user_error.h"
#include "nas/supernet/extreme_networks.h"

namespace cosearch::codesign {
namespace {

/// In cycles, by layer.
std::vector<double> layer_cycles(const std::vector<Layer>& layers,
                                 const MachineDescription& accelerator, Workers& workers) {
  std::vector<double> cycles(layers.size());
  workers.for_ranges(layers.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto run = run_layer(layers[i], accelerator.machine, accelerator.constraints,
                                 accelerator.dataflow, MapperChoice{});
      if (const auto* infeasible = std::get_if<accel::Infeasible>(&run))
        throw UserError(fmt::format("layer {} does not run on {}: {}", describe(layers[i]),
                                    accelerator.machine.name, infeasible->reason));
      cycles[i] = static_cast<double>(std::get<LayerRun>(run).cost.cycles().value);
    }
  });
  return cycles;
}

}  // namespace

nas::ChoiceLatencies choice_latencies(std::shared_ptr<const nas::ChoiceSpace> space,
                                      const MachineDescription& accelerator, Workers& workers) {
  const std::string largest = nas::largest_network(*space);
  const nas::Choices base = space->choices(largest);
  std::vector<TableEntry> entries{{.genotype = largest}};
  for (std::size_t choice = 0; choice < base.size(); ++choice)
    for (std::uint32_t alternative = 0; alternative < space->choice_counts()[choice];
         ++alternative) {
      nas::Choices changed = base;
      changed[choice] = alternative;
      entries.push_back({.genotype = space->genotype_of(changed)});
    }
  const NetworkSet networks = lower_all(space, std::move(entries), workers);
  const std::vector<double> cycles = layer_cycles(networks.layers, accelerator, workers);
  const auto total = [&](const Candidate& candidate) {
    double sum = 0;
    for (const LayerCount& layer : candidate.layers)
      sum += static_cast<double>(layer.count) * cycles[layer.layer];
    return sum;
  };
  auto candidate = networks.candidates.begin();
  nas::ChoiceLatencies latencies{.fixed = total(*candidate++), .of = {}};
  for (const std::uint32_t alternatives : space->choice_counts()) {
    std::vector<double>& of_choice = latencies.of.emplace_back();
    for (std::uint32_t i = 0; i < alternatives; ++i)
      of_choice.push_back(total(*candidate++) - latencies.fixed);
  }
  return latencies;
}

double latency_of(const nas::ChoiceLatencies& latencies, const nas::Choices& choices) {
  double sum = latencies.fixed;
  for (std::size_t i = 0; i < choices.size(); ++i) sum += latencies.of[i][choices[i]];
  return sum;
}

}  // namespace cosearch::codesign
