#include "accel/technology.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/user_error.h"

namespace cosearch::accel {
namespace {

struct Constant {
  const char* name;
  const char* unit;
  double TechnologyTable::*field;
};

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
};

std::vector<std::string> constant_names() {
  std::vector<std::string> names;
  for (const Constant& constant : kConstants) names.emplace_back(constant.name);
  return names;
}

const Constant& find_constant(const SourceLocation& where, const std::string& name) {
  const auto found = std::find_if(kConstants.begin(), kConstants.end(),
                                  [&](const Constant& c) { return name == c.name; });
  if (found == kConstants.end())
    throw UserError(
        where, "unknown technology constant '" + name + "'" + did_you_mean(name, constant_names()));
  return *found;
}

void check_row(const SourceLocation& where, const TechnologyRow& row, const Constant& constant) {
  if (!std::isfinite(row.value) || row.value < 0)
    throw UserError(where, row.constant + " = " + std::to_string(row.value) +
                               ": must be a finite number of at least 0");
  if (row.unit != constant.unit)
    throw UserError(
        where, row.constant + " has unit '" + row.unit + "': expected '" + constant.unit + "'");
  if (row.source.empty())
    throw UserError(where, row.constant +
                               " has no source: say where the number comes from, or "
                               "'assumed: ...' with the reasoning");
}

}  // namespace

Picojoules TechnologyTable::access_energy_per_byte(Bytes capacity) const {
  constexpr double reference_bytes = 8192;
  const double law =
      sram_energy_8kib *
      std::pow(static_cast<double>(capacity.value) / reference_bytes, sram_energy_exponent);
  return {std::max(register_file_energy, law)};
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
  std::vector<std::string> missing = constant_names();
  for (const TechnologyRow& row : rows) {
    const SourceLocation where{name, row.line, 0};
    const Constant& constant = find_constant(where, row.constant);
    if (std::erase(missing, row.constant) == 0)
      throw UserError(where, "technology constant '" + row.constant + "' is given twice");
    check_row(where, row, constant);
    table.*constant.field = row.value;
  }
  if (!missing.empty()) {
    std::string list;
    for (const std::string& constant : missing) list += (list.empty() ? "" : ", ") + constant;
    throw UserError(SourceLocation{name, 0, 0}, "technology constants missing: " + list);
  }
  return table;
}

}  // namespace cosearch::accel
