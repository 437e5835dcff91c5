#include <fmt/format.h>

#include "codesign/constraints_file.h"
#include "codesign/machine_file.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

/// Text as YAML takes it whatever it contains.
std::string quoted(const std::string& text) { return json(text).dump(); }

std::string tensors_text(accel::TensorSet tensors) {
  std::string list;
  for (const Tensor tensor : kTensors)
    if (tensors.has(tensor)) list += fmt::format("{}{}", list.empty() ? "" : ", ", name_of(tensor));
  return "[" + list + "]";
}

std::string sizes_text(const accel::StorageLevel& level) {
  accel::TensorSet bypass;
  for (const Tensor tensor : kTensors)
    if (!level.may_keep.has(tensor)) bypass.add(tensor);
  std::string text;
  if (!level.must_keep.empty()) text += "    keep: " + tensors_text(level.must_keep) + "\n";
  if (!bypass.empty()) text += "    bypass: " + tensors_text(bypass) + "\n";
  if (level.capacity_bits) text += fmt::format("    capacity: {}bit\n", *level.capacity_bits);
  std::string partitions;
  for (const Tensor tensor : kTensors)
    if (const auto bits = level.partition_bits[static_cast<std::size_t>(tensor)])
      partitions += fmt::format("      {}: {}bit\n", name_of(tensor), *bits);
  if (!partitions.empty()) text += "    partition:\n" + partitions;
  return text + fmt::format(
                    "    word: {}bit\n    block: {} words\n    cluster: {}\n"
                    "    buffers: {}\n",
                    level.word_bits, level.block_words, level.cluster, level.buffers);
}

std::string bandwidths_text(const accel::StorageLevel& level) {
  std::string text;
  for (const auto& [key, words] : {std::pair{"bandwidth", level.shared_bandwidth},
                                   std::pair{"read_bandwidth", level.read_bandwidth},
                                   std::pair{"write_bandwidth", level.write_bandwidth}})
    if (words != accel::kUnlimited) text += fmt::format("    {}: {} words/cycle\n", key, words);
  return text;
}

std::string costs_text(const accel::StorageLevel& level) {
  std::string network_bandwidth;
  if (level.network_bandwidth != accel::kUnlimited)
    network_bandwidth = fmt::format("      bandwidth: {} words/cycle\n", level.network_bandwidth);
  return fmt::format(
             "    read_energy: {}pJ\n    write_energy: {}pJ\n    leakage: {}mW\n    area: {}mm2\n"
             "    network:\n      energy: {}pJ/bit\n      hop_energy: {}pJ/bit\n      area: "
             "{}mm2\n",
             level.read_energy_pj, level.write_energy_pj, level.leakage_mw, level.area_mm2,
             level.network_energy_pj, level.hop_energy_pj, level.network_area_mm2) +
         network_bandwidth;
}

std::string fanout_text(const accel::StorageLevel& level) {
  if (level.fanout.empty()) return "";
  std::string text = "    fanout:\n";
  for (const accel::Fanout& axis : level.fanout)
    text += fmt::format(
        "      - axis: {}\n        size: {}\n        multicast: {}\n        reduction: {}\n",
        quoted(axis.axis), axis.size, axis.multicast, axis.reduction);
  return text;
}

}  // namespace

std::string write_machine(const MachineDescription& description) {
  const accel::Machine& machine = description.machine;
  const accel::Compute& compute = machine.compute;
  std::string text = fmt::format(
      "kind: machine\nschema_version: 1\nname: {}\nsource: {}\ntechnology: none\nclock: {}Hz\n"
      "compute:\n  name: {}\n  mac_energy: {}pJ\n  add_energy: {}pJ\n  vector_energy: {}pJ\n"
      "  leakage: {}mW\n  area: {}mm2\nlevels:\n",
      quoted(machine.name), quoted(machine.source), machine.clock.value, quoted(compute.name),
      compute.mac_energy_pj, compute.add_energy_pj, compute.vector_energy_pj, compute.leakage_mw,
      compute.area_mm2);
  for (const accel::StorageLevel& level : machine.levels)
    text += fmt::format("  - name: {}\n{}{}{}{}", quoted(level.name), sizes_text(level),
                        bandwidths_text(level), costs_text(level), fanout_text(level));
  if (description.dataflow)
    text += fmt::format("dataflow: {}\n", accel::name_of(*description.dataflow));
  const std::string constraints = write_constraints(description.constraints, machine);
  return constraints.empty() ? text : text + "constraints:\n" + constraints;
}

}  // namespace cosearch::codesign
