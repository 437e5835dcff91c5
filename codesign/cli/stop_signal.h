// Ctrl-C and SIGTERM as a wish to stop, heard by whoever asks.
#pragma once

namespace cosearch::codesign {

/// From now on neither ends the program.
void watch_for_stop();

/// Whether one of them came, any number of times.
[[nodiscard]] bool stop_was_requested();

}  // namespace cosearch::codesign
