// Our accelerator files. Their technologies are other files, which are not there.
#include "accel/area.h"
#include "codesign/accelerator_file.h"
#include "datasets/document.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cosearch;
  fuzz::accepts([&] {
    const accel::Accelerator read = codesign::read_accelerator(
        datasets::parse_yaml(fuzz::text_of(data, size), "not/there/fuzz.yaml"));
    fuzz::check(accel::area_of(read).value > 0, "an accelerator that is read takes room");
  });
  return 0;
}
