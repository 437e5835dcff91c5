// Cycles of a weight-stationary systolic array, calibrated on runs of real hardware: what a model
// of perfect overlap leaves out, in six constants with a physical meaning each
// (docs/calibration.md).
//
// The host issues one call per tile of DRAM. A call loads its inputs and weights, row by row, into
// the scratchpad, walks over blocks of side x side weights, and stores its outputs once they are
// complete. Modelled on Gemmini: H. Genc et al., "Gemmini: enabling systematic deep-learning
// architecture evaluation via full-stack integration", DAC 2021, and its public sources
// (ExecuteController.scala, LoopConv.scala, LoopMatmul.scala).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "accel/dimension.h"
#include "core/layer.h"

namespace cosearch::accel {

/// What a run asks of the machine; sums over its calls.
struct ArrayWork {
  double array_cycles = 0;       ///< rows streamed through the array, and weights that move in
  double instruction_sides = 0;  ///< instructions, each counted as the array's side
  double calls = 0;              ///< of the host; one of a convolution counts twice
  double requests = 0;           ///< of DMA: rows of at most kRequestBytes
  double bytes = 0;

  ArrayWork& operator+=(const ArrayWork& other);
  friend ArrayWork operator*(double times, const ArrayWork& work);
};
inline constexpr std::int64_t kRequestBytes = 64;

/// All positive.
struct ArrayConstants {
  /// Least distance of two instructions on the array, as a share of its side.
  double instruction_spacing = 0;
  /// Cycles in which the host issues one call of a matrix product; a convolution takes twice as
  /// many parameters.
  double call_cycles = 0;
  /// Cycles of a DMA request that finds its data near, and of each byte that it moves.
  double request_cycles = 0, byte_cycles = 0;
  /// Before the first and after the last call.
  double start_cycles = 0;
  /// Share of the shorter of work and transfer that the longer one does not hide.
  double unhidden = 0;
};

/// The fit of docs/calibration.md.
inline constexpr ArrayConstants kGemminiConstants{.instruction_spacing = 0.4636,
                                                  .call_cycles = 125.9,
                                                  .request_cycles = 1.037,
                                                  .byte_cycles = 0.1114,
                                                  .start_cycles = 863.5,
                                                  .unhidden = 0.2091};

/// start + the longer + unhidden * the shorter of (array, instructions or host: the slowest) and
/// transfers.
[[nodiscard]] double calibrated_cycles(const ArrayWork& work, const ArrayConstants& constants);

/// What takes longest.
enum class Limit : std::uint8_t { array, instructions, host, transfers };
inline constexpr std::array kLimits{Limit::array, Limit::instructions, Limit::host,
                                    Limit::transfers};
[[nodiscard]] std::string_view name_of(Limit limit);
[[nodiscard]] Limit limit_of(const ArrayWork& work, const ArrayConstants& constants);

/// Work of `layer` cut into tiles of these extents, one call each, on an array of `side` x `side`.
/// Requires one group, one image and no depth.
/// Assumes: values of one byte; every call loads its inputs and weights again; neighbouring
/// positions along P stream through the array together, at most `side` of them.
[[nodiscard]] ArrayWork array_work(const Layer& layer, const Extents& tile, std::int64_t side);

}  // namespace cosearch::accel
