// Our network files: reading them, and writing what was read.
#include "codesign/network_file.h"
#include "datasets/document.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace cosearch;

void fuzz_network(std::string_view text) {
  const Network read = codesign::read_network(datasets::parse_yaml(text, "fuzz"));
  bool is_written = fuzz::accepts([&] {
    const Network again =
        codesign::read_network(datasets::parse_yaml(codesign::write_network(read), "again"));
    fuzz::check(again.name() == read.name() && again.nodes() == read.nodes(),
                "what is written is read as the same");
  });
  fuzz::check(is_written, "what is read can be written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] { fuzz_network(fuzz::text_of(data, size)); });
  return 0;
}
