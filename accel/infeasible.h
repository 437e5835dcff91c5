// A design that does not fit is a value, not an error: searches live on these.
#pragma once

#include <string>

namespace cosearch::accel {

struct Infeasible {
  /// Which level is too small for which tensors, and how many bytes are missing.
  std::string reason;
};

}  // namespace cosearch::accel
