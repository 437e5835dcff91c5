#include "accel/area.h"

#include <cmath>

namespace cosearch::accel {
namespace {

constexpr double square_millimetres_per_um2 = 1e-6;

double pe_um2(const Accelerator& accelerator) {
  return accelerator.technology.mac_area(accelerator.parameters.precision_bits) +
         accelerator.technology.pe_control_area;
}

double pe_buffer_um2(const Accelerator& accelerator) {
  return accelerator.technology.register_file_area *
         static_cast<double>(accelerator.parameters.pe_buffer.value);
}

}  // namespace

AreaBreakdown area_breakdown(const Accelerator& accelerator) {
  const auto& [name, parameters, technology] = accelerator;
  const auto pes = static_cast<double>(accelerator.pe_count());
  const auto mm2 = [](double um2) { return SquareMillimetres{um2 * square_millimetres_per_um2}; };
  constexpr double bytes_per_kib = 1024;
  return {
      .pes = mm2(pes * pe_um2(accelerator)),
      .pe_buffers = mm2(pes * pe_buffer_um2(accelerator)),
      .shared_buffer = mm2(technology.sram_area *
                           static_cast<double>(parameters.shared_buffer.value) / bytes_per_kib),
      .noc = mm2(technology.noc_area * pes * parameters.noc_bandwidth),
  };
}

SquareMillimetres area_of(const Accelerator& accelerator) {
  return area_breakdown(accelerator).total();
}

double pe_pitch_mm(const Accelerator& accelerator) {
  return std::sqrt((pe_um2(accelerator) + pe_buffer_um2(accelerator)) * square_millimetres_per_um2);
}

}  // namespace cosearch::accel
