// Mapping files for one small network and machine: reading them, and writing what was read.
#include "codesign/mapping_file.h"
#include "datasets/document.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace cosearch;

// A DRAM, a buffer of 64 bytes and four multipliers for a matrix product of 8 x 12 times 12 x 16.
struct Small {
  Small() {
    machine.machine.name = "small";
    machine.machine.levels.resize(2);
    machine.machine.levels[0].name = "DRAM";
    machine.machine.levels[1].name = "buffer";
    machine.machine.levels[1].capacity_bits = 64 * 8;
    machine.machine.levels[1].fanout = {{.axis = "rows", .size = 4}};
    network.add({.name = "first", .layer = gemm(8, 16, 12)});
    network.add({.name = "sum", .layer = elementwise(16, 8, 1, 1)});
  }
  codesign::MachineDescription machine;
  Network network{"small"};
};

void fuzz_mappings(std::string_view text, accel::Accounting accounting) {
  static const Small small;
  const auto parse = [&](std::string_view file) {
    return codesign::read_mappings(datasets::parse_yaml(file, "fuzz"), small.network, small.machine,
                                   accounting);
  };
  const codesign::Mappings read = parse(text);
  std::vector<codesign::SharedMapping> mappings;
  for (const auto& [layer, nest] : read) mappings.push_back({{layer}, nest});
  fuzz::check(parse(codesign::write_mappings("small", small.machine.machine, mappings)) == read,
              "what is written is read as the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto accounting : {accel::Accounting::exact, accel::Accounting::timeloop})
    fuzz::accepts([&] { fuzz_mappings(fuzz::text_of(data, size), accounting); });
  return 0;
}
