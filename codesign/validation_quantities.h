// What a case of validation may compare: quantities by name, each with its unit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accel/nest_cost.h"
#include "codesign/validation.h"

namespace cosearch::codesign {

/// What a case's layers did, all together.
struct ValidationOutcome {
  const accel::Machine* machine = nullptr;
  double images = 1;
  double cycles = 0, macs = 0;
  double on_chip_cycles = 0;               ///< had the outermost level no limit of bandwidth
  double energy_pj = 0, outermost_pj = 0;  ///< of it, accesses of the outermost level
  std::int64_t multipliers = 0;            ///< with work, in the layer that uses most
  std::vector<double> bytes{};             ///< read from and written to each level
  accel::AccessCounts counts{};            ///< of the last layer

  [[nodiscard]] double seconds() const { return cycles / machine->clock.value; }
};

/// Adds one layer, run `times` times.
void add_run(ValidationOutcome& outcome, const ValidationLayer& layer, const accel::LoopNest& nest,
             const accel::NestCost& cost, accel::Accounting accounting);

struct Quantity {
  std::string_view name, unit;
  bool needs_layers = true, needs_level = false;
  double (*of)(const ValidationOutcome& outcome, const ReferenceValue& reference);
};

[[nodiscard]] const std::vector<Quantity>& quantities();
[[nodiscard]] std::vector<std::string> quantity_names();
/// Null when there is none of that name.
[[nodiscard]] const Quantity* find_quantity(std::string_view name);

}  // namespace cosearch::codesign
