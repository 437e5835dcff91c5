// What one event costs in one silicon technology: energy per access, area per part.
// The numbers live in a table (accel/data/*.csv), each with its source; no constant is in code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/quantity.h"

namespace cosearch::accel {

/// One line of a technology table. `line` is its line in the file, for messages.
struct TechnologyRow {
  std::string constant;
  double value = 0;
  std::string unit;
  std::string source;
  int line = 0;
};

/// The constants of one technology. Units as in the table.
struct TechnologyTable {
  std::string name;
  double mac_energy_8bit = 0;       ///< pJ per multiply-accumulate, 32-bit accumulator
  double mac_energy_16bit = 0;      ///< pJ
  double mac_energy_32bit = 0;      ///< pJ
  double add_energy = 0;            ///< pJ per 32-bit addition of partial sums between PEs
  double vector_op_energy = 0;      ///< pJ per comparison, addition or look-up of a vector lane
  double sram_energy_8kib = 0;      ///< pJ per byte read from or written to an 8 KiB SRAM
  double sram_energy_exponent = 0;  ///< access energy grows as capacity to this power
  double register_file_energy = 0;  ///< pJ per byte: floor of the SRAM law
  double dram_energy = 0;           ///< pJ per byte
  double wire_energy = 0;           ///< pJ per byte and mm
  double mac_area_8bit = 0;         ///< um2
  double mac_area_16bit = 0;        ///< um2
  double mac_area_32bit = 0;        ///< um2
  double pe_control_area = 0;       ///< um2 per PE
  double sram_area = 0;             ///< um2 per KiB
  double register_file_area = 0;    ///< um2 per byte of PE buffer
  double noc_area = 0;              ///< um2 per PE and byte per cycle
  // A table may leave these out; they are then 0.
  double sram_fixed_share = 0;       ///< of a 64-bit access, what does not grow with the width
  double logic_leakage = 0;          ///< mW per mm2 of multipliers and control
  double sram_leakage = 0;           ///< mW per KiB
  double register_file_leakage = 0;  ///< mW per KiB of PE buffer

  /// Energy to read or write one byte of a store of `capacity`.
  /// Assumes: reads and writes cost the same; energy follows a power law in the capacity, never
  /// below a register file's.
  [[nodiscard]] Picojoules access_energy_per_byte(Bytes capacity) const;
  /// Energy to read or write `bits` at once, of a store that is `capacity` large and as wide.
  /// Assumes: linear in the width, with an offset; the same as above for 64 bits.
  [[nodiscard]] Picojoules access_energy(Bytes capacity, std::int64_t bits) const;
  /// Requires `bits` to be 8, 16 or 32.
  [[nodiscard]] Picojoules mac_energy(int bits) const;
  /// In um2. Requires `bits` to be 8, 16 or 32.
  [[nodiscard]] double mac_area(int bits) const;
};

/// Builds the table from its rows. Throws UserError at `name`:line for an unknown or repeated
/// constant, a negative or non-finite value, a wrong unit or an empty source, and at `name` for
/// missing constants.
[[nodiscard]] TechnologyTable technology_from_rows(const std::string& name,
                                                   const std::vector<TechnologyRow>& rows);

/// How one technology differs from that of the base table, as factors on its constants.
struct TechnologyScaling {
  int node_nm = 45;
  double supply_voltage = 0;  ///< V
  double logic_energy = 0;    ///< of multipliers, adders and register files
  double logic_area = 0;      ///< of multipliers, control and network
  double sram_area = 0;       ///< of SRAM and register files
};

/// One line of a table of scalings.
struct ScalingRow {
  int node_nm = 0;
  TechnologyRow row;
};

/// In the order of the rows. Throws as technology_from_rows does; each node needs every constant.
[[nodiscard]] std::vector<TechnologyScaling> scalings_from_rows(
    const std::string& name, const std::vector<ScalingRow>& rows);

/// `table`, which holds for the node of `base`, at the node of `target`.
/// Assumes: a wire's capacitance per mm is the same at all nodes, so that its energy follows the
/// square of the supply voltage; SRAM energy is that of its word and bit lines, whose length is the
/// square root of the cell's area; leakage per area follows the supply voltage; DRAM is another
/// chip and stays as it is.
[[nodiscard]] TechnologyTable scaled(const TechnologyTable& table, const TechnologyScaling& base,
                                     const TechnologyScaling& target);

/// The text of accel/data/technology_45nm.csv: `constant,value,unit,source`.
extern const std::string_view kTechnology45nm;
/// The text of accel/data/technology_scaling.csv: `node,constant,value,unit,source`.
extern const std::string_view kTechnologyScaling;

}  // namespace cosearch::accel
