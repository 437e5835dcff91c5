// A loop nest as people read it.
#pragma once

#include <string>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::codesign {

/// One line for each level, with what its tiles take, and for each loop of more than one piece:
///
///   DRAM holds input 25,088 words, weights 4,608 words, output 100,352 words
///     for K in 0..64 by 16
///       shared buffer holds input 784 words, ... (2 buffers, 43.1 % of 128 KiB)
///         in parallel on rows: for K in 0..16 by 1
///           multiply and add
///
/// A range is that of the piece which the loop is given. Levels that keep nothing are left out.
[[nodiscard]] std::string nest_text(const accel::LoopNest& nest, const Layer& layer,
                                    const accel::Machine& machine);

}  // namespace cosearch::codesign
