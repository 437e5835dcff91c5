#include "accel/machine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <string_view>

namespace cosearch::accel {
namespace {

// Bounds that keep products of counts, words and bits within 64 bits, far beyond any chip.
constexpr std::int64_t kMostBits = std::int64_t{1} << 48;
constexpr std::int64_t kMostInstances = std::int64_t{1} << 30;
constexpr std::int64_t kMostWordBits = 4096;
constexpr std::int64_t kMostBlockWords = std::int64_t{1} << 20;
constexpr std::int64_t kMostBuffers = 16;
// Less would make cycles overflow.
constexpr double kLeastBandwidth = 0.001, kMostBandwidth = 1e9;

std::string shown(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

/// Collects what is wrong with one part of a machine, each message beginning with the part's name.
class Complaints {
 public:
  Complaints(std::vector<std::string>& problems, std::string part)
      : problems_(problems), part_(std::move(part)) {}

  void say(const std::string& problem) const { problems_.push_back(part_ + ": " + problem); }

  void in_range(std::string_view what, std::int64_t value, std::int64_t most) const {
    if (value < 1 || value > most)
      say(std::string(what) + " = " + std::to_string(value) + ": must be in [1, " +
          std::to_string(most) + "]");
  }
  void cost(std::string_view what, double value) const {
    if (!std::isfinite(value) || value < 0)
      say(std::string(what) + " = " + shown(value) + ": must be a finite number of at least 0");
  }
  void bandwidth(std::string_view what, double value) const {
    const bool possible =
        value == kUnlimited || (value >= kLeastBandwidth && value <= kMostBandwidth);
    if (!possible)
      say(std::string(what) + " = " + shown(value) + " words per cycle: must be in [" +
          shown(kLeastBandwidth) + ", " + shown(kMostBandwidth) + "], or unlimited");
  }

 private:
  std::vector<std::string>& problems_;
  std::string part_;
};

void check_kept_tensors(const StorageLevel& level, bool outermost, const Complaints& complaints) {
  for (const Tensor tensor : kTensors) {
    const std::string name(name_of(tensor));
    if (level.must_keep.has(tensor) && !level.may_keep.has(tensor))
      complaints.say(name + " must be kept and may not be kept");
    if (outermost && !level.may_keep.has(tensor))
      complaints.say("the outermost level holds the layer, but may not keep " + name);
    if (level.partition_bits[static_cast<std::size_t>(tensor)] && !level.may_keep.has(tensor))
      complaints.say("has a partition for " + name + ", which it may not keep");
  }
}

void check_capacity(const StorageLevel& level, bool outermost, const Complaints& complaints) {
  if (level.capacity_bits) complaints.in_range("capacity (bits)", *level.capacity_bits, kMostBits);
  for (const Tensor tensor : kTensors) {
    const auto& partition = level.partition_bits[static_cast<std::size_t>(tensor)];
    if (partition)
      complaints.in_range("partition of " + std::string(name_of(tensor)) + " (bits)", *partition,
                          kMostBits);
    else if (!outermost && !level.capacity_bits && level.may_keep.has(tensor))
      complaints.say("has neither a capacity nor a partition for " + std::string(name_of(tensor)) +
                     ": only the outermost level is without limit");
  }
}

void check_fanout(const StorageLevel& level, const Complaints& complaints) {
  if (level.fanout.size() > kMostAxes)
    complaints.say(std::to_string(level.fanout.size()) + " axes of fan-out: at most " +
                   std::to_string(kMostAxes));
  for (auto axis = level.fanout.begin(); axis != level.fanout.end(); ++axis) {
    if (axis->axis.empty()) complaints.say("an axis of the fan-out has no name");
    complaints.in_range("fan-out along " + axis->axis, axis->size, kMostInstances);
    const bool repeated = std::any_of(level.fanout.begin(), axis, [&](const Fanout& earlier) {
      return earlier.axis == axis->axis;
    });
    if (repeated) complaints.say("axis '" + axis->axis + "' is given twice");
  }
}

void check_level(const StorageLevel& level, bool outermost, const Complaints& complaints) {
  check_kept_tensors(level, outermost, complaints);
  check_capacity(level, outermost, complaints);
  check_fanout(level, complaints);
  complaints.in_range("word (bits)", level.word_bits, kMostWordBits);
  complaints.in_range("block (words)", level.block_words, kMostBlockWords);
  complaints.in_range("cluster (instances)", level.cluster, kMostInstances);
  complaints.in_range("buffers", level.buffers, kMostBuffers);
  complaints.bandwidth("read bandwidth", level.read_bandwidth);
  complaints.bandwidth("write bandwidth", level.write_bandwidth);
  complaints.bandwidth("shared bandwidth", level.shared_bandwidth);
  complaints.bandwidth("network bandwidth", level.network_bandwidth);
  complaints.cost("read energy (pJ)", level.read_energy_pj);
  complaints.cost("write energy (pJ)", level.write_energy_pj);
  complaints.cost("leakage (mW)", level.leakage_mw);
  complaints.cost("area (mm2)", level.area_mm2);
  complaints.cost("network energy (pJ per bit)", level.network_energy_pj);
  complaints.cost("hop energy (pJ per bit)", level.hop_energy_pj);
  complaints.cost("network area (mm2)", level.network_area_mm2);
}

void check_compute(const Compute& compute, std::vector<std::string>& problems) {
  const Complaints complaints(problems, "compute '" + compute.name + "'");
  if (compute.name.empty()) complaints.say("has no name");
  complaints.cost("mac energy (pJ)", compute.mac_energy_pj);
  complaints.cost("add energy (pJ)", compute.add_energy_pj);
  complaints.cost("vector energy (pJ)", compute.vector_energy_pj);
  complaints.cost("leakage (mW)", compute.leakage_mw);
  complaints.cost("area (mm2)", compute.area_mm2);
}

// Fan-outs multiply, so that each may be possible and all together not. Assumes every one in range.
void check_instances(const Machine& machine, std::vector<std::string>& problems) {
  std::int64_t instances = 1;
  for (const StorageLevel& level : machine.levels) {
    if (level.cluster >= 1 && instances % level.cluster != 0)
      problems.push_back("level '" + level.name + "': cluster = " + std::to_string(level.cluster) +
                         ": must divide its " + std::to_string(instances) + " instances");
    for (const Fanout& axis : level.fanout) {
      if (axis.size < 1 || axis.size > kMostInstances / instances) {
        if (axis.size >= 1)
          problems.push_back("level '" + level.name + "': fan-out along " + axis.axis + " = " +
                             std::to_string(axis.size) + ": more than " +
                             std::to_string(kMostInstances) + " instances in all");
        return;
      }
      instances *= axis.size;
    }
  }
}

void check_names(const Machine& machine, std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    const std::string& name = machine.levels[i].name;
    if (name.empty()) problems.push_back("level " + std::to_string(i) + " has no name");
    for (std::size_t j = 0; j < i; ++j)
      if (machine.levels[j].name == name && !name.empty()) {
        problems.push_back("level '" + name + "': levels " + std::to_string(j) + " and " +
                           std::to_string(i) + " have this name");
        break;
      }
  }
}

}  // namespace

std::int64_t Machine::instances(std::size_t i) const {
  std::int64_t product = 1;
  for (std::size_t level = 0; level < i; ++level) product *= levels[level].children();
  return product;
}

std::vector<std::string> problems_in(const Machine& machine) {
  std::vector<std::string> problems;
  if (machine.levels.empty()) problems.emplace_back("no level: at least one is needed");
  if (machine.levels.size() > kMostLevels)
    problems.push_back(std::to_string(machine.levels.size()) + " levels: at most " +
                       std::to_string(kMostLevels));
  if (!std::isfinite(machine.clock.value) || machine.clock.value <= 0)
    problems.push_back("clock (Hz) = " + shown(machine.clock.value) +
                       ": must be a finite number above 0");
  check_names(machine, problems);
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    const StorageLevel& level = machine.levels[i];
    check_level(level, i == 0, Complaints(problems, "level '" + level.name + "'"));
  }
  check_instances(machine, problems);
  check_compute(machine.compute, problems);
  return problems;
}

}  // namespace cosearch::accel
