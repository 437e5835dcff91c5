// Our accelerator files. Their technologies are other files, which are not there.
#include "accel/machine_costs.h"
#include "codesign/accelerator_file.h"
#include "datasets/document.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cosearch;
  fuzz::accepts([&] {
    const codesign::AcceleratorSpec read = codesign::read_accelerator(
        datasets::parse_yaml(fuzz::text_of(data, size), "not/there/fuzz.yaml"));
    const auto built = codesign::MachineFile(read.machine).with(read.parameters);
    fuzz::check(accel::area_of(built.machine).value > 0, "an accelerator that is read takes room");
  });
  return 0;
}
