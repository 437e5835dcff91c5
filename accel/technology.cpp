#include "accel/technology.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/user_error.h"

namespace cosearch::accel {
namespace {

template <class Table>
struct ConstantOf {
  const char* name;
  const char* unit;
  double Table::*field;
  bool required = true;
};

using Constant = ConstantOf<TechnologyTable>;

constexpr std::array kConstants{
    Constant{"mac_energy_8bit", "pJ", &TechnologyTable::mac_energy_8bit},
    Constant{"mac_energy_16bit", "pJ", &TechnologyTable::mac_energy_16bit},
    Constant{"mac_energy_32bit", "pJ", &TechnologyTable::mac_energy_32bit},
    Constant{"add_energy", "pJ", &TechnologyTable::add_energy},
    Constant{"vector_op_energy", "pJ", &TechnologyTable::vector_op_energy},
    Constant{"sram_energy_8kib", "pJ/byte", &TechnologyTable::sram_energy_8kib},
    Constant{"sram_energy_exponent", "1", &TechnologyTable::sram_energy_exponent},
    Constant{"register_file_energy", "pJ/byte", &TechnologyTable::register_file_energy},
    Constant{"dram_energy", "pJ/byte", &TechnologyTable::dram_energy},
    Constant{"wire_energy", "pJ/byte/mm", &TechnologyTable::wire_energy},
    Constant{"mac_area_8bit", "um2", &TechnologyTable::mac_area_8bit},
    Constant{"mac_area_16bit", "um2", &TechnologyTable::mac_area_16bit},
    Constant{"mac_area_32bit", "um2", &TechnologyTable::mac_area_32bit},
    Constant{"pe_control_area", "um2", &TechnologyTable::pe_control_area},
    Constant{"sram_area", "um2/KiB", &TechnologyTable::sram_area},
    Constant{"register_file_area", "um2/byte", &TechnologyTable::register_file_area},
    Constant{"noc_area", "um2", &TechnologyTable::noc_area},
    Constant{"sram_fixed_share", "1", &TechnologyTable::sram_fixed_share, false},
    Constant{"logic_leakage", "mW/mm2", &TechnologyTable::logic_leakage, false},
    Constant{"sram_leakage", "mW/KiB", &TechnologyTable::sram_leakage, false},
    Constant{"register_file_leakage", "mW/KiB", &TechnologyTable::register_file_leakage, false},
};

using ScalingConstant = ConstantOf<TechnologyScaling>;

constexpr std::array kScalingConstants{
    ScalingConstant{"supply_voltage", "V", &TechnologyScaling::supply_voltage},
    ScalingConstant{"logic_energy", "1", &TechnologyScaling::logic_energy},
    ScalingConstant{"logic_area", "1", &TechnologyScaling::logic_area},
    ScalingConstant{"sram_area", "1", &TechnologyScaling::sram_area},
};

template <class Constants>
std::vector<std::string> names_of(const Constants& constants, bool optional_ones) {
  std::vector<std::string> names;
  for (const auto& constant : constants)
    if (constant.required || optional_ones) names.emplace_back(constant.name);
  return names;
}

template <class Constants>
const auto& find_constant(const Constants& constants, const SourceLocation& where,
                          const std::string& name) {
  const auto found = std::find_if(constants.begin(), constants.end(),
                                  [&](const auto& c) { return name == c.name; });
  if (found == constants.end())
    throw UserError(where, "unknown technology constant '" + name + "'" +
                               did_you_mean(name, names_of(constants, true)));
  return *found;
}

void check_row(const SourceLocation& where, const TechnologyRow& row, const char* unit) {
  if (!std::isfinite(row.value) || row.value < 0)
    throw UserError(where, row.constant + " = " + std::to_string(row.value) +
                               ": must be a finite number of at least 0");
  if (row.unit != unit)
    throw UserError(where, row.constant + " has unit '" + row.unit + "': expected '" + unit + "'");
  if (row.source.empty())
    throw UserError(where, row.constant +
                               " has no source: say where the number comes from, or "
                               "'assumed: ...' with the reasoning");
}

/// Reads one row into `table`.
template <class Constants, class Table>
void take_row(const Constants& constants, const SourceLocation& where, const TechnologyRow& row,
              std::set<std::string>& taken, Table& table) {
  const auto& constant = find_constant(constants, where, row.constant);
  if (!taken.insert(row.constant).second)
    throw UserError(where, "technology constant '" + row.constant + "' is given twice");
  check_row(where, row, constant.unit);
  table.*constant.field = row.value;
}

template <class Constants>
void check_complete(const Constants& constants, const std::set<std::string>& taken,
                    const SourceLocation& where, const std::string& of_what) {
  std::string list;
  for (const std::string& name : names_of(constants, false))
    if (!taken.contains(name)) list += (list.empty() ? "" : ", ") + name;
  if (!list.empty()) throw UserError(where, "technology constants missing" + of_what + ": " + list);
}

}  // namespace

Picojoules TechnologyTable::access_energy_per_byte(Bytes capacity) const {
  constexpr double reference_bytes = 8192;
  const double law =
      sram_energy_8kib *
      std::pow(static_cast<double>(capacity.value) / reference_bytes, sram_energy_exponent);
  return {std::max(register_file_energy, law)};
}

Picojoules TechnologyTable::access_energy(Bytes capacity, std::int64_t bits) const {
  constexpr double reference_bits = 64, bits_per_byte = 8;
  const double width = static_cast<double>(bits) / reference_bits;
  const double per_byte = access_energy_per_byte(capacity).value;
  const double share = sram_fixed_share + (1 - sram_fixed_share) * width;
  const double floor = register_file_energy * static_cast<double>(bits) / bits_per_byte;
  return {std::max(floor, per_byte * reference_bits / bits_per_byte * share)};
}

Picojoules TechnologyTable::mac_energy(int bits) const {
  return {bits == 8 ? mac_energy_8bit : bits == 16 ? mac_energy_16bit : mac_energy_32bit};
}

double TechnologyTable::mac_area(int bits) const {
  return bits == 8 ? mac_area_8bit : bits == 16 ? mac_area_16bit : mac_area_32bit;
}

TechnologyTable technology_from_rows(const std::string& name,
                                     const std::vector<TechnologyRow>& rows) {
  TechnologyTable table;
  table.name = name;
  std::set<std::string> taken;
  for (const TechnologyRow& row : rows)
    take_row(kConstants, SourceLocation{name, row.line, 0}, row, taken, table);
  check_complete(kConstants, taken, SourceLocation{name, 0, 0}, "");
  if (table.sram_fixed_share > 1)
    throw UserError(
        SourceLocation{name, 0, 0},
        "sram_fixed_share = " + std::to_string(table.sram_fixed_share) + ": must be in [0, 1]");
  return table;
}

std::vector<TechnologyScaling> scalings_from_rows(const std::string& name,
                                                  const std::vector<ScalingRow>& rows) {
  std::vector<TechnologyScaling> scalings;
  std::vector<std::set<std::string>> taken;
  for (const ScalingRow& row : rows) {
    const auto found = std::find_if(scalings.begin(), scalings.end(), [&](const auto& scaling) {
      return scaling.node_nm == row.node_nm;
    });
    const auto index = static_cast<std::size_t>(found - scalings.begin());
    if (found == scalings.end()) {
      scalings.push_back({.node_nm = row.node_nm});
      taken.emplace_back();
    }
    take_row(kScalingConstants, SourceLocation{name, row.row.line, 0}, row.row, taken[index],
             scalings[index]);
  }
  for (std::size_t i = 0; i < scalings.size(); ++i)
    check_complete(kScalingConstants, taken[i], SourceLocation{name, 0, 0},
                   " of " + std::to_string(scalings[i].node_nm) + " nm");
  return scalings;
}

TechnologyTable scaled(const TechnologyTable& table, const TechnologyScaling& base,
                       const TechnologyScaling& target) {
  const double energy = target.logic_energy / base.logic_energy;
  const double logic_area = target.logic_area / base.logic_area;
  const double sram_area = target.sram_area / base.sram_area;
  const double voltage = target.supply_voltage / base.supply_voltage;
  TechnologyTable result = table;
  result.name = std::to_string(target.node_nm) + "nm";
  for (double TechnologyTable::*constant :
       {&TechnologyTable::mac_energy_8bit, &TechnologyTable::mac_energy_16bit,
        &TechnologyTable::mac_energy_32bit, &TechnologyTable::add_energy,
        &TechnologyTable::vector_op_energy, &TechnologyTable::register_file_energy})
    result.*constant *= energy;
  result.sram_energy_8kib *= std::sqrt(sram_area) * voltage * voltage;
  result.wire_energy *= voltage * voltage;
  for (double TechnologyTable::*constant :
       {&TechnologyTable::mac_area_8bit, &TechnologyTable::mac_area_16bit,
        &TechnologyTable::mac_area_32bit, &TechnologyTable::pe_control_area,
        &TechnologyTable::noc_area})
    result.*constant *= logic_area;
  result.sram_area *= sram_area;
  result.register_file_area *= sram_area;
  result.logic_leakage *= voltage;
  result.sram_leakage *= sram_area * voltage;
  result.register_file_leakage *= sram_area * voltage;
  return result;
}

}  // namespace cosearch::accel
