// Tables of technology constants (CSV).
#include "codesign/technology_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cosearch;
  const fuzz::MemoryFile file(fuzz::text_of(data, size));
  fuzz::accepts([&] { static_cast<void>(codesign::find_technology(file.path())); });
  return 0;
}
