#include "accel/energy.h"

#include <algorithm>

#include "accel/area.h"
#include "accel/word_width.h"

namespace cosearch::accel {

Picojoules EnergyBreakdown::at(Level level) const {
  Picojoules sum{};
  for (const Tensor tensor : kTensors) sum += at(level, tensor);
  return sum;
}

Picojoules EnergyBreakdown::total() const {
  Picojoules sum = mac + vector + noc;
  for (const Level level : kLevels) sum += at(level);
  return sum;
}

EnergyBreakdown energy_of(const Counts& counts, const Layer& layer,
                          const Accelerator& accelerator) {
  const TechnologyTable& technology = accelerator.technology;
  const AcceleratorParameters& parameters = accelerator.parameters;
  const std::array<double, 3> per_byte{
      technology.access_energy_per_byte(parameters.pe_buffer).value,
      technology.access_energy_per_byte(parameters.shared_buffer).value,
      technology.dram_energy,
  };
  EnergyBreakdown energy;
  for (const Level level : kLevels)
    for (const Tensor tensor : kTensors)
      energy.levels[static_cast<std::size_t>(level)][static_cast<std::size_t>(tensor)] = {
          per_byte[static_cast<std::size_t>(level)] *
          static_cast<double>(bytes_accessed(counts, layer, accelerator, level, tensor).value)};
  energy.mac = static_cast<double>(counts.macs) * technology.mac_energy(parameters.precision_bits);
  energy.vector = {static_cast<double>(counts.vector_ops) * technology.vector_op_energy};

  const double pe_hop = technology.wire_energy * pe_pitch_mm(accelerator);
  const double hops_to_first_pe =
      static_cast<double>(parameters.pe_rows + parameters.pe_columns) / 2;
  for (const Tensor tensor : kTensors) {
    const std::int64_t words = noc_words(counts, layer, tensor);
    const auto further =
        static_cast<double>(counts.deliveries[static_cast<std::size_t>(tensor)] - words);
    const auto width = static_cast<double>(noc_word_bytes(counts, layer, accelerator, tensor));
    energy.noc += {pe_hop * width * (hops_to_first_pe * static_cast<double>(words) + further)};
  }
  energy.noc += {technology.add_energy * static_cast<double>(counts.spatial_additions)};
  return energy;
}

}  // namespace cosearch::accel
