// Ctrl-C, SIGTERM and the time limit: a search that is told to stop ends in order, or at once where
// that would take long.
#pragma once

namespace cosearch::codesign {

/// From now on SIGINT and SIGTERM do not end the process but make `stop_was_requested` true.
void watch_for_stop();

[[nodiscard]] bool stop_was_requested();

/// While it lives, a process that was asked to stop has 0.8 seconds to do so in order. After that
/// it leaves with kStopped, whatever it does: as if it had been killed, so only where everything
/// that must be kept is on the disk already. One at a time, in the process that stores.
class StopDeadline {
 public:
  /// `time_limit` in seconds from now, after which the process is asked to stop, may be infinite.
  /// `farewell`, a literal, is what leaving at once writes to standard error.
  StopDeadline(double time_limit, const char* farewell);
  StopDeadline(const StopDeadline&) = delete;
  StopDeadline& operator=(const StopDeadline&) = delete;
  ~StopDeadline();
};

}  // namespace cosearch::codesign
