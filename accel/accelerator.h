// A machine: DRAM, one shared buffer, and a two-dimensional array of processing elements (PEs) with
// a buffer each. A template says how layers are spread over the array; parameters size it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "accel/technology.h"
#include "core/quantity.h"

namespace cosearch::accel {

struct AcceleratorParameters {
  /// One of template_names(): which loops run across the array and which tensor stays put.
  std::string template_name = "nvdla";

  /// Shape of the PE array; each PE does one multiply-accumulate per cycle.
  std::int64_t pe_rows = 16;
  std::int64_t pe_columns = 16;

  /// Storage in each PE, for its tiles of input, weights and output, double-buffered.
  Bytes pe_buffer{512};

  /// Storage on the chip shared by all PEs, double-buffered.
  Bytes shared_buffer{128 * 1024};

  /// Bytes per cycle between the shared buffer and the array, both ways together; a word that goes
  /// to several PEs (multicast) or is summed from several counts once.
  double noc_bandwidth = 64;

  /// Bytes per cycle between DRAM and the shared buffer, both ways together.
  double dram_bandwidth = 16;

  Hertz clock{200e6};

  /// Width of a word of input, weights and finished output: 8, 16 or 32. Partial sums are 32 bits.
  std::int32_t precision_bits = 8;

  friend bool operator==(const AcceleratorParameters&, const AcceleratorParameters&) = default;
};

/// nvdla, eyeriss, shidiannao, xp_ws.
[[nodiscard]] std::vector<std::string> template_names();

/// Everything wrong with `parameters` in the user's words; empty when valid.
[[nodiscard]] std::vector<std::string> problems_in(const AcceleratorParameters& parameters);

/// Valid parameters in a technology. Made by make_accelerator only.
struct Accelerator {
  std::string name;
  AcceleratorParameters parameters;
  TechnologyTable technology;

  [[nodiscard]] std::int64_t pe_count() const { return parameters.pe_rows * parameters.pe_columns; }
  /// Bytes of one word of input, weights or finished output.
  [[nodiscard]] std::int64_t word_bytes() const { return parameters.precision_bits / 8; }
  /// Bytes of one partial sum.
  /// Assumes: 32-bit accumulators at every precision.
  [[nodiscard]] static std::int64_t accumulator_bytes() { return 4; }
};

/// Throws UserError naming `name` and listing every problem at once.
[[nodiscard]] Accelerator make_accelerator(std::string name,
                                           const AcceleratorParameters& parameters,
                                           const TechnologyTable& technology);

/// A machine known by name; `source` says which of its numbers are published and which assumed.
struct NamedAccelerator {
  std::string name;
  AcceleratorParameters parameters;
  std::string source;
};

[[nodiscard]] const std::vector<NamedAccelerator>& named_accelerators();

}  // namespace cosearch::accel
