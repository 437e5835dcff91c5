// Time of the processor: what a busy machine adds to a measurement does not count.
#pragma once

namespace cosearch {

/// Seconds that the calling thread has run so far.
[[nodiscard]] double thread_processor_seconds();

}  // namespace cosearch
