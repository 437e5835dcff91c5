#include "codesign/choice_latencies.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "codesign/joint_space.h"
#include "codesign/layer_coster.h"
#include "codesign/network_set.h"
#include "core/user_error.h"
#include "nas/supernet/extreme_networks.h"

namespace cosearch::codesign {
namespace {

/// In cycles, by layer.
std::vector<double> layer_cycles(const JointSpace& joint, Workers& workers) {
  const std::vector<Layer>& layers = joint.networks().layers;
  std::vector<LayerTask> tasks;
  for (LayerId layer = 0; layer < layers.size(); ++layer) tasks.push_back({0, layer});
  std::vector<LayerOutcome> outcomes(tasks.size());
  LocalLayerCoster(joint, workers).cost(tasks, outcomes);
  std::vector<double> cycles;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].failure.empty())
      throw UserError(fmt::format("layer {} does not run on {}: {}", describe(layers[i]),
                                  joint.accelerators().front().name, outcomes[i].failure));
    cycles.push_back(static_cast<double>(outcomes[i].cycles));
  }
  return cycles;
}

}  // namespace

nas::ChoiceLatencies choice_latencies(std::shared_ptr<const nas::ChoiceSpace> space,
                                      const accel::Accelerator& accelerator, Workers& workers) {
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
  const JointSpace joint(lower_all(space, std::move(entries), workers), {accelerator});
  const std::vector<double> cycles = layer_cycles(joint, workers);
  const auto total = [&](const Candidate& candidate) {
    double sum = 0;
    for (const LayerCount& layer : candidate.layers)
      sum += static_cast<double>(layer.count) * cycles[layer.layer];
    return sum;
  };
  auto candidate = joint.networks().candidates.begin();
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
