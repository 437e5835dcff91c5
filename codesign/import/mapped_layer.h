// One layer on one machine as one loop nest says: what other tools' files hold and what theirs are
// written from.
#pragma once

#include <cstdint>
#include <string>

#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::codesign {

/// The most that a level on a chip may hold (accel/machine.h knows "without limit" only of DRAM):
/// what stands for "without limit" in other tools' files.
inline constexpr std::int64_t kNoLimitBits = std::int64_t{1} << 48;

struct MappedLayer {
  std::string name;
  Layer layer;
  accel::Machine machine;
  accel::LoopNest nest;

  friend bool operator==(const MappedLayer&, const MappedLayer&) = default;
};

}  // namespace cosearch::codesign
