// MAESTRO's mapping and hardware files: reading, writing what was read, translating to loop nests,
// costing and exporting them.
#include <algorithm>

#include "accel/nest_cost.h"
#include "codesign/import/maestro_design.h"
#include "datasets/maestro_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace cosearch;

// A long file is as slow as its layers are many: a few of them have all there is to find.
constexpr std::size_t kMostLayers = 4;

void fuzz_design(const codesign::LayerDesign& design) {
  fuzz::check(problems_in(design.machine).empty(), "an imported machine is a machine");
  if (!problems_in(design.nest, design.layer, design.machine).empty()) return;
  const accel::NestCost cost = evaluate(design.layer, design.machine, design.nest);
  fuzz::check(cost.counts.macs == design.layer.macs(), "every multiplication is counted once");
  fuzz::accepts([&] {
    const codesign::MaestroFiles files = export_maestro(design);
    const auto again = datasets::parse_maestro_network(to_text(files.network), "again");
    const auto design_again = codesign::import_maestro(
        again, again.layers.front(), datasets::parse_maestro_hardware(to_text(files.hardware), ""));
    fuzz::check(design_again.layer.macs() == design.layer.macs(), "an export has the same work");
  });
}

void fuzz_network(std::string_view text) {
  const datasets::MaestroNetwork network = datasets::parse_maestro_network(text, "fuzz");
  const std::string written = to_text(network);
  fuzz::check(to_text(datasets::parse_maestro_network(written, "again")) == written,
              "what is written is read as the same");
  for (std::size_t i = 0; i < std::min(network.layers.size(), kMostLayers); ++i)
    for (const bool capacities : {false, true})
      fuzz::accepts([&] {
        datasets::MaestroHardware hardware;
        hardware.num_pes = 256;
        hardware.l1_size = 64;
        hardware.l2_size = 4096;
        hardware.noc_bandwidth = 8;
        fuzz_design(codesign::import_maestro(network, network.layers[i], hardware,
                                             {.capacities = capacities}));
      });
}

void fuzz_hardware(std::string_view text) {
  const datasets::MaestroHardware hardware = datasets::parse_maestro_hardware(text, "fuzz");
  const std::string written = to_text(hardware);
  fuzz::check(to_text(datasets::parse_maestro_hardware(written, "again")) == written,
              "what is written is read as the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::accepts([&] { fuzz_network(text); });
  fuzz::accepts([&] { fuzz_hardware(text); });
  return 0;
}
