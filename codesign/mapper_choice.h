// Who chooses the mappings of layers, and what for: `mapping` of a study, options of commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accel/dataflow.h"
#include "accel/optimal_mapper.h"

namespace cosearch::codesign {

enum class Mapper : std::uint8_t { template_rule, optimal };

struct MapperChoice {
  /// Absent: a template's own rule where the machine is one, else the optimal mapper.
  std::optional<Mapper> mapper;
  /// What the optimal mapper minimises.
  accel::MappingObjective objective;
  /// Those that the optimal mapper chooses among.
  accel::Factors factors = accel::Factors::dividing;

  [[nodiscard]] Mapper for_machine_with(const std::optional<accel::Dataflow>& dataflow) const {
    return mapper.value_or(dataflow ? Mapper::template_rule : Mapper::optimal);
  }
};

/// "template" or "optimal". Throws UserError with the likelier one.
[[nodiscard]] Mapper parse_mapper(std::string_view text);

/// "latency", "energy", "edp", or a product of their powers: "latency^2*energy".
[[nodiscard]] accel::MappingObjective parse_objective(std::string_view text);

/// Throws UserError where `choice` asks for the rule of a template that `machine` is not.
void require_rule(const MapperChoice& choice, const std::string& machine,
                  const std::optional<accel::Dataflow>& dataflow);

/// Throws UserError where `choice` leaves none of the machines of `dataflows` to the optimal
/// mapper, so that a given objective would be heeded by nobody.
void require_objective_is_heeded(const MapperChoice& choice,
                                 const std::vector<std::optional<accel::Dataflow>>& dataflows);

}  // namespace cosearch::codesign
