// How many times the process has allocated, so that a benchmark can show that its loop does not.
#pragma once

#include <cstddef>

namespace cosearch::bench {

[[nodiscard]] std::size_t allocation_count();

}  // namespace cosearch::bench
