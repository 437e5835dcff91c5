#include "codesign/choice_latencies.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "codesign/accelerator_file.h"
#include "codesign/network_mapping.h"
#include "core/user_error.h"
#include "nas/space.h"

namespace cosearch::codesign {
namespace {

double latency(const Network& network, const MachineDescription& accelerator, Workers& workers) {
  return static_cast<double>(
      totals_of(map_network(network, accelerator, {}, accel::Accounting::exact, workers)).cycles);
}

TEST(ChoiceLatencies, AddUpToTheLatencyOfEveryNetworkOfAMacroSpace) {
  const auto space =
      std::dynamic_pointer_cast<const nas::ChoiceSpace>(std::shared_ptr<const nas::NetworkSpace>(
          nas::make_space("fashion-macro", {{"positions", 4}})));
  Workers workers(2);
  for (const std::string name : {"nvdla-256", "eyeriss-168"}) {
    const MachineDescription accelerator = find_accelerator(name);
    const nas::ChoiceLatencies latencies = choice_latencies(space, accelerator, workers);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space->size()); ++i) {
      const std::string genotype = space->genotype(i);
      EXPECT_EQ(latency_of(latencies, space->choices(genotype)),
                latency(space->lower(genotype), accelerator, workers))
          << genotype << " on " << name;
    }
  }
}

}  // namespace
}  // namespace cosearch::codesign
