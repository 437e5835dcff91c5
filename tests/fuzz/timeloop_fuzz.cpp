// Timeloop's YAML: reading, writing what was read, translating to machines, constraints and loop
// nests, costing and exporting them.
#include "accel/nest_cost.h"
#include "codesign/import/timeloop_design.h"
#include "datasets/timeloop_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace cosearch;

void fuzz_design(const codesign::LayerDesign& design) {
  fuzz::check(problems_in(design.machine).empty(), "an imported machine is a machine");
  if (!problems_in(design.nest, design.layer, design.machine).empty()) return;
  const accel::NestCost cost = evaluate(design.layer, design.machine, design.nest);
  fuzz::check(cost.counts.macs == design.layer.macs(), "every multiplication is counted once");
  fuzz::accepts([&] {
    const auto again =
        codesign::import_timeloop(datasets::parse_timeloop(to_text(export_timeloop(design)), ""));
    fuzz::check(evaluate(again.layer, again.machine, again.nest).counts.macs == cost.counts.macs,
                "an export has the same work");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] {
    const datasets::TimeloopFiles files =
        datasets::parse_timeloop(fuzz::text_of(data, size), "fuzz");
    const std::string written = to_text(files);
    if (!written.empty())
      fuzz::check(to_text(datasets::parse_timeloop(written, "again")) == written,
                  "what is written is read as the same");
    fuzz::accepts([&] { fuzz_design(codesign::import_timeloop(files)); });
    fuzz::accepts([&] {
      const auto space = codesign::import_timeloop_constraints(files);
      fuzz::check(problems_in(space.constraints, space.machine).empty(),
                  "imported constraints are constraints");
    });
  });
  return 0;
}
