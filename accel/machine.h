// A machine: levels of storage from DRAM to the multipliers, with fan-outs between them. Everything
// a cost needs is a number here; accel/machine_costs.h fills in what a file leaves to a technology.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "accel/tensor_set.h"
#include "core/quantity.h"

namespace cosearch::accel {

inline constexpr std::size_t kMostLevels = 8;
inline constexpr std::size_t kMostAxes = 4;  ///< of one fan-out
inline constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// One axis along which an instance of a level feeds several instances of the next inner one.
struct Fanout {
  std::string axis = "X";
  std::int64_t size = 1;
  /// One read serves every child that needs the same word at the same time.
  bool multicast = true;
  /// Partial sums of one output are added on their way up: one update for all children.
  bool reduction = true;

  friend bool operator==(const Fanout&, const Fanout&) = default;
};

struct StorageLevel {
  std::string name;

  /// Tensors that must be, and that may be, kept here; the others pass by. A level that may keep
  /// nothing only separates two fan-outs.
  TensorSet must_keep, may_keep = TensorSet::all();

  /// Bits of one instance for all kept tensors together; absent: without limit (DRAM).
  std::optional<std::int64_t> capacity_bits;
  /// Bits of one instance for one tensor alone; such a tensor takes no room of `capacity_bits`.
  std::array<std::optional<std::int64_t>, 3> partition_bits;

  /// Every value takes whole words of this many bits.
  std::int64_t word_bits = 8;
  /// Words read or written in one access.
  std::int64_t block_words = 1;
  /// Instances that share one physical memory, side by side in its width.
  std::int64_t cluster = 1;
  /// Tiles held at a time: 2 overlaps transfer and use (double buffering), 1 does not.
  std::int64_t buffers = 2;

  /// Words per cycle and instance; `shared_bandwidth` is a port for both directions.
  double read_bandwidth = kUnlimited;
  double write_bandwidth = kUnlimited;
  double shared_bandwidth = kUnlimited;
  /// Words per cycle of the network below one instance, both directions together; a multicast or a
  /// reduction counts once. Unlike `shared_bandwidth`, what comes from above passes it by.
  double network_bandwidth = kUnlimited;

  /// pJ per access of one block.
  double read_energy_pj = 0, write_energy_pj = 0;
  /// Of one instance.
  double leakage_mw = 0, area_mm2 = 0;

  /// Towards the next inner level, or to the multipliers. No axis: one child.
  std::vector<Fanout> fanout;
  /// pJ per bit, from an instance to its first child, and from child to child of a multicast or a
  /// reduction.
  double network_energy_pj = 0, hop_energy_pj = 0;
  /// mm2 of the network below one instance.
  double network_area_mm2 = 0;

  [[nodiscard]] std::int64_t children() const {
    std::int64_t product = 1;
    for (const Fanout& axis : fanout) product *= axis.size;
    return product;
  }
  friend bool operator==(const StorageLevel&, const StorageLevel&) = default;
};

/// The multipliers, one below each end of the tree.
struct Compute {
  std::string name = "mac";
  double mac_energy_pj = 0;
  /// Of one addition of two partial sums on their way up.
  double add_energy_pj = 0;
  /// Of one operation of a memory-bound layer.
  double vector_energy_pj = 0;
  double leakage_mw = 0, area_mm2 = 0;  ///< of one multiplier with its control
  friend bool operator==(const Compute&, const Compute&) = default;
};

struct Machine {
  std::string name;
  /// Where its numbers come from.
  std::string source;
  Hertz clock{200e6};
  /// Outermost first; at least one.
  std::vector<StorageLevel> levels;
  Compute compute;

  /// How many of level `i` there are; `instances(levels.size())` is the number of multipliers.
  [[nodiscard]] std::int64_t instances(std::size_t i) const;
  [[nodiscard]] std::int64_t multipliers() const { return instances(levels.size()); }
  friend bool operator==(const Machine&, const Machine&) = default;
};

/// Everything wrong with `machine`, in the user's words, each naming its level; empty when valid.
[[nodiscard]] std::vector<std::string> problems_in(const Machine& machine);

}  // namespace cosearch::accel
