// Silicon area of a machine, by part.
#pragma once

#include "accel/accelerator.h"
#include "core/quantity.h"

namespace cosearch::accel {

struct AreaBreakdown {
  SquareMillimetres pes;            ///< multipliers, adders and sequencers
  SquareMillimetres pe_buffers;     ///< register files
  SquareMillimetres shared_buffer;  ///< SRAM
  SquareMillimetres noc;            ///< grows with PEs times bandwidth

  [[nodiscard]] SquareMillimetres total() const { return pes + pe_buffers + shared_buffer + noc; }
};

/// Assumes: DRAM is another chip and takes no area.
[[nodiscard]] AreaBreakdown area_breakdown(const Accelerator& accelerator);
[[nodiscard]] SquareMillimetres area_of(const Accelerator& accelerator);

/// Distance between neighbouring PEs, in mm: the side of a square of one PE's area, buffer
/// included.
[[nodiscard]] double pe_pitch_mm(const Accelerator& accelerator);

}  // namespace cosearch::accel
