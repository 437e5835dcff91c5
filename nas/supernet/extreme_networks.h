// The largest and the smallest network of a space, which the sandwich rule trains in every step.
#pragma once

#include <string>

#include "nas/space.h"

namespace cosearch::nas {

/// A network of which no neighbour has more multiply-accumulates (then parameters), found from one
/// drawn by a fixed stream, one change at a time: the largest wherever the choices add up. Throws
/// UserError as NetworkSpace::lower does.
[[nodiscard]] std::string largest_network(const NetworkSpace& space);
/// The same with fewer.
[[nodiscard]] std::string smallest_network(const NetworkSpace& space);

}  // namespace cosearch::nas
