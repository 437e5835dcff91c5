// Spaces in files: reading them, and what every space promises of its genotypes.
#include "codesign/space_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace cosearch;

void fuzz_space(std::string_view text) {
  if (text.empty()) return;  // of a name, not of a file
  const auto space = codesign::make_space({"fuzz.yaml", std::string(text)});
  Random random(1, "fuzz");
  for (int i = 0; i < 3; ++i) {
    const std::string first = space->sample(random), second = space->sample(random);
    fuzz::check(space->contains(first), "a sample is in the space");
    fuzz::check(space->canonical(first) == first, "a sample is canonical");
    fuzz::check(space->contains(space->crossover(first, second, random)),
                "a child is in the space");
    fuzz::accepts([&] { (void)space->lower(first); });
  }
  if (space->size() < 4294967296.0)
    fuzz::check(space->contains(space->genotype(static_cast<std::uint64_t>(space->size()) - 1)),
                "the last genotype is in the space");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] { fuzz_space(fuzz::text_of(data, size)); });
  return 0;
}
