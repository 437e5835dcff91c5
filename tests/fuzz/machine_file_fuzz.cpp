// Our machine files: reading them, and writing what was read.
#include <string>

#include "codesign/machine_file.h"
#include "datasets/document.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace cosearch;

void fuzz_machine(std::string_view text) {
  const codesign::MachineDescription read =
      codesign::read_machine(datasets::parse_yaml(text, "fuzz"));
  fuzz::check(problems_in(read.machine).empty(), "a machine that is read is a machine");
  fuzz::check(problems_in(read.constraints, read.machine).empty(),
              "constraints that are read are constraints");
  const std::string written = write_machine(read);
  fuzz::check(codesign::read_machine(datasets::parse_yaml(written, "again")) == read,
              "what is written is read as the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] { fuzz_machine(fuzz::text_of(data, size)); });
  return 0;
}
