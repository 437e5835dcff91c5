// What the names in Timeloop's mappings and constraints stand for; errors at the entry's line.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "accel/dimension.h"
#include "accel/machine.h"
#include "codesign/import/timeloop_design.h"
#include "datasets/timeloop_file.h"

namespace cosearch::codesign {

/// The entries of a mapping or of constraints by level and kind; null where there is none.
class TimeloopEntries {
 public:
  /// Throws UserError for an entry of no level, or a second one of a kind.
  TimeloopEntries(const std::vector<datasets::TimeloopDirective>& directives,
                  const accel::Machine& machine);

  [[nodiscard]] const datasets::TimeloopDirective* find(
      std::size_t level, datasets::TimeloopDirective::Kind kind) const {
    return entries_[level].at(static_cast<std::size_t>(kind));
  }

 private:
  std::vector<std::array<const datasets::TimeloopDirective*, 3>> entries_;
};

[[nodiscard]] accel::Dimension dimension_of(const datasets::TimeloopDirective& directive,
                                            const TimeloopLayer& problem, const std::string& name);
[[nodiscard]] Tensor tensor_of(const datasets::TimeloopDirective& directive,
                               const TimeloopLayer& problem, const std::string& name);

/// Throws UserError where a data space is listed under both.
void check_kept_once(const datasets::TimeloopDirective& directive);

/// One word for every value at every level: as wide as the narrowest.
void set_word_widths(const accel::Machine& machine, Layer& layer);

/// Throws UserError naming the parts that are missing.
void require_timeloop_parts(const datasets::TimeloopFiles& files, bool mapping);

}  // namespace cosearch::codesign
