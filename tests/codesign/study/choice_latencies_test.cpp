#include "codesign/choice_latencies.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "accel/cost.h"
#include "codesign/accelerator_file.h"
#include "core/user_error.h"
#include "nas/space.h"

namespace cosearch::codesign {
namespace {

double latency(const Network& network, const accel::Accelerator& accelerator) {
  double cycles = 0;
  for (const NetworkNode& node : network.nodes())
    cycles +=
        static_cast<double>(node.multiplicity) *
        static_cast<double>(
            std::get<accel::LayerCost>(accel::layer_cost(node.layer, accelerator)).latency.value);
  return cycles;
}

TEST(ChoiceLatencies, AddUpToTheLatencyOfEveryNetworkOfAMacroSpace) {
  const auto space =
      std::dynamic_pointer_cast<const nas::ChoiceSpace>(std::shared_ptr<const nas::NetworkSpace>(
          nas::make_space("fashion-macro", {{"positions", 4}})));
  Workers workers(2);
  for (const std::string name : {"nvdla-256", "eyeriss-168"}) {
    const accel::Accelerator accelerator = find_accelerator(name);
    const nas::ChoiceLatencies latencies = choice_latencies(space, accelerator, workers);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space->size()); ++i) {
      const std::string genotype = space->genotype(i);
      EXPECT_EQ(latency_of(latencies, space->choices(genotype)),
                latency(space->lower(genotype), accelerator))
          << genotype << " on " << name;
    }
  }
}

}  // namespace
}  // namespace cosearch::codesign
